"""Run by a test as each of two processes: trains, and the first to come to a place dies of SIGKILL there.

python one_of_two_dies.py reading|training OPTIONS OF train-adapter
"""

import os
import signal
import sys

from notclip.scripts import train_adapter
from notclip.training import run
from notclip.training.learner import Learner

place, *arguments = sys.argv[1:]
owner, name = {"reading": (run, "read_training_split"), "training": (Learner, "forward")}[place]
real, calls = getattr(owner, name), iter(range(1000))
dies = "0" if place == "reading" else "1"  # While the first reads, the other waits for it.


def until_killed(*given, **options):
    """Die instead of the second call."""
    if os.environ["RANK"] == dies and next(calls) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*given, **options)


setattr(owner, name, until_killed)
sys.exit(train_adapter.main(arguments))
