"""Run by a test as each of two processes: the first takes longer than the collectives' time-out, and none minds."""

import os
import time
from datetime import timedelta

from torch import distributed

from notclip.training.processes import beside_others, first_before_others

distributed.init_process_group("gloo", timeout=timedelta(seconds=5))
with beside_others(), first_before_others():
    if os.environ["RANK"] == "0":
        time.sleep(8)
distributed.destroy_process_group()
