"""First stage: rows of a source, checked one by one, as raw shards of equal size whatever the source is cut into."""

import hashlib
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from notclip.errors import BadInputError, shortened
from notclip.files.whole_files import whole_file
from notclip.recaption.building.progress import TaskProgress
from notclip.recaption.building.work_folder import read_work_file, write_work_file
from notclip.recaption.sources.language import require_english
from notclip.recaption.sources.parts import MisreadSourceError, Part, RowContent, SourceRow
from notclip.recaption.sources.photos import check_photo

if TYPE_CHECKING:
    from notclip.recaption.building.job import BuildJob

_SURROGATE = re.compile("[\ud800-\udfff]")
_WINDOW = 256  # Rows that are in memory at a time.
_SCHEMA = pa.schema(
    {
        "image": pa.binary(),
        "image_id": pa.string(),
        "captions": pa.list_(pa.string()),
        "annotated": pa.bool_(),
        "present": pa.list_(pa.string()),
        "uncertain": pa.list_(pa.string()),
        "unsaid": pa.list_(pa.string()),
        "group": pa.string(),
        "digest": pa.binary(32),
        "location": pa.string(),
        "file": pa.string(),
        "row": pa.int64(),
    }
)


@dataclass(frozen=True)
class Skipped:
    """A row, or one caption of it, that was left out."""

    file: str
    row: int
    reason: str


def read_part(job: "BuildJob", index: int, progress: TaskProgress) -> None:
    """Write the sound rows of one part as raw shards; those that an earlier run wrote are passed over.

    Raises:
        BadInputError: its labels make no English, or its first captions are in another language.
    """
    part, work, rows_of_shard = job.parts[index], job.work, job.config.shard_images
    job.require_english(part.vocabulary())
    done = work.raw_shards / f"{index:05d}.json"
    if done.is_file():
        return
    rows = part.rows()
    with ThreadPoolExecutor(job.threads) as pool:
        for number in count():
            file = work.raw_shards / f"{index:05d}-{number:05d}.parquet"
            if file.with_suffix(".json").is_file():
                passed = sum(1 for _ in islice(rows, rows_of_shard))
                progress.update(passed)
            else:
                passed = _write_raw_shard(file, islice(rows, rows_of_shard), part, pool, job.keep_images, progress)
            if passed < rows_of_shard:
                break
    taken_for = dict(part.taken_for)
    write_work_file(done, {"raw_shards": number + bool(passed), "vocabulary": part.vocabulary(), "columns": taken_for})
    progress.note()


def _write_raw_shard(
    file: Path,
    rows: Iterator[SourceRow],
    part: Part,
    pool: ThreadPoolExecutor,
    keep_images: bool,
    progress: TaskProgress,
) -> int:
    skipped: list[Skipped] = []
    read = written = 0
    with whole_file(file) as unfinished:
        with pq.ParquetWriter(unfinished, _SCHEMA, compression="zstd", compression_level=1) as writer:
            while window := list(islice(rows, _WINDOW)):
                found = []
                for values, wrong in pool.map(lambda row: _checked(row, part.split, keep_images), window):
                    skipped += wrong
                    if values is not None:
                        found.append(values)
                if not read:
                    require_english([text for values in found for text in values["captions"]], window[0].file)
                writer.write_table(pa.Table.from_pylist(found, schema=_SCHEMA))
                read += len(window)
                written += len(found)
                progress.update(len(window))
    if not read:
        file.unlink()
        return 0
    # Written last: a raw shard counts once this stands beside it.
    write_work_file(
        file.with_suffix(".json"),
        {"split": part.split, "rows": written, "skipped": [asdict(entry) for entry in skipped]},
    )
    return read


def _checked(row: SourceRow, split: str, keep_images: bool) -> tuple[dict[str, Any] | None, list[Skipped]]:
    """The values of a sound row, or None, and what is wrong with it."""
    try:
        content = row.content()
        _check_texts(content)
        check_photo(content.image)
    except MisreadSourceError as error:
        raise BadInputError(f"{row.file}: {error}") from error
    except BadInputError as error:
        return None, [Skipped(row.file, row.number, str(error))]
    if not content.captions and content.present is None:
        return None, [Skipped(row.file, row.number, "no caption that is not empty")]
    values = {
        "image": content.image if keep_images else None,
        "image_id": content.image_id or f"{split}-{row.number:07d}",
        "captions": list(content.captions),
        "annotated": content.present is not None,
        "present": sorted(content.present or ()),
        "uncertain": sorted(content.uncertain),
        "unsaid": sorted(content.unsaid),
        "group": content.group,
        "digest": hashlib.sha256(content.image).digest(),
        "location": content.location,
        "file": row.file,
        "row": row.number,
    }
    return values, [Skipped(row.file, row.number, remark) for remark in content.remarks]


def _check_texts(content: RowContent) -> None:
    """Refuse a text that no file of UTF-8 holds.

    Raises:
        BadInputError: naming it.
    """
    for text in (*content.captions, content.image_id, content.group, content.location, *(content.present or ())):
        if text and ("\0" in text or (not text.isascii() and _SURROGATE.search(text))):
            raise BadInputError(f"a text of the row must be Unicode without a zero byte, got {shortened(text)}")


@dataclass(frozen=True)
class RawShard:
    """A raw shard that was read: its file, the split that the source has it in, and how many sound rows it has."""

    file: Path
    split: str
    rows: int

    @property
    def name(self) -> str:
        """Its name among the raw shards."""
        return self.file.stem

    def skipped(self) -> list[Skipped]:
        """Rows and captions that were left out of it."""
        return [Skipped(**entry) for entry in read_work_file(self.file.with_suffix(".json"))["skipped"]]


def list_raw_shards(job: "BuildJob") -> tuple[list[RawShard], tuple[str, ...] | None]:
    """All raw shards in the order of the source, and the labels that its annotation knows.

    Raises:
        BadInputError: two parts of the source are annotated with different labels.
    """
    raw_shards = []
    vocabulary: tuple[str, ...] | None = None
    for index in range(job.part_count):
        part = read_work_file(job.work.raw_shards / f"{index:05d}.json")
        known = tuple(part["vocabulary"]) if part["vocabulary"] else None
        if known and vocabulary and set(known) != set(vocabulary):
            differing = sorted(set(known) ^ set(vocabulary))[0]
            raise BadInputError(
                f"All parts of `source` must be annotated with the same labels, but {differing!r} is among those of "
                "some parts alone; give each kind of annotation a build of its own."
            )
        vocabulary = known or vocabulary
        for number in range(part["raw_shards"]):
            file = job.work.raw_shards / f"{index:05d}-{number:05d}.parquet"
            stored = read_work_file(file.with_suffix(".json"))
            raw_shards.append(RawShard(file, stored["split"], stored["rows"]))
    return raw_shards, vocabulary


def columns_taken_for(job: "BuildJob") -> dict[str, str]:
    """What each column of the source was taken for, over all parts."""
    found: dict[str, str] = {}
    for index in range(job.part_count):
        found |= read_work_file(job.work.raw_shards / f"{index:05d}.json")["columns"]
    return found
