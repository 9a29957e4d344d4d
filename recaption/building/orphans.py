"""No process of a build outlives the one that was started: killed in whatever way, it leaves nobody who writes on.

What is left would go on with its task in a folder that the next build takes up, or makes anew for other options.
"""

import importlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_EVERY = 0.2  # seconds
_building = False


@contextmanager
def forked_children_end_with_this() -> Iterator[None]:
    """Within the block, processes that are forked from this one end when it does; datatrove's manager is one."""
    global _building
    _building = True
    try:
        yield
    finally:
        _building = False


def end_with_parent() -> None:
    """In a worker of a pool: end when the process that made the pool does. Does nothing in that process itself."""
    for name in ("multiprocessing", "multiprocess"):
        if name in sys.modules and (parent := importlib.import_module(name).parent_process()) is not None:
            threading.Thread(target=_end_after, args=(parent.join,), daemon=True).start()


def _after_fork() -> None:
    if _building:
        owner = os.getppid()
        threading.Thread(target=_end_after, args=(lambda: _wait_for(owner),), daemon=True).start()


def _wait_for(owner: int) -> None:
    while os.getppid() == owner:
        time.sleep(_EVERY)


def _end_after(wait: Callable[[], object]) -> None:
    wait()
    os._exit(1)  # Nothing half-written is taken for whole, and nobody is there who would hear of an exception.


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
