"""How a command ends that does not end well: one message on stderr, and an exit status that says what it was."""

import errno
import importlib
import os
import platform
import re
import select
import shlex
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import FrameType
from typing import TextIO

from notclip.errors import BadInputError, shortened
from notclip.extras import how_to_install
from notclip.files.escapes import terminal_text

_LIBRARIES = ("notclip", "torch", "transformers", "datasets", "huggingface_hub", "peft", "numpy", "pyarrow")
# What the system says of a place -> what a user can do. Writers in Rust and C++ raise errors of their own, with the
# system's words in the message.
_PLACES = {
    errno.ENOSPC: ("No space left on device", "the disk is full", "Free some space, or name an --out on another disk"),
    errno.EDQUOT: ("Disk quota exceeded", "the disk quota is used up", "Free some space, or name another disk"),
    errno.EROFS: ("Read-only file system", "the disk is read-only", "Name a place that can be written to"),
    errno.EACCES: ("Permission denied", "this user may not do that", "Change the rights, or name another place"),
    errno.EPERM: ("Operation not permitted", "this place takes no files of users", "Name another place"),
    errno.EIO: ("Input/output error", "the disk has a fault", "Look at it, or name another place"),
    errno.EISDIR: ("Is a directory", "a folder stands where a file should be", "Name another place, or remove it"),
    errno.EFBIG: ("File too large", "this user may not write files of that size", "Raise the limit (`ulimit -f`)"),
    errno.EMFILE: ("Too many open files", "too many files are open", "Raise the limit (`ulimit -n`)"),
    errno.ENAMETOOLONG: ("File name too long", "no file system takes that name", "Give a shorter one"),
    errno.ELOOP: ("Too many levels of symbolic links", "links lead in a circle", "Name another place"),
    errno.ENOTDIR: ("Not a directory", "a file stands where a folder should be", "Name another place, or remove it"),
}


# How torch, numpy and CUDA say it, in errors of their own.
_NO_MEMORY = re.compile(r"(can't|Unable to|not enough memory: you tried to) allocate |CUDA out of memory")


class TerminatedError(BaseException):
    """SIGTERM came; like KeyboardInterrupt it is no Exception, so that nothing takes it for a fault of its own."""


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM unwind the block as Ctrl-C does, so that what is half-written goes and children end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    owner = os.getpid()

    def terminate(number: int, frame: FrameType | None) -> None:
        if os.getpid() != owner:  # A forked child: it has nothing to say, and ends as it would without us.
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTERM)
        raise TerminatedError

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def end(error: BaseException, *, verb: str | None = None, again: str = "") -> int:
    """Say what ended a command, and return its exit status.

    Args:
        error: what came out of it.
        verb: the command.
        again: what the same command does when it is given again.
    """
    if isinstance(error, SystemExit):  # tyro exits by itself: 0 after --help, 2 after an option that it refuses.
        return error.code if isinstance(error.code, int) else 2
    if isinstance(error, KeyboardInterrupt | TerminatedError):
        _end_children()
        what, status = ("interrupted", 130) if isinstance(error, KeyboardInterrupt) else ("terminated", 143)
        return _say(f"{what}. {again}".rstrip(), status)
    if isinstance(error, BrokenPipeError) and (unread := [s for s in (sys.stdout, sys.stderr) if _unread(s)]):
        for stream in unread:  # The interpreter flushes them once more at its exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return 141  # What a shell says of a program that ends by SIGPIPE.
    if isinstance(error, BadInputError):
        return _say(str(error), 2)
    if isinstance(error, ModuleNotFoundError) and (error.name or "notclip").partition(".")[0] != "notclip":
        install = how_to_install(str(error.name), verb=verb)
        return _say(f"this needs the package {error.name!r}: {install}.", 2)
    for number, (words, what, advice) in _PLACES.items():
        if getattr(error, "errno", None) == number or words in str(error):
            return _say(f"{what} ({error}). {advice}, and run it again.", 2)
    if isinstance(error, MemoryError) or _NO_MEMORY.search(str(error)):
        reason = str(error).partition("\n")[0] or type(error).__name__
        return _say(f"there is not enough memory ({reason}). Give less at once, as options named batch do.", 2)
    if isinstance(error, UnicodeEncodeError) and "surrogates" in error.reason:
        name = shortened(error.object)
        return _say(f"a name holds bytes that are no UTF-8 text ({name}): give the file another name.", 2)
    return _say(_defect(error), 3)


def _say(message: str, status: int) -> int:
    print(f"notclip: {terminal_text(message)}", file=sys.stderr)
    return status


def _defect(error: BaseException) -> str:
    """What to say of an error that is none of the user's, whose traceback goes into a file."""
    told = f"{type(error).__name__}: {error}".splitlines()[0][:300]
    text = "".join(traceback.format_exception(error))
    versions = [f"{name} {_version(name)}" for name in _LIBRARIES]
    about = [shlex.join(sys.argv), f"Python {platform.python_version()} on {platform.platform()}", ", ".join(versions)]
    file = _write_log("\n".join([*about, "", text]))
    if file is None:
        print(text, file=sys.stderr)
        where = "Please report it to those who gave you NotCLIP, with the lines above."
    else:
        where = f"Please report it to those who gave you NotCLIP, with {file}; look it through, it names your folders."
    return f"this is an error of ours, not of yours: {told}\n{where}"


def _write_log(text: str) -> Path | None:
    for folder in (_state_folder, _temporary_folder):
        with suppress(OSError, RuntimeError):  # RuntimeError: nobody knows where this user's home is.
            place = folder()
            place.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(prefix="error-", suffix=".log", dir=place)
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
            return Path(name)
    return None


def _state_folder() -> Path:
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "notclip"


def _temporary_folder() -> Path:
    return Path(tempfile.gettempdir())


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def _end_children() -> None:
    """End the processes that this one started and that unwinding it left."""
    for name in ("multiprocessing", "multiprocess"):
        if name in sys.modules:
            for child in importlib.import_module(name).active_children():
                child.terminate()


def _unread(stream: TextIO) -> bool:
    """Whether a stream is a pipe at whose other end nobody reads any more."""
    try:
        poll = select.poll()
        poll.register(stream.fileno(), 0)
        return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))
    except OSError:  # no file, as in a notebook
        return False
