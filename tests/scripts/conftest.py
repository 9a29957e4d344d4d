"""One small demo for all tests of what it leaves behind: it takes most of their time."""

import pytest

from notclip.scripts import demo

DEMO_OPTIONS = ["--limit", "150", "--epochs", "1"]


@pytest.fixture(scope="session")
def demo_out(tmp_path_factory):
    """What `notclip demo` wrote for a few drawn scenes: data/, trained/, results/, hub/."""
    folder = tmp_path_factory.mktemp("demo") / "build"
    assert demo.main(["--out", str(folder), *DEMO_OPTIONS]) == 0
    return folder
