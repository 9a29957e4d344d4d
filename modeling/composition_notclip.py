"""From the embeddings of a caption's parts to one query that excludes what the caption negates.

A caption is embedded whole (t), its affirmed part alone and without its frame (a), and each excluded concept (n).
How much an image v shows a concept is read from its similarity to n, standardised over images: z(v) = (v·n - m·n) /
sqrt(nᵀ C n), where m and C are mean and covariance of image embeddings, so that a common concept and a rare one are
measured alike. A presence detector on frozen embeddings is a linear one (as in linear probes, Radford et al. 2021,
section 3.2), its log odds affine in z; the composition adds the log odds of absence of each excluded concept:

    hybrid    s(v) = (1-w) v·a + w v·t + K^-κ Σ (c - λ/L z(v))
    negation  s(v) = b         + w v·t + K^-κ Σ (c - λ   z(v))

L words are affirmed: a caption of unit norm is as long however much it says, so that each word's share of v·a falls
as 1/L, and an excluded concept weighs as one more word. K concepts are excluded; κ is 0 where each tells something of
its own, 1 where their mean says it all. Both are affine in v, s(v) = v·q + bias, so that a vector index can serve
them. A caption that negates nothing is t.
Subtracting a negated concept's embedding is query algebra's oldest form (Rocchio 1971); the standardisation and the
bias are what makes scores of different captions comparable.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class CaptionParts:
    """Unit-norm embeddings of the parts of Q captions that negate something, with P excluded concepts in all.

    Args:
        whole: embedding of each whole caption, shape (Q, D).
        affirmed: embedding of each caption's affirmed part, shape (Q, D); any value where there is none.
        affirmed_words: L, how many words that part has, 0 where there is none, shape (Q,).
        excluded: embedding of each excluded concept, shape (P, D).
        owner: index of the caption that excludes it, shape (P,).
    """

    whole: Tensor
    affirmed: Tensor
    affirmed_words: Tensor
    excluded: Tensor
    owner: Tensor

    @property
    def has_affirmed(self) -> Tensor:
        """Whether each caption affirms anything, bool, shape (Q,)."""
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
class CompositionWeights:
    """The scalars of the composition: see the module's formula.

    Args:
        hybrid: (w, λ, c) for captions that affirm and negate, shape (3,).
        negation: (w, λ, c) for captions that only negate, shape (3,).
        negation_bias: b, scalar.
        sharing: κ, scalar.
    """

    hybrid: Tensor
    negation: Tensor
    negation_bias: Tensor
    sharing: Tensor


def compose(
    parts: CaptionParts,
    weights: CompositionWeights,
    image_mean: Tensor,
    image_covariance: Tensor,
    *,
    strength: float = 1.0,
) -> tuple[Tensor, Tensor]:
    """Compose each caption's parts into one affine query.

    Args:
        parts: the embedded parts.
        weights: the scalars of the formula.
        image_mean: mean of unit-norm image embeddings, shape (D,).
        image_covariance: their covariance, shape (D, D).
        strength: multiplies w, λ and c, a positive w by at most 1; at 0 nothing is excluded. Of a caption that only
            negates c is left as it is: there it sets, with b, how that caption stands beside others.

    Returns:
        vectors of shape (Q, D) and biases of shape (Q,), in units of cosine similarity.
    """
    affirms = parts.has_affirmed.unsqueeze(-1)  # (Q, 1)
    scalars = torch.where(affirms, weights.hybrid, weights.negation)  # (Q, 3)
    # A negative share of the whole caption excludes too, and is dialled alike; more of a positive one would not.
    share_strength = torch.where(scalars[:, :1] < 0, strength, min(strength, 1.0))  # (Q, 1)
    bonus_strength = torch.where(affirms, strength, 1.0)  # (Q, 1)
    dials = torch.cat([share_strength, torch.full_like(bonus_strength, strength), bonus_strength], dim=-1)  # (Q, 3)
    whole_share, exclusion, bonus = (dials * scalars).unbind(-1)  # (Q,) each
    exclusion = exclusion / parts.affirmed_words.clamp_min(1)  # by L, or by 1 where nothing is affirmed
    vectors = whole_share.unsqueeze(-1) * parts.whole
    vectors = vectors + torch.where(affirms, (1 - whole_share).unsqueeze(-1) * parts.affirmed, 0.0)
    biases = torch.where(parts.has_affirmed, 0.0, weights.negation_bias)

    spread = torch.einsum("pd,de,pe->p", parts.excluded, image_covariance, parts.excluded).clamp_min(1e-12).sqrt()
    counts = torch.bincount(parts.owner, minlength=len(parts.whole)).clamp_min(1).to(spread.dtype)  # (Q,)
    share = counts.pow(-weights.sharing)[parts.owner]  # (P,)
    pull = share * exclusion[parts.owner] / spread  # (P,)
    mean_similarity = parts.excluded @ image_mean  # (P,)
    vectors = vectors.index_add(0, parts.owner, -pull.unsqueeze(-1) * parts.excluded)
    biases = biases.index_add(0, parts.owner, pull * mean_similarity + share * bonus[parts.owner])
    return vectors, biases
