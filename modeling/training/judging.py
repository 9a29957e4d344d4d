"""What an epoch is judged by: negation learnt at home and away, and ordinary search kept in both.

*Home* is the validation split of the data that is learnt from. *Away* are other photos, of which no gradient comes: a
built dataset of another source, or a domain that is held out of the training (kitchens, water, …): photos of which the
base thinks alike, with all that is said of them. What helps at home alone has learnt the captions' habits by heart.
"""

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from notclip.remote.modeling_notclip import NotClipModel
from notclip.training.data import TrainingSplit, joined, read_training_split
from notclip.training.validation import AWAY, validate


@dataclass(frozen=True)
class Judged:
    """Captions and questions to judge with.

    Args:
        split: the captions and questions.
        image_embeds: embeddings of its images, shape (I, D).
    """

    split: TrainingSplit
    image_embeds: Tensor


@dataclass(frozen=True)
class Judge:
    """Figures of a model at home and, where there is anything to judge by, away."""

    home: Judged
    away: Judged | None = None

    def __call__(self, model: NotClipModel) -> dict[str, float]:
        """The fields of `Validation` at home, and those that travel under the same names with `away_` before."""
        home = vars(validate(model, self.home.split, self.home.image_embeds.to(model.device)))
        if self.away is None:
            return dict(home)
        away = vars(validate(model, self.away.split, self.away.image_embeds.to(model.device)))
        return {**home, **{AWAY + name: value for name, value in away.items()}}


def read_away(data: Path) -> TrainingSplit:
    """All splits of a built dataset as one to judge by.

    Raises:
        BadInputError: a file of it is missing or damaged.
    """
    return joined([read_training_split(data, split) for split in ("train", "validation", "test")])
