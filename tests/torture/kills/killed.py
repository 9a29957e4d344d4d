"""Runs a command of notclip in this process and kills it at a step that is counted, so that it can be done again.

A step is whatever this process does to the names under a folder: a file opened to be written, a folder made, a rename,
a removal. Between two of them a kill leaves the same behind, but for what is in a half-written file.
"""

import os
import sys
from pathlib import Path

_STEPS = ("os.rename", "os.mkdir", "os.rmdir", "os.remove", "os.link", "os.truncate")


def run_counted(argv: list[str], folder: str, log: str, number: int | None, at: int) -> None:
    """Run the command and end the process with its status; the count of its steps stands in `log`.steps.

    Args:
        argv: the verb and its options.
        folder: folder to run it in, whose names are watched.
        log: file for what it prints.
        number: signal to send at the step; None lets it run to its end.
        at: which step, from 1.
    """
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(folder)
    steps, owner = 0, os.getpid()

    def count(event: str, arguments: tuple) -> None:
        nonlocal steps
        writes = event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if not (writes or event in _STEPS) or os.getpid() != owner:
            return
        if isinstance(arguments[0], str | bytes | os.PathLike) and _inside(os.fsdecode(arguments[0]), folder):
            steps += 1
            if number is not None and steps == at:
                os.kill(os.getpid(), number)

    sys.addaudithook(count)
    from notclip.command_line import main
    from notclip.recaption.building import executors

    if "--workers" in argv:  # Which so few images get none of.
        executors._SMALL = 0
    status = main(argv)
    Path(f"{log}.steps").write_text(str(steps))
    sys.stdout.flush()
    os._exit(status)


def _inside(name: str, folder: str) -> bool:
    return not name.startswith("/") or name.startswith(f"{folder}/")


if __name__ == "__main__":
    run_counted(**arguments)  # type: ignore[name-defined]  # noqa: F821  # `runpy` brings them.
