"""Of two commands that write to one place at a time, the second is refused."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from notclip.errors import BadInputError
from notclip.file_lock import locked
from notclip.whole_files import clear_partials


@contextmanager
def only_writer(out: Path, *, argument: str = "out") -> Iterator[None]:
    """Be the only command that writes to `out`, and clear away what one that was killed left beside it.

    The folder that `out` is to stand in is made, and is gone again at the end if nothing came into it.

    Args:
        out: file or folder that a command writes.
        argument: what the command's user calls it.

    Raises:
        BadInputError: another command is writing to it, or nobody can.
    """
    place = out.resolve()  # One place may have several names, and "." has none.
    made = [folder for folder in place.parents if not folder.exists()]
    lock = place.with_name(f".{place.name}.lock")
    with ExitStack() as stack:
        try:
            if made:
                place.parent.mkdir(parents=True, exist_ok=True)
            _take(lock, stack)
        except BlockingIOError:
            owner = lock.read_text(encoding="utf-8", errors="replace") if lock.is_file() else ""
            raise BadInputError(
                f"another command ({owner or 'just started'}) is writing to `{argument}` {out}: wait until it is "
                "done, or name another."
            ) from None
        except OSError as error:
            raise BadInputError(f"`{argument}` {out} cannot be written: {error.strerror}.") from error
        clear_partials(place.parent, place.name)
        try:
            yield
        finally:
            with suppress(OSError):
                lock.unlink()
            for folder in made:  # The innermost comes first; one that holds something stays.
                with suppress(OSError):
                    folder.rmdir()


def _take(lock: Path, stack: ExitStack) -> None:
    """Lock a file of that name, be it new or left by a process that died."""
    while True:
        lock.touch()
        with suppress(FileNotFoundError):  # Its last owner removed it between the two steps.
            stack.enter_context(locked(lock))
            lock.write_text(f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8")
            return
