"""How far a build is: tasks note it in files, which work across processes and machines, and a bar sums them up."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

_NOTE_EVERY = 0.5  # seconds


class TaskProgress:
    """What one task of a stage has done; noted twice a second in a file of a folder."""

    def __init__(self, folder: Path, stage: str, task: int) -> None:
        self._file = folder / f"{stage}-{task:06d}"
        self._done = 0
        self._noted = time.monotonic()

    def update(self, count: int = 1) -> None:
        """Add what was done."""
        self._done += count
        if time.monotonic() - self._noted > _NOTE_EVERY:
            self.note()

    def note(self) -> None:
        """Write it down now."""
        self._noted = time.monotonic()
        self._file.write_text(str(self._done))


@contextmanager
def progress_bar(folder: Path, stage: str, *, total: int | None, show: bool) -> Iterator[None]:
    """A bar over the notes of all tasks of a stage while the block runs."""
    if not show:
        yield
        return
    stop = threading.Event()
    with tqdm(desc=stage, unit="image", total=total, smoothing=0.1) as bar:
        watcher = threading.Thread(target=_watch, args=(folder, stage, bar, stop), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            stop.set()
            watcher.join()


def _watch(folder: Path, stage: str, bar: tqdm, stop: threading.Event) -> None:
    finished = False
    while not finished:
        finished = stop.wait(_NOTE_EVERY)
        done = 0
        for file in folder.glob(f"{stage}-*"):
            text = file.read_text() if file.is_file() else ""
            done += int(text) if text.isdecimal() else 0
        bar.update(max(0, done - bar.n))
