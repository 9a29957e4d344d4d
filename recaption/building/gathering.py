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
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq

from notclip.dataset.splits import KEEPING_ORDER, SPLITS
from notclip.errors import BadInputError
from notclip.recaption.building.raw_shards import RawShard, Skipped, list_raw_shards
from notclip.recaption.building.work_folder import WorkFolder, read_work_file, write_work_file

if TYPE_CHECKING:
    from notclip.recaption.building.job import BuildJob

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
        raw_shards: names of the raw shards that hold its images.
        images: how many images.
    """

    split: str
    index: int
    of: int
    raw_shards: tuple[str, ...]
    images: int

    @property
    def file_name(self) -> str:
        """Name of its file in each config, as `load_dataset` expects it."""
        return self.split if self.of == 1 else f"{self.split}-{self.index:05d}-of-{self.of:05d}"


@dataclass(frozen=True)
class Gathered:
    """What the later stages need to know: all shards, train first, and the labels of the annotation, if any."""

    shards: tuple[Shard, ...]
    vocabulary: tuple[str, ...] | None

    def images(self, split: str | None = None) -> int:
        """Number of images, of one split or of all."""
        return sum(shard.images for shard in self.shards if split in (None, shard.split))


def gather(job: "BuildJob") -> None:
    """Decide where each row goes, and write that down for each raw shard.

    Raises:
        BadInputError: there is no sound row, or no train split.
    """
    work = job.work
    if (work.gather / "shards.json").is_file():
        return
    raw_shards, vocabulary = list_raw_shards(job)
    shutil.rmtree(work.gather, ignore_errors=True)
    work.gather.mkdir()
    codes = _splits_of_rows(raw_shards, source=job.config.source, seed=job.config.seed)
    merged = _leave_out_repetitions(work, raw_shards, codes)
    _merge(work, raw_shards, merged)
    renamed = _rename(raw_shards, codes)
    for number, raw_shard in enumerate(raw_shards):
        np.save(work.gather / f"{raw_shard.name}.npy", codes[number])
        write_work_file(work.gather / f"{raw_shard.name}.json", {"renamed": renamed.get(number, {})})
    shards = _shards(raw_shards, codes, job.config.shard_images)
    # Written last: the stage is done once this stands.
    write_work_file(
        work.gather / "shards.json", {"shards": [asdict(shard) for shard in shards], "vocabulary": vocabulary}
    )


def read_gathered(work: WorkFolder) -> Gathered:
    """What `gather` decided."""
    stored = read_work_file(work.gather / "shards.json")
    shards = [Shard(**{**shard, "raw_shards": tuple(shard["raw_shards"])}) for shard in stored["shards"]]
    return Gathered(tuple(shards), None if stored["vocabulary"] is None else tuple(stored["vocabulary"]))


def gathering_skipped(work: WorkFolder) -> Iterator[Skipped]:
    """Rows that were left out since another split shows the same photo."""
    with (work.gather / "skipped.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            yield Skipped(**json.loads(line))


def _splits_of_rows(raw_shards: Sequence[RawShard], *, source: str, seed: int) -> list[np.ndarray]:
    """Index of the split of each row; where splits are missing, a hash of each training image, or group, decides."""
    sound = {split: sum(raw_shard.rows for raw_shard in raw_shards if raw_shard.split == split) for split in SPLITS}
    if not any(sound.values()):
        skipped = [entry for raw_shard in raw_shards for entry in raw_shard.skipped()]
        first = f" The first: {skipped[0].file} row {skipped[0].row}: {skipped[0].reason}." if skipped else ""
        raise BadInputError(f"`source` {source!r} has no sound row; {len(skipped)} were skipped.{first}")
    missing = [split for split in SPLITS if not sound[split]]
    if missing and not sound["train"]:
        found = sorted(split for split in SPLITS if sound[split])
        raise BadInputError(f"`source` needs a train split, got {found}; name its file or folder train.")
    codes = []
    for raw_shard in raw_shards:
        code = np.full(raw_shard.rows, SPLITS.index(raw_shard.split), dtype=np.int8)
        if missing and raw_shard.split == "train":
            groups = zip(_column(raw_shard, "digest"), _column(raw_shard, "group"), strict=True)
            for row, (digest, group) in enumerate(groups):
                unit = digest.hex() if group is None else group
                share = int(hashlib.sha256(f"{seed}:{unit}".encode()).hexdigest()[:8], 16) / 16**8
                wanted = "test" if share < 0.1 else "validation" if share < 0.2 else "train"
                code[row] = SPLITS.index(wanted if wanted in missing else "train")
        codes.append(code)
    return codes


def _leave_out_repetitions(work: WorkFolder, raw_shards: Sequence[RawShard], codes: list[np.ndarray]) -> np.ndarray:
    """Of each image the first row of its most protected split is kept; the others are marked as left out.

    Returns:
        Rows that repeat a kept one of their split: raw shard, row, kept raw shard, kept row, shape (R, 4).
    """
    merged = []
    elsewhere = []
    for keys, raw_shard_of, row_of, code_of in _passes(raw_shards, codes, "digest"):
        order = np.lexsort((row_of, raw_shard_of, _PRIORITY[code_of], keys[:, 1], keys[:, 0]))
        keys, raw_shard_of, row_of, code_of = keys[order], raw_shard_of[order], row_of[order], code_of[order]
        first = _first_of_equal(keys)
        again = np.flatnonzero(first != np.arange(len(first)))
        home = first[again]
        same = code_of[again] == code_of[home]
        merged.append(
            np.stack([raw_shard_of[again], row_of[again], raw_shard_of[home], row_of[home]], axis=1)[same].astype(
                np.int64
            )
        )
        elsewhere.append(np.stack([raw_shard_of[again], row_of[again], code_of[home]], axis=1)[~same].astype(np.int64))
        for raw_shard, row in zip(raw_shard_of[again], row_of[again], strict=True):
            codes[raw_shard][row] = _LEFT_OUT
    _note_elsewhere(work, raw_shards, np.concatenate(elsewhere))
    found = np.concatenate(merged)
    return found[np.lexsort((found[:, 1], found[:, 0]))]


def _first_of_equal(keys: np.ndarray) -> np.ndarray:
    """For each of sorted keys, shape (N, 2), the place of the first that equals it."""
    new = np.ones(len(keys), dtype=bool)
    new[1:] = (keys[1:] != keys[:-1]).any(axis=1)
    return np.maximum.accumulate(np.where(new, np.arange(len(keys)), 0))


def _passes(
    raw_shards: Sequence[RawShard], codes: Sequence[np.ndarray], column: str
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """All kept rows in ranges of a column's hashes: keys (N, 2), raw shard, row and split of each."""
    passes = max(1, -(-sum(raw_shard.rows for raw_shard in raw_shards) // _PASS_ROWS))
    for number in range(passes):
        found = []
        for index, raw_shard in enumerate(raw_shards):
            keys = _keys(raw_shard, column)
            wanted = ((keys[:, 0] >> np.uint64(32)) * np.uint64(passes)) >> np.uint64(32) == number
            rows = np.flatnonzero(wanted & (codes[index] != _LEFT_OUT))
            found.append((keys[rows], np.full(len(rows), index), rows, codes[index][rows]))
        yield tuple(np.concatenate(arrays) for arrays in zip(*found, strict=True))  # type: ignore[misc]


def _keys(raw_shard: RawShard, column: str) -> np.ndarray:
    """128 bits of each value, shape (N, 2)."""
    values = _column(raw_shard, column)
    if column != "digest":
        values = [hashlib.blake2b(value.encode(), digest_size=16).digest() for value in values]
    return np.frombuffer(b"".join(value[:16] for value in values), dtype=">u8").reshape(-1, 2).astype(np.uint64)


def _column(raw_shard: RawShard, name: str) -> list[Any]:
    return pq.read_table(raw_shard.file, columns=[name])[name].to_pylist()


def _note_elsewhere(work: WorkFolder, raw_shards: Sequence[RawShard], rows: np.ndarray) -> None:
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    with (work.gather / "skipped.jsonl").open("w", encoding="utf-8") as lines:
        for raw_shard in np.unique(rows[:, 0]):
            places = pq.read_table(raw_shards[raw_shard].file, columns=["file", "row"]).to_pylist()
            for _, row, code in rows[rows[:, 0] == raw_shard]:
                reason = f"the same photo stands in the {SPLITS[code]} split"
                lines.write(json.dumps({**places[row], "reason": reason}) + "\n")


def _merge(work: WorkFolder, raw_shards: Sequence[RawShard], merged: np.ndarray) -> None:
    """Write what repeated rows say beside the raw shard of the row that is kept."""
    columns = ["captions", "annotated", "present", "uncertain", "unsaid"]
    for raw_shard in np.unique(merged[:, 0]):
        said = pq.read_table(raw_shards[raw_shard].file, columns=columns).to_pylist()
        lines: dict[int, list[str]] = defaultdict(list)
        for _, row, kept_raw_shard, kept_row in merged[merged[:, 0] == raw_shard].tolist():
            lines[kept_raw_shard].append(json.dumps({"row": kept_row, **said[row]}) + "\n")
        for kept_raw_shard, texts in lines.items():
            with _merged_file(work, raw_shards[kept_raw_shard].name).open("a", encoding="utf-8") as stream:
                stream.writelines(texts)


def _merged_file(work: WorkFolder, raw_shard: str) -> Path:
    return work.gather / f"{raw_shard}.merged.jsonl"


def read_merged(work: WorkFolder, raw_shard: str) -> dict[int, list[dict[str, Any]]]:
    """What rows that repeat an image of this raw shard say about it, by row."""
    file = _merged_file(work, raw_shard)
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    if file.is_file():
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                entry = json.loads(line)
                found[entry["row"]].append(entry)
    return found


def _rename(raw_shards: Sequence[RawShard], codes: Sequence[np.ndarray]) -> dict[int, dict[int, str]]:
    """New identifiers of images whose own is taken by another image: the own one and some of the content's hash."""
    taken: dict[int, list[int]] = defaultdict(list)
    for keys, raw_shard_of, row_of, code_of in _passes(raw_shards, codes, "image_id"):
        order = np.lexsort((row_of, raw_shard_of, _PRIORITY[code_of], keys[:, 1], keys[:, 0]))
        first = _first_of_equal(keys[order])
        for place in order[first != np.arange(len(first))]:
            taken[int(raw_shard_of[place])].append(int(row_of[place]))
    renamed = {}
    for raw_shard, rows in taken.items():
        ids = pq.read_table(raw_shards[raw_shard].file, columns=["image_id", "digest"]).to_pylist()
        renamed[raw_shard] = {row: f"{ids[row]['image_id']}-{ids[row]['digest'].hex()[:12]}" for row in sorted(rows)}
    return renamed


def _shards(raw_shards: Sequence[RawShard], codes: Sequence[np.ndarray], shard_images: int) -> list[Shard]:
    """Neighbouring raw shards until a shard is full; a last one under half its size joins the one before."""
    shards = []
    for code, split in enumerate(SPLITS):
        runs: list[list[tuple[str, int]]] = [[]]
        for raw_shard, own in zip(raw_shards, codes, strict=True):
            images = int((own == code).sum())
            if not images:
                continue
            if sum(size for _, size in runs[-1]) >= shard_images:
                runs.append([])
            runs[-1].append((raw_shard.name, images))
        if len(runs) > 1 and sum(size for _, size in runs[-1]) < shard_images / 2:
            runs[-2:] = [runs[-2] + runs[-1]]
        for index, run in enumerate(runs):
            names = tuple(name for name, _ in run)
            shards.append(Shard(split, index, len(runs), names, sum(size for _, size in run)))
    return shards
