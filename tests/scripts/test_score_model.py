"""`notclip score-model` from its options to its files, its table and its exit status."""

import contextlib
import importlib
import json
import resource
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import CLIPModel, CLIPProcessor

from notclip import NotClipModel
from notclip.scoring.predictions import Predictions, predictions_path
from notclip.scripts import score_model

ROOT = Path(__file__).parents[2]
CAPTIONS = {"red.png": "a dog and no cat", "green.png": "a cat and no dog", "blue.png": "a car"}


def small_models():
    """The tiny dual encoders of the tests of modeling/."""
    return importlib.import_module("tiny_models")


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


def test_level_one_is_any_clip_and_an_option(model, own, tmp_path):
    out = tmp_path / "level_1.json"
    assert run("--model", model, "--suite", own, "--out", out, "--composition", "scope") == 0
    content = json.loads(out.read_text())
    assert content["provenance"]["composition"] == "scope"
    texts, names = list(CAPTIONS.values()), list(CAPTIONS)
    scores = NotClipModel.from_backbone(model).score([own.parent / name for name in names], texts)
    right = (scores.argmax(1) == torch.arange(len(texts))).tolist()
    assert content["metrics"]["accuracy"] == pytest.approx(sum(right) / len(right))


def test_level_two_measures_the_photos_of_a_folder_or_of_the_suite(model, own, tmp_path, capsys):
    for number in range(120):
        Image.effect_noise((32, 32), 8 + number).convert("RGB").save(own.parent / f"unlabelled-{number}.png")
    arguments = ["--model", model, "--suite", own, "--composition", "scope", "--cache", tmp_path / "cache"]
    out = tmp_path / "level_2.json"
    assert run(*arguments, "--calibrate", own.parent, "--out", out) == 0
    content = json.loads(out.read_text())
    assert content["provenance"]["role"] == "composition"
    assert f"with composition scope and calibrate {own.parent} on " in capsys.readouterr().out
    texts, photos = list(CAPTIONS.values()), [own.parent / name for name in CAPTIONS]
    expected = NotClipModel.from_backbone(model).calibrate(sorted(own.parent.glob("*.png"))).score(photos, texts)
    right = (expected.argmax(1) == torch.arange(len(texts))).tolist()
    assert content["metrics"]["accuracy"] == pytest.approx(sum(right) / len(right))
    # What was encoded for level 1 is not taken for level 2's.
    run(*arguments, "--out", tmp_path / "level_1.json")
    before, after = (Predictions.load(predictions_path(file)) for file in (tmp_path / "level_1.json", out))
    assert not np.allclose(before.scores, after.scores)

    assert run(*arguments, "--calibrate", "suite", "--out", out) == 2
    said = capsys.readouterr().err
    assert "`calibrate` needs at least 100 photos" in said and "has 3" in said
    assert run(*arguments[:4], "--calibrate", "suite", "--out", out) == 2
    assert "--composition scope" in capsys.readouterr().err
    assert run(*arguments, "--calibrate", tmp_path / "absent", "--out", out) == 2
    assert "`calibrate` must be `suite` or a folder" in capsys.readouterr().err


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
    printed = capsys.readouterr().out
    assert f"Less {label}, in points" in printed
    report = tmp_path / "scope.report"
    assert f"Report:  {report}/report.html" in printed
    named = {"scope": f"{model} with composition scope", "plain": f"{model} with composition none"}
    assert json.loads((report / "comparison.json").read_text())["models"] == named
    assert f"{named['scope']} on " in printed
    assert "report" not in content  # where a report lies is no result


def test_the_gate_exits_with_1_says_what_is_missed_and_writes_a_test_report(model, own, tmp_path, capsys):
    out = tmp_path / "tiny.json"
    arguments = ["--model", model, "--suite", own, "--out", out]
    assert run(*arguments, "--require", "accuracy>=0.99", "--require", "tie_rate<=1") == 1
    printed = capsys.readouterr().out
    assert "1 of 2 met" in printed
    content = json.loads(out.read_text())
    missed, met = content["requirements"]
    low = content["confidence_intervals"]["accuracy"][0]
    assert missed["decided_on"] == low
    assert f"MISSED by {0.99 - low:.4g}" in printed
    assert (missed["met"], met["met"]) == (False, True)
    report = ElementTree.parse(tmp_path / "tiny.junit.xml").getroot()
    assert (report.get("tests"), report.get("failures")) == ("2", "1")
    assert run(*arguments, "--require", "accuracy>=0", "--junit", tmp_path / "ci" / "gate.xml") == 0
    assert ElementTree.parse(tmp_path / "ci" / "gate.xml").getroot().get("failures") == "0"
    # What this suite does not measure cannot be decided; the figures are kept.
    assert run(*arguments, "--require", "accuracy_by_form/litotes>=0.1") == 2
    assert "this suite does not measure it" in capsys.readouterr().err
    assert "requirements" not in json.loads(out.read_text())


