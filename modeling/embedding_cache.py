"""Image embeddings of a frozen tower, computed once and kept by content: see `embedding_shelf`."""

from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn
from tqdm import tqdm

from notclip.dataset.clips import unpack_clip
from notclip.embedding_shelf import EmbeddingShelf
from notclip.fingerprints import image_tower_fingerprint
from notclip.remote.modeling_notclip import NotClipModel
from notclip.remote.photo_notclip import open_photo


def cached_image_embeds(
    model: NotClipModel, image_bytes: Sequence[bytes], digests: Sequence[bytes], folder: Path, *, batch_size: int = 64
) -> Tensor:
    """Embed encoded images, reading from `folder` those that it already has.

    Args:
        model: the model whose image tower embeds.
        image_bytes: encoded images (JPEG, PNG, …), I in all; a clip (see `recaption.clips`) is the mean of its frames.
        digests: SHA-256 of each of them.
        folder: the cache, in which all that decides an embedding names a folder; made when absent.
        batch_size: images embedded at once.

    Returns:
        Unit-norm embeddings on the CPU, shape (I, D).
    """
    shelf = EmbeddingShelf(folder / image_tower_fingerprint(model))
    missing = [index for index, digest in enumerate(digests) if digest not in shelf]
    with tqdm(total=len(missing), desc="embed images", unit="image", disable=not missing) as progress:
        for start in range(0, len(missing), batch_size):
            batch = missing[start : start + batch_size]
            frames = [_frames(image_bytes[index]) for index in batch]
            every = [frame for own in frames for frame in own]
            embeds = model.encode_images(every, batch_size=batch_size).split([len(own) for own in frames])
            means = [own[0] if len(own) == 1 else nn.functional.normalize(own.mean(0), dim=0) for own in embeds]
            shelf.add([digests[index] for index in batch], torch.stack(means))
            progress.update(len(batch))
    shelf.flush()
    return shelf.vectors(digests)


def _frames(encoded: bytes) -> list[Image.Image]:
    """A photo, or the frames of a clip."""
    return unpack_clip(encoded) or [open_photo(encoded)]
