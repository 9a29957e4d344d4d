"""Fit the composition to a backbone: what its image embeddings look like, and how much an excluded concept counts.

Eight scalars are fitted on validation data by making the model answer its questions and find its images:

    cross-entropy of each question's choices + cross-entropy of each negated query over the images

with a free temperature for each term, which is fitted too and thrown away. The towers stay as they are.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from notclip.composition_notclip import CompositionWeights
from notclip.modeling_notclip import NotClipModel
from notclip.training_data import Question


class TrainableComposition(nn.Module):
    """The scalars of the composition as parameters, positive where the formula needs it."""

    def __init__(self, model: NotClipModel):
        super().__init__()
        self.hybrid = nn.Parameter(torch.tensor(model.config.hybrid_weights, dtype=torch.float32))
        self.negation = nn.Parameter(torch.tensor(model.config.negation_weights, dtype=torch.float32))
        self.negation_bias = nn.Parameter(torch.tensor(model.config.negation_bias, dtype=torch.float32))
        self.sharing = nn.Parameter(torch.tensor(model.config.exclusion_sharing, dtype=torch.float32))

    def weights(self) -> CompositionWeights:
        """The scalars as `compose` takes them; an exclusion never attracts."""
        sign = torch.tensor([False, True, False], device=self.hybrid.device)
        return CompositionWeights(
            hybrid=torch.where(sign, self.hybrid.abs(), self.hybrid),
            negation=torch.where(sign, self.negation.abs(), self.negation),
            negation_bias=self.negation_bias,
            sharing=self.sharing.clamp(0, 1),
        )

    def write_to(self, model: NotClipModel) -> None:
        """Put the scalars into the model's configuration."""
        weights = self.weights()
        model.config.hybrid_weights = weights.hybrid.tolist()
        model.config.negation_weights = weights.negation.tolist()
        model.config.negation_bias = weights.negation_bias.item()
        model.config.exclusion_sharing = weights.sharing.item()


@dataclass(frozen=True)
class ImageStatistics:
    """Mean, shape (D,), and covariance, shape (D, D), of unit-norm image embeddings."""

    mean: Tensor
    covariance: Tensor


def image_statistics(image_embeds: Tensor, *, shrinkage: float = 0.05) -> ImageStatistics:
    """Measure image embeddings of shape (I, D), shrinking the covariance towards a multiple of the identity.

    Args:
        image_embeds: unit-norm embeddings, shape (I, D).
        shrinkage: share of the identity, in [0, 1] (Ledoit & Wolf 2004); keeps a direction that few images vary in
            from counting as certain.
    """
    mean = image_embeds.mean(0)
    centred = image_embeds - mean
    covariance = centred.T @ centred / max(len(image_embeds) - 1, 1)
    dimension = covariance.shape[0]
    isotropic = torch.eye(dimension, device=covariance.device) * covariance.trace() / dimension
    return ImageStatistics(mean, (1 - shrinkage) * covariance + shrinkage * isotropic)


def set_image_statistics(model: NotClipModel, statistics: ImageStatistics) -> None:
    """Put the statistics into the model's buffers."""
    model.image_mean.copy_(statistics.mean)
    model.image_covariance.copy_(statistics.covariance)


def choice_scores(
    questions: Sequence[Question],
    position: dict[str, int],
    vectors: Tensor,
    biases: Tensor,
    image_embeds: Tensor,
) -> tuple[Tensor, Tensor]:
    """Score each question's choices for its own image.

    Args:
        questions: Q questions.
        position: row of each choice's text in `vectors`.
        vectors: query vectors, shape (T, D).
        biases: query biases, shape (T,).
        image_embeds: embeddings that the questions' `image` indexes, shape (I, D).

    Returns:
        scores of shape (Q, C), -inf where a question has fewer choices than the longest, and answers of shape (Q,).
    """
    most = max(len(question.choices) for question in questions)
    rows = torch.tensor([[position[c] for c in q.choices] + [0] * (most - len(q.choices)) for q in questions])
    padding = torch.tensor([[False] * len(q.choices) + [True] * (most - len(q.choices)) for q in questions])
    images = image_embeds[torch.tensor([question.image for question in questions])]  # (Q, D)
    scores = torch.einsum("qd,qcd->qc", images, vectors[rows]) + biases[rows]
    answers = torch.tensor([question.answer for question in questions])
    return scores.masked_fill(padding.to(scores.device), float("-inf")), answers.to(scores.device)


def fit_composition(
    model: NotClipModel,
    image_embeds: Tensor,
    questions: Sequence[Question],
    negated_queries: Sequence[tuple[str, int]],
    *,
    iterations: int = 60,
) -> dict[str, float]:
    """Fit the scalars of the composition and write them into the model's configuration.

    Args:
        model: the model; its towers and image statistics are used as they are.
        image_embeds: embeddings that questions and queries index, shape (I, D).
        questions: questions to answer.
        negated_queries: (text, index of its image).
        iterations: L-BFGS iterations at most.

    Returns:
        The two losses in nats at the end: `question_loss` and `retrieval_loss`.
    """
    texts = list(dict.fromkeys([c for q in questions for c in q.choices] + [text for text, _ in negated_queries]))
    position = {text: row for row, text in enumerate(texts)}
    with torch.no_grad():
        embedded = model.embed_texts(texts)
    composition = TrainableComposition(model)
    log_scales = nn.Parameter(torch.full((2,), math.log(20.0)))
    query_rows = torch.tensor([position[text] for text, _ in negated_queries])
    query_images = torch.tensor([image for _, image in negated_queries])
    searched, query_targets = torch.unique(query_images, return_inverse=True)

    def losses() -> tuple[Tensor, Tensor]:
        vectors, biases = model.compose(embedded, composition.weights())
        scores, answers = choice_scores(questions, position, vectors, biases, image_embeds)
        # A query's bias is the same for every image, so it plays no part in search.
        found = vectors[query_rows] @ image_embeds[searched].T
        scales = log_scales.exp()
        return F.cross_entropy(scales[0] * scores, answers), F.cross_entropy(scales[1] * found, query_targets)

    def closure() -> Tensor:
        optimizer.zero_grad()
        total = sum(losses(), torch.zeros(()))
        total.backward()
        return total

    optimizer = torch.optim.LBFGS(
        [*composition.parameters(), log_scales], max_iter=iterations, line_search_fn="strong_wolfe"
    )
    optimizer.step(closure)
    question_loss, retrieval_loss = (loss.item() for loss in losses())
    composition.write_to(model)
    return {"question_loss": question_loss, "retrieval_loss": retrieval_loss}
