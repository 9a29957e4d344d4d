"""Calls to the Hub that survive its bad moments, and errors that say what to do and never show the token."""

import time
from collections.abc import Callable
from typing import TypeVar

import httpx2
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError

from notclip.errors import BadInputError
from notclip.files.text_files import whole_number

T = TypeVar("T")
ATTEMPTS = 6
LONGEST_WAIT = 30.0
PASSING = (408, 429, 500, 502, 503, 504)


class HubClient:
    """The Hub's API with patience.

    Args:
        api: the client; it carries the token.
        wait: sleeps for some seconds.
        say: prints a line.
    """

    def __init__(
        self, api: HfApi, *, wait: Callable[[float], None] = time.sleep, say: Callable[[str], None] = lambda text: None
    ):
        self.api = api
        self.wait = wait
        self.say = say

    def attempt(self, what: str, call: Callable[[], T]) -> T:
        """Call until it works, with growing pauses where the Hub or the network fails for the moment.

        Args:
            what: what the call does, for messages: "create the repository me/x".
            call: must be safe to repeat after an answer that was lost.

        Raises:
            BadInputError: the Hub or the network failed each time.
            HfHubHTTPError: the Hub refused, and would again.
        """
        for number in range(1, ATTEMPTS + 1):
            try:
                return call()
            except Exception as error:
                cause = root_cause(error)
                if not is_passing(cause):
                    if isinstance(cause, HfHubHTTPError):
                        raise cause from None
                    raise
                reason = self.describe(cause)
            if number < ATTEMPTS:
                pause = _retry_after(cause) or min(LONGEST_WAIT, 2.0 ** (number - 1))
                self.say(f"could not {what} ({reason}); trying again in {pause:.0f} s")
                self.wait(pause)
        raise BadInputError(
            f"Could not {what}: {reason}. What is uploaded stays; run the same command again later, and it goes on."
        )

    def describe(self, error: BaseException) -> str:
        """An error in one line, without the token."""
        return one_line(error, token=self.api.token if isinstance(self.api.token, str) else None)


def one_line(error: BaseException, *, token: str | None) -> str:
    """What an error says, in one line, and with the token blotted out should it ever be in there."""
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        said = error.server_message or error.response.reason_phrase or "no reason given"
        text = f"HTTP {status}, {said}"
    else:
        text = f"{type(error).__name__}: {error}"
    if token:
        text = text.replace(token, "hf_***")
    return " ".join(text.split())


def root_cause(error: BaseException) -> BaseException:
    """The error of the Hub or the network inside those that the client wraps around it."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, HfHubHTTPError | httpx2.TransportError):
            return inner
        inner = inner.__cause__
    return error


def is_passing(error: BaseException) -> bool:
    """Whether trying again may help."""
    if isinstance(error, HfHubHTTPError):
        return error.response.status_code in PASSING
    return isinstance(error, httpx2.TransportError)


def status_of(error: BaseException) -> int | None:
    """The HTTP status of a refusal."""
    return error.response.status_code if isinstance(error, HfHubHTTPError) else None


def _retry_after(error: BaseException) -> float | None:
    if not isinstance(error, HfHubHTTPError):
        return None
    seconds = whole_number(error.response.headers.get("Retry-After", ""))
    return min(LONGEST_WAIT, float(seconds)) if seconds else None
