"""The one reader of numpy's files: an array that stays on the disk until it is looked at, or a sentence."""

from pathlib import Path

import numpy as np

from notclip.errors import BadInputError, shortened

_SMALL = 2**20  # bytes; what is larger is mapped, and an empty array cannot be


def open_array(file: Path, *, advice: str = "delete it") -> np.ndarray:
    """An array of numbers or texts from a cache, memory-mapped where it is large.

    Args:
        file: a .npy file.
        advice: what an error says is to be done.

    Raises:
        BadInputError: it is missing, cut off, damaged, or holds objects, which could run code.
    """
    try:
        if not file.is_file():  # A pipe would be waited for.
            raise ValueError("it is no file" if file.exists() else "it does not exist")
        found = np.load(file, mmap_mode="r" if file.stat().st_size > _SMALL else None, allow_pickle=False)
        if not isinstance(found, np.ndarray) or found.ndim == 0:
            raise ValueError("it holds no array")
    except (OSError, ValueError, EOFError, OverflowError, MemoryError, SyntaxError) as error:
        reason = shortened(str(error) or type(error).__name__)
        raise BadInputError(f"{file} in the cache cannot be read ({reason}): {advice}.") from error
    return found
