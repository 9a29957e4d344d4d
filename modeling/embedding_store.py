"""Embeddings kept by the content that they were made of, on disk, so that nothing is encoded twice.

A part file holds some vectors and the SHA-256 of what each was made of. A run that is killed keeps the parts that it
finished, and several runs may fill one folder.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from notclip.errors import BadInputError
from notclip.files.whole_files import clear_partials, whole_file

ROWS_PER_PART = 2048


class EmbeddingStore:
    """Vectors of one kind, found by the digest of their content.

    Args:
        folder: where the parts are; made when first written to. None keeps them in memory alone.

    Raises:
        BadInputError: a part in the folder cannot be read.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self._row: dict[bytes, int] = {}
        self._blocks: list[Tensor] = []
        self._starts: list[int] = []  # row of each block's first vector
        self._unsaved: list[bytes] = []
        for file in sorted(folder.glob("*.safetensors")) if folder is not None else ():
            try:
                if not file.is_file():  # A pipe would be waited for.
                    raise ValueError("it is no file")
                digests, vectors = _read_part(file)
                if self._blocks and vectors.shape[1] != self._blocks[0].shape[1]:
                    raise ValueError(f"its vectors have {vectors.shape[1]} numbers, others {self._blocks[0].shape[1]}")
                self._enter(digests, vectors)
            except (SafetensorError, OSError, KeyError, ValueError) as error:
                raise BadInputError(f"{file} in the cache cannot be read ({error}): delete it.") from error

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._row

    def __len__(self) -> int:
        return len(self._row)

    def add(self, digests: Sequence[bytes], vectors: Tensor) -> None:
        """Put vectors, shape (N, D), under their digests; a part is written whenever enough have come together."""
        self._enter(digests, vectors.detach().float().cpu())
        self._unsaved += digests
        if len(self._unsaved) >= ROWS_PER_PART:
            self.flush()

    def flush(self) -> None:
        """Write what no part holds yet.

        Raises:
            BadInputError: the folder cannot be written to.
        """
        if self.folder is None or not self._unsaved:
            return
        keys = torch.frombuffer(bytearray(b"".join(self._unsaved)), dtype=torch.uint8).reshape(len(self._unsaved), -1)
        name = hashlib.sha256(b"".join(self._unsaved)).hexdigest()[:16]
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            clear_partials(self.folder)
            with whole_file(self.folder / f"{name}.safetensors") as partial:
                save_file({"digests": keys, "embeds": self.vectors(self._unsaved)}, partial)
        except (OSError, SafetensorError) as error:
            reason = getattr(error, "strerror", None) or error
            raise BadInputError(f"the cache {self.folder} cannot be written: {reason}.") from error
        self._unsaved = []

    def vectors(self, digests: Sequence[bytes]) -> Tensor:
        """Vectors of digests that are here, on the CPU, shape (len(digests), D)."""
        rows = torch.tensor([self._row[digest] for digest in digests])
        block_of = torch.searchsorted(torch.tensor(self._starts), rows, right=True) - 1
        found = torch.empty(len(rows), self._blocks[0].shape[1])
        for block in block_of.unique().tolist():
            here = block_of == block
            found[here] = self._blocks[block][rows[here] - self._starts[block]]
        return found

    def _enter(self, digests: Sequence[bytes], vectors: Tensor) -> None:
        start = self._starts[-1] + len(self._blocks[-1]) if self._blocks else 0
        self._blocks.append(vectors)
        self._starts.append(start)
        self._row.update(zip(digests, range(start, start + len(vectors)), strict=True))


def _read_part(file: Path) -> tuple[list[bytes], Tensor]:
    part = load_file(file)
    digests, vectors = part["digests"], part["embeds"]
    right = digests.dtype == torch.uint8 and digests.ndim == vectors.ndim == 2 and len(digests) == len(vectors)
    if not right or not vectors.is_floating_point():
        raise ValueError(f"digests {tuple(digests.shape)} and embeds {tuple(vectors.shape)} are none of a store's")
    return [key.tobytes() for key in digests.numpy()], vectors
