"""Whatever `datasets.load_dataset` loads, streamed: a data set of the Hub, an image folder, WebDataset archives."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import Any

from notclip.dataset.splits import SPLITS, split_of, split_of_folder
from notclip.errors import BadInputError
from notclip.recaption.sources.columns import Columns
from notclip.recaption.sources.kept_reading import kept_while_unchanged
from notclip.recaption.sources.label_columns import LabelColumn, label_column, names_in, numbered_features
from notclip.recaption.sources.parts import Exhaustive, SourceRow

_PARTS = 256  # Of a data set of the Hub at most; a folder here is read in fewer, since each photo counts as a file.
_LOCAL_PARTS = 8


@dataclass(frozen=True)
class LoadedPart:
    """Some of the files of one split.

    Args:
        name: what `load_dataset` loads.
        split_name: the source's own name of the split.
        split: the split that it stands for.
        index: which of the parts of this split.
        parts: how many there are.
        limit: at most so many rows; None takes all.
        exhaustive: whether a class that is not listed is not there, as the user said.
    """

    name: str
    split_name: str
    split: str
    index: int
    parts: int
    limit: int | None = None
    exhaustive: Exhaustive | None = None

    def vocabulary(self) -> tuple[str, ...] | None:
        """Class names of the column of objects."""
        return self._columns.vocabulary

    @property
    def taken_for(self) -> Mapping[str, str]:
        """What each column was taken for."""
        return self._columns.taken_for

    @property
    def _columns(self) -> Columns:
        where = f"{self.name} ({self.split_name})"
        features = _features(self.name, self.split_name)
        if self._labels is not None:
            features = numbered_features(features, self._labels.names or _names_of(self.name, self._labels))
        return Columns.of_features(features, where, root=_local_root(self.name))

    @cached_property
    def _labels(self) -> LabelColumn | None:
        features = _features(self.name, self.split_name)
        return label_column(features, f"{self.name} ({self.split_name})", exhaustive=self.exhaustive)

    def rows(self) -> Iterator[SourceRow]:
        """Rows as the loader streams them."""
        import datasets

        columns, labels = self._columns, self._labels
        rows = _loaded(self.name)[self.split_name].shard(self.parts, self.index)
        if columns.image_is_feature:
            rows = rows.cast_column(columns.image, datasets.Image(decode=False))
        where = f"{self.name} ({self.split_name})" + (f", part {self.index}" if self.parts > 1 else "")
        number = 0
        try:
            for row in islice(rows, self.limit):
                if labels is not None:
                    row = labels.numbered(row, columns.vocabulary or ())
                yield SourceRow(where, number, partial(columns.content, row))
                number += 1
        except Exception as error:  # Loaders raise a wide range of classes, each in its own words.
            raise BadInputError(f"{where} cannot be read after row {number}: {_reason(error)}") from error


def loaded_parts(name: str, *, limit: int | None = None, exhaustive: Exhaustive | None = None) -> list[LoadedPart]:
    """Cut what `load_dataset` loads into parts along its files; one part a split where the rows are limited.

    Args:
        name: what `load_dataset` loads.
        limit: at most so many rows of each split.
        exhaustive: whether a class that is not listed is not there, as the user said.

    Raises:
        BadInputError: it cannot be loaded, or its columns cannot be told.
    """
    parts = []
    for split_name, rows in _loaded(name).items():
        split = split_of(str(split_name)) or "train"
        most = _PARTS if _local_root(name) is None else _LOCAL_PARTS
        count = 1 if limit is not None else min(most, rows.num_shards)
        parts += [LoadedPart(name, str(split_name), split, index, count, limit, exhaustive) for index in range(count)]
    for part in parts[:1]:
        try:
            part.vocabulary()  # Says at once which columns are missing.
        except BadInputError as error:
            if _local_root(name) is None:
                raise
            raise BadInputError(
                f"{error} (`load_dataset` read the folder, which has none of the other layouts that --help lists; of "
                "a table or an annotation file by another name, name the file itself.)"
            ) from error
    return parts


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


def _features(name: str, split_name: str) -> Any:
    return _features_of(name, split_name, _local_root(name))


@kept_while_unchanged(16)
def _features_of(name: str, split_name: str, root: Path | None) -> Any:
    rows = _opened(name, root)[split_name]
    try:
        return rows.features or rows._resolve_features().features
    except Exception as error:
        raise BadInputError(f"`source` {name!r}: its columns cannot be told: {_reason(error)}") from error


def _split_of(archive: Path) -> str:
    return split_of(archive.stem) or split_of_folder(archive.parent) or "train"


def _names_of(name: str, labels: LabelColumn) -> tuple[str, ...]:
    return _names_in(name, labels, _local_root(name))


@kept_while_unchanged(4)
def _names_in(name: str, labels: LabelColumn, root: Path | None) -> tuple[str, ...]:
    """Names of the classes that stand in the column, over all splits."""
    splits = _opened(name, root).values()
    return names_in((row[labels.column] for rows in splits for row in rows.select_columns([labels.column])), labels)


def _local_root(name: str) -> Path | None:
    return Path(name) if Path(name).is_dir() else None


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
