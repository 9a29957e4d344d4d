"""Results files of strangers: what is outside its range, or no figure of ours, is refused by name."""

import copy
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notclip.errors import BadInputError
from notclip.scoring.measures import MEASURES, measure_named, shown_figures
from notclip.scoring.results import Results, check_results

GOOD = {
    "model": "openai/clip",
    "suite": "data",
    "metrics": {
        "accuracy": 0.5,
        "accuracy_by_kind": {"negation": 0.25},
        "vision_gain": -0.25,
        "recall@5": 1.0,
        "median_rank": 1234.5,
        "n_images": 12,
    },
    "confidence_intervals": {"accuracy": [0.25, 0.75], "accuracy_by_kind": {"negation": [0.0, 0.5]}},
    "provenance": {"options": {"limit": None}, "data": {"a.parquet": "0f"}},
    "comparisons": {
        "base (base)": {
            "vision_gain_difference": -1.5,
            "recall_difference@5": 0.25,
            "recall_p_value@5": 0.01,
            "bootstrap_p_value": 1,
            "accuracy_by_kind_difference": {"negation": -0.5},
            "confidence_intervals": {"recall_difference@5": [-0.25, 0.5]},
        }
    },
}


def changed(path, value):
    content = copy.deepcopy(GOOD)
    *outer, last = path
    place = content
    for name in outer:
        place = place[name]
    place[last] = value
    return content


def test_a_file_of_ours_is_read(tmp_path):
    (tmp_path / "good.json").write_text(json.dumps(GOOD))
    assert Results.read(tmp_path / "good.json").content == GOOD


BY_KIND = ("metrics", "accuracy_by_kind")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("metrics", "accuracy"), 1.7, "accuracy .*from 0 to 1, got 1.7"),
        (("metrics", "accuracy"), 1e300, r"accuracy .*from 0 to 1, got 1e\+300"),
        (("metrics", "accuracy"), True, "accuracy .*from 0 to 1, got true"),
        (("metrics", "accuracy"), None, "accuracy .*from 0 to 1, got null"),
        (("metrics", "accuracy"), "0.5", 'accuracy .*from 0 to 1, got "0.5"'),
        (("metrics", "accuracy"), 10**400, "accuracy .*from 0 to 1, got .*digits"),
        (("metrics", "accuracy"), float("nan"), "accuracy .*from 0 to 1, got NaN"),
        (("metrics", "vision_gain"), -1.1, "vision_gain .*from -1 to 1"),
        (("metrics", "median_rank"), 0, "median_rank .*number from 1 to"),
        (("metrics", "n_images"), 1.5, "n_images .*whole number, got 1.5"),
        (("metrics", "n_images"), -1, "n_images .*number from 0"),
        (("metrics", "accuracy_by_kind"), 0.5, "accuracy_by_kind .*names and values"),
        ((*BY_KIND, "maybe"), 0.5, 'accuracy_by_kind: "maybe" .*affirmation, negation, hybrid'),
        ((*BY_KIND, "negation"), 2, 'accuracy_by_kind/"negation" .*from 0 to 1, got 2'),
        (("metrics", "acuracy"), 0.5, 'no figure is called "acuracy"'),
        (("metrics", "recall"), 0.5, 'no figure is called "recall"'),
        (("metrics",), [1], "'metrics' .*names and values"),
        (("confidence_intervals", "accuracy"), [0.6, 0.7], r"its interval .*0.5, got \[0.6, 0.7\]"),
        (("confidence_intervals", "accuracy"), [0.1], r"its interval .*\[low, high\]"),
        (("confidence_intervals", "accuracy"), [-1, 2], "ends of its interval .*from 0 to 1"),
        (("confidence_intervals", "mrr"), [0, 1], 'interval of "mrr", .*not measure'),
        (("model",), 3, "'model' .*name, got 3"),
        (("suite",), "", "'suite' .*name"),
        (("provenance",), None, "'provenance' .*values, got null"),
        (("provenance", "revision"), 1.7, "'provenance/revision' .*text, got 1.7"),
        (("provenance", "options"), {"adapter": ["a"]}, "'provenance/options/adapter' must be a text"),
        (("provenance", "data"), {"a.parquet": 3}, "'provenance/data/a.parquet' .*text, got 3"),
        (("provenance", "options"), [], "'provenance/options' .*names and values"),
        (("comparisons", "base (base)", "bootstrap_p_value"), 1.5, "bootstrap_p_value .*from 0 to 1"),
        (("comparisons", "base (base)", "vision_gain_difference"), -2.5, "from -2 to 2"),
        (("comparisons", "base (base)", "strange_difference"), 0, "no figure is called"),
        (("comparisons", "base (base)"), 1, "names and values, got 1"),
    ],
)
def test_what_no_results_file_holds_is_refused_by_name(path, value, message):
    with pytest.raises(BadInputError, match=message) as caught:
        check_results(changed(path, value), "`results` x.json")
    assert str(caught.value).startswith("`results` x.json")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"model": NaN}', "is not valid JSON: NaN is no number"),
        ('{"model": -Infinity}', "is not valid JSON: -Infinity is no number"),
        (f'{{"model": {"9" * 5000}}}', "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("\udc80", "is not UTF-8 text"),
        ("", "not valid JSON"),
    ],
)
def test_what_is_no_json_of_ours_is_refused_with_its_file(tmp_path, text, message):
    file = tmp_path / "bad.json"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(BadInputError, match=message):
        Results.read(file)


def test_a_folder_and_a_pipe_are_no_results(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe.json")
    for file in (tmp_path, tmp_path / "pipe.json"):
        with pytest.raises(BadInputError, match=r"cannot be read: .*no file"):
            Results.read(file, argument="compare")


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*GOOD, *MEASURES, "recall@5", "negation"]) | st.text(max_size=3), inner)
    ),
    max_leaves=12,
)


@given(part=st.sampled_from(list(GOOD)), value=anything)
def test_any_content_is_read_or_refused_in_one_sentence(part, value):
    try:
        check_results(GOOD | {part: value}, "`results` x.json")
    except BadInputError as error:
        assert "\n" not in str(error)


def test_every_figure_that_is_shown_is_described_in_docs_and_says_where_less_is_better():
    page = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
    for name, measure, shown in shown_figures():
        assert measure_named(name) is measure, name
        assert re.search(rf"`{name.partition('@')[0].partition('/')[0]}\b", page), name
        for label in filter(None, (shown.card, shown.index)):
            assert ("(lower is better)" in label) == (measure.better == "less"), label
        assert bool(shown.index) == bool(shown.metric_type), name
