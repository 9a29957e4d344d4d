"""Tables and JSON files of the user's, read with messages that name the file and the line."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from notclip.errors import BadInputError, shortened
from notclip.files.json_files import parse_json, read_json
from notclip.files.table_text import table_lines

TABLE_ENDINGS = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
_LONGEST_CELL = 2**20
_LARGEST_ANNOTATION = 4 * 2**30  # bytes; LVIS has 1.1 GB
_DELIMITERS = ",\t;|"
_OPENINGS = ("[", "(", "{")
# Flickr8k.token.txt has no header: "1000268201_693b08cb0e.jpg#0<tab>A child …".
_TOKEN_LINE = re.compile(r"(\S[^\t]*?)#\d\t(.*)", re.S)
# What pandas, spreadsheets and databases write for a cell that holds nothing.
_NOTHING = frozenset("nan none null nil n/a #n/a na <na> - -- . … undefined".split())
_SURROGATE = re.compile("[\ud800-\udfff]")
_NO_UTF_8 = "a byte that is not UTF-8 text; save the file as UTF-8"


@dataclass(frozen=True)
class TableRow:
    """A row of a table.

    Args:
        line: its last line in the file.
        cells: its cells by column, without space around them; empty where it breaks a rule.
        fault: the rule that it breaks, empty for a sound row.
    """

    line: int
    cells: dict[str, str]
    fault: str = ""


def is_table(file: Path) -> bool:
    """Whether a file's name says that it is a table."""
    return file.name.lower().endswith(TABLE_ENDINGS)


def column_key(name: str) -> str:
    """What names of columns are compared by: `Image Index`, `image-index` and `IMAGE_INDEX` are one.

    >>> column_key("Image Index"), column_key(" Alt-Text")
    ('image_index', 'alt_text')
    """
    return re.sub(r"[\s\-.]+", "_", name.strip().lower())


def read_csv(file: Path) -> Iterator[TableRow]:
    """Rows of a table whose first line names the columns, divided by commas, tabs, semicolons or bars.

    Of Flickr8k's and Flickr30k's own lists of captions, which have no such line, they are `image` and `caption`.

    Raises:
        BadInputError: it cannot be read, names no column, names one twice, or a quote is not closed.
    """
    csv.field_size_limit(_LONGEST_CELL)
    lines = table_lines(file)
    first = next(lines, "")
    if _TOKEN_LINE.match(first):
        yield from _token_rows(first, lines)
        return
    delimiter = _delimiter(first, file)
    reader = csv.reader(_chained(first, lines), delimiter=delimiter, strict=True)
    header = _header(reader, file)
    while True:
        line = reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "unexpected end" in str(error):
                raise BadInputError(f"{file} after line {line}: not valid CSV (a quote is not closed).") from error
            yield TableRow(reader.line_num, {}, f"not valid CSV ({error})")
            continue
        if cells:
            yield _row(reader.line_num, cells, header, delimiter)


def _token_rows(first: str, lines: Iterator[str]) -> Iterator[TableRow]:
    for number, line in enumerate(_chained(first, lines), start=1):
        parts = _TOKEN_LINE.fullmatch(line)
        if parts is None and line.strip():
            yield TableRow(number, {}, "a line must be a photo's name, # and a number, a tab, and a caption")
        elif parts is not None and _SURROGATE.search(line):
            yield TableRow(number, {}, _NO_UTF_8)
        elif parts is not None:
            yield TableRow(number, {"image": parts[1], "caption": parts[2].strip()})


def _chained(first: str, lines: Iterator[str]) -> Iterator[str]:
    yield first
    yield from lines


def _delimiter(header: str, file: Path) -> str:
    """What divides the header into most names; of equals the one that the file's ending speaks of."""
    order = "\t,;|" if ".tsv" in file.suffixes else _DELIMITERS

    def names(delimiter: str) -> int:
        try:
            return len(next(csv.reader([header], delimiter=delimiter), []))
        except csv.Error:
            return 0

    return max(order, key=names)


def _header(reader: Iterator[list[str]], file: Path) -> list[str]:
    try:
        header = [name.strip().lstrip("\ufeff") for name in next(reader, [])]
    except csv.Error as error:
        raise BadInputError(f"{file} line 1: not valid CSV ({error}).") from error
    if "\0" in "".join(header):
        raise BadInputError(f"{file} is not CSV in UTF-8: its first line holds a zero byte, which no text has.")
    if not any(header):
        raise BadInputError(f"{file} is empty; its first line must name the columns.")
    keys = [column_key(name) for name in header if name]
    twice = [name for name in header if name and keys.count(column_key(name)) > 1]
    if twice:
        raise BadInputError(f"{file} line 1 names the column {shortened(twice[0])} twice; rename one.")
    return header


def _row(line: int, cells: list[str], header: list[str], delimiter: str) -> TableRow:
    while len(cells) > len(header) and not cells[-1].strip():
        cells.pop()
    if len(cells) < len(header) and not any(header[len(cells) :]):  # NIH's header ends in a comma.
        cells += [""] * (len(header) - len(cells))
    if len(cells) != len(header):
        what = {",": "a comma", "\t": "a tab", ";": "a semicolon", "|": "a bar"}[delimiter]
        return TableRow(
            line, {}, f"{len(cells)} cells, but the header names {len(header)} columns; quote cells that hold {what}"
        )
    joined = "".join(cells)
    if "\0" in joined:
        return TableRow(line, {}, "a zero byte, which no text has")
    if not joined.isascii() and _SURROGATE.search(joined):
        return TableRow(line, {}, _NO_UTF_8)
    return TableRow(line, {name: cell.strip() for name, cell in zip(header, cells, strict=True) if name})


def clean_caption(value: str | None) -> str:
    """A caption with single spaces; empty where the source says that it has none.

    >>> clean_caption("  A  dog. "), clean_caption("NaN"), clean_caption(None), clean_caption("None of them runs.")
    ('A dog.', '', '', 'None of them runs.')
    """
    text = " ".join((value or "").split())
    return "" if text.lower() in _NOTHING else text


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
    values = _literal(text)
    if not isinstance(values, list | tuple):
        if text.startswith("["):
            raise BadInputError(f"a list of texts must be written ['…', '…'], got {shortened(text)}")
        return [text]  # "(a dog)" is a caption.
    if not all(isinstance(value, str) for value in values):
        raise BadInputError(f"a list must hold texts alone, got {shortened(text)}")
    return list(values)


def _literal(text: str) -> Any:
    """The value that a text writes down; None where it writes none."""
    import ast

    try:
        return parse_json(text, "")
    except BadInputError:
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return None


def read_json_file(file: Path) -> Any:
    """An annotation file in JSON, see `read_json`."""
    return read_json(file, "The annotation file", largest=_LARGEST_ANNOTATION)
