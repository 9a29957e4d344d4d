import math

import torch
import torch.nn.functional as F

from notclip.remote.composition_notclip import ImageStatistics
from notclip.training.losses import anchor_loss, caption_choice_loss, contrastive_loss, search_anchor_loss


def unit(*shape):
    return F.normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(0)), dim=-1)


def test_a_model_that_cannot_tell_pairs_apart_pays_log_b():
    same = unit(1, 4).expand(8, 4)
    assert math.isclose(contrastive_loss(same, same, torch.tensor(10.0)).item(), math.log(8), rel_tol=1e-6)


def test_a_model_that_cannot_tell_captions_apart_pays_log_c():
    assert math.isclose(
        caption_choice_loss(torch.zeros(5, 4), torch.tensor([0, 1, 2, 3, 0]), torch.tensor(20.0)).item(),
        math.log(4),
        rel_tol=1e-6,
    )


def test_a_padded_choice_is_never_picked():
    scores = torch.tensor([[0.0, 0.0, float("-inf")]])
    loss = caption_choice_loss(scores, torch.tensor([1]), torch.tensor(20.0))
    assert math.isclose(loss.item(), math.log(2), rel_tol=1e-6)


def test_contrastive_loss_equals_the_loop_over_rows_and_columns():
    images, texts, scale = unit(6, 5), unit(6, 5).roll(1, 0), torch.tensor(3.0)
    total = 0.0
    for row in range(6):
        by_text = [float(scale * texts[row] @ images[other]) for other in range(6)]
        by_image = [float(scale * texts[other] @ images[row]) for other in range(6)]
        for logits in (by_text, by_image):
            total -= logits[row] - math.log(sum(math.exp(logit) for logit in logits))
    assert math.isclose(contrastive_loss(images, texts, scale).item(), total / 12, rel_tol=1e-5)


def test_a_query_bias_moves_what_images_choose_and_nothing_of_what_queries_choose():
    images, queries, scale = unit(4, 5), unit(4, 5).roll(1, 0), torch.tensor(3.0)
    biases = torch.tensor([0.5, -0.25, 0.0, 1.0])
    scores = scale * (queries @ images.T + biases[:, None])
    by_query = F.cross_entropy(scale * queries @ images.T, torch.arange(4))
    by_image = F.cross_entropy(scores.T, torch.arange(4))
    expected = (by_query + by_image) / 2
    assert math.isclose(contrastive_loss(images, queries, scale, biases).item(), expected.item(), rel_tol=1e-5)


def test_the_anchor_is_zero_where_nothing_moved_and_four_at_the_antipode():
    embeds = unit(3, 4)
    assert anchor_loss(embeds, embeds).item() == 0.0
    assert math.isclose(anchor_loss(embeds, -embeds).item(), 4.0, rel_tol=1e-6)


def photos_that_differ_in(direction, *, mean):
    covariance = torch.outer(direction, direction)
    return ImageStatistics(mean, covariance, centres=torch.zeros(1, 3), shares=torch.ones(1))


def test_the_anchor_of_a_search_is_what_the_photos_notice_of_a_move_in_spreads_of_the_caption():
    captions = torch.tensor([[1.0, 0.0, 0.0]])
    statistics = photos_that_differ_in(torch.tensor([2.0, 1.0, 0.0]), mean=torch.zeros(3))
    for moved, expected in (
        ([1.0, 0.0, 0.0], 0.0),  # not at all
        ([1.0, 0.0, 0.7], 0.0),  # to where no two photos differ
        ([1.0, 0.4, 0.0], 0.4**2 / 2**2),  # its spread is 2, and the move's 0.4
    ):
        loss = search_anchor_loss(torch.tensor([moved]), captions, statistics)
        assert math.isclose(loss.item(), expected, abs_tol=1e-7), moved


def test_the_anchor_of_a_search_minds_a_move_towards_all_photos():
    statistics = photos_that_differ_in(torch.tensor([2.0, 0.0, 0.0]), mean=torch.tensor([0.0, 0.0, 1.0]))
    loss = search_anchor_loss(torch.tensor([[1.0, 0.0, 0.6]]), torch.tensor([[1.0, 0.0, 0.0]]), statistics)
    assert math.isclose(loss.item(), 0.6**2 / 2**2, rel_tol=1e-6)
