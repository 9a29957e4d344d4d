"""Rank many images for many queries without ever holding the matrix of their scores."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

SCORES_AT_ONCE = 8_000_000  # 32 MB of float32


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
    found = Ranking(torch.empty(len(queries), k, dtype=torch.long), torch.empty(len(queries), dtype=torch.long))
    rows = min(max(1, SCORES_AT_ONCE // count), len(queries))
    # Used again for every block, and results written to where they stay: between blocks that are allocated anew small
    # results are what the heap cannot give back, and it grew by gigabytes in a long search.
    every_score = torch.empty(rows, count, dtype=images.dtype, device=images.device)
    every_flag = torch.empty(rows, count, dtype=torch.bool, device=images.device)
    every_copy = torch.empty(max(1, rows // 4), count, dtype=images.dtype, device=images.device)
    bar = tqdm(total=len(queries), desc="rank images", unit="query", disable=not progress)
    for start in range(0, len(queries), rows):
        here = slice(start, start + rows)
        block = queries[here]
        scores = torch.mm(block, images.T, out=every_score[: len(block)])  # (q, I)
        values, columns = scores.topk(min(k + 1, count), dim=1)
        found.top[here] = order[_best(scores, values, columns, k).cpu()]
        own = wanted[here].to(scores.device)
        found.ranks[here] = _first_ranks(scores, values, own, every_flag, every_copy).cpu()
        bar.update(len(scores))
    bar.close()
    return found


def _best(scores: Tensor, values: Tensor, columns: Tensor, k: int) -> Tensor:
    """Columns of the k highest scores, equal ones from left to right, shape (q, k), from those that topk gave."""
    # topk leaves the order of equal scores open; sorting all is slow, and needed for few rows.
    tied = torch.nonzero((values[:, 1:] == values[:, :-1]).any(1)).flatten()
    columns = columns[:, :k]
    if len(tied):
        columns[tied] = scores[tied].sort(dim=1, descending=True, stable=True).indices[:, :k]
    return columns


def _first_ranks(scores: Tensor, values: Tensor, own: Tensor, every_flag: Tensor, every_copy: Tensor) -> Tensor:
    """1-based rank of the best of the columns `own`, (q, R), where equal scores stand from left to right, (q,)."""
    own_scores = scores.gather(1, own)
    score = own_scores.max(dim=1, keepdim=True).values  # (q, 1)
    column = own.where(own_scores == score, scores.shape[1]).min(dim=1).values
    higher = (values > score).sum(1)
    equal = (values == score).sum(1)
    # Those that are no better than the last of the list are counted among all.
    for row_numbers in torch.nonzero(score[:, 0] <= values[:, -1]).flatten().split(max(1, len(scores) // 4)):
        some = torch.index_select(scores, 0, row_numbers, out=every_copy[: len(row_numbers)])
        least = score[row_numbers]
        flags = every_flag[: len(some)]
        higher[row_numbers] = _count(torch.gt(some, least, out=flags))
        equal[row_numbers] = _count(torch.eq(some, least, out=flags))
    for row in torch.nonzero(equal > 1).flatten().tolist():  # which of equal scores stand before is asked of few rows
        higher[row] += (scores[row, : column[row]] == score[row]).sum()
    return higher + 1


def _count(flags: Tensor) -> Tensor:
    """How many flags of each row are set, shape (q,); numpy counts bits where torch first makes numbers of them."""
    if flags.device.type == "cpu":
        return torch.from_numpy(np.count_nonzero(flags.numpy(), axis=1))
    return flags.sum(1)
