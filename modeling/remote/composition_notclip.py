"""From the embeddings of a text's parts to one query that excludes what the text negates.

A text is embedded whole (t), its affirmed part alone and without its frame (a), and each excluded concept (n). Over
photos with the covariance C a text's similarity spreads by σ(x) = sqrt(xᵀ C x); in those units, x̂ = x / σ(x),

    q = (1-w) σ(a) [â' - λ/√L K^-κ Σ (n̂ - ρ â')] + w t        ρ = â'ᵀ C n̂
    s(v) = v·q + bias

K concepts are excluded beside L affirmed words. ρ leaves to n only what a does not say itself: over photos the
exclusion is uncorrelated with what is affirmed. â' is â, moved by the photos that it finds: â' ∝ â + β/√L ĥ, h the
mean of photos, less that of all, weighted by exp(v·â) (Rocchio's feedback). bias keeps every part at its own mean.
Where no photos were measured C is the identity, h and means are absent, and q = a - λ/√L K^-κ Σ (n - (a·n) a).

A text that only excludes affirms whatever texts have in common (the unit mean g of `GENERIC_TEXTS`), and its bias is
raised by b spreads, so that "no dogs" and "a dog" can be choices of one question. A text that negates nothing is t.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

CENTRES = 64
LEAST_PHOTOS = 100
FEEDBACK = 0.4  # β, chosen on real CLIP embeddings (docs/composition.md)
# Spread of a word's similarity over photos, times the logit scale: OpenAI's ViT-B/32 2.0, the Flickr8k base 2.7, the
# drawn world's encoder 3.3. Used where no photos were measured.
SPREAD_OF_A_LOGIT = 2.5
GENERIC_TEXTS = (
    "a person",
    "a man",
    "a child",
    "a dog",
    "a cat",
    "a bird",
    "a car",
    "a bicycle",
    "a boat",
    "a house",
    "a tree",
    "a flower",
    "a beach",
    "a street",
    "a mountain",
    "a room",
    "a table",
    "a chair",
    "food",
    "a ball",
    "water",
    "grass",
)


@dataclass(frozen=True)
class CaptionParts:
    """Unit-norm embeddings of the parts of Q texts that negate something, with P excluded concepts in all.

    Args:
        whole: embedding of each whole text, shape (Q, D).
        affirmed: embedding of each text's affirmed part, or of generic texts where there is none, shape (Q, D).
        affirmed_words: L, how many words that part has, 0 where there is none, shape (Q,).
        excluded: embedding of each excluded concept, shape (P, D).
        owner: index of the text that excludes it, shape (P,).
    """

    whole: Tensor
    affirmed: Tensor
    affirmed_words: Tensor
    excluded: Tensor
    owner: Tensor

    @property
    def has_affirmed(self) -> Tensor:
        """Whether each text affirms anything, bool, shape (Q,)."""
        return self.affirmed_words > 0


@dataclass(frozen=True)
class EmbeddedTexts:
    """T embedded texts, some of which negate something.

    Args:
        whole: unit-norm embedding of each whole text, shape (T, D).
        negating: rows of the Q texts that negate, shape (Q,).
        parts: the parts of those.
    """

    whole: Tensor
    negating: Tensor
    parts: CaptionParts


@dataclass(frozen=True)
class ImageStatistics:
    """What unlabelled photos look like to an image tower.

    Args:
        mean: mean of unit-norm image embeddings, shape (D,).
        covariance: their covariance, shape (D, D).
        centres: means of clusters of them, shape (CENTRES, D).
        shares: share of the photos that each cluster has, 0 for rows that are not used, shape (CENTRES,).
    """

    mean: Tensor
    covariance: Tensor
    centres: Tensor
    shares: Tensor


@dataclass(frozen=True)
class CompositionWeights:
    """The scalars of the composition, each of shape (): see the module's formula.

    Args:
        exclusion: λ where something is affirmed, in spreads of the affirmed part.
        only_exclusion: λ where nothing is.
        level: b, in spreads.
        sharing: κ.
        whole_share: w.
    """

    exclusion: Tensor
    only_exclusion: Tensor
    level: Tensor
    sharing: Tensor
    whole_share: Tensor


def image_statistics(image_embeds: Tensor, *, shrinkage: float = 0.05) -> ImageStatistics:
    """Measure image embeddings of shape (I, D).

    Args:
        image_embeds: unit-norm embeddings.
        shrinkage: share of a multiple of the identity in the covariance, in [0, 1] (Ledoit & Wolf 2004); keeps a
            direction that few images vary in from counting as certain.
    """
    image_embeds = image_embeds.detach().to(torch.promote_types(image_embeds.dtype, torch.float32))
    mean = image_embeds.mean(0)
    centred = image_embeds - mean
    covariance = centred.T @ centred / max(len(image_embeds) - 1, 1)
    dimension = len(mean)
    isotropic = torch.eye(dimension, device=mean.device, dtype=mean.dtype) * covariance.trace() / dimension
    centres, shares = _clusters(image_embeds)
    return ImageStatistics(mean, (1 - shrinkage) * covariance + shrinkage * isotropic, centres, shares)


def _clusters(image_embeds: Tensor, *, rounds: int = 15) -> tuple[Tensor, Tensor]:
    """Spherical k-means (Dhillon & Modha 2001) from evenly spaced photos: centres and shares of `ImageStatistics`."""
    used = min(CENTRES, len(image_embeds))
    centres = image_embeds[torch.linspace(0, len(image_embeds) - 1, used, device=image_embeds.device).long()]
    counts = image_embeds.new_ones(used)
    for _ in range(rounds):
        nearest = (image_embeds @ nn.functional.normalize(centres, dim=-1).T).argmax(1)
        counts = torch.bincount(nearest, minlength=used).to(image_embeds.dtype)
        sums = torch.zeros_like(centres).index_add(0, nearest, image_embeds)
        centres = torch.where(counts[:, None] > 0, sums / counts.clamp_min(1)[:, None], centres)
    padding = (0, CENTRES - used)
    return nn.functional.pad(centres, (0, 0, *padding)), nn.functional.pad(counts / counts.sum(), padding)


def compose(
    parts: CaptionParts,
    weights: CompositionWeights,
    statistics: ImageStatistics | None,
    *,
    spread: Tensor | float | None = None,
    strength: float = 1.0,
) -> tuple[Tensor, Tensor]:
    """Compose each text's parts into one affine query.

    Args:
        parts: the embedded parts.
        weights: the scalars of the formula.
        statistics: of the photos, or None where none were measured.
        spread: of a word's similarity over photos, in units of cosine; what `level` counts in without statistics.
        strength: multiplies λ, β and w, a positive w by at most 1; at 0 the affirmed part alone is left. The level of
            a text that only excludes stays.

    Returns:
        vectors of shape (Q, D) and biases of shape (Q,), in units of cosine similarity.
    """
    affirms, owner, excluded = parts.has_affirmed, parts.owner, parts.excluded
    root = parts.affirmed_words.clamp_min(1).to(parts.affirmed.dtype).sqrt()  # √L, (Q,)
    own_spread = _spread(parts.affirmed, statistics)  # (Q, 1)
    affirmed = parts.affirmed / own_spread
    if statistics is not None:
        feedback = torch.where(affirms, strength * FEEDBACK / root, 0.0)[:, None]
        affirmed = affirmed + feedback * _found(affirmed, statistics)
        affirmed = affirmed / _spread(affirmed, statistics)
    excluded_spread = _spread(excluded, statistics)  # (P, 1)
    concepts = excluded / excluded_spread
    seen = affirmed if statistics is None else affirmed @ statistics.covariance
    rest = concepts - (seen[owner] * concepts).sum(-1, keepdim=True) * affirmed[owner]  # (P, D)
    counts = torch.zeros_like(root).index_add(0, owner, torch.ones_like(excluded[:, 0])).clamp_min(1)  # K, (Q,)
    pull = (
        torch.where(affirms, weights.exclusion, weights.only_exclusion)
        * strength
        / root
        * counts.pow(-weights.sharing)
    )
    vectors = own_spread * affirmed.index_add(0, owner, -pull[owner, None] * rest)

    level = torch.where(affirms, 0.0, weights.level)
    if statistics is None:
        biases = level * (1.0 if spread is None else spread)
    else:
        concept_spread = torch.zeros_like(root).index_add(0, owner, excluded_spread[:, 0]) / counts
        biases = level * concept_spread + (parts.affirmed - vectors) @ statistics.mean
    share = torch.where(weights.whole_share < 0, strength, min(strength, 1.0)) * weights.whole_share
    return vectors + share * (parts.whole - vectors), biases


def _spread(embeds: Tensor, statistics: ImageStatistics | None) -> Tensor:
    """σ of each of N embeddings, shape (N, 1); their length where no photos were measured."""
    squared = embeds.square().sum(-1) if statistics is None else ((embeds @ statistics.covariance) * embeds).sum(-1)
    return squared.clamp_min(1e-12).sqrt()[:, None]


def _found(affirmed: Tensor, statistics: ImageStatistics) -> Tensor:
    """ĥ of each of Q affirmed parts in units of spread: where the photos that it finds lie, shape (Q, D)."""
    nearness = affirmed @ (statistics.centres - statistics.mean).T + statistics.shares.log()  # (Q, CENTRES)
    found = nearness.softmax(-1) @ statistics.centres - statistics.mean
    return found / _spread(found, statistics)
