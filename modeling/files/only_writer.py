"""Of two commands that write to one place at a time, the second is refused."""

import os
import re
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from notclip.errors import BadInputError
from notclip.files.file_lock import locked
from notclip.files.whole_files import clear_partials

_LAST_BREATH = 60.0  # seconds that what a killed command forked may take to notice


@contextmanager
def only_writer(out: Path, *, reads: Mapping[str, Path | str | None] | None = None) -> Iterator[None]:
    """Be the only command that writes to `out`, and clear away what one that was killed left beside it.

    The folder that `out` is to stand in is made, and is gone again at the end if nothing came into it.

    Args:
        out: file or folder that a command writes.
        reads: option -> folder that it reads, which nothing is written into.

    Raises:
        BadInputError: another command is writing to it, or nobody can, or it lies in what the command reads.
    """
    try:
        place = out.resolve()  # One place may have several names, and "." has none.
    except RuntimeError as error:  # An OSError where Python is newer, as of a working folder that is gone.
        raise BadInputError(f"`out` {out} cannot be written: its links lead in a circle.") from error
    except OSError as error:
        raise BadInputError(f"`out` {out} cannot be written: {error.strerror}.") from error
    _check_place(place, out, reads or {})
    made = [folder for folder in place.parents if not folder.exists()]
    lock = place.with_name(f".{place.name}.lock")
    with ExitStack() as stack:
        try:
            if made:
                place.parent.mkdir(parents=True, exist_ok=True)
            _take_from_the_dead(lock, stack)
        except BlockingIOError:
            owner = lock.read_text(encoding="utf-8", errors="replace") if lock.is_file() else ""
            raise BadInputError(
                f"another command ({owner or 'just started'}) is writing to `out` {out}: wait until it is "
                "done, or name another."
            ) from None
        except OSError as error:
            raise BadInputError(f"`out` {out} cannot be written: {error.strerror}.") from error
        clear_partials(place.parent, place.name)
        try:
            yield
        finally:
            with suppress(OSError):
                lock.unlink()
            for folder in made:  # The innermost comes first; one that holds something stays.
                with suppress(OSError):
                    folder.rmdir()


def _check_place(place: Path, out: Path, reads: Mapping[str, Path | str | None]) -> None:
    if out.name in ("", ".."):  # "/", "." and "a/..": beside them nothing can be made that takes their name.
        raise BadInputError(f"`out` must be the name of a file or folder, got {out}.")
    for option, named in reads.items():
        if named and Path(named).is_dir() and place.is_relative_to(Path(named).resolve()):
            raise BadInputError(
                f"`out` {out} lies in `{option}` {named}, which this command reads: name another place."
            )


def _take_from_the_dead(lock: Path, stack: ExitStack) -> None:
    """Lock it; where its owner was killed, processes that it forked hold the lock until they have seen that, too."""
    until = time.monotonic() + _LAST_BREATH
    while True:
        try:
            return _take(lock, stack)
        except BlockingIOError:
            if time.monotonic() > until or not _owner_is_dead(lock):
                raise
        time.sleep(0.1)


def _owner_is_dead(lock: Path) -> bool:
    said = re.fullmatch(r"process (\d+) on (.+)", lock.read_text(encoding="utf-8", errors="replace"))
    if said is None or said[2] != socket.gethostname():
        return False
    try:
        os.kill(int(said[1]), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


def _take(lock: Path, stack: ExitStack) -> None:
    """Lock a file of that name, be it new or left by a process that died."""
    if lock.is_symlink() or (
        lock.exists() and not lock.is_file()
    ):  # Who came with a folder of others, and is no lock.
        raise BadInputError(
            f"{lock} must be a lock that a command left, and is a link, a folder or a pipe: remove it."
        )
    while True:
        lock.touch()
        with suppress(FileNotFoundError):  # Its last owner removed it between the two steps.
            stack.enter_context(locked(lock))
            lock.write_text(f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8")
            return
