import json
from pathlib import Path

import pytest
from PIL import Image

from notclip.scripts import demo


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
    assert demo.main(["--out", str(out), "--limit", "150", "--epochs", "1"]) == 0
    assert "done before" in capsys.readouterr().out
    assert (out / "trained" / "training.json").stat().st_mtime_ns == before


def test_other_options_in_the_same_folder_are_refused(out, capsys):
    assert demo.main(["--out", str(out), "--limit", "150", "--epochs", "2"]) == 2
    assert "`epochs` was 1, not 2" in capsys.readouterr().err


def test_the_release_carries_no_path_of_this_machine(out):
    for file in Path(out / "hub").rglob("*"):
        if file.suffix in {".json", ".md", ".py", ".yaml"}:
            assert str(out.parent) not in file.read_text(encoding="utf-8"), file