def test_a_requirement_on_a_part_that_the_suite_lacks_is_refused_before_anything_is_encoded(
    model, own, tmp_path, capsys
):
    out = tmp_path / "tiny.json"
    assert run("--model", tmp_path / "nowhere", "--suite", own, "--out", out, "--require", "recall@5>=0.1") == 2
    said = capsys.readouterr().err
    assert "`require` recall@5>=0.1: it is measured on ordinary queries, and" in said
    assert "questions" in said
    assert not out.exists()


def test_a_rerun_reads_what_was_encoded_from_the_cache(model, own, tmp_path):
    arguments = ["--model", model, "--suite", own, "--cache", tmp_path / "cache"]
    run(*arguments, "--out", tmp_path / "first.json")
    kept = {file: file.stat().st_mtime_ns for file in (tmp_path / "cache").rglob("*.safetensors")}
    assert sorted(file.parent.name.partition("-")[0] for file in kept) == ["photos", "texts"]
    run(*arguments, "--out", tmp_path / "second.json", "--seed", 5)
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "cache").rglob("*.safetensors")} == kept
    run(*arguments, "--out", tmp_path / "scope.json", "--composition", "scope")  # texts are composed anew
    assert len(list((tmp_path / "cache").rglob("*.safetensors"))) == 3
    first, second = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("first", "second"))
    assert first["metrics"]["accuracy"] == second["metrics"]["accuracy"]


def test_python_code_is_a_model(own, tmp_path, capsys):
    code = tmp_path / "colours.py"
    code.write_text(
        "import numpy as np\n"
        "def score(images, texts):\n"
        "    red = np.asarray(images[0]).mean(axis=(0, 1))[0] > 200\n"
        "    return [[float(('dog' in text and 'no dog' not in text) == red) for text in texts]]\n"
    )
    out = tmp_path / "code.json"
    assert run("--model", f"{code}:score", "--suite", own, "--out", out) == 0
    content = json.loads(out.read_text())
    assert content["metrics"]["accuracy"] == pytest.approx((1 + 1 / 2 + 1 / 2) / 3)
    assert content["provenance"]["backbone"] == "python"
    assert len(content["provenance"]["python_sha256"]) == 64
    assert run("--model", f"{code}:score", "--suite", own, "--out", out, "--composition", "scope") == 2
    assert "`composition` is for models of transformers" in capsys.readouterr().err


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
        (
            ["--suite", "nothing.csv"],
            "`suite` must be a CSV or YAML file, a folder or a dataset on the Hub, got nothing.csv",
        ),
        (["--images", "nowhere"], "`images` must be a folder, got nowhere"),
        (["--model", "/no/model"], "/no/model"),
        (["--compare", "nothing.json"], "`compare` nothing.json cannot be read: it does not exist"),
        (["--device", "abacus"], "`device` 'abacus' cannot be used here"),
        (["--batch-size", "0"], "`batch_size` must be at least 1, got 0"),
        (["--resamples", "-1"], "`resamples` must be at least 0, got -1"),
        (["--require", "acuracy>=1"], "did you mean 'accuracy'"),
        (["--require", "accuracy>=1", "--resamples", "0"], "`require` is decided on confidence intervals"),
        (["--junit", "x.xml"], "`junit` reports what is required"),
        (["--suite", "nobody/nothing"], "`suite` nobody/nothing is no file or folder here, and no dataset of the Hub"),
        (["--model", "nothing.py:score"], "must name a Python file, got nothing.py"),
    ],
)
def test_bad_input_ends_in_one_message_and_status_2(model, own, tmp_path, capsys, change, message):
    arguments = ["--model", model, "--suite", own, "--out", tmp_path / "tiny.json"]
    assert run(*arguments, *change) == 2
    errors = capsys.readouterr().err
    assert message in errors
    assert "Traceback" not in errors
    assert {file.name for file in tmp_path.glob("tiny*")} <= {"tiny.junit.xml"}


def test_weights_of_nan_end_a_gate_with_an_error_that_names_model_and_question(model, own, tmp_path, capsys):
    broken = CLIPModel.from_pretrained(model)
    broken.text_projection.weight.data.fill_(float("nan"))
    broken.save_pretrained(tmp_path / "nan")
    CLIPProcessor.from_pretrained(model).save_pretrained(tmp_path / "nan")
    arguments = ["--model", tmp_path / "nan", "--suite", own, "--out", tmp_path / "out.json", "--cache", "none"]
    assert run(*arguments, "--require", "accuracy>=0.1", "--junit", tmp_path / "gate.xml") == 2
    said = capsys.readouterr().err
    assert f"`model` {tmp_path / 'nan'} gives no finite score to question 1, 'a dog and no cat', about red.png" in said
    root = ElementTree.parse(tmp_path / "gate.xml").getroot()
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("1", "0", "1")
    (case,) = root.iter("testcase")
    assert case.get("name") == "accuracy>=0.1"
    assert "no finite score" in case.find("error").get("message")
    assert not (tmp_path / "out.json").exists()


