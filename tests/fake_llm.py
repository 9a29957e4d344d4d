"""An OpenAI-compatible endpoint on 127.0.0.1 that answers, or misbehaves, as a test tells it."""

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = str | int | Callable[[BaseHTTPRequestHandler], None]


class FakeLlm:
    """A server whose `answer` makes a reply of the request's number and its captions.

    A reply is the text of the model, an HTTP status to refuse with, or a function that writes to the connection.
    """

    def __init__(self, answer: Callable[[int, list[dict[str, Any]]], Reply]) -> None:
        self.answer = answer
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.under_way = self.most_under_way = 0
        self._lock = threading.Lock()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                fake._reply(self)

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def __enter__(self) -> "FakeLlm":
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def captions(self) -> list[str]:
        """All captions that were asked for."""
        return [item["caption"] for request in self.requests for item in items_of(request)]

    def _reply(self, handler: BaseHTTPRequestHandler) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        with self._lock:
            self.requests.append(body)
            self.headers.append(dict(handler.headers))
            number = len(self.requests) - 1
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            reply = self.answer(number, items_of(body)) if handler.path == "/v1/chat/completions" else 404
        finally:
            with (
                self._lock
            ):  # Before the client has its answer: the next request may be here before this thread goes on.
                self.under_way -= 1
        try:
            if callable(reply):
                reply(handler)
            elif isinstance(reply, int):
                send(handler, json.dumps({"error": {"message": "refused by the test"}}).encode(), status=reply)
            else:
                send(handler, json.dumps({"choices": [{"message": {"role": "assistant", "content": reply}}]}).encode())
        except (BrokenPipeError, ConnectionResetError):
            pass  # The client gave up.


def items_of(request: dict[str, Any]) -> list[dict[str, Any]]:
    """The captions of a request with what they say is absent."""
    return json.loads(request["messages"][-1]["content"])


def send(handler: BaseHTTPRequestHandler, body: bytes, *, status: int = 200, length: int | None = None) -> None:
    """Write a response, with another length than it has where one is given."""
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    handler.end_headers()
    handler.wfile.write(body)
    handler.wfile.flush()


def reworded(items: list[dict[str, Any]]) -> str:
    """A model that obeys: each caption in other words, and nothing else said."""
    return json.dumps([reword(item["caption"]) for item in items])


def reword(caption: str) -> str:
    """The caption behind a "Well"."""
    return f"Well, {caption[0].lower()}{caption[1:]}"


def cut_off(handler: BaseHTTPRequestHandler) -> None:
    """Half a response, then the connection closes."""
    send(handler, b'{"choices": [{"mess', length=5000)
    handler.close_connection = True


def dripping(seconds: float) -> Callable[[BaseHTTPRequestHandler], None]:
    """A response that comes byte by byte, never late and never whole."""

    def drip(handler: BaseHTTPRequestHandler) -> None:
        send(handler, b"", length=5000)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.02)

    return drip


def silent(seconds: float) -> Callable[[BaseHTTPRequestHandler], None]:
    """No response within this time."""

    def wait(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(seconds)
        handler.close_connection = True

    return wait
