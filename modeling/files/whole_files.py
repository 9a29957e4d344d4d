"""Files and folders that appear whole or not at all, whatever ends the process that writes them.

What is being written lies in a hidden folder beside its place, `.NAME.0f3a9c21.partial`, under a name that no other
process has, and takes its own name when it is complete. Its writer holds a lock on the folder, which the system takes
away when the process dies: so `clear_partials` knows what a killed process left, and leaves alone what is being
written.
"""

import errno
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from notclip.files.file_lock import locked

_PARTIAL = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{8}\.partial")
_LONGEST = 100  # bytes of a name in a partial folder's, so that both fit into the 255 of a file system
_SURELY_LEFT = 24 * 3600  # seconds; where the file system knows no locks, only age tells


@contextmanager
def partial_folder(target: Path) -> Iterator[Path]:
    """A new, empty folder beside `target`, on the same disk, for what will stand there; it is gone at the end.

    Raises:
        OSError: it cannot be made there.
    """
    # Not `tempfile.mkdtemp`, whose folders are closed to all others and would stay so under their final names.
    folder = target.with_name(f".{_shortened(target.name)}.{secrets.token_hex(4)}.partial")
    try:
        folder.mkdir()
    except FileNotFoundError as error:
        if target.parent.is_dir():  # /proc says this of whatever is to be made there.
            raise PermissionError(errno.EPERM, "Operation not permitted", str(target.parent)) from error
        raise
    try:
        with locked(folder):
            yield folder
    finally:
        # On a disk that is full or read-only by now, this must not hide what went wrong first.
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def whole_file(file: Path) -> Iterator[Path]:
    """A path to write to, which becomes `file` at the end; the folder must be there.

    Raises:
        OSError: the folder cannot be written to; `file` is then what it was before.
    """
    with partial_folder(file) as folder:
        yield folder / file.name
        _to_disk(folder / file.name)
        (folder / file.name).replace(file)


def write_whole(file: Path, content: str | bytes) -> None:
    """Write a file, and the folders that lead to it; see `whole_file`."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(file) as partial:
        partial.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A new folder to fill, which becomes `folder` at the end, in the place of what was there; makes its parents."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with partial_folder(folder) as partial, partial_folder(folder) as earlier:
        yield partial
        if folder.exists():
            folder.rename(earlier / folder.name)
        partial.rename(folder)


def clear_partials(folder: Path, name: str | None = None) -> None:
    """Remove what processes that were killed left in a folder, all of it or what was to be called `name`."""
    for path in folder.glob(".*.partial"):
        found = _PARTIAL.fullmatch(path.name)
        if found is None or name not in (None, found["name"]) or not path.is_dir() or path.is_symlink():
            continue
        with suppress(OSError), locked(path) as got:  # Refused where somebody is writing it.
            if got or time.time() - path.stat().st_mtime > _SURELY_LEFT:
                shutil.rmtree(path, ignore_errors=True)


def _shortened(name: str) -> str:
    return name.encode()[:_LONGEST].decode(errors="ignore")


def _to_disk(file: Path) -> None:
    """Wait until a file's bytes are on the disk: else a machine that dies could keep its name and lose its content."""
    descriptor = os.open(file, os.O_RDONLY)
    try:
        with suppress(OSError):  # not every file system can
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
