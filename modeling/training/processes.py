"""The processes of one run: what the others say when one of them dies."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from torch import distributed

from notclip.errors import BadInputError, shortened

# How gloo and NCCL say it.
_DEAD = re.compile(
    r"connection (was )?(closed|reset|refused)|broken pipe|timed? ?out|remote process|socket (closed|error)",
    re.IGNORECASE,
)

_PATIENCE = timedelta(days=7)


@contextmanager
def beside_others() -> Iterator[None]:
    """Turn what a process raises because another of its run has died into one sentence.

    Raises:
        BadInputError: another process has died.
    """
    several = distributed.is_initialized() and distributed.get_world_size() > 1
    try:
        yield
    except RuntimeError as error:
        if not several or not _DEAD.search(str(error)):
            raise
        reason = shortened(str(error).partition("\n")[0])
        raise BadInputError(
            f"another process of this run has died ({reason}): look at what it said last, and start all of them "
            "again, with --resume where the command has that option."
        ) from error


@contextmanager
def first_before_others() -> Iterator[None]:
    """Let the first process do the block alone, however long it takes, and then all others at once."""
    if not distributed.is_initialized():
        yield
        return
    # Of gloo, which tells at once when the first has died: so nobody need guess how long it may take.
    group = distributed.new_group(backend="gloo", timeout=_PATIENCE)
    if distributed.get_rank() > 0:
        distributed.barrier(group)
        yield
    else:
        yield
        distributed.barrier(group)
    distributed.destroy_process_group(group)
