"""Where this package keeps what it derived, unless an option names another folder (docs/caches.md)."""

import os
import sys
import tempfile
from functools import cache
from pathlib import Path


def user_cache() -> Path:
    """`$XDG_CACHE_HOME/notclip`, or `~/.cache/notclip`; made when absent.

    Where neither can be written, as in containers that run as another user, it is a folder of this user's own among
    the temporary files, which is said once.
    """
    return usable(os.environ.get("XDG_CACHE_HOME") or None)


@cache
def usable(named: str | None) -> Path:
    """The folder of caches under what is named, or where that cannot be written a temporary one."""
    try:
        wanted = (Path(named) if named else Path.home() / ".cache") / "notclip"
        wanted.mkdir(parents=True, exist_ok=True)
        if os.access(wanted, os.W_OK | os.X_OK):
            return wanted
        reason = f"{wanted} cannot be written"
    except (OSError, RuntimeError) as error:  # RuntimeError: a user without a home.
        reason = str(error)
    folder = _own_temporary_folder()
    sys.stderr.write(f"Caches are kept in {folder}, since {reason}; set XDG_CACHE_HOME to keep them elsewhere.\n")
    return folder


def _own_temporary_folder() -> Path:
    """A folder that the next process finds again, unless somebody else made it."""
    folder = Path(tempfile.gettempdir()) / f"notclip-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        return Path(tempfile.mkdtemp(prefix="notclip-"))
    return folder
