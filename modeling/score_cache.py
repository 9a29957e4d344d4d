"""Where scoring keeps what it encoded: a folder for each model and kind of vector, named after all that decides it."""

import hashlib
import os
from pathlib import Path

from notclip.callable_model import CallableEncoders, CallableScorer
from notclip.embedding_cache import image_tower_fingerprint
from notclip.embedding_shelf import EmbeddingShelf
from notclip.modeling_notclip import NotClipModel
from notclip.release_files_notclip import remote_code
from notclip.results import weights_sha256
from notclip.scoring import Shelves


def cache_folder(named: str) -> Path | None:
    """The folder that a user's `cache` means.

    Args:
        named: a folder; `auto` for `notclip/embeddings` in the user's cache; `none` for no cache.
    """
    if named == "none":
        return None
    if named != "auto":
        return Path(named)
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "notclip" / "embeddings"


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
        device = model.device.type  # a GPU's last digits are others
        return Shelves(
            EmbeddingShelf(folder / f"photos-{photos}-{device}"), EmbeddingShelf(folder / f"texts-{texts}-{device}")
        )
    code = f"{model.fingerprint[:16]}-python"
    if isinstance(model, CallableScorer):
        return Shelves(texts=EmbeddingShelf(folder / f"pairs-{code}"))
    return Shelves(EmbeddingShelf(folder / f"photos-{code}"), EmbeddingShelf(folder / f"texts-{code}"))


def text_fingerprint(model: NotClipModel) -> str:
    """Hash what decides a text's vector: weights, tokenizer, composition, and the code that a model is made of."""
    digest = hashlib.sha256(weights_sha256(model).encode())
    digest.update(model.config.to_json_string().encode())
    digest.update(repr(sorted(model.processor.tokenizer.get_vocab().items())).encode())
    for file in remote_code():
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
