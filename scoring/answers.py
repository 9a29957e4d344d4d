"""What a suite's questions and searches come to, from embeddings: the columns that the metrics take."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from notclip.scoring.embed import TextVectors
from notclip.scoring.ranking import rank_images
from notclip.scoring.suites.suite import Query, SuiteQuestion

DEPTHS = (1, 5, 10)
NUMBERS_AT_ONCE = 33_000_000  # of vectors of choices beside their images': 130 MB each


def question_scores(questions: Sequence[SuiteQuestion], texts: TextVectors, images: Tensor) -> list[list[float]]:
    """Score each question's choices against one image, shape (N, D) for N questions."""
    counts = [len(question.choices) for question in questions]
    owners = torch.arange(len(questions)).repeat_interleave(torch.tensor(counts)).to(images.device)
    rows = texts.rows([choice for question in questions for choice in question.choices])
    flat, pairs = [], max(1, NUMBERS_AT_ONCE // images.shape[1])
    for start in range(0, len(rows), pairs):
        some, own = rows[start : start + pairs], owners[start : start + pairs]
        flat.append((texts.vectors[some] * images[own]).sum(-1) + texts.biases[some])
    return [row.tolist() for row in torch.cat(flat).cpu().split(counts)]


def other_images(images: NDArray[np.intp], *, seed: int) -> NDArray[np.intp] | None:
    """Give each question another's image, all questions of one image the same; None where there is only one image.

    Args:
        images: the number of each question's image, shape (N,).
        seed: of the exchange.
    """
    distinct = np.random.default_rng(seed).permutation(np.unique(images))
    if len(distinct) < 2:
        return None
    exchanged = dict(zip(distinct.tolist(), np.roll(distinct, 1).tolist(), strict=True))
    return np.array([exchanged[image] for image in images.tolist()])


def depths(searched: int) -> list[int]:
    """The depths k at which a search of so many is measured."""
    return [k for k in DEPTHS if k <= searched]


def images_found(
    queries: Sequence[Query], texts: TextVectors, images: Tensor, gallery: Sequence[str], *, seed: int, progress: bool
) -> dict[str, Any]:
    """The images that each query finds, as the retrieval metric takes them."""
    position = {name: row for row, name in enumerate(gallery)}
    vectors = texts.vectors[texts.rows([query.text for query in queries])]
    relevant = [[position[name] for name in _right_images(query) if name in position] for query in queries]
    k = max(depths(len(gallery)))
    ranking = rank_images(vectors, images, relevant, k=k, seed=seed, progress=progress)
    return {
        "predictions": [[gallery[row] for row in found] for found in ranking.top.tolist()],
        "references": [[gallery[row] for row in rows] for rows in relevant],
        "image_ids": [query.image_id for query in queries],
        "ranks": ranking.ranks.tolist(),
    }


def captions_found(
    queries: Sequence[Query], texts: TextVectors, images: Tensor, gallery: Sequence[str], *, seed: int, progress: bool
) -> dict[str, Any]:
    """The captions that each image finds, the other direction; captions of one wording are one caption."""
    captions = list(dict.fromkeys(query.text for query in queries))
    position = {text: row for row, text in enumerate(captions)}
    row_of = {name: row for row, name in enumerate(gallery)}
    own: dict[str, set[int]] = {}
    for query in queries:
        for name in _right_images(query):
            if name in row_of:
                own.setdefault(name, set()).add(position[query.text])
    asking = images[[row_of[name] for name in own]]
    rows = texts.rows(captions)
    # A caption's bias shifts its scores with all images alike: here it decides, and becomes one more dimension.
    with_bias = torch.cat([texts.vectors[rows], texts.biases[rows, None]], dim=1)
    asking = torch.cat([asking, asking.new_ones(len(asking), 1)], dim=1)
    k = max(depths(len(captions)))
    relevant = [sorted(found) for found in own.values()]
    ranking = rank_images(asking, with_bias, relevant, k=k, seed=seed, progress=progress)
    return {
        "predictions": [[str(row) for row in found] for found in ranking.top.tolist()],
        "references": [[str(row) for row in found] for found in relevant],
        "ranks": ranking.ranks.tolist(),
        "image_ids": list(own),
    }


def _right_images(query: Query) -> tuple[str, ...]:
    return query.relevant or (query.image_id,)
