import json
import os
from itertools import count
from pathlib import Path

import pytest
from PIL import Image

from notclip.errors import BadInputError
from notclip.scripts import demo
from notclip.scripts.demo_steps import DemoSteps

DEMO_OPTIONS = ["--limit", "150", "--epochs", "1"]


@pytest.fixture(scope="module")
def out(demo_out):
    return demo_out


def test_the_whole_way_ends_in_a_release_whose_every_part_was_used(out):
    folders = {repo["folder"] for repo in json.loads((out / "hub" / "manifest.json").read_text())["repos"]}
    assert {"model", "backbone", "adapter", "dataset", "metrics/negated_mcq", "metrics/negated_retrieval"} <= folders


def test_the_overview_is_a_picture(out):
    with Image.open(out / "overview.png") as picture:
        assert picture.width > 1000 and len(picture.convert("L").getcolors(256)) > 50


def test_the_base_answers_by_what_is_named_and_notclip_by_what_is_meant(out):
    base, notclip = (
        json.loads((out / "results" / f"{name}.json").read_text())["metrics"] for name in ("base", "notclip")
    )
    by_kind = base["accuracy_by_kind"]
    assert by_kind["affirmation"] > by_kind["negation"] + 0.1
    assert by_kind["affirmation"] > by_kind["hybrid"] + 0.1
    assert notclip["macro_accuracy"] > base["macro_accuracy"] + 0.1
    assert notclip["recall@5"] >= base["recall@5"] - 0.02


def test_started_again_it_repeats_no_step(out, capsys):
    before = (out / "trained" / "training.json").stat().st_mtime_ns
    assert demo.main(["--out", str(out), *DEMO_OPTIONS]) == 0
    assert "done before" in capsys.readouterr().out
    assert (out / "trained" / "training.json").stat().st_mtime_ns == before


def test_other_options_in_the_same_folder_are_refused(out, capsys):
    assert demo.main(["--out", str(out), "--limit", "150", "--epochs", "2"]) == 2
    assert "`epochs` was 1, not 2" in capsys.readouterr().err


def test_the_release_carries_no_path_of_this_machine(out):
    for file in Path(out / "hub").rglob("*"):
        if file.suffix in {".json", ".md", ".py", ".yaml"}:
            assert str(out.parent) not in file.read_text(encoding="utf-8"), file


@pytest.fixture
def steps(tmp_path, monkeypatch):
    """A finished demo whose scripts only write a file each, and the scripts that it runs from now on."""
    folder, ran, runs = tmp_path / "build", [], count()

    def run(script: str, arguments: list[str]) -> int:
        ran.append(script)
        target = Path(arguments[arguments.index("--out") + 1]) if "--out" in arguments else None
        if script == "build_dataset":
            (target / "questions").mkdir(parents=True)
            (target / "questions" / "test.parquet").write_text("rows")
            (target / "build.json").write_text("{}")
        elif script == "train_adapter":
            for name in ("backbone", "model", "."):
                (target / name).mkdir(parents=True, exist_ok=True)
                (target / name / "training.json").write_text(f"trained by run {next(runs)}")
        elif script == "score_model":
            target.parent.mkdir(exist_ok=True)
            target.write_text("{}")
        return 0

    monkeypatch.setattr(demo, "run_script", run)
    monkeypatch.setattr("notclip.scripts.demo_steps.run_script", run)
    monkeypatch.setattr(demo, "draw", lambda *arguments: None)
    monkeypatch.setattr(demo, "summary", lambda *arguments: [])
    assert demo.main(["--out", str(folder), *DEMO_OPTIONS]) == 0
    assert ran == ["build_dataset", "train_adapter", *["score_model"] * 3, "stage_release", "check_release"]
    ran.clear()
    return folder, ran


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        # The same data came out, so that no later step is due.
        ("notclip.recaption.questions.queries", ["build_dataset"]),
        ("notclip.training.losses", ["train_adapter", "score_model", "score_model"]),
        ("notclip.scoring.gate", ["score_model"] * 3),
    ],
)
def test_a_step_whose_code_changed_is_done_again_and_so_is_what_follows_from_it(
    steps, capsys, change_code, changed, expected
):
    folder, ran = steps
    change_code(changed)
    assert demo.main(["--out", str(folder), *DEMO_OPTIONS]) == 0
    assert ran == [*expected, "stage_release", "check_release"]
    assert "again, since its code or its input has changed" in capsys.readouterr().out


def test_a_step_whose_input_changed_is_done_again(steps):
    folder, ran = steps
    (folder / "data" / "questions" / "test.parquet").write_text("other rows")
    assert demo.main(["--out", str(folder), *DEMO_OPTIONS]) == 0
    assert ran == ["train_adapter", "score_model", "score_model", "score_model", "stage_release", "check_release"]


@pytest.mark.parametrize(
    ("left", "again"), [(".data.unfinished", ["build_dataset"]), ("trained/state", ["train_adapter"])]
)
def test_a_step_that_was_killed_between_its_result_and_its_end_is_ended(steps, left, again):
    folder, ran = steps
    (folder / left).mkdir()
    demo.main(["--out", str(folder), *DEMO_OPTIONS])
    assert ran[:1] == again


def test_what_a_step_that_was_killed_left_beside_its_result_is_cleared_away(steps):
    folder, ran = steps
    (folder / ".data.lock").write_text("process 1 on another machine")
    for left in (".data.0123abcd.partial", "trained/.outputs.0123abcd.partial"):
        (folder / left).mkdir()
        os.utime(folder / left, (0, 0))
    assert demo.main(["--out", str(folder), *DEMO_OPTIONS]) == 0
    assert ran == ["stage_release", "check_release"]
    assert not [path for path in folder.rglob(".*")]


def test_what_no_demo_made_is_refused_and_left_alone(tmp_path, capsys):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "build.json").write_text("{}")
    assert demo.main(["--out", str(tmp_path), "--limit", "5"]) == 2
    assert "holds data, which no demo left there: name another folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_demo_of_an_earlier_version_is_refused(tmp_path, capsys):
    (tmp_path / "demo.json").write_text(json.dumps({"base": "drawn-world", "seed": "0"}))
    assert demo.main(["--out", str(tmp_path)]) == 2
    assert "holds a demo of an earlier version of notclip: name another folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not valid JSON"),
        ("3", "must hold an object"),
        ('{"steps": 3, "options": {}}', "'steps' is no dict"),
        ('{"steps": {}, "options": null}', "'options' is no dict"),
    ],
)
def test_a_record_of_a_demo_that_is_none_is_refused(tmp_path, content, message):
    (tmp_path / "demo.json").write_text(content)
    with pytest.raises(BadInputError, match=message):
        DemoSteps(tmp_path, {}, folders=())
