import math
from dataclasses import replace

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
        affirmed_words=torch.tensor([1, 0, 4]),
        excluded=unit(4, D, seed=3),
        owner=torch.tensor([0, 1, 1, 2]),
    )


WEIGHTS = CompositionWeights(
    hybrid=torch.tensor([0.25, 0.03, 0.01]),
    negation=torch.tensor([0.1, 0.05, 0.02]),
    negation_bias=torch.tensor(0.3),
    sharing=torch.tensor(0.4),
)
NO_PULL = replace(WEIGHTS, hybrid=torch.tensor([0.25, 0.0, 0.01]), negation=torch.tensor([0.1, 0.0, 0.02]))
IN_FULL, AS_THEIR_MEAN = replace(WEIGHTS, sharing=torch.tensor(0.0)), replace(WEIGHTS, sharing=torch.tensor(1.0))


def slow_score(parts, query, image, mean, covariance):
    """The formula of the module's first lines, one caption and one image at a time."""
    affirms = bool(parts.has_affirmed[query])
    share, weight, bonus = (WEIGHTS.hybrid if affirms else WEIGHTS.negation).tolist()
    score = share * float(image @ parts.whole[query])
    score += (1 - share) * float(image @ parts.affirmed[query]) if affirms else WEIGHTS.negation_bias.item()
    words = max(1, int(parts.affirmed_words[query]))
    own = [row for row, owner in enumerate(parts.owner.tolist()) if owner == query]
    for concept in parts.excluded[own]:
        spread = math.sqrt(float(concept @ covariance @ concept))
        score += len(own) ** -0.4 * (bonus - weight / words * float((image - mean) @ concept) / spread)
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


def test_an_exclusion_pulls_as_much_as_one_of_the_affirmed_words():
    parts = random_parts()
    pulls = []
    for words in (1, 4):
        said = replace(parts, affirmed_words=torch.tensor([words, 0, words]))
        with_, without = (compose(said, weights, torch.zeros(D), torch.eye(D))[0] for weights in (WEIGHTS, NO_PULL))
        pulls.append(without - with_)
    torch.testing.assert_close(pulls[0][[0, 2]], 4 * pulls[1][[0, 2]])
    torch.testing.assert_close(pulls[0][1], pulls[1][1])  # which affirms nothing


def one_none_and_two_of_the_same_exclusion():
    parts = random_parts()
    twice = CaptionParts(
        parts.whole[:1],
        parts.affirmed[:1],
        parts.affirmed_words[:1],
        parts.excluded[:1].repeat(2, 1),
        torch.zeros(2).long(),
    )
    once = CaptionParts(
        parts.whole[:1], parts.affirmed[:1], parts.affirmed_words[:1], parts.excluded[:1], torch.zeros(1).long()
    )
    none = CaptionParts(
        parts.whole[:1], parts.affirmed[:1], parts.affirmed_words[:1], parts.excluded[:0], torch.zeros(0).long()
    )
    return none, once, twice


def test_several_exclusions_add_up_where_nothing_is_shared():
    mean, covariance = torch.zeros(D), torch.eye(D)
    none, once, twice = (compose(p, IN_FULL, mean, covariance)[0] for p in one_none_and_two_of_the_same_exclusion())
    torch.testing.assert_close(twice - once, once - none)


def test_with_full_sharing_saying_the_same_exclusion_twice_changes_nothing():
    mean, covariance = unit(D, seed=5), torch.eye(D)
    _, once, twice = one_none_and_two_of_the_same_exclusion()
    torch.testing.assert_close(
        compose(twice, AS_THEIR_MEAN, mean, covariance), compose(once, AS_THEIR_MEAN, mean, covariance)
    )


def test_the_dial_leaves_the_level_of_a_caption_that_only_negates():
    parts, covariance = random_parts(), torch.eye(D)
    biases = [compose(parts, WEIGHTS, torch.zeros(D), covariance, strength=s)[1] for s in (0.0, 1.0, 8.0)]
    for other in biases[1:]:
        torch.testing.assert_close(other[1], biases[0][1])  # the second of them only negates
    assert biases[0][0] == 0 and biases[2][0] == 8 * biases[1][0]
