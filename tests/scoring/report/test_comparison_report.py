"""The report of several models: table, JSON, CSV, pictures and the worst examples, from results alone."""

import csv
import io
import json

import pytest
from PIL import Image

from notclip.scoring.predictions import Found, Predictions
from notclip.scoring.report import figures as comparison_figures
from notclip.scoring.report.figures import draw_comparison
from notclip.scoring.report.page import write_report
from notclip.scoring.report.table import as_csv, as_json, as_markdown, compare_results
from notclip.scoring.report.worst_examples import worst_examples
from notclip.scoring.results import Results
from notclip.scoring.suites.suite import PhotoFile, Query, Suite, SuiteQuestion

KINDS = ("affirmation", "negation")


def results(folder, name, accuracy, comparisons=None):
    figures = {"accuracy": accuracy, "macro_accuracy": accuracy, "chance": 0.5, "recall@1": 0.2, "violation@1": 0.3}
    intervals = {figure: [value - 0.1, value + 0.1] for figure, value in figures.items() if figure != "chance"}
    by_kind = {"affirmation": accuracy + 0.05, "negation": accuracy - 0.05}
    metrics = figures | {"accuracy_by_kind": by_kind, "accuracy_by_form": {"no": 0.25, "without": 1.0}}
    metrics |= {"confusion": {kind: dict.fromkeys((*KINDS, "hybrid"), 1 / 3) for kind in KINDS}, "n_images": 3}
    metrics |= {"n_questions": 3}
    content = {"model": f"models/{name}", "suite": "s", "metrics": metrics, "confidence_intervals": intervals}
    content |= {"provenance": {}} | ({} if comparisons is None else {"comparisons": comparisons})
    return Results(folder / f"{name}.json", content)


def difference(value, p_value):
    return {
        "accuracy_difference": value,
        "accuracy_by_kind_difference": {"negation": value},
        "bootstrap_p_value": p_value,
        "recall_difference@1": 0.0,
        "recall_p_value@1": 1.0,
        "confidence_intervals": {
            "accuracy_difference": [value - 0.1, value + 0.1],
            "accuracy_by_kind_difference": {"negation": [value - 0.2, value + 0.2]},
        },
    }


@pytest.fixture
def scored(tmp_path):
    others = [results(tmp_path, "a", 0.5), results(tmp_path, "b", 0.55)]
    paired = {"models/a (a)": difference(0.2, 0.03), "models/b (b)": difference(0.15, 0.04)}
    return results(tmp_path, "ours", 0.7, paired), others


@pytest.fixture
def suite(tmp_path):
    for name in ("1.png", "2.png", "3.png"):
        Image.new("RGB", (400, 300), "red").save(tmp_path / name)
    photos = {name: PhotoFile(tmp_path / name, name) for name in ("1.png", "2.png", "3.png")}
    questions = [SuiteQuestion(name, ("a <dog>", "no dog"), 0, KINDS) for name in photos]
    return Suite("s", photos, questions)


SCORES = {"ours": [[0.9, 0.1], [0.2, 0.8], [0.3, 0.4]], "a": [[0.9, 0.1]] * 3, "b": [[0.1, 0.9]] * 3}


@pytest.fixture
def answers():
    keys = ["1", "2", "3"]
    return {name: Predictions(keys, [], [], scores) for name, scores in SCORES.items()}


def test_differences_carry_their_intervals_and_the_p_values_that_holm_adjusted(scored):
    rows = {row.name: row for row in compare_results(*scored)}
    accuracy = rows["accuracy"]
    assert [figure.value for figure in accuracy.figures.values()] == [0.7, 0.5, 0.55]
    assert accuracy.differences["a"].figure.low == pytest.approx(0.1)
    assert (accuracy.differences["a"].p_value, accuracy.differences["a"].adjusted) == (0.03, 0.06)
    assert accuracy.differences["b"].adjusted == 0.06  # never below the smaller p-value's
    negation = rows["accuracy_by_kind/negation"].differences["b"]
    assert (negation.figure.value, negation.p_value) == (0.15, None)
    assert rows["recall@1"].differences["a"].adjusted == 1
    assert not rows["chance"].differences
    assert "vision_gain" not in rows


def test_table_csv_and_json_say_the_same(scored):
    rows = compare_results(*scored)
    table = as_markdown(rows).splitlines()
    assert table[0] == "| % | ours | a | b | ours − a | ours − b |"
    assert table[2].startswith("| accuracy | 70.0 [60.0, 80.0] | 50.0 [40.0, 60.0] |")
    assert "+20.0 [10.0, 30.0], p = 0.06" in table[2]
    lines = list(csv.DictReader(as_csv(rows).splitlines()))
    (line,) = [one for one in lines if (one["figure"], one["model"]) == ("accuracy", "a")]
    assert (float(line["value"]), float(line["difference"]), float(line["holm_p_value"])) == (0.5, 0.2, 0.06)
    content = json.loads(json.dumps(as_json(rows, *scored), allow_nan=False))
    assert content["models"] == {"ours": "models/ours", "a": "models/a", "b": "models/b"}
    assert content["figures"]["accuracy"]["models"]["b"] == {
        "value": 0.55,
        "low": pytest.approx(0.45),
        "high": pytest.approx(0.65),
    }


