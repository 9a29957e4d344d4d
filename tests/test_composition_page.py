"""docs/composition.md: the three levels, as printed, with the drawn world's encoder for OpenAI's."""

import re
from pathlib import Path

import torch

from notclip import NotClipModel
from notclip.recaption.drawn_world.samples import make_sample

ROOT = Path(__file__).parents[1]
ENCODER = ROOT / "recaption" / "drawn_world" / "encoder"
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "composition.md").read_text("utf-8"), flags=re.DOTALL)


def test_three_levels_one_line_each_run_as_printed(tmp_path, monkeypatch):
    levels = next(block for block in BLOCKS if "from_backbone" in block)
    monkeypatch.chdir(tmp_path)
    NotClipModel.from_backbone(str(ENCODER)).save_pretrained(tmp_path / "build" / "trained" / "model")
    photos = [make_sample(0, "test", number).picture(64) for number in range(100)]
    names = {"photos": photos}
    exec(levels.replace("openai/clip-vit-base-patch32", str(ENCODER)), names)  # noqa: S102 - our own page
    assert names["scores"].shape == (100, 2)
    plain = NotClipModel.from_backbone(str(ENCODER), composition="none").score(photos[:1], ["a beach"])
    torch.testing.assert_close(names["scores"][:1, :1], plain)  # what negates nothing scores as the base has it
    assert names["model"].statistics is None  # what was loaded last is no longer the calibrated one


def test_own_embeddings_run_as_printed():
    own = next(block for block in BLOCKS if "image_statistics" in block)
    photos, wanted, unwanted = (torch.nn.functional.normalize(torch.randn(rows, 8), dim=-1) for rows in (120, 2, 3))
    names = {"photos": photos, "affirmed": wanted, "excluded": [unwanted, unwanted[:0]]}
    exec("import notclip\n" + own, names)  # noqa: S102 - our own page
    torch.testing.assert_close(names["scores"][:, 1], photos @ wanted[1])
    assert names["biases"][1] == 0 != names["biases"][0]
