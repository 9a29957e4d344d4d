import json
import os
import subprocess
import sys

import pytest
import yaml

from notclip.space.stage import pin_revisions, stage_space

IDS = {"model": "me/notclip-x", "dataset": "me/notclip-x-data", "space": "me/notclip-x-space"}


@pytest.fixture(scope="module")
def staged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stage")
    (folder / "results").mkdir()
    for role in ("base", "notclip"):
        (folder / "results" / f"{role}.json").write_text("{}")
    stage_space(folder / "space", repo_ids=IDS, base_id="me/base", results=folder / "results", dataset=None)
    return folder / "space"


def test_the_staged_space_runs_on_the_code_that_it_carries(staged):
    code = "import app, notclip, notclip.scoring; print(notclip.__file__, app.__file__, notclip.__version__)"
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    finished = subprocess.run(
        [sys.executable, "-c", code], cwd=staged, env=environment, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.split()[:2] == [str(staged / "notclip" / "__init__.py"), str(staged / "app.py")]


def test_it_carries_no_weights_and_is_small(staged):
    files = [path for path in staged.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert not [path for path in files if path.suffix == ".safetensors"]
    assert sum(path.stat().st_size for path in files) < 3_000_000


def test_its_card_pins_gradio_and_names_what_it_shows(staged):
    data = yaml.safe_load((staged / "README.md").read_text().split("---\n")[1])
    assert data["sdk"] == "gradio" and data["app_file"] == "app.py"
    assert data["sdk_version"] == __import__("gradio").__version__
    assert data["models"] == ["me/notclip-x", "me/base"] and data["datasets"] == ["me/notclip-x-data"]
    assert 'Client("me/notclip-x-space")' in (staged / "README.md").read_text()


def test_models_are_pinned_to_the_commits_at_which_they_were_pushed(staged):
    pin_revisions(staged, {"me/notclip-x": "c0ffee"})
    released = json.loads((staged / "release.json").read_text())
    assert released["model"] == {"id": "me/notclip-x", "revision": "c0ffee"}
    assert released["base"] == {"id": "me/base", "revision": None}
