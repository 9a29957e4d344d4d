"""Second stage: which split each image is in, which rows are the same image, and the shards that later stages work on.

Looks at content hashes and identifiers alone, in passes over ranges of hashes, so that memory does not grow with the
number of images beyond a byte each.
"""

import hashlib
import json
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from notclip.dataset.splits import KEEPING_ORDER, SPLITS
from notclip.errors import BadInputError
from notclip.recaption.building.pieces import Piece, Skipped
from notclip.recaption.building.work_folder import WorkFolder, read_json, write_json

_PASS_ROWS = 500_000
_LEFT_OUT = -1
_PRIORITY = np.array([KEEPING_ORDER.index(split) for split in SPLITS], dtype=np.int8)


@dataclass(frozen=True)
class Shard:
    """Images of one split that one task works on.

    Args:
        split: the split.
        index: which shard of the split.
        of: how many there are.
        pieces: names of the pieces that hold its images.
        images: how many images.
    """

    split: str
    index: int
    of: int
    pieces: tuple[str, ...]
    images: int

    @property
    def file_name(self) -> str:
        """Name of its file in each config, as `load_dataset` expects it."""
        return self.split if self.of == 1 else f"{self.split}-{self.index:05d}-of-{self.of:05d}"


@dataclass(frozen=True)
class Gathered:
    """What the later stages need to know.

    Args:
        shards: all shards, train first.
        vocabulary: labels of the annotation; None without annotation.
    """

    shards: tuple[Shard, ...]
    vocabulary: tuple[str, ...] | None

    def images(self, split: str | None = None) -> int:
        """Number of images, of one split or of all."""
        return sum(shard.images for shard in self.shards if split in (None, shard.split))


def gather(
    work: WorkFolder,
    pieces: Sequence[Piece],
    vocabulary: tuple[str, ...] | None,
    *,
    source: str,
    seed: int,
    shard_images: int,
) -> None:
    """Decide where each row goes, and write that down for each piece.

    Args:
        work: the folder of the build.
        pieces: all pieces.
        vocabulary: labels of the annotation.
        source: what the user called the source, for messages.
        seed: seed of the split of a source that lacks some.
        shard_images: about how many images make a shard.

    Raises:
        BadInputError: there is no sound row, or no train split.
    """
    shutil.rmtree(work.gather, ignore_errors=True)
    work.gather.mkdir()
    codes = _splits_of_rows(pieces, source=source, seed=seed)
    merged = _leave_out_repetitions(work, pieces, codes)
    _merge(work, pieces, merged)
    renamed = _rename(pieces, codes)
    for number, piece in enumerate(pieces):
        np.save(work.gather / f"{piece.name}.npy", codes[number])
        write_json(work.gather / f"{piece.name}.json", {"renamed": renamed.get(number, {})})
    shards = _shards(pieces, codes, shard_images)
    # Written last: the stage is done once this stands.
    write_json(work.gather / "shards.json", {"shards": [asdict(shard) for shard in shards], "vocabulary": vocabulary})


def read_gathered(work: WorkFolder) -> Gathered:
    """What `gather` decided."""
    stored = read_json(work.gather / "shards.json")
    shards = [Shard(**{**shard, "pieces": tuple(shard["pieces"])}) for shard in stored["shards"]]
    return Gathered(tuple(shards), None if stored["vocabulary"] is None else tuple(stored["vocabulary"]))


