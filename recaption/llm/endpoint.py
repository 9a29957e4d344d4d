"""An OpenAI-compatible endpoint (vLLM, TGI, llama.cpp, a hosted provider): messages in, text out, faults retried."""

import json
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx

from notclip.errors import BadInputError

KEY_VARIABLES = ("NOTCLIP_LLM_API_KEY", "OPENAI_API_KEY")
TEMPERATURE = 0.7  # With the seed it gives each try of a caption other words.
_TRANSIENT = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_LARGEST_ANSWER = 1_000_000  # bytes
_IN_A_ROW = 5  # Requests given up one after another, after which the endpoint counts as gone.
_LONGEST_PAUSE = 30.0  # seconds


class EndpointError(BadInputError):
    """The endpoint is gone or refuses: the source is sound, and a build goes on later from what was made so far."""


class UnansweredError(Exception):
    """A request got no usable answer within its tries."""


@dataclass
class Endpoint:
    """A chat endpoint, safe to use from several threads.

    The key is read from `NOTCLIP_LLM_API_KEY` or `OPENAI_API_KEY`, and sent to this endpoint alone; a token of the Hub
    is never sent.

    Args:
        url: its base, such as http://127.0.0.1:8000/v1.
        model: the model to ask for.
        timeout: seconds for one request, from the first byte sent to the last one read.
        tries: how often a request is sent before it is given up.
        pause: seconds before the second try, doubled for each further one.
    """

    url: str
    model: str
    timeout: float = 60.0
    tries: int = 4
    pause: float = 1.0
    _given_up: int = field(default=0, init=False)
    _answered: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
            raise BadInputError(
                f"`llm` must be the http(s) address of an endpoint, without user and password, got {self._shown!r}; "
                f"give a key by the environment variable {KEY_VARIABLES[0]}."
            )
        path = parts.path.rstrip("/").removesuffix("/chat/completions") or "/v1"
        self._address = parts._replace(path=f"{path}/chat/completions").geturl()
        key = next((os.environ[name] for name in KEY_VARIABLES if os.environ.get(name)), None)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
        self._client = httpx.Client(headers=headers, timeout=self.timeout, limits=limits)
        self._lock = threading.Lock()

    @property
    def _shown(self) -> str:
        return self.url.rpartition("@")[2]

    def complete(self, messages: Sequence[dict[str, str]], *, max_tokens: int, seed: int) -> str:
        """The text that the model answers; not every server heeds the seed.

        Raises:
            UnansweredError: this request got no answer, while others do.
            EndpointError: the endpoint refuses, or no longer answers at all.
        """
        body = {
            "model": self.model,
            "messages": list(messages),
            "max_tokens": max_tokens,
            "temperature": TEMPERATURE,
            "seed": seed,
        }
        for attempt in range(self.tries):
            if attempt:
                time.sleep(min(self.pause * 2 ** (attempt - 1), _LONGEST_PAUSE))
            try:
                text = self._once(body)
            except (httpx.HTTPError, UnansweredError) as fault:
                problem = str(fault) or type(fault).__name__
            else:
                with self._lock:
                    self._given_up, self._answered = 0, True
                return text
        with self._lock:
            self._given_up += 1
            is_gone = not self._answered or self._given_up >= _IN_A_ROW
        if is_gone:
            raise EndpointError(
                f"`llm` {self._shown} does not answer ({self.tries} tries of a request, last: {problem}). Its answers "
                "so far are kept: run the same command again once it does."
            )
        raise UnansweredError(problem)

    def _once(self, body: dict[str, object]) -> str:
        deadline = time.monotonic() + self.timeout
        received = bytearray()
        with self._client.stream("POST", self._address, json=body) as response:
            for part in response.iter_bytes():
                received += part
                if time.monotonic() > deadline:
                    raise UnansweredError(f"no whole answer within {self.timeout:g} s")
                if len(received) > _LARGEST_ANSWER:
                    raise UnansweredError(f"an answer of over {_LARGEST_ANSWER} bytes")
        if response.status_code != 200:
            said = " ".join(bytes(received[:300]).decode("utf-8", "replace").split())
            if response.status_code in _TRANSIENT:
                raise UnansweredError(f"status {response.status_code}: {said}")
            raise EndpointError(
                f"`llm` {self._shown} refuses with status {response.status_code}: {said}. Check the address, "
                f"`llm_model` ({self.model!r}) and the key in {' or '.join(KEY_VARIABLES)}."
            )
        try:
            text = json.loads(received)["choices"][0]["message"]["content"]
        except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
            raise UnansweredError("an answer that is no chat completion") from error
        if not isinstance(text, str):
            raise UnansweredError("an answer without text")
        return text
