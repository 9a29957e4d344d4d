"""A lock on a file or folder that ends with its process, in whichever way that ends, so that the dead block nobody.

The lock is `flock`'s. On Windows, and on file systems that know no locks, there is none.
"""

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

fcntl: Any
try:
    fcntl = importlib.import_module("fcntl")
except ImportError:  # Windows
    fcntl = None


@contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Hold the lock on a file or folder; says whether it was got, which is false where there are no locks.

    Raises:
        BlockingIOError: another process, or another part of this one, holds it.
        FileNotFoundError: there is no such file, or it was removed while the lock was taken.
        OSError: it cannot be opened.
    """
    if fcntl is None:
        yield False
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            got = True
        except BlockingIOError:
            raise
        except OSError:  # some network file systems
            got = False
        # The name may mean another file by now, on which others hold a lock of their own.
        named, opened = path.stat(), os.fstat(descriptor)
        if (named.st_dev, named.st_ino) != (opened.st_dev, opened.st_ino):
            raise FileNotFoundError(f"{path} was replaced.")
        yield got
    finally:
        os.close(descriptor)
