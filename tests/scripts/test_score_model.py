"""`notclip score-model` from its options to its files, its table and its exit status."""

import importlib.util
import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from transformers import CLIPProcessor

from notclip.scripts import score_model

ROOT = Path(__file__).parents[2]
CAPTIONS = {"red.png": "a dog and no cat", "green.png": "a cat and no dog", "blue.png": "a car"}


def small_models():
    """The tiny dual encoders of the tests of modeling/."""
    spec = importlib.util.spec_from_file_location("tiny_models", ROOT / "tests" / "modeling" / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    tiny, folder = small_models(), tmp_path_factory.mktemp("models") / "tiny"
    tiny.torch.manual_seed(0)
    tiny.FAMILIES["clip"]().save_pretrained(folder)
    sides = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}
    CLIPProcessor(tiny.CLIPImageProcessorPil(**sides), tiny.make_tokenizer()).save_pretrained(folder)
    return str(folder)


@pytest.fixture
def own(tmp_path):
    """A user's own folder of photos and CSV file."""
    rows = ["image,correct,wrong_1,wrong_2"]
    for name, caption in CAPTIONS.items():
        Image.new("RGB", (32, 32), name.removesuffix(".png")).save(tmp_path / name)
        wrong = [other for other in CAPTIONS.values() if other != caption]
        rows.append(",".join([name, caption, *wrong]))
    (tmp_path / "own.csv").write_text("\n".join(rows) + "\n")
    return tmp_path / "own.csv"


def run(*arguments):
    return score_model.main([str(argument) for argument in arguments])


def test_results_predictions_and_a_table_come_out(model, own, tmp_path, capsys):
    out = tmp_path / "results" / "tiny.json"
    assert run("--model", model, "--suite", own, "--out", out, "--seed", 3) == 0
    content = json.loads(out.read_text())
    assert list(content)[:5] == ["model", "suite", "metrics", "confidence_intervals", "provenance"]
    assert (content["model"], content["suite"]) == (model, "own.csv")
    assert content["metrics"]["n_questions"] == 3
    assert set(content["metrics"]["accuracy_by_kind"]) == {"affirmation", "hybrid"}
    provenance = content["provenance"]
    assert (provenance["seed"], provenance["composition"], provenance["adapter"]) == (3, "none", None)
    assert len(provenance["weights_sha256"]) == 64
    assert set(provenance["data"]) == {"own.csv"}
    assert provenance["command"][:3] == ["notclip", "score-model", "--model"]
    assert sorted(path.name for path in out.parent.iterdir()) == ["tiny.json", "tiny.predictions.npz"]
    printed = capsys.readouterr().out
    assert "3 questions about 3 images" in printed
    assert f"{100 * content['metrics']['accuracy']:.1f}" in printed


def test_the_same_command_gives_the_same_file(model, own, tmp_path):
    out = tmp_path / "tiny.json"
    run("--model", model, "--suite", own, "--out", out)
    first = out.read_bytes()
    run("--model", model, "--suite", own, "--out", out)
    assert out.read_bytes() == first


def test_two_models_are_compared(model, own, tmp_path, capsys):
    run("--model", model, "--suite", own, "--out", tmp_path / "plain.json", "--composition", "none")
    out = tmp_path / "scope.json"
    arguments = ["--model", model, "--suite", own, "--composition", "scope"]
    assert run(*arguments, "--compare", tmp_path / "plain.json", "--out", out) == 0
    content = json.loads(out.read_text())
    assert content["provenance"]["composition"] == "scope"
    (label,) = content["comparisons"]
    assert label == f"{model} (plain)"
    before = json.loads((tmp_path / "plain.json").read_text())["metrics"]["accuracy"]
    difference = content["comparisons"][label]["accuracy_difference"]
    assert difference == pytest.approx(content["metrics"]["accuracy"] - before)
    assert f"Less {label}, in points" in capsys.readouterr().out


def test_skipped_photos_are_counted_and_listed(model, own, tmp_path, capsys):
    (tmp_path / "red.png").write_bytes(b"broken")
    (tmp_path / "green.png").unlink()
    out = tmp_path / "tiny.json"
    assert run("--model", model, "--suite", own, "--out", out) == 2
    assert "own.csv, row 2: there is no photo 'green.png'" in capsys.readouterr().err
    assert not out.exists()
    assert run("--model", model, "--suite", own, "--out", out, "--on-bad-photo", "skip") == 0
    content = json.loads(out.read_text())
    assert content["metrics"]["n_questions"] == 1
    assert content["provenance"]["n_skipped"] == len(content["skipped"]) == 2
    assert "2 photos were left out" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--out", "results.txt"], "`out` must name a .json file"),
        (["--suite", "nothing.csv"], "`suite` must be a CSV file or a folder, got nothing.csv"),
        (["--images", "nowhere"], "`images` must be a folder, got nowhere"),
        (["--model", "/no/model"], "/no/model"),
        (["--compare", "nothing.json"], "`compare` must name a results file"),
        (["--device", "abacus"], "`device` 'abacus' cannot be used here"),
        (["--batch-size", "0"], "`batch_size` must be at least 1, got 0"),
        (["--resamples", "-1"], "`resamples` must be at least 0, got -1"),
    ],
)
def test_bad_input_ends_in_one_message_and_status_2(model, own, tmp_path, capsys, change, message):
    arguments = ["--model", model, "--suite", own, "--out", tmp_path / "tiny.json"]
    assert run(*arguments, *change) == 2
    errors = capsys.readouterr().err
    assert message in errors
    assert "Traceback" not in errors
    assert not list(tmp_path.glob("tiny*"))


def test_help_takes_less_than_a_second_and_needs_no_torch():
    script = (
        "from notclip.scripts.score_model import main; import sys; main(['--help']); print('torch' in sys.modules)"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd="/")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert "--compare" in done.stdout
    assert done.stdout.splitlines()[-1] == "False"
    # Of the processor, so that a busy machine does not count; 0.35 s on an idle one.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.5
