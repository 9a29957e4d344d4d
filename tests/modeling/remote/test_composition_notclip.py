import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from notclip.remote.composition_notclip import (
    CENTRES,
    FEEDBACK,
    CaptionParts,
    CompositionWeights,
    compose,
    image_statistics,
)

D = 6
WEIGHTS = CompositionWeights(
    exclusion=torch.tensor(0.6),
    only_exclusion=torch.tensor(0.9),
    level=torch.tensor(0.5),
    sharing=torch.tensor(0.4),
    whole_share=torch.tensor(0.0),
)


def unit(*shape, seed=0):
    return F.normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)), dim=-1)


def random_parts():
    return CaptionParts(
        whole=unit(3, D, seed=1),
        affirmed=unit(3, D, seed=2),
        affirmed_words=torch.tensor([1, 0, 4]),
        excluded=unit(4, D, seed=3),
        owner=torch.tensor([0, 1, 1, 2]),
    )


def slow_query(parts, query, statistics):
    """The formula of the module's first lines, one text at a time."""
    covariance = torch.eye(D) if statistics is None else statistics.covariance
    spread = lambda x: math.sqrt(float(x @ covariance @ x))  # noqa: E731
    words = max(1, int(parts.affirmed_words[query]))
    affirms = bool(parts.affirmed_words[query] > 0)
    a = parts.affirmed[query]
    hat = a / spread(a)
    if statistics is not None and affirms:
        weights = statistics.shares * torch.exp((statistics.centres - statistics.mean) @ hat)
        found = (weights / weights.sum()) @ statistics.centres - statistics.mean
        hat = hat + FEEDBACK / math.sqrt(words) * found / spread(found)
        hat = hat / spread(hat)
    own = [row for row, owner in enumerate(parts.owner.tolist()) if owner == query]
    vector = hat
    for n in parts.excluded[own]:
        n = n / spread(n)
        pull = (0.6 if affirms else 0.9) / math.sqrt(words) * len(own) ** -0.4
        vector = vector - pull * (n - float(hat @ covariance @ n) * hat)
    vector = spread(a) * vector
    if statistics is None:
        return vector, 0.0 if affirms else 0.5 * 0.1
    level = 0.0 if affirms else 0.5 * sum(spread(n) for n in parts.excluded[own]) / len(own)
    return vector, level + float((a - vector) @ statistics.mean)


@pytest.mark.parametrize("measured", [False, True])
def test_compose_equals_the_formula_for_one_text_at_a_time(measured):
    parts = random_parts()
    statistics = image_statistics(unit(50, D, seed=4)) if measured else None
    vectors, biases = compose(parts, WEIGHTS, statistics, spread=0.1)
    for query in range(3):
        vector, bias = slow_query(parts, query, statistics)
        torch.testing.assert_close(vectors[query], vector, atol=1e-5, rtol=1e-4)
        assert math.isclose(biases[query].item(), bias, rel_tol=1e-4, abs_tol=1e-5)


def test_with_everything_ten_times_as_near_the_same_constants_rank_alike():
    """A tower whose cosines spread by hundredths (CLIP) excludes as strongly as one of tenths."""
    parts, photos = random_parts(), unit(200, D, seed=4)
    near = F.normalize(photos * 0.05 + unit(D, seed=9), dim=-1)
    for own in (photos, near):
        statistics = image_statistics(own)
        vectors, biases = compose(parts, WEIGHTS, statistics)
        excluded = compose(parts, replace(WEIGHTS, exclusion=torch.tensor(0.0)), statistics)[0]
        moved = ((vectors[0] - excluded[0]) @ statistics.covariance @ (vectors[0] - excluded[0])).sqrt()
        spread = (parts.affirmed[0] @ statistics.covariance @ parts.affirmed[0]).sqrt()
        assert 0 < moved / spread <= 0.6 + 1e-4
        mean_score = (own @ vectors.T + biases).mean(0)[0]
        torch.testing.assert_close(mean_score, (own @ parts.affirmed[0]).mean(), atol=1e-4, rtol=1e-3)


def test_an_exclusion_takes_nothing_from_what_the_affirmed_part_tells():
    parts, statistics = random_parts(), image_statistics(unit(200, D, seed=4))
    without = compose(parts, replace(WEIGHTS, exclusion=torch.tensor(0.0)), statistics)[0][0]
    pull = compose(parts, WEIGHTS, statistics)[0][0] - without
    assert abs(float(pull @ statistics.covariance @ without)) < 1e-5 * float(without @ statistics.covariance @ without)


def test_strength_zero_is_the_affirmed_part_alone():
    parts = random_parts()
    for statistics in (None, image_statistics(unit(50, D, seed=4))):
        vectors, biases = compose(parts, WEIGHTS, statistics, strength=0.0)
        torch.testing.assert_close(vectors, parts.affirmed)
        torch.testing.assert_close(biases[0], torch.tensor(0.0))


def test_with_full_sharing_saying_the_same_exclusion_twice_changes_nothing():
    parts, weights = random_parts(), replace(WEIGHTS, sharing=torch.tensor(1.0))
    once = replace(parts, excluded=parts.excluded[[0, 1, 3]], owner=torch.tensor([0, 1, 2]))
    twice = replace(parts, excluded=parts.excluded[[0, 0, 1, 3]], owner=torch.tensor([0, 0, 1, 2]))
    torch.testing.assert_close(compose(twice, weights, None)[0], compose(once, weights, None)[0])


def test_clusters_of_photos_are_means_that_together_are_the_mean_of_all():
    photos = unit(300, D, seed=5)
    statistics = image_statistics(photos)
    torch.testing.assert_close(statistics.shares @ statistics.centres, photos.mean(0), atol=1e-2, rtol=0.0)
    few = image_statistics(photos[:10])
    assert few.centres.shape == (CENTRES, D) and (few.shares > 0).sum() <= 10
