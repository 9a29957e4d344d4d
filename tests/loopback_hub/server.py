"""A loopback Hub at an address: uvicorn on 127.0.0.1, in a thread of this process."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from notclip.loopback_hub.community_api import community_routes
from notclip.loopback_hub.hub import LoopbackHub
from notclip.loopback_hub.read_api import read_routes
from notclip.loopback_hub.write_api import write_routes

HOST = "127.0.0.1"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


async def _nothing_here(hub: LoopbackHub, request: Request) -> Response:
    return JSONResponse({"error": "The loopback Hub has no such route"}, 404)


def application(hub: LoopbackHub) -> Starlette:
    """All routes of a Hub; what it does not know is answered with 404 and logged as `unknown`."""
    rest: list[Route] = [hub.route("/{path:path}", "unknown", _nothing_here, METHODS)]
    return Starlette(routes=[*write_routes(hub), *community_routes(hub), *read_routes(hub), *rest])


@contextmanager
def serve(hub: LoopbackHub, *, port: int = 0) -> Iterator[str]:
    """Serve a Hub while the context lasts.

    Args:
        hub: the Hub; its `url` is set.
        port: of 127.0.0.1; any free one by default.

    Yields:
        Its address, which clients read from HF_ENDPOINT.
    """
    config = uvicorn.Config(application(hub), host=HOST, port=port, log_level="critical", timeout_graceful_shutdown=2)
    with config.bind_socket() as listening:
        # An answer is written in two parts; without this the second waits 40 ms for the first to be acknowledged.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # From here on connections wait; uvicorn, whose thread starts below, would only then let them in.
        listening.listen(100)
        hub.url = f"http://{HOST}:{listening.getsockname()[1]}"
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        try:
            yield hub.url
        finally:
            server.should_exit = True
            thread.join(timeout=10)
