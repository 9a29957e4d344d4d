"""What an epoch is judged by: negation learnt at home and away, and ordinary search kept in both.

*Home* is the validation split of the data that is learnt from. *Away* are other photos, of which no gradient comes: a
built dataset of another source, or a domain that is held out of the training (kitchens, water, …): photos of which the
base thinks alike, with all that is said of them. What helps at home alone has learnt the captions' habits by heart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from notclip.remote.modeling_notclip import NotClipModel
from notclip.training.data import TrainingSplit, joined, read_training_split
from notclip.training.validation import validate

AWAY = "away_"


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

    def figures(self, model: NotClipModel) -> dict[str, float]:
        """The fields of `Validation` at home, and those that travel under the same names with `away_` before."""
        home = vars(validate(model, self.home.split, self.home.image_embeds))
        if self.away is None:
            return dict(home)
        away = vars(validate(model, self.away.split, self.away.image_embeds))
        return {**home, **{AWAY + name: value for name, value in away.items()}}


def gain(start: Mapping[str, float], now: Mapping[str, float], *, recall_tolerance: float) -> float:
    """How much macro accuracy was gained since the start, the mean of home and away.

    -1 where ordinary recall@5 was lost at home or away, or macro accuracy away.

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
    if lost or any(away < 0 for away in gains[1:]):
        return -1.0
    return sum(gains) / len(gains)


def read_away(data: Path) -> TrainingSplit:
    """All splits of a built dataset as one to judge by.

    Raises:
        BadInputError: a file of it is missing or damaged.
    """
    return joined([read_training_split(data, split) for split in ("train", "validation", "test")])
