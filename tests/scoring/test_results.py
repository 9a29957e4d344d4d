"""Results read back for the cards."""

import json
from pathlib import Path

import pytest

from notclip.errors import BadInputError
from notclip.scoring.results import Figure, Results


def results(**changes):
    content = {
        "model": "openai/clip",
        "suite": "data",
        "metrics": {"accuracy": 0.5, "accuracy_by_kind": {"negation": 0.1}, "n_images": 12},
        "confidence_intervals": {"accuracy": [0.4, 0.6], "accuracy_by_kind": {"negation": [0.0, 0.2]}},
        "provenance": {"composition": "none"},
    }
    return Results(Path("base.json"), content | changes)


def test_a_figure_comes_with_its_interval_where_one_was_measured():
    assert results().figure("accuracy") == Figure(0.5, 0.4, 0.6)
    assert results().figure("accuracy_by_kind/negation") == Figure(0.1, 0.0, 0.2)
    assert results().figure("n_images") == Figure(12.0)


@pytest.mark.parametrize("name", ["macro_accuracy", "accuracy_by_kind/hybrid", "accuracy_by_kind"])
def test_a_number_that_was_not_measured_is_an_error_that_names_file_and_metric(name):
    assert not results().has(name)
    with pytest.raises(BadInputError, match=rf"base\.json has no metric '{name}'.*openai/clip"):
        results().figure(name)


@pytest.mark.parametrize(
    ("text", "rule"), [("{", "not valid JSON"), ("[]", "has no 'model'"), ('{"model": "a"}', "has no 'suite'")]
)
def test_a_file_that_score_model_did_not_write_is_refused(tmp_path, text, rule):
    (tmp_path / "base.json").write_text(text)
    with pytest.raises(BadInputError, match=rule):
        Results.read(tmp_path / "base.json")


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(BadInputError, match=r"nowhere\.json .*does not exist"):
        Results.read(tmp_path / "nowhere.json")


def test_what_is_published_leaves_the_single_scores_out(tmp_path):
    (tmp_path / "base.json").write_text(json.dumps(dict(results().content) | {"predictions": [[0.1, 0.2]]}))
    assert "predictions" not in Results.read(tmp_path / "base.json").published


def test_a_difference_has_the_interval_of_the_paired_comparison_where_there_is_one():
    compared = {
        "openai/clip (base)": {"accuracy_difference": 0.2, "confidence_intervals": {"accuracy_difference": [0.1, 0.3]}}
    }
    better = results(metrics={"accuracy": 0.7, "n_images": 15}, comparisons=compared)
    assert better.difference("accuracy", results()) == Figure(0.2, 0.1, 0.3)
    assert better.difference("n_images", results()) == Figure(3.0)


def test_the_role_is_what_was_recorded_and_a_file_without_one_must_be_scored_again():
    assert results(provenance={"role": "backbone"}).role == "backbone"
    with pytest.raises(BadInputError, match=r"`results` base\.json .*which model"):
        _ = results().role
