"""Text files of the user's: in the encoding that they are in, opened within bounds and read without loading torch."""

import codecs
from pathlib import Path

from notclip.errors import BadInputError

# Longer marks first: that of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MOST_DIGITS = 18  # Python refuses to read 4,300 of them.


def encoding_of_bytes(start: bytes) -> str:
    """The encoding that a file's first bytes name; UTF-8 where they name none."""
    return next((encoding for mark, encoding in _MARKS if start.startswith(mark)), "utf-8")


def read_text(file: Path, what: str, *, largest: int) -> str:
    """A whole text file in UTF-8, or in UTF-16 or UTF-32 with their byte order mark.

    Args:
        file: the file.
        what: what an error calls it, such as "the lexicon".
        largest: bytes that it may have.

    Raises:
        BadInputError: it is no file that can be read, is too large, or is in another encoding.
    """
    content = read_bytes(file, what, largest=largest)
    try:
        return content.decode(encoding_of_bytes(content[:4]))
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        fault = f"is not UTF-8 text ({error.reason}); save it as UTF-8"
        raise BadInputError(f"{what} {file} line {line} {fault}.") from error


def read_bytes(file: Path, what: str, *, largest: int) -> bytes:
    """The bytes of a whole file.

    Raises:
        BadInputError: it is no file that can be read, or is too large.
    """
    try:
        if not file.is_file():  # A pipe would be waited for until the end of days.
            missing = "is no file" if file.exists() else "does not exist"
            raise BadInputError(f"{what} {file} cannot be read: it {missing}.")
        size = file.stat().st_size
        if size > largest:
            raise BadInputError(f"{what} {file} may have {largest:,} bytes, got {size:,}: make it smaller.")
        return file.read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, BadInputError):
            raise
        reason = error.strerror if isinstance(error, OSError) else error  # A name with a zero byte.
        raise BadInputError(f"{what} {str(file)!r} cannot be read ({reason}).") from error


def start_of(file: Path, size: int) -> bytes:
    """The first bytes of a file; none of what is no file, such as a pipe, or cannot be read."""
    try:
        if not file.is_file():
            return b""
        with file.open("rb") as stream:
            return stream.read(size)
    except OSError:
        return b""


def whole_number(text: str) -> int | None:
    """The number that a text writes in digits; None for any other text, and for a number that nothing counts to.

    >>> whole_number("12"), whole_number("-1"), whole_number("\u00b2"), whole_number("9" * 5000)
    (12, None, None, None)
    """
    return int(text) if len(text) <= _MOST_DIGITS and text.isdecimal() else None