def test_the_worst_are_those_whose_true_caption_is_furthest_behind(suite, answers, monkeypatch):
    first, second = worst_examples(suite, answers)
    assert (first.title, second.title) == ("2.png", "3.png")  # behind by 0.6 and 0.1; 1.png is right
    assert "0.600 lower" in first.note
    right, wrong = first.lines
    assert (right.text, right.right, right.picked_by) == ("a <dog>", True, ("a",))
    assert (wrong.right, wrong.picked_by) == (False, ("ours", "b"))
    monkeypatch.setattr("notclip.scoring.report.worst_examples.COUNT", 1)
    assert len(worst_examples(suite, answers)) == 1


def test_queries_stand_in_where_there_are_no_questions(suite):
    queries = [Query("no dog", name, frozenset({"1.png"})) for name in ("2.png", "3.png")]
    searched = Suite("s", suite.photos, negated_queries=queries, gallery=list(suite.photos))
    found = Found([["2.png", "1.png", "3.png"], ["1.png", "2.png", "3.png"]], [1, 3])
    first, second = worst_examples(searched, {"ours": Predictions([], ["1", "2"], [], found={"negated": found})})
    assert (first.title, first.note) == ("3.png", "rank 3 of 3")
    assert first.lines[1].text == "ours: rank 3, 1 of its first five show what is excluded"
    assert second.title == "2.png"


def test_the_page_holds_table_pictures_and_examples_in_itself(scored, suite, answers, tmp_path):
    write_report(tmp_path / "report", *scored, suite, answers)
    names = {file.name for file in (tmp_path / "report").iterdir()}
    assert names >= {"report.html", "comparison.md", "comparison.csv", "comparison.json", "accuracy_by_form.png"}
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == 4
    assert page.count("data:image/jpeg;base64,") == 2
    assert "a &lt;dog&gt;" in page  # what captions hold is text, not markup
    assert "a <dog>" not in page
    assert 'src="http' not in page


def test_models_are_named_with_their_adapter_and_composition(scored):
    first, others = scored
    first.content["provenance"] = {"options": {"adapter": "lora", "composition": "none"}}
    assert first.model == "models/ours with adapter lora and composition none"
    assert others[0].model == "models/a"


def test_a_form_is_drawn_with_its_number_of_questions(scored, tmp_path, monkeypatch):
    first, _ = scored
    first.content["metrics"]["n_questions_by_form"] = {"no": 2, "without": 1}
    drawn = []
    monkeypatch.setattr(comparison_figures, "save_picture", lambda canvas, axes, path: drawn.append(axes) or path)
    draw_comparison({"ours": first}, tmp_path)
    assert [label.get_text() for label in drawn[-1].get_yticklabels()] == ["no (2)", "without (1)"]


def test_pictures_are_drawn_for_what_was_measured_alone(scored, tmp_path):
    first, others = scored
    del first.content["metrics"]["confusion"], first.content["metrics"]["accuracy_by_form"]
    drawn = draw_comparison({"ours": first, "a": others[0]}, tmp_path)
    assert list(drawn) == ["Accuracy by kind", "Recall and violation against k"]
    for path in drawn.values():
        with Image.open(path) as picture:
            assert picture.width > 600


def test_names_of_others_are_no_markup_in_tables_and_no_formulas_in_spreadsheets(tmp_path):
    first, other = results(tmp_path, "=cmd()|x", 0.7), results(tmp_path, "a|b", 0.5)
    rows = compare_results(first, [other])
    assert as_markdown(rows).splitlines()[0] == r"| % | =cmd()\|x | a\|b | =cmd()\|x − a\|b |"
    (line, *_) = list(csv.DictReader(io.StringIO(as_csv(rows))))
    assert line["model"] == "'=cmd()|x"
    assert float(line["value"]) == 0.7


def test_no_figure_and_no_end_of_an_interval_is_minus_nought():
    from notclip.scoring.report.number_format import percent_with_interval, points_with_interval
    from notclip.scoring.report.table import Difference, with_test
    from notclip.scoring.results import Figure

    nought = Figure(-0.0, -0.0004, -0.0)
    tested = with_test(Difference(nought, None, None))
    shown = [percent_with_interval(nought), tested, points_with_interval(nought)]
    assert shown == ["0.0 [0.0, 0.0]", "+0.0 [0.0, 0.0]", "0.0 [0.0, 0.0]"]
