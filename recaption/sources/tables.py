"""Files of the user that are not Parquet: CSV and JSON, read with messages that name the file and the line."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from notclip.errors import BadInputError

_LONGEST_CELL = 2**20
_OPENINGS = ("[", "(", "{")


def read_csv(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows of a CSV file with a header, each with its line.

    Raises:
        BadInputError: it is no UTF-8 text, a quote is not closed, or a row has more or fewer cells than the header.
    """
    csv.field_size_limit(_LONGEST_CELL)
    line = 1
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.reader(stream, strict=True)
            header = [name.strip() for name in next(reader, [])]
            if not header:
                raise BadInputError(f"{file} is empty; its first line must name the columns.")
            line = reader.line_num
            for cells in reader:
                line = reader.line_num
                if not cells:
                    continue
                if len(cells) != len(header):
                    raise BadInputError(
                        f"{file} line {line}: {len(cells)} cells, but the header names {len(header)} columns; quote "
                        "cells that hold a comma."
                    )
                yield line, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise BadInputError(f"{file} after line {line}: not valid CSV ({error}).") from error
    except UnicodeDecodeError as error:
        raise BadInputError(f"{file} after line {line}: not UTF-8 text ({error.reason}); save it as UTF-8.") from error
    except OSError as error:
        raise BadInputError(f"{file} cannot be read ({error.strerror}).") from error


def texts_of_cell(cell: str) -> list[str]:
    """Texts of a cell that may hold a list, as JSON or as Python writes it; it is parsed and never evaluated.

    >>> texts_of_cell("['A dog.', 'It runs.']"), texts_of_cell('["A dog."]'), texts_of_cell("A dog.")
    (['A dog.', 'It runs.'], ['A dog.'], ['A dog.'])

    Raises:
        BadInputError: it opens like a list and is none of texts.
    """
    text = cell.strip()
    if not text.startswith(_OPENINGS):
        return [text]
    import ast

    try:
        values = json.loads(text)
    except ValueError:
        try:
            values = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            if text.startswith("["):
                raise BadInputError(f"a list of texts must be written ['…', '…'], got {text[:80]!r}") from None
            return [text]  # "(a dog)" is a caption.
    if not isinstance(values, list | tuple):
        return [text]
    if not all(isinstance(value, str) for value in values):
        raise BadInputError(f"a list must hold texts alone, got {text[:80]!r}")
    return list(values)


def read_json_file(file: Path) -> Any:
    """A JSON file.

    Raises:
        BadInputError: it cannot be read or is no JSON, with the line.
    """
    try:
        with file.open(encoding="utf-8") as stream:
            return json.load(stream)
    except json.JSONDecodeError as error:
        raise BadInputError(f"{file} line {error.lineno}: not valid JSON ({error.msg}).") from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise BadInputError(f"{file} is not valid JSON ({error}).") from error
    except OSError as error:
        raise BadInputError(f"{file} cannot be read ({error.strerror}).") from error
