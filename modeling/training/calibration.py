"""Fit the composition's scalars to a backbone: how much an excluded concept counts.

Five scalars are fitted on validation data by making the model answer its questions and find its images:

    cross-entropy of each question's choices + cross-entropy of each negated query over the images

with a small pull of each scalar to where it started, and a free temperature for each term, which is fitted too and
thrown away. The towers stay as they are.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from notclip.remote.composition_notclip import CompositionWeights
from notclip.remote.configuration_notclip import COMPOSITION_SCALARS
from notclip.remote.modeling_notclip import NotClipModel
from notclip.training.data import TrainingQuestion
from notclip.training.embedding_shards import EmbeddedRows, EmbeddingShards

# Few questions, or towers that tell nothing, would send a scalar off without end: nats per squared unit.
PULL_TO_START = 0.01


class TrainableComposition(nn.Module):
    """The scalars of the composition as parameters, positive where the formula needs it."""

    def __init__(self, model: NotClipModel):
        super().__init__()
        start = {name: torch.tensor(float(getattr(model.config, name))) for name in COMPOSITION_SCALARS}
        self.scalars = nn.ParameterDict({name: nn.Parameter(value.to(model.device)) for name, value in start.items()})

    def weights(self) -> CompositionWeights:
        """The scalars as `compose` takes them; an exclusion never attracts."""
        return CompositionWeights(
            exclusion=self.scalars["exclusion"].abs(),
            only_exclusion=self.scalars["only_exclusion"].abs(),
            level=self.scalars["level"],
            sharing=self.scalars["sharing"].clamp(0, 1),
            whole_share=self.scalars["whole_share"],
        )

    def distance_from(self, start: dict[str, float]) -> Tensor:
        """Sum of squared distances of the scalars from where they started, scalar."""
        return torch.stack([(self.scalars[name] - value).square() for name, value in start.items()]).sum()

    def write_to(self, model: NotClipModel) -> None:
        """Put the scalars into the model's configuration."""
        for name, value in vars(self.weights()).items():
            setattr(model.config, name, value.item())


def choice_scores(
    questions: Sequence[TrainingQuestion],
    position: dict[str, int],
    vectors: Tensor,
    biases: Tensor,
    images: Tensor,
) -> tuple[Tensor, Tensor]:
    """Score each question's choices for its own image.

    Args:
        questions: Q questions.
        position: row of each choice's text in `vectors`.
        vectors: query vectors, shape (T, D).
        biases: query biases, shape (T,).
        images: embedding of each question's image, shape (Q, D).

    Returns:
        scores of shape (Q, C), -inf where a question has fewer choices than the longest, and answers of shape (Q,).
    """
    most = max(len(question.choices) for question in questions)
    absent = [[-1] * (most - len(question.choices)) for question in questions]
    known = [[position[choice] for choice in question.choices] for question in questions]
    rows = torch.tensor([own + none for own, none in zip(known, absent, strict=True)], device=vectors.device)
    scores = torch.einsum("qd,qcd->qc", images, vectors[rows]) + biases[rows]
    answers = torch.tensor([question.answer for question in questions], device=vectors.device)
    return scores.masked_fill(rows < 0, float("-inf")), answers


def fit_composition(
    model: NotClipModel,
    image_embeds: Tensor | EmbeddingShards | EmbeddedRows,
    questions: Sequence[TrainingQuestion],
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
    start = {name: float(getattr(model.config, name)) for name in COMPOSITION_SCALARS}
    log_scales = nn.Parameter(torch.full((2,), math.log(20.0), device=model.device))
    asked = image_embeds[[question.image for question in questions]].to(model.device)
    query_rows = torch.tensor([position[text] for text, _ in negated_queries], device=model.device)
    query_images = torch.tensor([image for _, image in negated_queries])
    searched, query_targets = torch.unique(query_images, return_inverse=True)
    query_targets = query_targets.to(model.device)
    gallery = image_embeds[searched].to(model.device)

    def losses() -> tuple[Tensor, Tensor]:
        vectors, biases = model.compose(embedded, composition.weights())
        scores, answers = choice_scores(questions, position, vectors, biases, asked)
        # A query's bias is the same for every image, so it plays no part in search.
        found = vectors[query_rows] @ gallery.T
        scales = log_scales.exp()
        return F.cross_entropy(scales[0] * scores, answers), F.cross_entropy(scales[1] * found, query_targets)

    def closure() -> Tensor:
        optimizer.zero_grad()
        total = sum(losses(), PULL_TO_START * composition.distance_from(start))
        total.backward()
        return total

    optimizer = torch.optim.LBFGS(
        [*composition.parameters(), log_scales], max_iter=iterations, line_search_fn="strong_wolfe"
    )
    optimizer.step(closure)
    question_loss, retrieval_loss = (loss.item() for loss in losses())
    composition.write_to(model)
    return {"question_loss": question_loss, "retrieval_loss": retrieval_loss}
