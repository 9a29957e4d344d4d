"""Whatever is given to the metrics: figures in their range, or one sentence."""

import math
from pathlib import Path

import evaluate
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from notclip.evaluate_metrics.negated_mcq.negated_mcq import score_questions
from notclip.evaluate_metrics.negated_retrieval.negated_retrieval import score_retrieval

FOLDER = Path(__file__).parents[2] / "evaluate_metrics"

SCORES, ANSWERS, KINDS = [[0.75, 0.25, 0.5], [0.25, 0.75, 0.5]], [0, 1], ["affirmation", "negation"]
RANKED, RIGHT = [[3, 1], [1, 3]], [[3], [3]]


def load(name):
    return evaluate.load(str(FOLDER / name))


class LikeJax:
    """An array of another library, of which numpy makes its own."""

    def __init__(self, rows):
        self.rows = np.array(rows)

    def __array__(self, dtype=None, copy=None):
        return self.rows

    def __iter__(self):
        return iter(self.rows)

    def __len__(self):
        return len(self.rows)


def in_range(figures):
    """Every number is finite; a share lies from 0 to 1, a difference from -2 to 2, an interval around its figure."""
    for name, value in figures.items():
        if isinstance(value, dict):
            in_range(value)
        elif isinstance(value, list):
            assert value[0] <= value[1]
        else:
            assert math.isfinite(value), name
            signed = any(word in name for word in ("gain", "bias", "drop", "difference"))
            low, high = (-2, 2) if signed else (0, 1)
            assert "rank" in name or name.startswith("n_") or low <= value <= high, name


anything = st.none() | st.booleans() | st.integers(-2, 3) | st.floats() | st.text(max_size=3)
row = st.lists(anything, max_size=3) | anything
numbers = st.lists(st.lists(st.integers(-2, 2) | st.floats(-2, 2), min_size=2, max_size=3), min_size=1, max_size=5)


@settings(deadline=None, max_examples=60)
@given(
    predictions=st.lists(row, max_size=3) | numbers | anything,
    references=st.lists(anything, max_size=3) | anything,
    others=st.fixed_dictionaries(
        {},
        optional={
            name: st.lists(row, max_size=3)
            for name in ("kinds", "choice_kinds", "groups", "image_ids", "shuffled_predictions", "forms")
        },
    ),
)
def test_any_questions_have_figures_or_one_sentence(predictions, references, others):
    try:
        figures = score_questions({"predictions": predictions, "references": references} | others, n_resamples=20)
    except ValueError as error:
        assert "\n" not in str(error)
        assert str(error).startswith("`")
    else:
        in_range(figures)


@settings(deadline=None, max_examples=60)
@given(numbers, st.data())
def test_any_scores_have_figures_in_their_range(predictions, data):
    count = len(predictions)
    in_range(
        score_questions(
            {
                "predictions": predictions,
                "references": [data.draw(st.integers(0, len(scores) - 1)) for scores in predictions],
                "kinds": data.draw(st.lists(st.integers(0, 2), min_size=count, max_size=count)),
                "groups": data.draw(st.lists(st.sampled_from(["", "a", "b", None]), min_size=count, max_size=count)),
                "image_ids": data.draw(st.lists(st.integers(0, 2), min_size=count, max_size=count)),
                "compared_predictions": predictions[::1],
            },
            n_resamples=20,
        )
    )


lists = st.lists(st.lists(st.sampled_from("abc") | anything, max_size=4) | anything, max_size=3) | anything


@settings(deadline=None, max_examples=60)
@given(lists, lists, st.fixed_dictionaries({}, optional={"excluded": lists, "ranks": lists, "image_ids": lists}))
def test_any_searches_have_figures_or_one_sentence(predictions, references, others):
    try:
        figures = score_retrieval(
            {"predictions": predictions, "references": references} | others, ks=[1], n_resamples=20
        )
    except ValueError as error:
        assert "\n" not in str(error)
        assert str(error).startswith("`")
    else:
        in_range(figures)


@pytest.mark.parametrize(
    "kind",
    [
        torch.tensor,
        lambda rows: torch.tensor(rows).bfloat16() if isinstance(rows[0], list) else torch.tensor(rows),
        lambda rows: list(torch.tensor(rows)),
        lambda rows: (
            [[torch.tensor(one).bfloat16() for one in r] for r in rows] if isinstance(rows[0], list) else rows
        ),
        lambda rows: [np.array(one) for one in rows],
        lambda rows: LikeJax(rows),
        lambda rows: pd.DataFrame(rows, index=[7, 5]) if isinstance(rows[0], list) else pd.Series(rows, index=[7, 5]),
        pd.Series,
    ],
    ids=["tensor", "bfloat16", "list of tensors", "nested bfloat16", "list of arrays", "jax", "DataFrame", "Series"],
)
def test_rows_of_any_library_are_the_same_rows(kind):
    figures = load("negated_mcq").compute(
        predictions=kind(SCORES), references=kind(ANSWERS), shuffled_predictions=kind(SCORES), kinds=pd.Series(KINDS)
    )
    assert figures == score_questions(
        {"predictions": SCORES, "references": ANSWERS, "shuffled_predictions": SCORES, "kinds": KINDS}
    )


@pytest.mark.parametrize("kind", [torch.tensor, pd.DataFrame, np.array, lambda rows: [np.array(row) for row in rows]])
def test_ids_in_rows_of_any_library_are_the_same_ids(kind):
    ranks = torch.tensor([1, 2]).bfloat16()
    figures = load("negated_retrieval").compute(
        predictions=kind(RANKED), references=kind(RIGHT), excluded=kind(RIGHT), ranks=ranks, ks=[1]
    )
    assert figures == score_retrieval(
        {"predictions": RANKED, "references": RIGHT, "excluded": RIGHT, "ranks": [1, 2]}, ks=[1]
    )


def test_what_a_table_has_nothing_for_is_no_group_and_no_image():
    figures = score_questions(
        {"predictions": SCORES, "references": ANSWERS, "groups": pd.Series([float("nan"), None])}
    )
    assert "group_score" not in figures
    with pytest.raises(ValueError, match=r"`image_ids` row 1 .*nan"):
        score_questions({"predictions": SCORES, "references": ANSWERS, "image_ids": pd.Series([1.0, float("nan")])})
