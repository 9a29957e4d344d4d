"""The gate: what is required, what decides, and the report that CI systems read."""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from notclip.errors import BadInputError
from notclip.scoring.gate import Requirement, judge, junit_xml, must_be_measured
from notclip.scoring.measures import MEASURES, measure_named
from notclip.scoring.results import Results

METRICS = {"accuracy": 0.75, "accuracy_by_kind": {"negation": 0.5}, "violation@5": 0.1, "tie_rate": 0.02}
INTERVALS = {"accuracy": [0.7, 0.8], "accuracy_by_kind": {"negation": [0.4, 0.6]}, "violation@5": [0.05, 0.2]}


def verdict(text, metrics=METRICS, intervals=INTERVALS):
    results = Results(Path("x.json"), {"metrics": metrics, "confidence_intervals": intervals})
    (found,) = judge([Requirement.parse(text)], results)
    return found


@pytest.mark.parametrize(
    ("text", "met", "short_by"),
    [
        ("accuracy>=0.7", True, 0),
        ("accuracy >= 70 %", True, 0),
        ("accuracy>=0.72", False, 0.02),  # the figure, 0.75, would have passed
        ("accuracy_by_kind/negation>=0.5", False, 0.1),
        ("violation@5<=0.2", True, 0),
        ("violation@5<=0.15", False, 0.05),  # what must be low is decided on the upper bound
        ("tie_rate<=0.02", True, 0),  # no interval: the figure itself
        ("accuracy<=0.7", False, 0.1),
        ("accuracy>=0", True, 0),
    ],
)
def test_the_worse_end_of_the_interval_decides(text, met, short_by):
    found = verdict(text)
    assert found.met is met
    assert found.as_json()["short_by"] == pytest.approx(short_by)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("macro_acuracy>=0.7", "no figure is called 'macro_acuracy'; did you mean 'macro_accuracy'"),
        ("accuracy>0.7", "must be a figure, >= or <=, and a number"),
        ("accuracy>=much", "must be a figure"),
        ("accuracy>=1.2.3", "must be a figure"),
        ("accuracy>=..5", "must be a figure"),
        ("accuracy>=٠.٥", "must be a figure"),
        ("accuracy>=-1", "accuracy is from 0 to 1; that decides nothing"),
        ("accuracy>=1e999", "accuracy is from 0 to 1; that decides nothing"),
        ("vision_gain>=-101%", "vision_gain is from -1 to 1; that decides nothing"),
        ("recall>=0.5", "at a depth: recall@5"),
        ("accuracy@5>=0.5", "no depth: accuracy"),
        ("accuracy/negation>=0.5", "does not measure it"),
        ("accuracy>=70", "shares are fractions; write 0.7 or 70%"),
        ("accuracy_by_kind>=0.7", "several figures; .*accuracy_by_kind/negation"),
        ("vision_gain>=0.3", "does not measure it; .*accuracy, "),
        ("accuracy_by_kind/hybrid>=0.3", "does not measure it"),
    ],
)
def test_a_requirement_that_cannot_be_decided_is_refused(text, message):
    with pytest.raises(BadInputError, match=message):
        verdict(text)


def test_a_figure_two_levels_inside_another_may_be_required():
    figures = {"confusion": {"hybrid": {"negation": 0.25}}}
    found = verdict("confusion/hybrid/negation<=0.3", figures, {})
    assert (found.value, found.met) == (0.25, True)


def test_counts_and_ranks_are_no_shares():
    assert Requirement.parse("n_images>=30").limit == 30
    assert Requirement.parse("negated_median_rank<=5").limit == 5


def test_junit_names_every_requirement_and_says_by_how_much_it_was_missed():
    verdicts = [verdict("accuracy>=0.7"), verdict("violation@5<=0.15")]
    root = ElementTree.fromstring(junit_xml(verdicts, model="a<b", suite='"s"'))
    assert (root.get("tests"), root.get("failures")) == ("2", "1")
    first, second = root.iter("testcase")
    assert first.find("failure") is None
    assert second.get("name") == "violation@5<=0.15"
    assert "0.1 [0.05, 0.2], its upper bound misses it by 0.05" in second.find("failure").get("message")
    assert root.find("testsuite").get("name") == 'a<b on "s"'


def test_every_figure_of_a_results_file_may_be_required(clip, processor, data):
    from notclip.remote.modeling_notclip import NotClipModel
    from notclip.scoring.score import score_suite
    from notclip.scoring.suites.read import read_suite

    model = NotClipModel.from_backbone(clip, processor=processor, composition="scope")
    suite = read_suite(data)
    metrics = score_suite(model, suite, n_resamples=0, progress=False).metrics
    assert all(measure_named(name) for name in metrics)
    must_be_measured([Requirement.parse(f"{name}>=0") for name in metrics], suite)
    for part in {measure.part for measure in MEASURES.values()} - {"photos"}:
        less = replace(suite, **{part: ()})  # without it, none of its figures can be had
        of_part = [name for name, measure in MEASURES.items() if measure.part == part]
        first = f"{of_part[0]}{'@5' if MEASURES[of_part[0]].at_depths else ''}"
        with pytest.raises(BadInputError, match=rf"is measured on {part.replace('_', ' ')}, and"):
            must_be_measured([Requirement.parse(f"{first}>=0")], less)
        left = score_suite(model, less, n_resamples=0, progress=False).metrics
        assert not {name.partition("@")[0] for name in left} & set(of_part)
