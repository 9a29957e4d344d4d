"""A process that pushes in children of its own, which start in milliseconds and can be killed.

Reads folders from stdin; for each it forks a child that pushes it, prints its id, waits, and prints how it ended.
"""

import os
import sys

# The libraries are loaded once, here.
from huggingface_hub import HfApi  # noqa: F401

from notclip.hub_cards.push import push  # noqa: F401
from notclip.hub_cards.push import report as push_report  # noqa: F401
from notclip.hub_cards.staging import staged_release  # noqa: F401
from notclip.scripts import push_release

for line in sys.stdin:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.read(read, 1)  # Not before the test knows whom to kill.
        os._exit(push_release.main([line.strip()]))
    print(child, flush=True)  # noqa: T201
    os.write(write, b"!")
    _, status = os.waitpid(child, 0)
    print("killed" if os.WIFSIGNALED(status) else os.WEXITSTATUS(status), flush=True)  # noqa: T201
