"""docs/metrics.md: its examples are true, and it explains every figure that is computed."""

import doctest
from pathlib import Path

import numpy as np

from notclip.evaluate_metrics.negated_mcq.negated_mcq import score_questions
from notclip.evaluate_metrics.negated_retrieval.negated_retrieval import score_retrieval

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


def test_the_examples_are_true():
    outcome = doctest.testfile(str(PAGE), module_relative=False)
    assert outcome.attempted >= 8
    assert outcome.failed == 0


def test_every_figure_is_explained():
    scores = np.eye(2)
    kinds = ["affirmation", "negation"]
    figures = score_questions(
        scores,
        [0, 1],
        choice_kinds=[kinds, kinds],
        forms=["a", "b"],
        groups=["pair", "pair"],
        shuffled_predictions=scores,
        compared_predictions=scores,
        logit_scale=1.0,
    )
    search = {"predictions": [["a", "b"]], "references": [["a"]], "ks": [1]}
    figures |= score_retrieval(
        **search, excluded=[["b"]], gallery_size=2, standard_predictions=[["a"]], standard_references=[["a"]]
    )
    page = PAGE.read_text(encoding="utf-8")
    counts = {"n_questions", "n_images", "n_queries", "n_groups"}
    compared = {name for name in figures if name.startswith("compared_") or name.endswith("_difference")}
    for name in set(figures) - counts - compared:
        assert f"`{name.replace('@1', '@k')}`" in page, name