@pytest.mark.parametrize("scale", [float("nan"), float("inf"), 100.0])  # of which 100 is e¹⁰⁰, beyond float32
def test_a_temperature_that_makes_no_logits_is_refused_by_name_and_no_error_of_ours(
    model, own, tmp_path, capsys, scale
):
    broken = CLIPModel.from_pretrained(model)
    broken.logit_scale.data.fill_(scale)
    broken.save_pretrained(tmp_path / "hot")
    CLIPProcessor.from_pretrained(model).save_pretrained(tmp_path / "hot")
    arguments = ["--model", tmp_path / "hot", "--suite", own, "--out", tmp_path / "out.json", "--cache", "none"]
    assert run(*arguments, "--require", "accuracy>=0.1") == 2
    assert f"`model` {tmp_path / 'hot'} has a `logit_scale` whose exponential is" in capsys.readouterr().err


@pytest.mark.parametrize(
    "code", ["exit(0)", "def score(*asked):\n    exit(0)", "class score:\n    def __init__(self):\n        exit(0)"]
)
def test_python_code_that_ends_the_program_meets_no_gate(own, tmp_path, capsys, code):
    (tmp_path / "ends.py").write_text(f"{code}\n")
    arguments = ["--model", f"{tmp_path / 'ends.py'}:score", "--suite", own, "--out", tmp_path / "out.json"]
    assert run(*arguments, "--require", "accuracy>=0.1") == 2
    assert "SystemExit: 0" in capsys.readouterr().err


@pytest.mark.parametrize("scale", ["'high'", "-2", "float('nan')"])
def test_a_logit_scale_of_python_code_is_a_number_above_0(own, tmp_path, capsys, scale):
    (tmp_path / "mine.py").write_text(f"def score(images, texts): pass\nscore.logit_scale = {scale}\n")
    assert run("--model", f"{tmp_path / 'mine.py'}:score", "--suite", own, "--out", tmp_path / "out.json") == 2
    assert "`logit_scale` must be a number above 0" in capsys.readouterr().err


def test_the_test_report_does_not_overwrite_the_results(own, tmp_path, capsys):
    out = tmp_path / "out.json"
    assert run("--model", "m", "--suite", own, "--out", out, "--require", "accuracy>=0", "--junit", out) == 2
    assert "`junit` must name another file than `out`" in capsys.readouterr().err


def test_results_of_one_name_are_refused_before_a_model_is_scored_for_their_report(own, tmp_path, capsys):
    compared = tmp_path / "before" / "out.json"
    assert run("--model", "m", "--suite", own, "--out", tmp_path / "out.json", "--compare", compared) == 2
    assert "`compare` must name files of other names than `out`" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(("option", "value"), [("--seed", "-1"), ("--seed", str(2**70)), ("--device", "meta")])
def test_a_value_that_numpy_and_torch_do_not_take_is_bad_input(model, own, tmp_path, capsys, option, value):
    assert run("--model", model, "--suite", own, "--out", tmp_path / "out.json", option, value) == 2
    assert f"`{option[2:]}` " in capsys.readouterr().err


def test_a_defect_under_a_gate_is_an_error_in_the_test_report_and_no_missed_goal(model, own, tmp_path, monkeypatch):
    def breaks(*_arguments, **_options):
        raise RuntimeError("bell \x07 and <tag>")

    monkeypatch.setattr("notclip.scoring.run.score_suite", breaks)
    arguments = ["--model", model, "--suite", own, "--out", tmp_path / "out.json", "--require", "accuracy>=0.1"]
    with contextlib.suppress(RuntimeError):
        assert run(*arguments) == 3
    root = ElementTree.parse(tmp_path / "out.junit.xml").getroot()
    assert (root.get("failures"), root.get("errors")) == ("0", "1")
    assert next(root.iter("error")).get("type") == "RuntimeError"
    assert next(root.iter("error")).get("message") == "bell \ufffd and <tag>"


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


def test_a_gate_that_is_killed_leaves_no_test_report_of_an_earlier_run(model, own, tmp_path, monkeypatch):
    def killed(*_arguments, **_options):
        raise KeyboardInterrupt

    report = tmp_path / "out.junit.xml"
    report.write_text("<testsuites failures='0'/>")
    monkeypatch.setattr("notclip.scoring.run.score_suite", killed)
    arguments = ["--model", model, "--suite", own, "--out", tmp_path / "out.json", "--require", "accuracy>=0.1"]
    assert run(*arguments) == 130
    assert not report.exists()
