"""Pairs of images and captions in Winoground's form: each caption is true of one image and false of the other.

The *text score* is the share of pairs in which both images get their caption, the *image score* that in which both
captions get their image, and the *group score* that in which all four comparisons come out right (Thrush et al. 2022,
arXiv 2204.03162). What looks at the texts alone, or at the images alone, has no pair right.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from notclip.evaluate_metrics.negated_mcq.negated_mcq import score_questions
from notclip.scoring.embed import TextVectors
from notclip.scoring.suites.suite import ImagePair

# Of the 24 orders of a pair's four scores, four put both right ones above both wrong ones.
GROUP_CHANCE = 1 / 6
_ASKED = {"pair_text_score": (0, 1), "pair_image_score": (2, 3), "pair_group_score": (0, 1, 2, 3)}


def pair_scores(pairs: Sequence[ImagePair], texts: TextVectors, images: Tensor, names: Sequence[str]) -> list[Any]:
    """Score both captions of each pair with both of its images.

    Args:
        pairs: the pairs.
        texts: vectors of their captions.
        images: embeddings, shape (I, D).
        names: the images' ids, in the order of their embeddings.

    Returns:
        For each pair a row of scores for each image, one for each caption, shape (P, 2, 2).
    """
    position = {name: row for row, name in enumerate(names)}
    rows = texts.rows([caption for pair in pairs for caption in pair.captions]).reshape(-1, 2)
    own = torch.tensor([[position[name] for name in pair.image_ids] for pair in pairs], device=images.device)
    scores = images[own] @ texts.vectors[rows].transpose(1, 2) + texts.biases[rows][:, None]
    return scores.cpu().tolist()


def score_image_pairs(
    scores: Sequence[Any],
    pairs: Sequence[ImagePair],
    *,
    compared: Sequence[Any] | None = None,
    n_resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Text, image and group score of pairs, with intervals that know that pairs share images.

    Args:
        scores: of each pair's images and captions, shape (P, 2, 2); of equal scores half are right.
        pairs: the pairs.
        compared: the scores of a second model, for differences and tests.
        n_resamples: of the bootstrap; 0 leaves the intervals out.
        seed: of the bootstrap.

    Returns:
        The three scores, 0 to 1, `pair_group_chance`, `n_pairs` and `confidence_intervals`; of a comparison the
        differences and p-values.
    """
    asked = _four_questions(scores)
    others = None if compared is None else _four_questions(compared)
    figures: dict[str, Any] = {}
    bounds: dict[str, Any] = {}
    for name, questions in _ASKED.items():
        every = slice(None)
        columns = {
            "predictions": asked[every, questions].reshape(-1, 2),
            "references": [0, 1] * (len(pairs) * len(questions) // 2),
            "groups": [pair.name for pair in pairs for _ in questions],
            "image_ids": [pair.image_ids[number % 2] for pair in pairs for number in questions],
            "compared_predictions": None if others is None else others[every, questions].reshape(-1, 2),
        }
        found = score_questions(columns, n_resamples=n_resamples, seed=seed)
        renamed = {"group_score": name, "group_score_difference": f"{name}_difference"}
        renamed |= {"group_score_p_value": f"{name}_p_value"}
        figures |= {renamed[key]: value for key, value in found.items() if key in renamed}
        intervals = found.get("confidence_intervals", {})
        bounds |= {renamed[key]: value for key, value in intervals.items() if key in renamed}
    figures |= {"pair_group_chance": GROUP_CHANCE, "n_pairs": len(pairs)}
    return figures | ({"confidence_intervals": bounds} if n_resamples else {})


def _four_questions(scores: Sequence[Any]) -> NDArray[np.float64]:
    """Each image asked for its caption, then each caption for its image; the answers are 0, 1, 0, 1: (P, 4, 2)."""
    both = np.asarray(scores, dtype=np.float64)
    return np.concatenate([both, both.transpose(0, 2, 1)], axis=1)
