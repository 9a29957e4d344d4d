"""A release in the hands of a stranger: from a Hub, in a fresh process in which our package cannot be imported."""

import json
import re
import subprocess
import sys

import pytest
from datasets import load_dataset

WITHOUT_OUR_PACKAGE = "import sys; sys.modules['notclip'] = None\n"

SCORE_THE_TEST_QUESTIONS = """
import json, evaluate
from datasets import load_dataset
from transformers import AutoModel

model = AutoModel.from_pretrained("me/notclip-drawn-world", trust_remote_code=True)
questions = load_dataset("me/notclip-drawn-world-data", "questions", split="test")
kinds = questions.features["kind"].names
metric = evaluate.load("me/negated_mcq")
texts = sorted({choice for choices in questions["choices"] for choice in choices})
scores = model.score(questions["image"][:], texts).tolist()
for row, of_image in zip(questions, scores):
    of_choices = [of_image[texts.index(choice)] for choice in row["choices"]]
    metric.add(prediction=of_choices, reference=row["answer"], kinds=kinds[row["kind"]])
print(json.dumps(metric.compute(n_resamples=0)))
"""


def code_on_cards(stage):
    """The Python of each card as printed."""
    for folder in ("model", "backbone", "adapter", "base", "dataset"):
        card = (stage / folder / "README.md").read_text()
        yield folder, "".join(re.findall(r"```python\n(.*?)```", card, re.DOTALL))


def test_the_code_on_the_cards_runs_as_printed_and_gives_the_number_on_them(demo_out, demo_hub, tmp_path):
    stage = demo_out / "hub"
    rows = load_dataset(str(stage / "dataset"), "captions", split="test", cache_dir=tmp_path / "cache")
    for number, row in ((1, 0), (2, len(rows) - 1)):
        rows[row]["image"].convert("RGB").save(tmp_path / f"photo_{number}.jpg")
    # One process for all: most of its time goes into importing the libraries.
    programs = [f"print('card of', {folder!r})\nexec({code!r}, {{}})\n" for folder, code in code_on_cards(stage)]
    programs.append(f"exec({SCORE_THE_TEST_QUESTIONS!r}, {{}})\n")
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_OUR_PACKAGE + "".join(programs)],
        cwd=tmp_path,
        env=demo_hub.environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    printed = done.stdout.split("card of ")[1:]
    assert [text.splitlines()[0] for text in printed] == ["model", "backbone", "adapter", "base", "dataset"]
    assert all(len(text.splitlines()) > 1 for text in printed)

    computed = json.loads(done.stdout.splitlines()[-1])
    stated = json.loads((demo_out / "results" / "notclip.json").read_text())["metrics"]
    for name in ("accuracy", "macro_accuracy"):
        assert computed[name] == pytest.approx(stated[name], abs=1e-9)
    assert f"| {100 * computed['macro_accuracy']:.1f} [" in (stage / "model" / "README.md").read_text()
