"""The one reader of a built dataset: rows with the columns that are asked for, each checked, whoever wrote them."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import MISSING, dataclass, fields
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, cast, get_args, get_origin, get_type_hints

import pyarrow.parquet as pq
from datasets import ClassLabel, Features, List

from notclip.dataset.files import split_files
from notclip.dataset.rows import AbsenceEvidence, CaptionRow, PairRow, Picture, QuestionRow, RetrievalRow
from notclip.errors import BadInputError, shortened
from notclip.files.parquet_files import open_parquet, parquet_features, require_columns

R = TypeVar("R", CaptionRow, QuestionRow, PairRow, RetrievalRow)

_BATCH = 256
# One entry of each for each entry of the first, where there are any.
_AS_LONG_AS = {"choices": ("choice_kinds", "choice_forms"), "captions": ("absent", "relevant")}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands: row `position` of a row group, the row `number` of the file, counted from 1."""

    file: Path
    number: int
    group: int
    position: int

    def __str__(self) -> str:
        """For messages."""
        return f"{self.file}, row {self.number}"


def read_split(folder: Path, kind: type[R], split: str, columns: Sequence[str]) -> Iterator[tuple[R, Place]]:
    """Rows of one split of a folder that `notclip build-dataset` wrote, in order.

    Args:
        folder: the dataset.
        kind: the dataclass of the config.
        split: train, validation or test.
        columns: those to read; the other fields of a row keep their defaults.

    Raises:
        BadInputError: the split or a part of it is missing, lacks a column, or a row breaks a rule.
    """
    for file in split_files(folder, kind.CONFIG, split):
        yield from read_rows(file, kind, columns)


def read_rows(file: Path, kind: type[R], columns: Sequence[str]) -> Iterator[tuple[R, Place]]:
    """Rows of one file; see `read_split`."""
    optional = {one.name for one in fields(kind) if one.metadata.get("optional")}
    with open_parquet(file) as parquet:
        require_columns(parquet, file, [name for name in columns if name not in optional])
        wanted = [name for name in columns if name in parquet.schema_arrow.names]
        labels = label_names(parquet_features(parquet, file), wanted)
        number = 0
        for group in range(parquet.num_row_groups):
            for position, values in enumerate(_group_rows(parquet, group, wanted)):
                number += 1
                place = Place(file, number, group, position)
                yield decoded(kind, values, labels, place), place


def _group_rows(parquet: pq.ParquetFile, group: int, columns: list[str]) -> Iterator[dict[str, Any]]:
    for batch in parquet.iter_batches(_BATCH, row_groups=[group], columns=columns):
        yield from batch.to_pylist()


def label_names(features: Features, columns: Sequence[str]) -> dict[str, list[str]]:
    """Columns that are numbers of a ClassLabel, or lists of such -> the names of the numbers, as the file has them."""
    found = {}
    for name in columns:
        feature = features[name].feature if isinstance(features[name], List) else features[name]
        if isinstance(feature, ClassLabel):
            found[name] = feature.names
    return found


def decoded(kind: type[R], values: dict[str, Any], labels: dict[str, list[str]], place: Place | str) -> R:
    """A row as its dataclass, or a sentence about what no build writes.

    Args:
        kind: the dataclass of the config.
        values: column -> value, as Parquet holds it.
        labels: see `label_names`.
        place: names file and row, for messages.

    Raises:
        BadInputError: a value is missing, of another type, or of another length than what it belongs to.
    """
    rules = _rules(cast(Hashable, kind))
    for name, names in labels.items():
        if values[name] is not None:
            values[name] = _named(values[name], names, name, place)
    for name, value in values.items():
        what, holds, empty = rules[name]
        if value is None and empty is not None:
            values[name] = empty()
        elif not holds(value):
            raise BadInputError(f"{place}: `{name}` must be {what}, got {shortened(value)}; build the dataset again.")
    for name, belonging in _AS_LONG_AS.items():
        for other in belonging:
            if name not in values or other not in values or (not values[other] and rules[other][2] is not None):
                continue
            entries, wanted = len(values[other] or ()), len(values[name])
            if entries != wanted:
                raise BadInputError(
                    f"{place}: `{other}` must have an entry for each of {wanted} {name}, got {entries}."
                )
    if "answer" in values and "choices" in values and not 0 <= values["answer"] < len(values["choices"]) >= 2:
        raise BadInputError(
            f"{place}: `answer` must be one of {len(values['choices'])} choices, got {values['answer']}."
        )
    if "evidence" in values:
        values["evidence"] = [_evidence(entry, place) for entry in values["evidence"]]
    return kind(**values)


def _named(value: Any, names: list[str], column: str, place: Place | str) -> Any:
    for label in value if isinstance(value, list) else [value]:
        if not isinstance(label, int) or not 0 <= label < len(names):
            raise BadInputError(f"{place}: `{column}` must be of {len(names)} kinds, got {shortened(label)}.")
    return [names[label] for label in value] if isinstance(value, list) else names[value]


def _evidence(entry: Any, place: Place | str) -> AbsenceEvidence:
    methods = get_args(get_type_hints(AbsenceEvidence)["method"])
    told = isinstance(entry, dict) and entry.keys() == {one.name for one in fields(AbsenceEvidence)}
    if not told or not isinstance(entry["method"], int) or not 0 <= entry["method"] < len(methods):
        raise BadInputError(f"{place}: `evidence` must say how an absence was verified, got {shortened(entry)}.")
    return AbsenceEvidence(**(entry | {"method": methods[entry["method"]]}))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _are_lists_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_are_texts, value))


def _is_picture(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("bytes"), bytes) and bool(value["bytes"])


def _one_or_more_of(names: tuple[str, ...], *, several: bool) -> tuple[str, Callable[[Any], bool]]:
    """The rule of a name, or of a list of names."""
    if not several:
        return f"one of {', '.join(names)}", lambda value: value in names
    return (
        f"a list of {', '.join(names)}",
        lambda value: isinstance(value, list) and all(one in names for one in value),
    )


def _rule(annotation: Any) -> tuple[str, Callable[[Any], bool]]:
    """What an error calls the values of a type, and whether a value is of it."""
    if isinstance(annotation, UnionType):
        return _rule(next(one for one in get_args(annotation) if one is not type(None)))
    if annotation is Picture:
        return "a picture's bytes", _is_picture
    if annotation is str:
        return "text", _is_text
    if annotation is int:
        return "a number", lambda value: isinstance(value, int)
    inner = get_args(annotation)[0] if get_origin(annotation) is list else None
    if Literal in (get_origin(annotation), get_origin(inner)):
        return _one_or_more_of(get_args(inner or annotation), several=inner is not None)
    if inner is str:
        return "a list of texts", _are_texts
    if get_origin(inner) is list:
        return "a list of lists of texts", _are_lists_of_texts
    return "a list", lambda value: isinstance(value, list)


@cache
def _rules(kind: Hashable) -> dict[str, tuple[str, Callable[[Any], bool], Callable[[], Any] | None]]:
    """Column -> what it must be, whether a value is that, and what stands for none where it may lack."""
    row = cast("type[CaptionRow]", kind)  # of whichever config
    hints, rules = get_type_hints(row), {}
    for one in fields(row):
        empty: Callable[[], Any] | None = None
        if one.metadata.get("optional"):
            empty = one.default_factory if one.default_factory is not MISSING else lambda: None
        rules[one.name] = (*_rule(hints[one.name]), empty)
    return rules
