"""A folder of Parquet files, cut into parts along their row groups."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from notclip.dataset.splits import split_of, split_of_folder
from notclip.files.parquet_files import open_parquet
from notclip.recaption.sources.columns import Columns
from notclip.recaption.sources.kept_reading import kept_while_unchanged
from notclip.recaption.sources.label_columns import OBJECTS, LabelColumn, label_column, names_in, numbered_features
from notclip.recaption.sources.parts import Exhaustive, SourceRow, left_out

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
        labels: the column of annotations, where `columns` does not read it itself.
    """

    file: Path
    columns: Columns
    split: str
    groups: tuple[int, ...]
    first: int
    limit: int | None = None
    labels: LabelColumn | None = None

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
        labels, classes = self.labels, self.columns.vocabulary or ()
        names = [labels.column if labels and name == OBJECTS else name for name in self.columns.names]
        with open_parquet(self.file) as parquet:
            for batch in parquet.iter_batches(_BATCH, row_groups=list(self.groups), columns=names):
                for row in _rows_of(batch):
                    if row is None:
                        yield left_out(str(self.file), number, "a text of the row is not UTF-8")
                    else:
                        row = row if labels is None else labels.numbered(row, classes)
                        yield SourceRow(str(self.file), number, partial(self.columns.content, row))
                    number += 1


def _rows_of(batch: pa.RecordBatch) -> list[dict[str, Any] | None]:
    """The rows of a batch; None for one with a text that is no Unicode, since Parquet takes any bytes for one."""
    try:
        return list(batch.to_pylist())
    except (UnicodeDecodeError, pa.ArrowInvalid):
        if len(batch) == 1:
            return [None]
        return [row for number in range(len(batch)) for row in _rows_of(batch.slice(number, 1))]


def parquet_files(folder: Path) -> list[Path]:
    """All Parquet files below a folder that hold rows, and not what img2dataset noted beside archives and photos."""
    return [file for file in sorted(folder.rglob("*.parquet")) if not _is_record(file)]


def _is_record(file: Path) -> bool:
    return file.with_name(f"{file.stem}_stats.json").is_file() and (
        file.with_suffix(".tar").is_file() or file.with_suffix("").is_dir()
    )


def parquet_parts(
    folder: Path, *, part_rows: int, limit: int | None = None, exhaustive: Exhaustive | None = None
) -> list[ParquetPart]:
    """Cut all Parquet files of a folder into parts.

    Args:
        folder: searched with all folders below it.
        part_rows: a part takes row groups until it has so many rows.
        limit: at most so many rows of each split.
        exhaustive: whether a class that is not listed is not there, as the user said.

    Raises:
        BadInputError: a file is damaged, or its columns cannot be told.
    """
    parts = []
    left: dict[str, int] = {}
    files = parquet_files(folder)
    for file in files:
        with open_parquet(file) as parquet:
            schema, metadata = parquet.schema_arrow, parquet.metadata
            sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        labels, schema = _labelled(file, schema, files, exhaustive)
        columns = Columns.of_schema(schema, str(file), root=folder)
        split = split_of(file.stem) or split_of_folder(file.parent) or "train"
        for groups, first, rows in _runs(sizes, part_rows):
            wanted = rows if limit is None else min(rows, left.setdefault(split, limit))
            if limit is not None:
                left[split] -= wanted
            if wanted:
                parts.append(ParquetPart(file, columns, split, groups, first, wanted, labels))
    return parts


def _labelled(
    file: Path, schema: pa.Schema, files: list[Path], exhaustive: Exhaustive | None
) -> tuple[LabelColumn | None, pa.Schema]:
    """The column of annotations, and the schema as `Columns` understands it."""
    from datasets import Features

    try:
        features = Features.from_arrow_schema(schema)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        # A type, or a note in the file, that `datasets` does not know; `Columns` tells what it needs by names.
        return None, schema
    labels = label_column(features, str(file), exhaustive=exhaustive)
    if labels is None:
        return None, schema
    names = labels.names or _names_of(labels, tuple(files))
    return labels, numbered_features(features, names).arrow_schema


@kept_while_unchanged(4)
def _names_of(labels: LabelColumn, files: tuple[Path, ...]) -> tuple[str, ...]:
    """Names of the classes that stand in the column, over all files."""
    return names_in((cell for file in files for cell in _cells(file, labels.column)), labels)


def _cells(file: Path, column: str) -> Iterator[Any]:
    with open_parquet(file) as parquet:
        for batch in parquet.iter_batches(_BATCH, columns=[column]):
            yield from batch[column].to_pylist()


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
