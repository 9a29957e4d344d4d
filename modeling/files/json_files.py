"""The one reader of the user's JSON: a whole file, or a text that stands in another file."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from notclip.errors import BadInputError, shortened
from notclip.files.text_files import read_text

LARGEST = 64 * 2**20  # bytes


def read_json(file: Path, what: str = "The JSON file", *, largest: int = LARGEST) -> Any:
    """What a JSON file holds.

    Args:
        file: the file, in UTF-8, or in UTF-16 with its byte order mark.
        what: what an error calls it.
        largest: bytes that it may have.

    Raises:
        BadInputError: it cannot be read, is too large, or breaks a rule of `parse_json`.
    """
    return parse_json(read_text(file, what, largest=largest), f"{what} {file}")


def parse_json(text: str, where: str) -> Any:
    """What a JSON text holds; NaN and infinity are none of its numbers, and a key may stand in an object once.

    Args:
        text: the text.
        where: what an error calls it.

    Raises:
        BadInputError: it is no JSON, is too deep, names a key twice, or has a number that is none.
    """
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_refused)
    except json.JSONDecodeError as error:
        raise BadInputError(f"{where} line {error.lineno}: not valid JSON ({error.msg}).") from error
    except RecursionError as error:
        raise BadInputError(f"{where} is not valid JSON: its lists and objects are too deep in each other.") from error
    except MemoryError as error:
        raise BadInputError(f"{where} takes more memory than there is.") from error
    except ValueError as error:
        raise BadInputError(f"{where} is not valid JSON: {error}.") from error


def read_json_object(file: Path, what: str = "The JSON file", *, largest: int = LARGEST) -> dict[str, Any]:
    """What a JSON file holds, where that is an object; see `read_json`."""
    content = read_json(file, what, largest=largest)
    if not isinstance(content, dict):
        raise BadInputError(f"{what} {file} must hold an object, got {shortened(content)}.")
    return content


def check_record(content: Any, shape: Mapping[str, Any], where: str) -> None:
    """Refuse a record of a command that lacks what others read of it.

    Args:
        content: what stands in the file.
        shape: name -> type of the value, or the shape of the object that it is.
        where: what an error calls it.

    Raises:
        BadInputError: a value is missing or of another type; by the names that lead to it.
    """
    for name, kind in shape.items():
        if not isinstance(content, dict) or name not in content:
            raise BadInputError(f"{where} lacks {name!r}: not the record that the command wrote.")
        value = content[name]
        if isinstance(kind, Mapping):
            if not isinstance(value, dict):
                raise BadInputError(f"{where}: {name!r} is no dict, got {shortened(value)}.")
            check_record(value, kind, f"{where}: {name!r}")
            continue
        kinds = (int, float) if kind is float else kind  # JSON's 1 may have been 1.0
        if not isinstance(value, kinds) or (isinstance(value, bool) and kind is not bool):
            raise BadInputError(f"{where}: {name!r} is no {kind.__name__}, got {shortened(value)}.")


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(f"the key {shortened(twice)} stands in one object twice")
    return made


def _refused(constant: str) -> Any:
    raise ValueError(f"{constant} is no number of JSON's")
