"""Embeddings of many photos as memory-mapped files, made once by any number of processes.

A shard holds the embeddings of `ROWS` photos that follow each other. It appears under its name when it is whole, so
that a process which is killed, or any other, goes on with those that are missing.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from tqdm import tqdm

from notclip.dataset.clips import unpack_clip
from notclip.errors import BadInputError
from notclip.files.array_files import open_array
from notclip.files.whole_files import clear_partials, whole_file
from notclip.fingerprints import image_tower_fingerprint
from notclip.remote.modeling_notclip import NotClipModel
from notclip.remote.photo_notclip import PhotoError, open_photo

ROWS = 4096


class EmbeddingShards:
    """The unit-norm embeddings of I photos, read when they are asked for.

    Args:
        folder: where the shards are.
        count: I.
        width: D.

    Raises:
        BadInputError: a shard is missing or is none.
    """

    def __init__(self, folder: Path, count: int, width: int) -> None:
        self._count, self.width = count, width
        self._shards: list[np.ndarray] = []
        for number in range(-(-count // ROWS)):
            file = _shard(folder, number)
            shard = open_array(file)
            shape = (min(ROWS, count - number * ROWS), width)
            if shard.dtype != np.float32 or shard.shape != shape:
                raise BadInputError(
                    f"{file} in the cache must hold {shape} numbers of single precision, got {shard.shape} of "
                    f"{shard.dtype}: delete it."
                )
            self._shards.append(shard)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Tensor:
        """Embeddings of some positions, shape (positions, D), in single precision."""
        if isinstance(index, slice):
            index = range(self._count)[index]
        rows = index.cpu().numpy() if isinstance(index, Tensor) else np.asarray(index, dtype=np.int64)
        found = np.empty((len(rows), self.width), dtype=np.float32)
        of_shard = rows // ROWS
        for number in np.unique(of_shard):
            here = of_shard == number
            found[here] = self._shards[number][rows[here] % ROWS]
        return torch.from_numpy(found)


class EmbeddedRows:
    """Embeddings of some of I photos, by the positions that they have among all.

    Args:
        rows: these positions, ascending, shape (R,).
        embeds: their embeddings, shape (R, D).
        count: I.
    """

    def __init__(self, rows: np.ndarray, embeds: Tensor, *, count: int) -> None:
        self._rows, self.embeds, self._count = rows, embeds, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Sequence[int] | Tensor) -> Tensor:
        """Embeddings of some positions, shape (positions, D)."""
        wanted = np.asarray(index, dtype=np.int64)
        return self.embeds[torch.from_numpy(np.searchsorted(self._rows, wanted))]


def embed_into_shards(
    model: NotClipModel,
    photos: Sequence[bytes],
    digests: Sequence[bytes],
    cache: Path,
    *,
    batch_size: int = 64,
    rank: int = 0,
    world_size: int = 1,
    place: Callable[[int], str] = "photo at position {}".format,
) -> Path:
    """Embed encoded photos into those shards that are missing; of several processes each takes its share.

    Args:
        model: the model whose image tower embeds.
        photos: encoded photos (JPEG, PNG, …), I in all; a clip (see `dataset.clips`) is the mean of its frames.
        digests: SHA-256 of each of them.
        cache: the cache, in which all that decides an embedding names a folder; made when absent.
        batch_size: photos embedded at once.
        rank: this process.
        world_size: number of processes.
        place: what an error calls the photo at a position.

    Returns:
        The folder of the shards.

    Raises:
        BadInputError: a photo cannot be decoded, or the cache cannot be written to.
    """
    content = hashlib.sha256()
    for start in range(0, len(digests), ROWS):
        content.update(b"".join(digests[start : start + ROWS]))
    folder = cache / image_tower_fingerprint(model, __name__) / f"{content.hexdigest()[:20]}-{len(digests)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        clear_partials(folder)
        missing = [n for n in range(rank, -(-len(digests) // ROWS), world_size) if not _shard(folder, n).is_file()]
        sizes = [min(ROWS, len(digests) - number * ROWS) for number in missing]
        with tqdm(total=sum(sizes), desc="embed images", unit="image", disable=not missing) as progress:
            for number, size in zip(missing, sizes, strict=True):
                first, embeds = number * ROWS, []
                for start in range(first, first + size, batch_size):
                    batch = range(start, min(start + batch_size, first + size))
                    frames = [frames_of(photos[position], place(position)) for position in batch]
                    embeds.append(embed_frames(model, frames, batch_size=batch_size))
                    progress.update(len(batch))
                with whole_file(_shard(folder, number)) as partial:
                    np.save(partial, torch.cat(embeds).float().cpu().numpy(), allow_pickle=False)
    except OSError as error:
        raise BadInputError(f"the cache {folder} cannot be written: {error.strerror or error}.") from error
    return folder


def cached_image_embeds(
    model: NotClipModel, photos: Sequence[bytes], digests: Sequence[bytes], cache: Path, *, batch_size: int = 64
) -> Tensor:
    """All embeddings at once, shape (I, D): see `embed_into_shards`."""
    folder = embed_into_shards(model, photos, digests, cache, batch_size=batch_size)
    return EmbeddingShards(folder, len(digests), model.config.embedding_dim)[:]


def frames_of(encoded: bytes, where: str) -> list[Image.Image]:
    """The photo, or the frames of a clip."""
    try:
        return unpack_clip(encoded) or [open_photo(encoded)]
    except PhotoError as error:
        raise BadInputError(f"{where}: {error}.") from error


def embed_frames(model: NotClipModel, frames: list[list[Image.Image]], *, batch_size: int) -> Tensor:
    """Unit-norm embeddings of photos, or of clips as the mean of their frames, shape (photos, D)."""
    every = [frame for own in frames for frame in own]
    embeds = model.encode_images(every, batch_size=batch_size).split([len(own) for own in frames])
    return torch.stack([own[0] if len(own) == 1 else nn.functional.normalize(own.mean(0), dim=0) for own in embeds])


def _shard(folder: Path, number: int) -> Path:
    return folder / f"{number:06d}.npy"
