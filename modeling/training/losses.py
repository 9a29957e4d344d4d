"""What NotCLIP is trained on: one function a loss, each on unit-norm embeddings or composed queries.

    L = a · contrastive_loss + (1 - a) · caption_choice_loss + anchor_weight · anchor_loss
        + class_weight · class_prompt_loss

after NegBench (Alhamoud et al. 2025, section 5), whose released checkpoints use a = 0.99; the anchor is ours and holds
what affirmative captions find to what the backbone finds by them, so that ordinary search is not forgotten. The last
is ours too, for photos that a detector saw: it teaches classes that captions seldom name.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from notclip.remote.composition_notclip import ImageStatistics


def contrastive_loss(
    image_embeds: Tensor, queries: Tensor, scale: Tensor, query_biases: Tensor | None = None
) -> Tensor:
    """Symmetric InfoNCE between images and their captions (Radford et al. 2021, Figure 3).

    Args:
        image_embeds: unit-norm embeddings of B different images, shape (B, D).
        queries: unit-norm caption embeddings, or composed query vectors; row b belongs to image b, shape (B, D).
        scale: inverse temperature `exp(t)`, scalar.
        query_biases: what composed queries add to their scores, in units of cosine similarity, shape (B,); none by
            default.

    Returns:
        Mean loss in nats, scalar; log(B) for a model that cannot tell pairs apart.
    """
    scores = queries @ image_embeds.T  # (B, B)
    if query_biases is not None:
        scores = scores + query_biases[:, None]
    logits = scale * scores
    target = torch.arange(len(logits), device=logits.device)
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


def caption_choice_loss(choice_scores: Tensor, answer: Tensor, scale: Tensor) -> Tensor:
    """Cross-entropy of picking each image's true caption among its own distractors.

    Args:
        choice_scores: score of each choice for its question's image, in units of cosine similarity, shape (B, C);
            -inf where a question has fewer choices.
        answer: index of the true caption, shape (B,).
        scale: inverse temperature, scalar.

    Returns:
        Mean loss in nats, scalar; log(C) for a model that cannot tell the captions apart.
    """
    return F.cross_entropy(scale * choice_scores, answer)


def anchor_loss(text_embeds: Tensor, backbone_embeds: Tensor) -> Tensor:
    """Mean squared distance of affirmative captions, or of images, from where the frozen backbone puts them.

    Args:
        text_embeds: unit-norm embeddings by the model in training, shape (B, D).
        backbone_embeds: unit-norm embeddings of the same by the backbone, shape (B, D).

    Returns:
        Mean of |x - y|² = 2 - 2 cos(x, y), scalar in [0, 4]; 0 when nothing moved.
    """
    return (text_embeds - backbone_embeds).square().sum(-1).mean()


def search_anchor_loss(text_embeds: Tensor, backbone_embeds: Tensor, statistics: ImageStatistics) -> Tensor:
    """How far affirmative captions score photos otherwise than by the frozen backbone.

    Over photos of mean m and covariance C, a caption that moves by d from y changes its similarities by d·m on average
    and by sqrt(dᵀ C d) around that; both are measured in y's own spread. A move that no photo notices is free.

    Args:
        text_embeds: unit-norm embeddings by the model in training, shape (B, D).
        backbone_embeds: unit-norm embeddings of the same captions by the backbone, shape (B, D).
        statistics: of the photos.

    Returns:
        Mean of ((d·m)² + dᵀ C d) / yᵀ C y, scalar; 0 when nothing moved.
    """
    moved = text_embeds - backbone_embeds
    changed = (moved @ statistics.mean).square() + ((moved @ statistics.covariance) * moved).sum(-1)
    return (changed / ((backbone_embeds @ statistics.covariance) * backbone_embeds).sum(-1)).mean()


def class_prompt_loss(agreement: Tensor, level: Tensor, widening: Tensor) -> Tensor:
    """How far prompts are from rising and falling over photos with what a detector sees of their classes.

    Which photos a prompt is near is to be learnt, and not how near it is to photos at large: by that the choices of a
    question are told apart.

    Args:
        agreement: correlation of each of B prompts, as `SeenClasses.agreement` measures it, shape (B,).
        level: how far its mean similarity has moved from the backbone's, in spreads of that one's, shape (B,).
        widening: logarithm of its spread over the backbone's, shape (B,).

    Returns:
        Mean of 1 - agreement + 4 (level² + widening²), scalar; 0 where every prompt orders the photos as the detector
        does, and lies among them as before.
    """
    return (1 - agreement + 4 * (level.square() + widening.square())).mean()
