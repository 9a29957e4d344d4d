"""Runs a Python file as `python FILE` would, and ends with the process that started it, in whichever way that ended.

    python child.py PROCESS FILE ARGUMENTS

PROCESS is who started it. A rehearsal that is killed leaves no Space that serves on, and nobody who downloads.
"""

import os
import runpy
import sys
import threading
import time
from pathlib import Path

_EVERY = 0.5  # seconds


def end_with(owner: int) -> None:
    """Wait until another process is the parent, and end this one."""
    while os.getppid() == owner:
        time.sleep(_EVERY)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=end_with, args=(int(sys.argv[1]),), daemon=True).start()
    sys.argv = sys.argv[2:]
    sys.path[0] = str(Path(sys.argv[0]).absolute().parent)
    runpy.run_path(sys.argv[0], run_name="__main__")
