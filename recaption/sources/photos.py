"""Photos as files: read from inside their folder alone, and decoded once to see that they are sound."""

import io
import warnings
from pathlib import Path

from PIL import Image

from notclip.errors import BadInputError


def read_photo(root: Path, path: str) -> bytes:
    """Read a photo that a table names.

    Args:
        root: folder that it must lie in.
        path: its path, relative to `root`, or absolute and inside.

    Raises:
        BadInputError: the path leaves the folder, or the file cannot be read.
    """
    file = (root / path).resolve()
    if not file.is_relative_to(root.resolve()):
        raise BadInputError(f"the photo's path {path!r} leaves the folder {root}")
    try:
        return file.read_bytes()
    except OSError as error:
        raise BadInputError(f"the photo {path!r} cannot be read ({error.strerror})") from error


def check_photo(image: bytes) -> None:
    """Decode a photo once.

    Raises:
        BadInputError: it is no image, is cut off, or would take far more memory than any photo (a decompression bomb).
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(image)) as photo:
                photo.load()
    except Exception as error:  # Pillow's decoders raise whatever the damage triggers.
        raise BadInputError(f"the photo cannot be decoded ({type(error).__name__}: {error})") from error
