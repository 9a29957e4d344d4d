"""Intervals hold the truth as often as they say: the simulation of benchmarks/ in small, and crossed groups."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from notclip.evaluate_metrics.negated_mcq.negated_mcq import crossed_groups, score_questions

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "interval_coverage.py"


def simulation():
    spec = importlib.util.spec_from_file_location("interval_coverage", BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_interval_of_questions_holds_the_truth_nineteen_times_of_twenty():
    module = simulation()
    module.POPULATION = 10_000
    found = module.coverage(module.questions, 40, (0.3, 0.7), runs=60, seed=1)
    assert len(found) == 19
    for name, (held, width) in found.items():
        assert held >= 0.85, name  # of 60 runs at 95 %, fewer than 51 once in 400 draws
        assert width < 0.6, name
    assert 0.93 < np.mean([held for held, _ in found.values()]) < 0.98


def test_groups_that_share_photos_have_an_interval_as_wide_as_their_scores_vary():
    """Photos in three pairs each: 200 drawn sets of 60 photos, their scores' own spread beside what one set says."""
    generator = np.random.default_rng(0)
    scores, widths = [], []
    for _ in range(200):
        hard = generator.standard_normal(60)
        members = np.array([generator.choice(60, 2, replace=False) for _ in range(90)])
        right = hard[members] + generator.standard_normal((90, 2)) < 1
        answered = np.stack([right.ravel(), ~right.ravel()], axis=1).astype(float)
        figures = score_questions(
            {
                "predictions": answered,
                "references": np.zeros(180, dtype=int),
                "image_ids": members.ravel(),
                "groups": np.repeat(np.arange(90), 2),
            }
        )
        scores.append(figures["group_score"])
        widths.append(np.ptp(figures["confidence_intervals"]["group_score"]))
    assert np.mean(widths) == pytest.approx(2 * 1.96 * np.std(scores), rel=0.15)


def slow_variance(values, sets):
    """The same moments with whole matrices: `same` has a 1 where two groups have the very same photos."""
    count = len(sets)
    centring = np.eye(count) - 1 / count
    common = np.array([[len(set(a) & set(b)) for b in sets] for a in sets], dtype=float)
    same = np.array([[set(a) == set(b) for b in sets] for a in sets], dtype=float)
    left = centring @ values
    parts = (same, common)
    observed = np.array([left @ part @ left for part in parts])
    expected = np.array([[np.trace(one @ centring @ other @ centring) for other in parts] for one in parts])
    of_set, of_image = np.linalg.lstsq(expected, observed, rcond=1e-9)[0]
    without_images = observed[0] / expected[0, 0] * same.sum()  # the least, since a variance is not negative
    return max(of_set * same.sum() + of_image * common.sum(), without_images) / count**2


@pytest.mark.parametrize("seed", range(8))
def test_the_variance_of_crossed_groups_is_that_of_whole_matrices(seed):
    generator = np.random.default_rng(seed)
    images = np.concatenate([generator.choice(12, 3, replace=False) for _ in range(15)])
    images = np.concatenate([images, images[:6]])  # two groups once more, of the very same photos
    members = list(np.arange(len(images)).reshape(-1, 3))
    values = (generator.random(len(members)) < 0.6).astype(float)
    found = crossed_groups(values[:, None], members, images).covariance[0, 0]
    assert found == pytest.approx(slow_variance(values, [images[questions].tolist() for questions in members]))


def test_groups_of_photos_of_their_own_are_as_uncertain_as_single_answers():
    right = np.arange(40) % 5 > 0
    twice = np.repeat(right, 2)
    pairs = score_questions(
        {
            "predictions": np.stack([twice, ~twice], axis=1).astype(float),
            "references": [0] * 80,
            "groups": np.repeat(np.arange(40), 2),
        }
    )
    single = score_questions({"predictions": np.stack([right, ~right], axis=1).astype(float), "references": [0] * 40})
    expected = single["confidence_intervals"]["accuracy"]
    assert pairs["confidence_intervals"]["group_score"] == pytest.approx(expected, abs=0.01)
