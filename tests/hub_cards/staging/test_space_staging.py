import os
import subprocess
import sys

import gradio
import yaml

from notclip.hub_cards.staging.space import SPACE
from notclip.hub_cards.staging.stage import stage_release


def test_the_staged_space_runs_on_the_code_that_it_carries_and_is_small(inputs):
    stage_release(inputs.config())
    staged = inputs.folder / "hub" / "space"
    code = "import app, notclip, notclip.scoring.score; print(notclip.__file__, app.__file__)"
    finished = subprocess.run(
        [sys.executable, "-c", code],
        cwd=staged,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.split() == [str(staged / "notclip" / "__init__.py"), str(staged / "app.py")]
    files = [path for path in staged.rglob("*") if path.is_file()]
    assert [path.name for path in files if path.suffix == ".safetensors"] == ["reading_tagger.safetensors"]
    assert sum(path.stat().st_size for path in files) < 7_500_000
    assert 'Client("ann/notclip-clip-vit-base-patch32-demo")' in (staged / "README.md").read_text()


def test_its_card_pins_the_gradio_that_it_was_tested_with():
    data = yaml.safe_load((SPACE / "README.md").read_text().split("---\n")[1])
    assert (data["sdk"], data["sdk_version"], data["app_file"]) == ("gradio", gradio.__version__, "app.py")
