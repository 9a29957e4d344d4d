import math

import torch
import torch.nn.functional as F

from notclip.composition_notclip import CaptionParts, CompositionWeights, compose

D = 6


def unit(*shape, seed=0):
    return F.normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)), dim=-1)


def random_parts():
    return CaptionParts(
        whole=unit(3, D, seed=1),
        affirmed=unit(3, D, seed=2),
        has_affirmed=torch.tensor([True, False, True]),
        excluded=unit(4, D, seed=3),
        owner=torch.tensor([0, 1, 1, 2]),
    )


WEIGHTS = CompositionWeights(
    hybrid=torch.tensor([0.25, 0.03, 0.01]), negation=torch.tensor([0.1, 0.05, 0.02]), negation_bias=torch.tensor(0.3)
)


def slow_score(parts, query, image, mean, covariance):
    """The formula of the module's first lines, one caption and one image at a time."""
    affirms = bool(parts.has_affirmed[query])
    share, weight, bonus = (WEIGHTS.hybrid if affirms else WEIGHTS.negation).tolist()
    score = share * float(image @ parts.whole[query])
    score += (1 - share) * float(image @ parts.affirmed[query]) if affirms else WEIGHTS.negation_bias.item()
    for concept, owner in zip(parts.excluded, parts.owner.tolist(), strict=True):
        if owner == query:
            spread = math.sqrt(float(concept @ covariance @ concept))
            score += bonus - weight * float((image - mean) @ concept) / spread
    return score


def test_compose_equals_the_formula_for_one_caption_and_image_at_a_time():
    parts, images = random_parts(), unit(5, D, seed=4)
    mean, covariance = images.mean(0), torch.cov(images.T) + 0.1 * torch.eye(D)
    vectors, biases = compose(parts, WEIGHTS, mean, covariance)
    scores = images @ vectors.T + biases
    for row, image in enumerate(images):
        for query in range(3):
            expected = slow_score(parts, query, image, mean, covariance)
            assert math.isclose(scores[row, query].item(), expected, rel_tol=1e-4, abs_tol=1e-5)


def test_an_image_of_mean_similarity_gets_only_the_bonus_of_absence():
    parts = random_parts()
    mean, covariance = unit(D, seed=5), torch.eye(D)
    vectors, biases = compose(parts, WEIGHTS, mean, covariance)
    affirmed_alone = 0.75 * float(mean @ parts.affirmed[0]) + 0.25 * float(mean @ parts.whole[0])
    assert math.isclose(float(mean @ vectors[0] + biases[0]), affirmed_alone + 0.01, rel_tol=1e-4)


def test_several_exclusions_add_up():
    parts = random_parts()
    twice = CaptionParts(
        parts.whole[:1],
        parts.affirmed[:1],
        parts.has_affirmed[:1],
        parts.excluded[:1].repeat(2, 1),
        torch.zeros(2).long(),
    )
    once = CaptionParts(
        parts.whole[:1], parts.affirmed[:1], parts.has_affirmed[:1], parts.excluded[:1], torch.zeros(1).long()
    )
    none = CaptionParts(
        parts.whole[:1], parts.affirmed[:1], parts.has_affirmed[:1], parts.excluded[:0], torch.zeros(0).long()
    )
    mean, covariance = torch.zeros(D), torch.eye(D)
    vectors = [compose(p, WEIGHTS, mean, covariance)[0] for p in (none, once, twice)]
    torch.testing.assert_close(vectors[2] - vectors[1], vectors[1] - vectors[0])
