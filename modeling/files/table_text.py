"""The text of a table, in whichever encoding and compression it comes, line by line and within bounds."""

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from notclip.errors import BadInputError
from notclip.files.text_files import encoding_of_bytes

_CHUNK = 2**20
_LONGEST_LINE = 2**24  # characters
_BROKEN = re.compile("[\udc80-\udcff]")
_FOREIGN = re.compile("[^\0-\x7f\udc80-\udcff]")


def table_lines(file: Path) -> Iterator[str]:
    """Lines of a table with their ends, in UTF-8, UTF-16 with a byte order mark, or the code page of western Europe.

    A byte that breaks the encoding becomes a lone surrogate, so that it breaks its row alone.

    Args:
        file: the table; one whose name ends in .gz is unpacked while it is read.

    Raises:
        BadInputError: it cannot be read, is no whole gzip file, or has a line that no table has.
    """
    number = 0
    try:
        if not file.is_file():  # A pipe would be waited for until the end of days.
            raise BadInputError(f"{file} is no file that can be read.")
        encoding = _encoding(file)
        errors = "replace" if encoding == "utf-16" else "surrogateescape"
        with _open(file) as stream, io.TextIOWrapper(stream, encoding=encoding, errors=errors, newline="") as lines:
            while line := lines.readline(_LONGEST_LINE):
                number += 1
                if len(line) == _LONGEST_LINE:
                    raise BadInputError(f"{file} line {number} has over {_LONGEST_LINE:,} characters: it is no table.")
                yield line
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadInputError(f"{file} cannot be read after line {number} ({reason}).") from error


def _open(file: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(file, "rb")) if file.suffix.lower() == ".gz" else file.open("rb")


def _encoding(file: Path) -> str:
    """What a table without a mark is in: UTF-8, unless it has broken bytes and no letter of UTF-8 beyond ASCII."""
    broken = foreign = False
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    with _open(file) as stream:
        start = stream.read(_CHUNK)
        marked = encoding_of_bytes(start[:4])
        if marked != "utf-8":
            return marked
        for chunk in (start, *iter(partial(stream.read, _CHUNK), b"")):
            text = decoder.decode(chunk)
            if not text.isascii():
                broken = broken or _BROKEN.search(text) is not None
                foreign = foreign or _FOREIGN.search(text) is not None
                if foreign:
                    break
    return "cp1252" if broken and not foreign else "utf-8"
