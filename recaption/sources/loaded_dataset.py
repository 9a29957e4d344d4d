"""Whatever `datasets.load_dataset` loads, streamed: a data set of the Hub, an image folder, WebDataset archives."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from notclip.dataset.splits import SPLITS, split_of, split_of_folder
from notclip.errors import BadInputError
from notclip.recaption.sources.columns import Columns
from notclip.recaption.sources.kept_reading import kept_while_unchanged
from notclip.recaption.sources.label_columns import LabelColumn
from notclip.recaption.sources.parts import Exhaustive, Part, SourceRow

_PARTS = 256  # Of a data set of the Hub at most; a folder here is read in fewer, since each photo counts as a file.
_LOCAL_PARTS = 8


def loaded_parts(name: str, *, limit: int | None = None, exhaustive: Exhaustive | None = None) -> list[Part]:
    """Cut what `load_dataset` loads into parts along its files; one part a split where the rows are limited.

    Args:
        name: what `load_dataset` loads.
        limit: at most so many rows of each split.
        exhaustive: whether a class that is not listed is not there, as the user said.

    Raises:
        BadInputError: it cannot be loaded, or its columns cannot be told.
    """
    parts = []
    root = _local_root(name)
    for split_name, rows in _loaded(name).items():
        most = _PARTS if root is None else _LOCAL_PARTS
        count = 1 if limit is not None else min(most, rows.num_shards)
        columns = _columns(name, str(split_name), exhaustive)
        parts += [
            Part(
                split_of(str(split_name)) or "train",
                partial(_read, name, str(split_name), columns, (count, index)),
                columns.taken_for,
                limit,
            )
            for index in range(count)
        ]
    return parts


def _columns(name: str, split_name: str, exhaustive: Exhaustive | None) -> Columns:
    root = _local_root(name)
    try:
        return Columns.of_features(
            _features_of(name, split_name, root),
            f"{name} ({split_name})",
            root=root,
            exhaustive=exhaustive,
            names_in=lambda labels: _names_in(name, labels, root),
            loaded=True,
        )
    except BadInputError as error:
        if root is None:
            raise
        raise BadInputError(
            f"{error} (`load_dataset` read the folder, which has none of the other layouts that --help lists; of "
            "a table or an annotation file by another name, name the file itself.)"
        ) from error


def _read(
    name: str, split_name: str, columns: Columns, part: tuple[int, int]
) -> tuple[Iterator[SourceRow], tuple[str, ...] | None]:
    return _rows(name, split_name, columns, part), columns.vocabulary


def _rows(name: str, split_name: str, columns: Columns, part: tuple[int, int]) -> Iterator[SourceRow]:
    """Rows of one of some parts of a split as the loader streams them."""
    import datasets

    parts, index = part
    rows = _loaded(name)[split_name].shard(parts, index)
    if columns.image_is_feature:
        rows = rows.cast_column(columns.image, datasets.Image(decode=False))
    where = f"{name} ({split_name})" + (f", part {index}" if parts > 1 else "")
    number = 0
    try:
        for row in rows:
            yield SourceRow(where, number, partial(columns.content, row))
            number += 1
    except Exception as error:  # Loaders raise a wide range of classes, each in its own words.
        raise BadInputError(f"{where} cannot be read after row {number}: {_reason(error)}") from error


def _loaded(name: str) -> Any:
    return _opened(name, _local_root(name))


@kept_while_unchanged(4)
def _opened(name: str, root: Path | None) -> Any:
    import datasets

    archives = [] if root is None else sorted(root.rglob("*.tar"))
    try:
        if archives:  # Told what they are, since img2dataset writes tables and statistics beside them.
            files = {split: [str(file) for file in archives if _split_of(file) == split] for split in SPLITS}
            files = {split: own for split, own in files.items() if own}
            return datasets.load_dataset("webdataset", data_files=files, streaming=True)
        return datasets.load_dataset(name, streaming=True)
    except Exception as error:  # Its loaders and the network raise a wide range of classes.
        raise BadInputError(
            f"`source` must be a folder or file that `notclip build-dataset --help` names, 'drawn-world' or a data "
            f"set that `load_dataset` loads, got {name!r}: {_reason(error)}"
        ) from error


@kept_while_unchanged(16)
def _features_of(name: str, split_name: str, root: Path | None) -> Any:
    rows = _opened(name, root)[split_name]
    try:
        return rows.features or rows._resolve_features().features
    except Exception as error:
        raise BadInputError(f"`source` {name!r}: its columns cannot be told: {_reason(error)}") from error


def _split_of(archive: Path) -> str:
    return split_of(archive.stem) or split_of_folder(archive.parent) or "train"


@kept_while_unchanged(4)
def _names_in(name: str, labels: LabelColumn, root: Path | None) -> tuple[str, ...]:
    """Names of the classes that stand in the column, over all splits."""
    splits = _opened(name, root).values()
    return labels.names_in(row[labels.column] for rows in splits for row in rows.select_columns([labels.column]))


def _local_root(name: str) -> Path | None:
    return Path(name) if Path(name).is_dir() else None


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
