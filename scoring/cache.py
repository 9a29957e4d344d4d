"""Where scoring keeps what it encoded: a folder for each model and kind of vector, named after all that decides it."""

from dataclasses import dataclass, field
from pathlib import Path

from notclip.embedding_store import EmbeddingStore
from notclip.files.cache_folder import user_cache
from notclip.files.derived import derived_key
from notclip.fingerprints import image_tower_fingerprint, text_fingerprint
from notclip.remote.modeling_notclip import NotClipModel
from notclip.scoring.python_model import CallableEncoders, CallableScorer

_CODE = "notclip.scoring.embed"


@dataclass(frozen=True)
class EmbeddingCache:
    """A model's vectors of photos and of texts, kept between runs; in memory alone by default."""

    photos: EmbeddingStore = field(default_factory=EmbeddingStore)
    texts: EmbeddingStore = field(default_factory=EmbeddingStore)


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


def open_cache(model: NotClipModel | CallableEncoders | CallableScorer, folder: Path | None) -> EmbeddingCache:
    """The cache of a model in a folder; in memory alone without one.

    Args:
        model: the model.
        folder: of all models.

    Raises:
        BadInputError: a file in it cannot be read.
    """
    if folder is None:
        return EmbeddingCache()
    if isinstance(model, NotClipModel):
        photos, texts = image_tower_fingerprint(model, _CODE), text_fingerprint(model, _CODE)
        return EmbeddingCache(EmbeddingStore(folder / f"photos-{photos}"), EmbeddingStore(folder / f"texts-{texts}"))
    if not model.fingerprint:  # Made in memory: nothing tells it from the next one.
        return EmbeddingCache()
    code = derived_key("notclip.scoring.python_model", "notclip.scoring.python_scores", of=model.fingerprint)
    if isinstance(model, CallableScorer):
        return EmbeddingCache(texts=EmbeddingStore(folder / f"pairs-{code}"))
    return EmbeddingCache(EmbeddingStore(folder / f"photos-{code}"), EmbeddingStore(folder / f"texts-{code}"))
