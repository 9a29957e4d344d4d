"""Embeddings of the Space's photos, made when it first starts and mapped into memory from then on."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from notclip.errors import BadInputError
from notclip.files.array_files import open_array
from notclip.files.derived import derived_key
from notclip.files.whole_files import clear_partials, whole_file
from notclip.fingerprints import image_tower_fingerprint
from notclip.remote.modeling_notclip import NotClipModel
from notclip.scoring.suites.suite import open_suite_photo
from notclip.space.photo_set import PhotoSet

BATCH = 64
# What the fingerprints below stand for themselves.
_FINGERPRINTED = ("notclip.fingerprints", "notclip.remote.modeling_notclip", "notclip.space.photo_set")


def embed_photo_set(model: NotClipModel, photos: PhotoSet, cache: Path) -> NDArray[np.float32]:
    """Embeddings of the photos, shape (N, D), memory-mapped from a file that is written at the first call.

    Raises:
        BadInputError: a photo cannot be decoded.
    """
    made_of = [image_tower_fingerprint(model), photos.fingerprint()]
    file = cache / f"photos-{derived_key(__name__, of=made_of, apart_from=_FINGERPRINTED)}.npy"
    if (kept := _kept(file, len(photos.ids))) is not None:
        return kept
    embeds = []
    for start in range(0, len(photos.ids), BATCH):
        names = photos.ids[start : start + BATCH]
        images = [open_suite_photo(photos.photo(name)) for name in names]
        embeds.append(model.encode_images(images, batch_size=BATCH).float().cpu().numpy())
    cache.mkdir(parents=True, exist_ok=True)
    clear_partials(cache)
    with whole_file(file) as partial:
        np.save(partial, np.concatenate(embeds))
    return open_array(file)


def _kept(file: Path, count: int) -> NDArray[np.float32] | None:
    """What an earlier start left there; None where that is nothing, or was damaged since."""
    try:
        found = open_array(file)
    except BadInputError:
        return None
    whole = found.dtype == np.float32 and found.ndim == 2 and len(found) == count
    return found if whole and np.isfinite(found).all() else None