def gathering_skipped(work: WorkFolder) -> Iterator[Skipped]:
    """Rows that were left out since another split shows the same photo."""
    with (work.gather / "skipped.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            yield Skipped(**json.loads(line))


def _splits_of_rows(pieces: Sequence[Piece], *, source: str, seed: int) -> list[np.ndarray]:
    """Index of the split of each row; where splits are missing, a hash of each training image, or group, decides."""
    sound = {split: sum(piece.rows for piece in pieces if piece.split == split) for split in SPLITS}
    if not any(sound.values()):
        skipped = [entry for piece in pieces for entry in piece.skipped()]
        first = f" The first: {skipped[0].file} row {skipped[0].row}: {skipped[0].reason}." if skipped else ""
        raise BadInputError(f"`source` {source!r} has no sound row; {len(skipped)} were skipped.{first}")
    missing = [split for split in SPLITS if not sound[split]]
    if missing and not sound["train"]:
        found = sorted(split for split in SPLITS if sound[split])
        raise BadInputError(f"`source` needs a train split, got {found}; name its file or folder train.")
    codes = []
    for piece in pieces:
        code = np.full(piece.rows, SPLITS.index(piece.split), dtype=np.int8)
        if missing and piece.split == "train":
            groups = zip(_column(piece, "digest"), _column(piece, "group"), strict=True)
            for row, (digest, group) in enumerate(groups):
                unit = digest.hex() if group is None else group
                share = int(hashlib.sha256(f"{seed}:{unit}".encode()).hexdigest()[:8], 16) / 16**8
                wanted = "test" if share < 0.1 else "validation" if share < 0.2 else "train"
                code[row] = SPLITS.index(wanted if wanted in missing else "train")
        codes.append(code)
    return codes


def _leave_out_repetitions(work: WorkFolder, pieces: Sequence[Piece], codes: list[np.ndarray]) -> np.ndarray:
    """Of each image the first row of its most protected split is kept; the others are marked as left out.

    Returns:
        Rows that repeat a kept one of their split: piece, row, kept piece, kept row, shape (R, 4).
    """
    merged = []
    elsewhere = []
    for keys, piece_of, row_of, code_of in _passes(pieces, codes, "digest"):
        order = np.lexsort((row_of, piece_of, _PRIORITY[code_of], keys[:, 1], keys[:, 0]))
        keys, piece_of, row_of, code_of = keys[order], piece_of[order], row_of[order], code_of[order]
        first = _first_of_equal(keys)
        again = np.flatnonzero(first != np.arange(len(first)))
        home = first[again]
        same = code_of[again] == code_of[home]
        merged.append(
            np.stack([piece_of[again], row_of[again], piece_of[home], row_of[home]], axis=1)[same].astype(np.int64)
        )
        elsewhere.append(np.stack([piece_of[again], row_of[again], code_of[home]], axis=1)[~same].astype(np.int64))
        for piece, row in zip(piece_of[again], row_of[again], strict=True):
            codes[piece][row] = _LEFT_OUT
    _note_elsewhere(work, pieces, np.concatenate(elsewhere))
    found = np.concatenate(merged)
    return found[np.lexsort((found[:, 1], found[:, 0]))]


def _first_of_equal(keys: np.ndarray) -> np.ndarray:
    """For each of sorted keys, shape (N, 2), the place of the first that equals it."""
    new = np.ones(len(keys), dtype=bool)
    new[1:] = (keys[1:] != keys[:-1]).any(axis=1)
    return np.maximum.accumulate(np.where(new, np.arange(len(keys)), 0))


def _passes(
    pieces: Sequence[Piece], codes: Sequence[np.ndarray], column: str
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """All kept rows in ranges of a column's hashes: keys (N, 2), piece, row and split of each."""
    passes = max(1, -(-sum(piece.rows for piece in pieces) // _PASS_ROWS))
    for number in range(passes):
        found = []
        for index, piece in enumerate(pieces):
            keys = _keys(piece, column)
            wanted = ((keys[:, 0] >> np.uint64(32)) * np.uint64(passes)) >> np.uint64(32) == number
            rows = np.flatnonzero(wanted & (codes[index] != _LEFT_OUT))
            found.append((keys[rows], np.full(len(rows), index), rows, codes[index][rows]))
        yield tuple(np.concatenate(arrays) for arrays in zip(*found, strict=True))  # type: ignore[misc]


def _keys(piece: Piece, column: str) -> np.ndarray:
    """128 bits of each value, shape (N, 2)."""
    values = _column(piece, column)
    if column != "digest":
        values = [hashlib.blake2b(value.encode(), digest_size=16).digest() for value in values]
    return np.frombuffer(b"".join(value[:16] for value in values), dtype=">u8").reshape(-1, 2).astype(np.uint64)


def _column(piece: Piece, name: str) -> list[Any]:
    return pq.read_table(piece.file, columns=[name])[name].to_pylist()


def _note_elsewhere(work: WorkFolder, pieces: Sequence[Piece], rows: np.ndarray) -> None:
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    with (work.gather / "skipped.jsonl").open("w", encoding="utf-8") as lines:
        for piece in np.unique(rows[:, 0]):
            places = pq.read_table(pieces[piece].file, columns=["file", "row"]).to_pylist()
            for _, row, code in rows[rows[:, 0] == piece]:
                reason = f"the same photo stands in the {SPLITS[code]} split"
                lines.write(json.dumps({**places[row], "reason": reason}) + "\n")


def _merge(work: WorkFolder, pieces: Sequence[Piece], merged: np.ndarray) -> None:
    """Write what repeated rows say beside the piece of the row that is kept."""
    columns = ["captions", "annotated", "present", "uncertain", "unsaid"]
    for piece in np.unique(merged[:, 0]):
        said = pq.read_table(pieces[piece].file, columns=columns).to_pylist()
        lines: dict[int, list[str]] = defaultdict(list)
        for _, row, kept_piece, kept_row in merged[merged[:, 0] == piece].tolist():
            lines[kept_piece].append(json.dumps({"row": kept_row, **said[row]}) + "\n")
        for kept_piece, texts in lines.items():
            with _merged_file(work, pieces[kept_piece].name).open("a", encoding="utf-8") as stream:
                stream.writelines(texts)


def _merged_file(work: WorkFolder, piece: str) -> Path:
    return work.gather / f"{piece}.merged.jsonl"


def read_merged(work: WorkFolder, piece: str) -> dict[int, list[dict[str, Any]]]:
    """What rows that repeat an image of this piece say about it, by row."""
    file = _merged_file(work, piece)
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    if file.is_file():
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                entry = json.loads(line)
                found[entry["row"]].append(entry)
    return found


def _rename(pieces: Sequence[Piece], codes: Sequence[np.ndarray]) -> dict[int, dict[int, str]]:
    """New identifiers of images whose own is taken by another image: the own one and some of the content's hash."""
    taken: dict[int, list[int]] = defaultdict(list)
    for keys, piece_of, row_of, code_of in _passes(pieces, codes, "image_id"):
        order = np.lexsort((row_of, piece_of, _PRIORITY[code_of], keys[:, 1], keys[:, 0]))
        first = _first_of_equal(keys[order])
        for place in order[first != np.arange(len(first))]:
            taken[int(piece_of[place])].append(int(row_of[place]))
    renamed = {}
    for piece, rows in taken.items():
        ids = pq.read_table(pieces[piece].file, columns=["image_id", "digest"]).to_pylist()
        renamed[piece] = {row: f"{ids[row]['image_id']}-{ids[row]['digest'].hex()[:12]}" for row in sorted(rows)}
    return renamed


def _shards(pieces: Sequence[Piece], codes: Sequence[np.ndarray], shard_images: int) -> list[Shard]:
    """Neighbouring pieces until a shard is full; a last one under half its size joins the one before."""
    shards = []
    for code, split in enumerate(SPLITS):
        runs: list[list[tuple[str, int]]] = [[]]
        for piece, own in zip(pieces, codes, strict=True):
            images = int((own == code).sum())
            if not images:
                continue
            if sum(size for _, size in runs[-1]) >= shard_images:
                runs.append([])
            runs[-1].append((piece.name, images))
        if len(runs) > 1 and sum(size for _, size in runs[-1]) < shard_images / 2:
            runs[-2:] = [runs[-2] + runs[-1]]
        for index, run in enumerate(runs):
            names = tuple(name for name, _ in run)
            shards.append(Shard(split, index, len(runs), names, sum(size for _, size in run)))
    return shards
