"""A folder of Parquet files, cut into parts along their row groups."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from notclip.errors import BadInputError
from notclip.recaption.sources.columns import Columns
from notclip.recaption.sources.parts import SourceRow
from notclip.recaption.sources.splits import split_of

_BATCH = 256


@dataclass(frozen=True)
class ParquetPart:
    """A run of row groups of one file.

    Args:
        file: the file.
        columns: which of its columns hold what.
        split: the split that its name stands for.
        groups: the row groups.
        first: number of their first row in the file.
        limit: at most so many rows; None takes all.
    """

    file: Path
    columns: Columns
    split: str
    groups: tuple[int, ...]
    first: int
    limit: int | None = None

    def vocabulary(self) -> tuple[str, ...] | None:
        """Class names of the column of objects."""
        return self.columns.vocabulary

    @property
    def taken_for(self) -> Mapping[str, str]:
        """What each column was taken for."""
        return self.columns.taken_for

    def rows(self) -> Iterator[SourceRow]:
        """Rows in the order of the file."""
        return islice(self._all_rows(), self.limit)

    def _all_rows(self) -> Iterator[SourceRow]:
        number = self.first
        try:
            with pq.ParquetFile(self.file) as parquet:
                for batch in parquet.iter_batches(_BATCH, row_groups=list(self.groups), columns=self.columns.names):
                    for row in batch.to_pylist():
                        yield SourceRow(str(self.file), number, partial(self.columns.content, row))
                        number += 1
        except (pa.ArrowInvalid, OSError) as error:
            raise BadInputError(f"{self.file} is damaged after row {number}: {error}") from error


def parquet_files(folder: Path) -> list[Path]:
    """All Parquet files below a folder that hold rows, and not what img2dataset noted beside archives and photos."""
    return [file for file in sorted(folder.rglob("*.parquet")) if not _is_record(file)]


def _is_record(file: Path) -> bool:
    return file.with_name(f"{file.stem}_stats.json").is_file() and (
        file.with_suffix(".tar").is_file() or file.with_suffix("").is_dir()
    )


def parquet_parts(folder: Path, *, part_rows: int, limit: int | None = None) -> list[ParquetPart]:
    """Cut all Parquet files of a folder into parts.

    Args:
        folder: searched with all folders below it.
        part_rows: a part takes row groups until it has so many rows.
        limit: at most so many rows of each split.

    Raises:
        BadInputError: a file is damaged, or its columns cannot be told.
    """
    parts = []
    left: dict[str, int] = {}
    for file in parquet_files(folder):
        try:
            with pq.ParquetFile(file) as parquet:
                schema, metadata = parquet.schema_arrow, parquet.metadata
                sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        except (pa.ArrowInvalid, OSError) as error:
            raise BadInputError(f"{file} is no Parquet file that can be read: {error}") from error
        columns = Columns.of_schema(schema, str(file), root=folder)
        split = split_of(file.stem) or split_of(file.parent.name) or "train"
        for groups, first, rows in _runs(sizes, part_rows):
            wanted = rows if limit is None else min(rows, left.setdefault(split, limit))
            if limit is not None:
                left[split] -= wanted
            if wanted:
                parts.append(ParquetPart(file, columns, split, groups, first, wanted))
    return parts


def _runs(sizes: list[int], part_rows: int) -> Iterator[tuple[tuple[int, ...], int, int]]:
    """Row groups of each part, the number of its first row, and its rows."""
    groups: list[int] = []
    first = rows = 0
    for group, size in enumerate(sizes):
        groups.append(group)
        rows += size
        if rows >= part_rows or group == len(sizes) - 1:
            yield tuple(groups), first, rows
            first, groups, rows = first + rows, [], 0
