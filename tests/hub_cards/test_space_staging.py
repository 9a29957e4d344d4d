import os
import subprocess
import sys

import gradio
import pytest
import yaml

from notclip.hub_cards.release import SPACE
from notclip.hub_cards.space_staging import write_space


@pytest.fixture(scope="module")
def staged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stage")
    (folder / "results").mkdir()
    (folder / "results" / "base.json").write_text("{}")
    write_space(folder / "space", results=folder / "results", dataset=None)
    return folder / "space"


def test_the_staged_space_runs_on_the_code_that_it_carries(staged):
    code = "import app, notclip, notclip.scoring; print(notclip.__file__, app.__file__, notclip.__version__)"
    finished = subprocess.run(
        [sys.executable, "-c", code],
        cwd=staged,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.split()[:2] == [str(staged / "notclip" / "__init__.py"), str(staged / "app.py")]


def test_it_carries_no_weights_and_is_small(staged):
    files = [path for path in staged.rglob("*") if path.is_file()]
    assert not [path for path in files if path.suffix == ".safetensors"]
    assert sum(path.stat().st_size for path in files) < 3_000_000


def test_its_card_pins_the_gradio_that_it_was_tested_with():
    data = yaml.safe_load((SPACE / "README.md").read_text().split("---\n")[1])
    assert (data["sdk"], data["sdk_version"], data["app_file"]) == ("gradio", gradio.__version__, "app.py")
