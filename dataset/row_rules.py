"""What the columns of a built dataset hold, looked at row by row: a dataset may come from a stranger."""

from collections.abc import Callable, Mapping
from typing import Any

from notclip.errors import BadInputError, shortened


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _are_lists_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_are_texts, value))


def _is_picture(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("bytes"), bytes) and bool(value["bytes"])


# What an error calls it, whether a value is it, and the columns that hold it.
_RULES: tuple[tuple[str, Callable[[Any], bool], tuple[str, ...]], ...] = (
    ("text", _is_text, ("image_id", "image_id_0", "image_id_1", "caption", "caption_0", "caption_1", "pair")),
    ("a list of texts", _are_texts, ("negated_captions", "affirmed", "choices", "captions", "present")),
    ("a list of lists of texts", _are_lists_of_texts, ("absent", "relevant")),
    ("a picture's bytes", _is_picture, ("image",)),
    ("a number", lambda value: isinstance(value, int), ("answer",)),
)
_RULE_OF = {column: (what, holds) for what, holds, columns in _RULES for column in columns}
_OPTIONAL = ("relevant", "choice_forms")
# One entry of each for each entry of the first.
_AS_LONG_AS = {"choices": ("choice_kinds", "choice_forms"), "captions": ("absent", "relevant")}


def check_row(row: Mapping[str, Any], where: str, labels: Mapping[str, list[str]] | None = None) -> None:
    """Refuse a row that no build writes.

    Args:
        row: some of its columns.
        where: names file and row, for messages.
        labels: columns of numbers that stand for names, or of lists of such, and the names.

    Raises:
        BadInputError: a value is missing, of another type, or of another length than what it belongs to.
    """
    for name, value in row.items():
        what, holds = _RULE_OF.get(name, ("", lambda value: True))
        if not holds(value) and not (value is None and name in _OPTIONAL):
            raise BadInputError(f"{where}: `{name}` must be {what}, got {shortened(value)}; build the dataset again.")
    for name, belonging in _AS_LONG_AS.items():
        for other in belonging:
            if name not in row or other not in row or (not row[other] and other in _OPTIONAL):
                continue
            entries, wanted = len(row[other] or ()), len(row[name])
            if entries != wanted:
                raise BadInputError(
                    f"{where}: `{other}` must have an entry for each of {wanted} {name}, got {entries}."
                )
    if "answer" in row and "choices" in row and not 0 <= row["answer"] < len(row["choices"]) >= 2:
        raise BadInputError(f"{where}: `answer` must be one of {len(row['choices'])} choices, got {row['answer']}.")
    for name, names in (labels or {}).items():
        for label in row[name] if isinstance(row[name], list) else [row[name]]:
            if not isinstance(label, int) or not 0 <= label < len(names):
                raise BadInputError(f"{where}: `{name}` must be of {len(names)} kinds, got {shortened(label)}.")
