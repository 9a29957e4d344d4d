"""docs/metrics.md: its examples are true, and it explains every figure that is computed."""

import doctest
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from notclip.evaluate_metrics.negated_mcq.negated_mcq import score_questions
from notclip.evaluate_metrics.negated_retrieval.negated_retrieval import score_retrieval

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "metrics.md"
NEGBENCH = ROOT.parent / "shared" / "data" / "negbench"


def test_the_examples_are_true():
    outcome = doctest.testfile(str(PAGE), module_relative=False)
    assert outcome.attempted >= 8
    assert outcome.failed == 0


def test_every_figure_is_explained():
    scores = np.eye(2)
    kinds = ["affirmation", "negation"]
    figures = score_questions(
        {
            "predictions": scores,
            "references": [0, 1],
            "choice_kinds": [kinds, kinds],
            "forms": ["a", "b"],
            "groups": ["pair", "pair"],
            "shuffled_predictions": scores,
            "compared_predictions": scores,
        },
        logit_scale=1.0,
    )
    search = {"predictions": [["a", "b"]], "references": [["a"]]}
    figures |= score_retrieval(
        search | {"excluded": [["b"]], "standard_predictions": [["a"]], "standard_references": [["a"]]},
        gallery_size=2,
        ks=[1],
    )
    page = PAGE.read_text(encoding="utf-8")
    counts = {"n_questions", "n_images", "n_queries", "n_groups"}
    compared = {name for name in figures if name.startswith("compared_") or name.endswith("_difference")}
    for name in set(figures) - counts - compared:
        assert f"`{name.replace('@1', '@k')}`" in page, name


@pytest.mark.shared
@pytest.mark.skipif(not NEGBENCH.is_dir(), reason="no NegBench files beside the repository")
def test_what_the_reference_scorer_gives_to_models_that_know_nothing_is_as_the_page_says():
    spec = importlib.util.spec_from_file_location("reference_scorer", ROOT / "benchmarks" / "reference_scorer.py")
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    made = benchmark.table(NEGBENCH)
    before, after = benchmark.MARKS
    assert PAGE.read_text(encoding="utf-8").partition(before)[2].partition(after)[0].strip() == made
    assert "| one score for everything | 100.0 | 25.0 | 25.0 | 0.0 | 100.0 |" in made
    assert "| NaN for everything | 100.0 | refused |" in made
