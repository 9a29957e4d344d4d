"""A folder of Parquet files, cut into parts along their row groups."""

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa

from notclip.dataset.splits import split_of, split_of_folder
from notclip.files.parquet_files import open_parquet
from notclip.recaption.sources.columns import Columns
from notclip.recaption.sources.kept_reading import kept_while_unchanged
from notclip.recaption.sources.label_columns import LabelColumn
from notclip.recaption.sources.parts import Exhaustive, Part, SourceRow, left_out

_BATCH = 256


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
) -> list[Part]:
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
        columns = Columns.of_features(
            _features(schema),
            str(file),
            root=folder,
            exhaustive=exhaustive,
            names_in=lambda labels: _names_of(labels, tuple(files)),
            loaded=False,
        )
        split = split_of(file.stem) or split_of_folder(file.parent) or "train"
        for groups, first, rows in _runs(sizes, part_rows):
            wanted = rows if limit is None else min(rows, left.setdefault(split, limit))
            if limit is not None:
                left[split] -= wanted
            if wanted:
                parts.append(Part(split, partial(_read, file, columns, groups, first), columns.taken_for, wanted))
    return parts


def _features(schema: pa.Schema) -> Mapping[str, Any]:
    """The features of the columns; None for each where the file has a type that `datasets` does not know."""
    from datasets import Features

    for known in (schema, schema.remove_metadata()):  # Where somebody else wrote the note in the file.
        try:
            features: Mapping[str, Any] = Features.from_arrow_schema(known)
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
            continue
        return features
    return dict.fromkeys(schema.names)


def _read(
    file: Path, columns: Columns, groups: tuple[int, ...], first: int
) -> tuple[Iterator[SourceRow], tuple[str, ...] | None]:
    return _rows(file, columns, groups, first), columns.vocabulary


def _rows(file: Path, columns: Columns, groups: tuple[int, ...], first: int) -> Iterator[SourceRow]:
    """Rows of some row groups, of which the first row is that of this number in the file."""
    numbers = count(first)
    with open_parquet(file) as parquet:
        for batch in parquet.iter_batches(_BATCH, row_groups=list(groups), columns=columns.names):
            for row, number in zip(_rows_of(batch), numbers, strict=False):
                if row is None:
                    yield left_out(str(file), number, "a text of the row is not UTF-8")
                else:
                    yield SourceRow(str(file), number, partial(columns.content, row))


@kept_while_unchanged(4)
def _names_of(labels: LabelColumn, files: tuple[Path, ...]) -> tuple[str, ...]:
    """Names of the classes that stand in the column, over all files."""
    return labels.names_in(cell for file in files for cell in _cells(file, labels.column))


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
