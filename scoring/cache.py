"""Where scoring keeps what it encoded: a folder for each model and kind of vector, named after all that decides it."""

from pathlib import Path

from notclip.embedding_shelf import EmbeddingShelf
from notclip.files.cache_folder import user_cache
from notclip.files.derived import derived_key
from notclip.fingerprints import image_tower_fingerprint, text_fingerprint
from notclip.remote.modeling_notclip import NotClipModel
from notclip.scoring.python_model import CallableEncoders, CallableScorer
from notclip.scoring.score import Shelves


def cache_folder(named: str) -> Path | None:
    """The folder that a user's `cache` means.

    Args:
        named: a folder; `auto` for `notclip/embeddings` in the user's cache; `none` for no cache.
    """
    if named == "none":
        return None
    if named != "auto":
        return Path(named)
    return user_cache() / "embeddings"


def open_shelves(model: NotClipModel | CallableEncoders | CallableScorer, folder: Path | None) -> Shelves:
    """The shelves of a model in a cache folder; in memory alone without one.

    Args:
        model: the model.
        folder: the cache.

    Raises:
        BadInputError: a file in it cannot be read.
    """
    if folder is None:
        return Shelves()
    if isinstance(model, NotClipModel):
        photos, texts = image_tower_fingerprint(model), text_fingerprint(model)
        return Shelves(EmbeddingShelf(folder / f"photos-{photos}"), EmbeddingShelf(folder / f"texts-{texts}"))
    if not model.fingerprint:  # Made in memory: nothing tells it from the next one.
        return Shelves()
    code = derived_key("notclip.scoring.python_model", "notclip.scoring.python_scores", of=model.fingerprint)
    if isinstance(model, CallableScorer):
        return Shelves(texts=EmbeddingShelf(folder / f"pairs-{code}"))
    return Shelves(EmbeddingShelf(folder / f"photos-{code}"), EmbeddingShelf(folder / f"texts-{code}"))
