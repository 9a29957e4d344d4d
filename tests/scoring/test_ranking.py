import numpy as np
import pytest
import torch

from notclip.scoring import ranking
from notclip.scoring.ranking import rank_images


def embeddings(queries=200, images=70, dimensions=16, seed=0):
    generator = torch.Generator().manual_seed(seed)
    make = lambda count: torch.randn(count, dimensions, generator=generator)  # noqa: E731
    relevant = [torch.randint(images, (1 + query % 3,), generator=generator).tolist() for query in range(queries)]
    return make(queries), make(images), relevant


def slow_ranking(queries, images, relevant, k):
    """Sort every row of the whole matrix."""
    orders = np.argsort(-(queries @ images.T).numpy(), axis=1, kind="stable")
    ranks = [min(list(order).index(image) for image in row) + 1 for order, row in zip(orders, relevant, strict=True)]
    return orders[:, :k], ranks


@pytest.mark.parametrize("scores_at_once", [70, 1000, 16_000_000])
def test_ranking_equals_the_sort_of_the_whole_matrix_whatever_is_held_at_once(monkeypatch, scores_at_once):
    monkeypatch.setattr(ranking, "SCORES_AT_ONCE", scores_at_once)
    queries, images, relevant = embeddings()
    found = rank_images(queries, images, relevant, k=10, seed=0)
    top, ranks = slow_ranking(queries, images, relevant, 10)
    assert found.top.tolist() == top.tolist()
    assert found.ranks.tolist() == ranks


def test_more_than_all_images_cannot_be_found():
    queries, images, relevant = embeddings(images=4)
    assert rank_images(queries, images, relevant, k=10, seed=0).top.shape == (200, 4)


def test_a_model_that_scores_all_images_alike_finds_by_luck_and_not_by_order():
    # Every query's image is the first one listed: a stable sort would find all of them at rank 1.
    images = torch.ones(50, 4)
    ranks = [int(rank_images(torch.ones(1, 4), images, [[0]], k=5, seed=seed).ranks[0]) for seed in range(400)]
    assert np.mean(ranks) == pytest.approx((1 + 50) / 2, abs=3 * 14.4 / np.sqrt(400))
    assert rank_images(torch.ones(1, 4), images, [[0]], k=5, seed=7).ranks.tolist() == [ranks[7]]


def test_lists_and_ranks_agree_among_ties():
    generator = torch.Generator().manual_seed(0)
    queries = torch.randint(0, 2, (300, 3), generator=generator).float()
    images = torch.randint(0, 2, (40, 3), generator=generator).float()
    relevant = [[query % 40] for query in range(300)]
    found = rank_images(queries, images, relevant, k=40, seed=1)
    for row, (image,), rank in zip(found.top.tolist(), relevant, found.ranks.tolist(), strict=True):
        assert row.index(image) + 1 == rank
    shorter = rank_images(queries, images, relevant, k=7, seed=1)
    assert shorter.top.tolist() == found.top[:, :7].tolist()


def test_the_first_of_many_relevant_images_counts_among_ties_too():
    generator = torch.Generator().manual_seed(0)
    queries = torch.randint(0, 2, (200, 3), generator=generator).float()
    images = torch.randint(0, 2, (40, 3), generator=generator).float()
    relevant = [torch.randperm(40, generator=generator)[: 1 + query % 7].tolist() for query in range(200)]
    found = rank_images(queries, images, relevant, k=40, seed=1)
    short = rank_images(queries, images, relevant, k=3, seed=1)
    expected = [
        1 + min(row.index(image) for image in own) for row, own in zip(found.top.tolist(), relevant, strict=True)
    ]
    assert found.ranks.tolist() == short.ranks.tolist() == expected


def test_what_cannot_be_ranked_is_refused():
    queries, images, relevant = embeddings()
    with pytest.raises(ValueError, match=r"`relevant` .*200 queries"):
        rank_images(queries, images, [[], *relevant[1:]], k=5, seed=0)
    images[3, 1] = float("nan")
    with pytest.raises(ValueError, match="`image_embeds` row 3 must be finite"):
        rank_images(queries, images, relevant, k=5, seed=0)
