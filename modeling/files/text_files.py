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
    try:
        if not file.is_file():  # A pipe would be waited for until the end of days.
            missing = "is no file" if file.exists() else "does not exist"
            raise BadInputError(f"{what} {file} cannot be read: it {missing}.")
        size = file.stat().st_size
        if size > largest:
            raise BadInputError(f"{what} {file} may have {largest:,} bytes, got {size:,}: make it smaller.")
        content = file.read_bytes()
        return content.decode(encoding_of_bytes(content[:4]))
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        fault = f"is not UTF-8 text ({error.reason}); save it as UTF-8"
        raise BadInputError(f"{what} {file} line {line} {fault}.") from error
    except (OSError, ValueError) as error:
        if isinstance(error, BadInputError):
            raise
        reason = error.strerror if isinstance(error, OSError) else error  # A name with a zero byte.
        raise BadInputError(f"{what} {str(file)!r} cannot be read ({reason}).") from error
