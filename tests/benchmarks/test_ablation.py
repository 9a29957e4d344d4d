"""benchmarks/ablation.py on results small enough to add up by hand."""

import importlib.util
import json
from pathlib import Path

import pytest

from notclip.errors import BadInputError

ROOT = Path(__file__).parents[2]
FORMS = {"affirmed": 40, "no": 30, "without": 10, "omits": 4, "nowhere": 6}


@pytest.fixture(scope="module")
def ablation():
    specification = importlib.util.spec_from_file_location("ablation", ROOT / "benchmarks" / "ablation.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def write(folder, column, accuracy, *, data="abc", **metrics):
    """Results of one model: `accuracy` is that of each form in turn."""
    of_form = dict(zip(FORMS, accuracy, strict=True))
    content = {
        "model": f"build/{column}",
        "suite": "data (test)",
        "metrics": {
            "macro_accuracy": 0.5,
            "accuracy_by_kind": {"affirmation": 0.25, "negation": 0.5, "hybrid": 0.75},
            "accuracy_by_form": of_form,
            "n_questions_by_form": FORMS,
            "vision_gain": 0.125,
            "recall@5": 0.9,
            "negated_recall@5": 0.8,
            "violation@5": 0.1,
        }
        | metrics,
        "confidence_intervals": {"macro_accuracy": [0.45, 0.55]},
        "provenance": {"data": {"questions/test.parquet": data}},
    }
    (folder / f"{column}.json").write_text(json.dumps(content), encoding="utf-8")


@pytest.fixture
def folder(tmp_path):
    results = tmp_path / "tiny"
    results.mkdir()
    write(results, "base", [1, 0.1, 0.2, 0.5, 0])
    write(results, "composition", [1, 0.6, 1, 0.5, 0.5])
    write(results, "backbone", [1, 1, 0.2, 0, 0])
    write(results, "notclip", [1, 1, 0.6, 1, 0.5])
    return results


def test_sums_weigh_each_form_by_its_questions_and_keep_held_out_forms_apart(ablation, folder):
    table = ablation.ablation_table(folder)
    # (0.1 * 30 + 0.2 * 10) / 40, …; (0.5 * 4 + 0 * 6) / 10, …
    assert "| **Negation in forms seen in training** (40) | 12.5 | 70.0 | 80.0 | 90.0 |" in table
    assert "| **in forms held out** (10) | 20.0 | 50.0 | 0.0 | 70.0 |" in table
    assert "| … nowhere† (6) | 0.0 | 50.0 | 0.0 | 50.0 |" in table
    assert "| Questions: macro accuracy | 50.0 [45.0, 55.0] |" in table
    assert "affirmed" not in table  # what denies nothing is no form of negation
    forms = [line.split(" (")[0] for line in table.splitlines() if line.startswith("| … ") and "(" in line]
    assert forms == ["| … no", "| … without", "| … nowhere†", "| … omits†"]


def test_one_command_writes_the_table_between_its_markers_and_nothing_else(ablation, folder, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- ablation tiny -->\nold\n<!-- end of ablation -->\nafter\n", encoding="utf-8")
    assert ablation.main([str(folder), "--into", str(page)]) == 0
    first = page.read_text(encoding="utf-8")
    assert first.startswith("before\n") and first.endswith("\nafter\n") and "old" not in first
    assert "| … omits† (4) | 50.0 | 50.0 | 0.0 | 100.0 |" in first
    assert ablation.main([str(folder), "--into", str(page)]) == 0
    assert page.read_text(encoding="utf-8") == first


def test_a_page_that_has_a_place_for_the_short_table_gets_it_without_kinds_and_forms(ablation, folder, tmp_path):
    whole, short = tmp_path / "log.md", tmp_path / "findings.md"
    whole.write_text("<!-- ablation tiny -->\n<!-- end of ablation -->\n", encoding="utf-8")
    short.write_text("<!-- ablation tiny, in short -->\n<!-- end of ablation -->\n", encoding="utf-8")
    assert ablation.main([str(folder), "--into", str(whole), str(short)]) == 0
    lines = short.read_text(encoding="utf-8").splitlines()
    assert "| **in forms held out** (10) | 20.0 | 50.0 | 0.0 | 70.0 |" in lines
    assert not [line for line in lines if line.startswith("| …")]
    assert set(lines) - {"<!-- ablation tiny, in short -->"} < set(whole.read_text(encoding="utf-8").splitlines())


def test_results_of_other_questions_are_refused(ablation, folder, capsys):
    write(folder, "backbone", [1, 1, 1, 1, 1], data="other")
    assert ablation.main([str(folder)]) == 2
    assert "backbone.json scores other data than" in capsys.readouterr().err


def test_a_missing_part_or_count_or_place_says_what_to_do(ablation, folder, tmp_path):
    with pytest.raises(BadInputError, match="<!-- ablation tiny -->"):
        ablation.with_tables("a page", {"tiny": "table"})
    for column in ("base", "composition", "backbone", "notclip"):
        write(folder, column, [1, 1, 1, 1, 1], n_questions_by_form={})
    with pytest.raises(BadInputError, match=r"n_questions_by_form"):
        ablation.ablation_table(folder)
    (folder / "composition.json").unlink()
    with pytest.raises(BadInputError, match=r"composition\.json cannot be read"):
        ablation.ablation_table(folder)
