"""The composition for those whose index stands and whose encoder is elsewhere: plain arrays in, plain arrays out.

statistics = notclip.image_statistics(photos)                        # (I, D), a few hundred unlabelled photos
vectors, biases = notclip.compose(affirmed, excluded, statistics=statistics)
scores = photos @ vectors.T + biases
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from notclip.errors import BadInputError
from notclip.remote.composition_notclip import LEAST_PHOTOS, CaptionParts, CompositionWeights, ImageStatistics
from notclip.remote.composition_notclip import compose as compose_parts
from notclip.remote.composition_notclip import image_statistics as measure
from notclip.remote.configuration_notclip import NotClipConfig
from notclip.remote.inputs_notclip import check_unit_rows


def image_statistics(embeddings: Any) -> ImageStatistics:
    """Measure unlabelled photos.

    Args:
        embeddings: unit-norm image embeddings, shape (I, D), at least 100; numpy or torch.

    Raises:
        BadInputError: there are too few, or they are no finite unit vectors.
    """
    embeds = _unit_rows(embeddings, "embeddings")
    if len(embeds) < LEAST_PHOTOS:
        raise BadInputError(
            f"`embeddings` must be of at least {LEAST_PHOTOS} photos, got {len(embeds)}: `compose` works without "
            "statistics too."
        )
    return measure(embeds)


def compose(
    affirmed: Any, excluded: Sequence[Any], *, statistics: ImageStatistics | None = None, strength: float = 1.0
) -> tuple[Any, Any]:
    """Compose embeddings of what is wanted and what is not into affine queries (docs/composition.md).

    Args:
        affirmed: unit-norm embeddings of Q texts (or photos) to find, shape (Q, D); numpy or torch.
        excluded: Q arrays of shape (P, D) with what each query excludes, unit-norm embeddings; P may be 0.
        statistics: what `image_statistics` measured on photos of the kind that is searched.
        strength: the dial; at 0 nothing is excluded.

    Returns:
        vectors of shape (Q, D) and biases of shape (Q,) of the kind that `affirmed` is: the score of an image
        embedding v is v·vector + bias. A query that excludes nothing is its `affirmed` row, with bias 0.

    Raises:
        BadInputError: shapes or widths do not fit, a row is no finite unit vector, an exclusion is its query itself,
            or strength is no number from 0.
    """
    if isinstance(strength, bool) or not isinstance(strength, (int, float)) or not 0 <= strength < math.inf:
        raise BadInputError(f"`strength` must be a number from 0, got {strength!r}.")
    wanted = _unit_rows(affirmed, "affirmed")
    if len(excluded) != len(wanted):
        raise BadInputError(
            f"`excluded` must hold one array for each of the {len(wanted)} rows of `affirmed`, got {len(excluded)}."
        )
    unwanted = [
        _unit_rows(rows, f"excluded[{row}]", width=wanted.shape[1], like=wanted) for row, rows in enumerate(excluded)
    ]
    for row, own in enumerate(unwanted):
        if len(own) and (own @ wanted[row] > 1 - 1e-5).any():
            raise BadInputError(f"`excluded[{row}]` must differ from the query, but holds row {row} of `affirmed`.")
    if statistics is not None:
        if statistics.mean.shape[0] != wanted.shape[1]:
            raise BadInputError(
                f"`statistics` must be of the width of `affirmed`, {wanted.shape[1]}, got {statistics.mean.shape[0]}."
            )
        statistics = ImageStatistics(*(part.to(wanted) for part in vars(statistics).values()))
    excluding = torch.tensor([row for row, own in enumerate(unwanted) if len(own)], dtype=torch.long)
    vectors, biases = wanted.clone(), wanted.new_zeros(len(wanted))
    if len(excluding):
        groups = [unwanted[row] for row in excluding.tolist()]
        excluding = excluding.to(wanted.device)
        parts = CaptionParts(
            whole=wanted[excluding],
            affirmed=wanted[excluding],
            affirmed_words=wanted.new_ones(len(groups)),
            excluded=torch.cat(groups),
            owner=torch.cat([torch.full((len(own),), row) for row, own in enumerate(groups)]).to(wanted.device),
        )
        vectors[excluding], biases[excluding] = compose_parts(
            parts, _default_weights(wanted), statistics, strength=strength
        )
    return (vectors, biases) if isinstance(affirmed, Tensor) else (vectors.cpu().numpy(), biases.cpu().numpy())


def _default_weights(like: Tensor) -> CompositionWeights:
    names = CompositionWeights.__dataclass_fields__
    return CompositionWeights(**{name: like.new_tensor(getattr(NotClipConfig, name)) for name in names})


def _unit_rows(rows: Any, name: str, *, width: int | None = None, like: Tensor | None = None) -> Tensor:
    """Rows as a float tensor, checked."""
    rows = rows if isinstance(rows, Tensor) else torch.from_numpy(np.array(rows, dtype=np.float32))
    rows = rows.detach().to(torch.promote_types(rows.dtype, torch.float32)) if like is None else rows.detach().to(like)
    try:
        check_unit_rows(rows, f"`{name}`", width=width)
    except ValueError as error:
        raise BadInputError(str(error)) from error
    return rows
