"""What a checkpoint is chosen by: negation learnt on validation, and ordinary search kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from notclip.evaluate_metrics.negated_mcq.negated_mcq import choice_shares
from notclip.remote.modeling_notclip import NotClipModel
from notclip.training.calibration import choice_scores
from notclip.training.data import TrainingQuestion, TrainingSplit
from notclip.training.embedding_shards import EmbeddedRows, EmbeddingShards
from notclip.training.photos import embeds_by

AWAY = "away_"  # before the names of figures on other photos


@dataclass(frozen=True)
class Validation:
    """Figures on a validation split, as fractions.

    Args:
        macro_accuracy: accuracy of composed scores, averaged over kinds of question.
        plain_macro_accuracy: the same without composition, as the merged backbone answers.
        recall_at_5: ordinary text→image recall@5.
        negated_recall_at_5: recall@5 of negated queries, composed.
    """

    macro_accuracy: float
    plain_macro_accuracy: float
    recall_at_5: float
    negated_recall_at_5: float


def gain(start: Mapping[str, float], now: Mapping[str, float], *, recall_tolerance: float) -> float:
    """How much macro accuracy was gained since the start, the mean of home and away.

    -1 where macro accuracy or ordinary recall@5 was lost at home or away.

    >>> start = {"macro_accuracy": 0.25, "recall_at_5": 0.45, "away_macro_accuracy": 0.5, "away_recall_at_5": 0.4}
    >>> gain(start, start | {"macro_accuracy": 0.75}, recall_tolerance=0.01)
    0.25
    >>> gain(start, start | {"macro_accuracy": 0.75, "away_macro_accuracy": 0.49}, recall_tolerance=0.01)
    -1.0
    >>> gain(start, start | {"macro_accuracy": 1.0, "recall_at_5": 0.40}, recall_tolerance=0.01)
    -1.0
    """
    places = [""] + [AWAY] * (AWAY + "macro_accuracy" in start)
    gains = [now[place + "macro_accuracy"] - start[place + "macro_accuracy"] for place in places]
    lost = any(now[place + "recall_at_5"] < start[place + "recall_at_5"] - recall_tolerance for place in places)
    if lost or min(gains) < 0:
        return -1.0
    return sum(gains) / len(gains)


def limited(split: TrainingSplit, *, questions: int, images: int, captions_per_image: int = 2) -> TrainingSplit:
    """Keep what an epoch's validation looks at: the first question groups, and the first images' captions."""
    groups: list[list[TrainingQuestion]] = []
    for group in split.question_groups:
        if sum(map(len, groups)) >= questions:
            break
        groups.append(group)
    by_image = split.captions_by_image()[:images]
    kept = [captions[0].image for captions in by_image]
    return TrainingSplit(
        split.image_bytes,
        split.digests,
        [caption for captions in by_image for caption in captions[:captions_per_image]],
        groups,
        split.queries_of(kept),
    )


@torch.inference_mode()
def validate(model: NotClipModel, split: TrainingSplit, image_embeds: Tensor | EmbeddingShards) -> Validation:
    """Score the split with the model as it is; image embeddings, shape (I, D), are those before the training."""
    images = embeds_by(model, split, image_embeds)
    texts = list(dict.fromkeys(choice for question in split.questions for choice in question.choices))
    position = {text: row for row, text in enumerate(texts)}
    embedded = model.embed_texts(texts)
    asked = images[[question.image for question in split.questions]].to(model.device)
    plain = (embedded.whole, embedded.whole.new_zeros(len(texts)))
    accuracies = [
        macro_accuracy(split, *choice_scores(split.questions, position, *queries, asked))
        for queries in (model.compose(embedded), plain)
    ]
    ordinary = model.encode_texts([caption.text for caption in split.captions])
    negated, _ = model.encode_queries([query for query, _ in split.negated_queries], composition="scope")
    return Validation(
        macro_accuracy=accuracies[0],
        plain_macro_accuracy=accuracies[1],
        recall_at_5=recall_at(5, ordinary, [caption.image for caption in split.captions], images),
        negated_recall_at_5=recall_at(5, negated, [image for _, image in split.negated_queries], images),
    )


def recall_at(
    k: int, queries: Tensor, own_image: Sequence[int], image_embeds: Tensor | EmbeddingShards | EmbeddedRows
) -> float:
    """Share of queries, shape (Q, D), whose own image is among the k best of all images that any query asks for."""
    searched, targets = torch.unique(torch.tensor(own_image), return_inverse=True)
    scores = queries @ image_embeds[searched].to(queries.device).T  # (Q, I)
    own = scores.gather(1, targets[:, None].to(queries.device))
    return ((scores > own).sum(1) < k).float().mean().item()


def macro_accuracy(split: TrainingSplit, scores: Tensor, answers: Tensor) -> float:
    """Accuracy with tie credit, averaged over the kinds of the split's questions; scores (Q, C), answers (Q,)."""
    credit = choice_shares(scores.cpu().double().numpy())[np.arange(len(answers)), answers.cpu().numpy()]
    kinds = np.array([question.kind for question in split.questions])
    return float(np.mean([credit[kinds == kind].mean() for kind in np.unique(kinds)]))
