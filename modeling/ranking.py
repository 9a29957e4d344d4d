"""Rank many images for many queries without ever holding the matrix of their scores."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm import tqdm

SCORES_AT_ONCE = 16_000_000  # 64 MB of float32


@dataclass(frozen=True)
class Ranking:
    """What each query finds.

    Args:
        top: positions of the best images, best first, shape (Q, K).
        ranks: 1-based rank of each query's first relevant image among all images, shape (Q,).
    """

    top: Tensor
    ranks: Tensor


@torch.inference_mode()
def rank_images(
    queries: Tensor,
    image_embeds: Tensor,
    relevant: Sequence[Sequence[int]],
    *,
    k: int,
    seed: int,
    progress: bool = False,
) -> Ranking:
    """Find each query's best images, and the rank of the first relevant one.

    Images that score the same stand in random order, the same for all queries: a model that gives all images one score
    finds nothing by how they are listed. A query's bias shifts all its scores alike, so that it plays no part here.

    Args:
        queries: vectors of the queries, shape (Q, D).
        image_embeds: embeddings of the images, shape (I, D).
        relevant: positions of each query's relevant images, at least one.
        k: how many images to find; all of them where there are fewer.
        seed: of the order of ties.
        progress: show a bar.

    Raises:
        ValueError: an embedding is not finite, or a query has no relevant image.
    """
    for name, vectors in {"queries": queries, "image_embeds": image_embeds}.items():
        for row in torch.nonzero(~torch.isfinite(vectors).all(1)).flatten()[:1]:
            raise ValueError(f"`{name}` row {int(row)} must be finite; a ranking by NaN would be any ranking.")
    if len(relevant) != len(queries) or not all(relevant):
        raise ValueError(f"`relevant` must name an image for each of {len(queries)} queries, got {len(relevant)}.")
    count = len(image_embeds)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    place = torch.empty_like(order).scatter_(0, order, torch.arange(count))  # of each image in the random order
    images = image_embeds[order.to(image_embeds.device)]
    longest = max(len(positions) for positions in relevant)
    # Padded with the first relevant image, which changes no minimum.
    wanted = place[torch.tensor([[*row, *[row[0]] * (longest - len(row))] for row in relevant])]  # (Q, R)
    k = min(k, count)
    tops, ranks = [], []
    rows = max(1, SCORES_AT_ONCE // count)
    bar = tqdm(total=len(queries), desc="rank images", unit="query", disable=not progress)
    for start in range(0, len(queries), rows):
        scores = queries[start : start + rows] @ images.T  # (q, I)
        own = wanted[start : start + rows].to(scores.device)
        tops.append(order[_best(scores, k).cpu()])
        ranks.append(_ranks(scores, own).min(dim=1).values.cpu())
        bar.update(len(scores))
    bar.close()
    return Ranking(torch.cat(tops), torch.cat(ranks))


def _best(scores: Tensor, k: int) -> Tensor:
    """Columns of the k highest scores, equal ones from left to right, shape (q, k)."""
    values, columns = scores.topk(min(k + 1, scores.shape[1]), dim=1)
    # topk leaves the order of equal scores open; sorting all is slow, and needed for few rows.
    tied = torch.nonzero((values[:, 1:] == values[:, :-1]).any(1)).flatten()
    columns = columns[:, :k]
    if len(tied):
        columns[tied] = scores[tied].sort(dim=1, descending=True, stable=True).indices[:, :k]
    return columns


def _ranks(scores: Tensor, own: Tensor) -> Tensor:
    """1-based ranks of the columns `own`, shape (q, R), where equal scores stand from left to right."""
    columns = torch.arange(scores.shape[1], device=scores.device)
    ranks = []
    for column in own.T:
        score = scores.gather(1, column[:, None])
        before = (scores > score) | ((scores == score) & (columns < column[:, None]))
        ranks.append(before.sum(1) + 1)
    return torch.stack(ranks, dim=1)
