"""The one reader of the user's JSON: a whole file, or a text that stands in another file."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from notclip.errors import BadInputError, shortened
from notclip.text_files import read_text

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
    except ValueError as error:
        raise BadInputError(f"{where} is not valid JSON: {error}.") from error


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        times = Counter(name for name, _ in pairs)
        twice = next(name for name in times if times[name] > 1)
        raise ValueError(f"the key {shortened(twice)} stands in one object twice")
    return made


def _refused(constant: str) -> Any:
    raise ValueError(f"{constant} is no number of JSON's")
