"""Ways to turn what a text affirms and excludes into one affine query: the field's, and the shipped one at two levels.

    subtraction  a - λ n                                      (Rocchio 1971; rclip, Weaviate, Qdrant)
    projection   a less λ of its part along n                 (Widdows 2003)
    caps         a turned away from n until their cosine is λ (after SpaceVLM 2025; n the mean of what is excluded)
    DEO          λ_o a + λ_p a - λ n, of unit norm            (DEO's quadratic in closed form; a for both)
    level 1      `composition_notclip.compose` without statistics, by dial

and, given the same unlabelled photos,

    feedback                a' alone: a moved by the photos that it finds, as `compose` does at dial 1
    feedback, subtraction   a' - λ n, both in units of their spread over photos
    feedback, projection    a' less λ of its part along n over photos, in those units
    level 2                 `compose` with statistics, by dial

All that subtract divide λ by √L, L words being affirmed. A text that only excludes affirms what texts have in common
and is raised by the shipped level, whichever the way.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from torch import Tensor

from notclip.remote.composition_notclip import CaptionParts, CompositionWeights, ImageStatistics, compose
from notclip.remote.configuration_notclip import NotClipConfig

DIALS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
Turn = Callable[[CaptionParts, float], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Way:
    """Turns parts at a setting into vectors (Q, D) and biases (Q,); `settings` are those to choose from."""

    turn: Turn
    settings: tuple[float, ...]


def ways(statistics: ImageStatistics, *, spread: float) -> dict[str, Way]:
    """All ways by name.

    Args:
        statistics: of unlabelled photos, for those that use them.
        spread: of a word's similarity over photos, in units of cosine, as the model assumes it without photos.
    """

    def raised(turn: Callable[[CaptionParts, float], Tensor]) -> Turn:
        return lambda parts, setting: (
            turn(parts, setting),
            torch.where(parts.has_affirmed, 0.0, NotClipConfig.level * spread),
        )

    def over_photos(*, projecting: bool) -> Turn:
        return lambda parts, setting: _with_feedback(parts, setting, statistics, projecting=projecting)

    def shipped(measured: ImageStatistics | None) -> Turn:
        return lambda parts, dial: compose(parts, shipped_weights(parts.whole), measured, spread=spread, strength=dial)

    return {
        "A alone": Way(raised(lambda parts, _: parts.affirmed), (0.0,)),
        "subtraction": Way(raised(_subtraction), (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8)),
        "projection": Way(raised(_projection), (0.25, 0.5, 0.75, 1.0, 1.5)),
        "caps": Way(raised(_caps), (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)),
        "DEO, closed form": Way(raised(_deo), (0.2, 0.4, 0.6, 0.8, 1.0, 1.2)),
        "level 1": Way(shipped(None), DIALS),
        "feedback": Way(over_photos(projecting=False), (0.0,)),
        "feedback, subtraction": Way(over_photos(projecting=False), (0.1, 0.2, 0.3, 0.4, 0.6, 0.8)),
        "feedback, projection": Way(over_photos(projecting=True), (0.25, 0.5, 0.75, 1.0, 1.5)),
        "level 2": Way(shipped(statistics), DIALS),
    }


def shipped_weights(like: Tensor, **changed: float) -> CompositionWeights:
    """The constants that the model ships, some of them changed, as tensors of the kind of `like`."""
    values = {field.name: getattr(NotClipConfig, field.name) for field in fields(CompositionWeights)} | changed
    return CompositionWeights(**{name: like.new_tensor(value) for name, value in values.items()})


def _share(parts: CaptionParts, weight: float) -> Tensor:
    """λ/√L of each text, shape (Q, 1)."""
    return weight / parts.affirmed_words.clamp_min(1).to(parts.whole).sqrt()[:, None]


def _subtraction(parts: CaptionParts, weight: float) -> Tensor:
    return parts.affirmed.index_add(0, parts.owner, -_share(parts, weight)[parts.owner] * parts.excluded)


def _projection(parts: CaptionParts, weight: float) -> Tensor:
    along = (parts.affirmed[parts.owner] * parts.excluded).sum(-1, keepdim=True)
    return parts.affirmed.index_add(0, parts.owner, -weight * along * parts.excluded)


def _caps(parts: CaptionParts, cosine: float) -> Tensor:
    away = F.normalize(torch.zeros_like(parts.affirmed).index_add(0, parts.owner, parts.excluded), dim=-1)
    along = (parts.affirmed * away).sum(-1, keepdim=True)
    side = F.normalize(parts.affirmed - along * away, dim=-1)
    return torch.where(along > cosine, cosine * away + (1 - cosine**2) ** 0.5 * side, parts.affirmed)


def _deo(parts: CaptionParts, weight: float) -> Tensor:
    return F.normalize(
        (2 * parts.affirmed).index_add(0, parts.owner, -_share(parts, weight)[parts.owner] * parts.excluded), dim=-1
    )


def _with_feedback(
    parts: CaptionParts, weight: float, statistics: ImageStatistics, *, projecting: bool
) -> tuple[Tensor, Tensor]:
    """Subtraction or projection from the affirmed part that `compose` moves, in units of spread over photos."""
    nothing = shipped_weights(parts.whole, exclusion=0.0, only_exclusion=0.0)
    moved, _ = compose(parts, nothing, statistics)
    own, each = _spread(moved, statistics), _spread(parts.excluded, statistics)
    concepts = own[parts.owner] * parts.excluded / each  # (P, D), as spread as what is affirmed
    if projecting:
        along = ((moved @ statistics.covariance)[parts.owner] * concepts).sum(-1, keepdim=True)
        pull = weight * along / own[parts.owner].square()
    else:
        pull = _share(parts, weight)[parts.owner]
    vectors = moved.index_add(0, parts.owner, -pull * concepts)
    counts = torch.bincount(parts.owner, minlength=len(own)).clamp_min(1)
    level = NotClipConfig.level * torch.zeros_like(own[:, 0]).index_add(0, parts.owner, each[:, 0]) / counts
    return vectors, torch.where(parts.has_affirmed, 0.0, level) + (parts.affirmed - vectors) @ statistics.mean


def _spread(embeds: Tensor, statistics: ImageStatistics) -> Tensor:
    """σ of each of N embeddings over photos, shape (N, 1)."""
    return ((embeds @ statistics.covariance) * embeds).sum(-1, keepdim=True).sqrt()
