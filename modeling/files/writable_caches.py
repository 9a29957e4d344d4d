"""Where libraries keep what they fetch, on a machine whose user has no home that can be written.

Containers often run as a user of another number, whose home is missing, a file or read-only. The Hub's client,
datasets, matplotlib and this package keep things below it and fail one after the other, some after an hour of work.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path


def use_writable_caches() -> str | None:
    """Move the caches to a temporary folder where theirs cannot be written; before any library is imported.

    What the Hub's client fetched before is still read from where it lies.

    Returns:
        What to say about it; None where nothing was moved.
    """
    caches = _user_caches()
    huggingface = Path(os.environ["HF_HOME"]) if os.environ.get("HF_HOME") else None
    unwritable = [folder for folder in (caches, huggingface) if folder is not None and not _can_write(folder)]
    if caches is not None and not unwritable:
        return None
    temporary = Path(tempfile.mkdtemp(prefix="notclip-caches-"))
    atexit.register(_remove, temporary, os.getpid())
    fetched = huggingface or (None if caches is None else caches / "huggingface")
    if fetched is not None and (fetched / "hub").is_dir():
        os.environ.setdefault("HF_HUB_CACHE", str(fetched / "hub"))
    if caches is None or caches in unwritable:
        os.environ["XDG_CACHE_HOME"] = str(temporary)
        os.environ.setdefault("MPLCONFIGDIR", str(temporary / "matplotlib"))
    if huggingface in unwritable:
        os.environ["HF_HOME"] = str(temporary / "huggingface")
    why = f"{' and '.join(map(str, unwritable))} cannot be written" if unwritable else "this user has no home"
    return (
        f"{why}: what is fetched and computed is kept in {temporary} and goes when this ends. "
        "To keep it, set XDG_CACHE_HOME, and HF_HOME where it is set, to a folder that can be written."
    )


def _user_caches() -> Path | None:
    if os.environ.get("XDG_CACHE_HOME"):
        return Path(os.environ["XDG_CACHE_HOME"])
    try:
        return Path.home() / ".cache"
    except RuntimeError:  # no HOME, and a user of whom the system knows no name
        return None


def _can_write(folder: Path) -> bool:
    """Whether a folder can be written, or made where it is not there yet."""
    nearest = folder.absolute()
    while not (nearest.is_symlink() or nearest.exists()):
        nearest = nearest.parent
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # and not in a worker that was forked from it
        shutil.rmtree(folder, ignore_errors=True)
