"""What can go wrong with a Hub, made to go wrong on purpose at one route."""

import errno
from dataclasses import dataclass
from typing import Literal

from starlette.requests import Request

Kind = Literal["status", "cut", "lost_answer", "full_disk"]


@dataclass
class Fault:
    """One fault, which happens a number of times and is then over.

    Args:
        route: name of the route in `routes.py`, such as `commit`.
        kind: `status` answers with `status` and does nothing; `cut` breaks the connection inside the request's body;
            `lost_answer` does what was asked and breaks the connection before answering; `full_disk` finds no room.
        status: of the answer.
        times: how often.
        skip: how many requests pass unharmed before.
    """

    route: str
    kind: Kind = "status"
    status: int = 503
    times: int = 1
    skip: int = 0

    def strikes(self, route: str) -> bool:
        """Whether this request is hit; counts it."""
        if route != self.route or self.times == 0:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return True


class ConnectionCutError(Exception):
    """The connection was broken; there is nobody to answer."""


def full_disk() -> OSError:
    """What a write to a full disk raises."""
    return OSError(errno.ENOSPC, "No space left on device")


def cut_connection(request: Request) -> ConnectionCutError:
    """Break the request's connection at once."""
    # uvicorn's request cycle, whose method `receive` is, holds the transport; no public name leads there.
    request.receive.__self__.transport.abort()  # type: ignore[attr-defined]
    return ConnectionCutError()
