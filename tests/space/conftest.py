import socket
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def space(tmp_path_factory):
    """The Space on its embedded default, served in this process: its app, address and folder for uploads."""
    environment = pytest.MonkeyPatch()
    uploads = tmp_path_factory.mktemp("uploads")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment.setenv("GRADIO_TEMP_DIR", str(uploads))
    environment.setenv("GRADIO_SERVER_PORT", str(port))
    environment.setenv("NOTCLIP_SPACE_CACHE", str(tmp_path_factory.mktemp("cache")))
    environment.setenv("HF_HUB_OFFLINE", "1")
    from notclip.space.app import build_demo, launch

    app = build_demo(tmp_path_factory.mktemp("here"))
    address = launch(app, wait=False)
    yield app, address, uploads
    app.close()
    environment.undo()


@pytest.fixture
def address(space) -> str:
    return space[1]


@pytest.fixture
def uploads(space) -> Path:
    return space[2]
