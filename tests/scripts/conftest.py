"""One small demo for all tests of what it leaves behind, and a Hub to which it is pushed: most of their time."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from notclip.scripts import demo

DEMO_OPTIONS = ["--limit", "150", "--epochs", "1"]


@pytest.fixture(scope="session")
def demo_out(tmp_path_factory):
    """What `notclip demo` wrote for a few drawn scenes: data/, trained/, results/, hub/."""
    folder = tmp_path_factory.mktemp("demo") / "build"
    assert demo.main(["--out", str(folder), *DEMO_OPTIONS]) == 0
    return folder


@pytest.fixture(scope="session")
def demo_hub(demo_out, tmp_path_factory):
    """The demo's release, pushed to a Hub on 127.0.0.1; its address, and the environment of a user of it."""
    from notclip.hub_cards.rehearsal.fresh_process import user_environment
    from notclip.hub_cards.rehearsal.rehearsal import new_hub
    from notclip.hub_cards.staging.staged_release import StagedRelease
    from notclip.loopback_hub.server import serve

    release = StagedRelease.read(demo_out / "hub")
    hub = new_hub(release, tmp_path_factory.mktemp("hub-disk"))
    with serve(hub) as url:
        home = tmp_path_factory.mktemp("home")
        environment = user_environment(home, endpoint=url)
        push = [sys.executable, "-m", "notclip.scripts.push_release", str(demo_out / "hub")]
        token = {"HF_TOKEN": hub.accounts[0].token}
        subprocess.run(push, env=environment | token, check=True, capture_output=True)
        yield SimpleNamespace(url=url, environment=environment, release=release, hub=hub)
