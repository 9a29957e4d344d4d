import numpy as np
import pytest

from notclip.recaption.concepts.weighted_draw import place_of


@pytest.mark.parametrize(("point", "place"), [(0.0, 1), (1.9, 1), (2.0, 3), (4.9, 3), (5.0, 3), (5.1, 3)])
def test_a_point_falls_into_the_weight_that_covers_it_and_never_into_one_of_zero(point, place):
    assert place_of(np.array([0.0, 2.0, 0.0, 3.0, 0.0]).cumsum(), point) == place


def test_a_total_that_was_rounded_up_draws_the_last_weight_not_the_one_behind_it():
    # A build of a million rows came upon this after 187 shards: float32 weights add up to more than their running sum.
    numbers = np.random.default_rng(0)
    behind = 0
    for _ in range(200):
        weights = numbers.random(138).astype(np.float32)
        reached, total = weights.cumsum(), weights.sum()
        behind += int(reached.searchsorted(total, side="right")) == len(weights)
        assert place_of(reached, total) < len(weights)
    assert behind > 0
