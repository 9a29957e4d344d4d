"""What an epoch is judged by: negation learnt at home and away, and ordinary search kept in both.

*Home* is the validation split of the data that is learnt from. *Away* are other photos, of which no gradient comes: a
built dataset of another source, or a domain that is held out of the training (kitchens, water, …): photos of which the
base thinks alike, with all that is said of them. What helps at home alone has learnt the captions' habits by heart.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from notclip.remote.modeling_notclip import NotClipModel
from notclip.training.data import TrainingSplit
from notclip.training.embedding_shards import EmbeddingShards
from notclip.training.validation import AWAY, validate


@dataclass(frozen=True)
class Judged:
    """Captions and questions to judge with.

    Args:
        split: the captions and questions.
        image_embeds: embeddings of its images, shape (I, D).
    """

    split: TrainingSplit
    image_embeds: Tensor | EmbeddingShards


@dataclass(frozen=True)
class Judge:
    """Figures of a model at home and, where there is anything to judge by, away."""

    home: Judged
    away: Judged | None = None

    def __call__(self, model: NotClipModel) -> dict[str, float]:
        """The fields of `Validation` at home, and those that travel under the same names with `away_` before."""
        home = vars(validate(model, self.home.split, self.home.image_embeds))
        if self.away is None:
            return dict(home)
        away = vars(validate(model, self.away.split, self.away.image_embeds))
        return {**home, **{AWAY + name: value for name, value in away.items()}}


def joined(splits: Sequence[TrainingSplit]) -> TrainingSplit:
    """Several splits as one."""
    starts = np.cumsum([0, *(len(split.image_bytes) for split in splits)]).tolist()
    moved = list(zip(splits, starts, strict=False))
    return TrainingSplit(
        image_bytes=[encoded for split in splits for encoded in split.image_bytes],
        digests=[digest for split in splits for digest in split.digests],
        captions=[replace(c, image=c.image + start) for split, start in moved for c in split.captions],
        question_groups=[
            [replace(question, image=question.image + start) for question in group]
            for split, start in moved
            for group in split.question_groups
        ],
        negated_queries=[(query, image + start) for split, start in moved for query, image in split.negated_queries],
    )
