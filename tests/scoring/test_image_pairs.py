"""Pairs in Winoground's form, against its definitions restated."""

import itertools

import numpy as np
import pytest

from notclip.evaluate_metrics.negated_mcq.negated_mcq import score_questions
from notclip.remote.modeling_notclip import NotClipModel
from notclip.scoring.predictions import Predictions
from notclip.scoring.score import score_suite
from notclip.scoring.suites.read import read_suite
from notclip.scoring.suites.suite import ImagePair, open_suite_photo
from notclip.scoring.winoground import GROUP_CHANCE, score_image_pairs


def pairs_of(count):
    return [ImagePair(f"pair {n}", (f"left {n}", f"right {n}"), ("a dog", "no dog")) for n in range(count)]


def winoground(scores):
    """Thrush et al. 2022, equations 1 to 3: text, image and group score."""
    text = [s[0][0] > s[0][1] and s[1][1] > s[1][0] for s in scores]
    image = [s[0][0] > s[1][0] and s[1][1] > s[0][1] for s in scores]
    both = [a and b for a, b in zip(text, image, strict=True)]
    return [sum(right) / len(scores) for right in (text, image, both)]


def test_scores_without_ties_are_those_of_winoground():
    scores = np.random.default_rng(0).normal(size=(500, 2, 2))
    found = score_image_pairs(scores.tolist(), pairs_of(500), n_resamples=50)
    names = ("pair_text_score", "pair_image_score", "pair_group_score")
    assert [found[name] for name in names] == pytest.approx(winoground(scores.tolist()), abs=1e-15)
    for name in names:
        low, high = found["confidence_intervals"][name]
        assert low < found[name] < high


def test_guessing_has_one_pair_in_six():
    orders = [np.reshape(order, (2, 2)).tolist() for order in itertools.permutations(range(4))]
    assert winoground(orders)[2] == GROUP_CHANCE
    assert score_image_pairs(orders, pairs_of(24), n_resamples=0)["pair_group_score"] == pytest.approx(GROUP_CHANCE)


def test_what_reads_the_captions_alone_has_no_pair_and_half_the_questions():
    scores = [[[0.9, 0.2], [0.9, 0.2]]] * 10
    found = score_image_pairs(scores, pairs_of(10), n_resamples=0)
    assert (found["pair_text_score"], found["pair_group_score"]) == (0, 0)
    asked = {"predictions": [row for pair in scores for row in pair], "references": [0, 1] * 10}
    assert score_questions(asked)["accuracy"] == 0.5


def test_a_better_model_differs_by_what_it_has_more():
    right, wrong = [[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]
    found = score_image_pairs([right] * 40, pairs_of(40), compared=[right] * 20 + [wrong] * 20)
    assert found["pair_group_score_difference"] == 0.5
    assert 0 < found["pair_group_score_p_value"] < 0.001
    low, high = found["confidence_intervals"]["pair_group_score_difference"]
    assert 0.25 < low < 0.5 < high < 0.75


@pytest.mark.parametrize("composition", ["scope", "none"])
def test_a_suite_with_pairs_is_scored_and_compared(clip, processor, data, tmp_path, composition):
    model = NotClipModel.from_backbone(clip, processor=processor, composition=composition)
    suite = read_suite(data)
    first, second, *_ = suite.photos
    pair = ImagePair("one", (first, second), ("a dog with no cat", "a ball"))
    suite = type(suite)(suite.name, suite.photos, pairs=[pair, *suite.pairs])
    scored = score_suite(model, suite, n_resamples=0, progress=False)
    alone = model.score([open_suite_photo(suite.photos[name]) for name in pair.image_ids], pair.captions)
    assert scored.predictions.pair_scores[0] == [pytest.approx(row, abs=1e-5) for row in alone.tolist()]
    scored.predictions.save(tmp_path / "before.npz")
    before = Predictions.load(tmp_path / "before.npz")
    again = score_suite(model, suite, n_resamples=10, compared={"itself": before}, progress=False)
    assert again.metrics["n_pairs"] == len(suite.pairs)
    assert again.comparisons["itself"]["pair_group_score_difference"] == 0


def test_answers_of_before_pairs_were_scored_are_compared_in_the_rest():
    now = Predictions(["q"], [], [], pair_keys=["p"])
    now.must_answer_the_same(Predictions(["q"], [], []), "earlier")
