"""The score from which a detector may have seen a class, set class by class on images whose captions name it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

_STEPS = 10_000
_LEAST_IMAGES = 30
_RANGE = (0.003, 0.25)
_MISSED_UNMEASURED = 0.3


@dataclass(frozen=True)
class DetectorThreshold:
    """A class's threshold and what it was set on.

    Args:
        value: an absence is claimed only under this score.
        images: images whose captions name the class.
        missed: share of them under the threshold: what the detector would have denied.
    """

    value: float
    images: int
    missed: float


class ScoreCounts:
    """Scores of the images that name a class, counted in steps of 0.0001; counts of the shards of a corpus add up."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)
        self.counts = np.zeros((len(self.labels), _STEPS + 1), dtype=np.int64)

    def add(self, scores: np.ndarray, named: Collection[str]) -> None:
        """Count one image.

        Args:
            scores: its score of each class, shape (L,), in [0, 1].
            named: the classes that its captions or its annotation name.
        """
        for index, label in enumerate(self.labels):
            if label in named:
                self.counts[index, min(_STEPS, round(float(scores[index]) * _STEPS))] += 1

    def thresholds(self, *, missed: float = 0.1) -> dict[str, DetectorThreshold]:
        """Set each class's threshold so that at most a share `missed` of the images that name it score under it.

        Args:
            missed: the share of named images that may score under the threshold.

        Returns:
            A threshold for each class, between 0.003 and 0.25. A class that fewer than 30 images name takes the
            median threshold of the others, or 0.1 (NegBench's choice for OWL-ViT) where there are none, and counts as
            missed in 30 %.
        """
        low, high = _RANGE
        images = self.counts.sum(axis=1)
        own = {}
        for index, label in enumerate(self.labels):
            if images[index] >= _LEAST_IMAGES:
                place = int(missed * (images[index] - 1))
                quantile = int(np.searchsorted(np.cumsum(self.counts[index]), place, side="right")) / _STEPS
                own[label] = round(min(high, max(low, quantile)), 4)
        usual = round(float(np.median(list(own.values()))), 4) if own else 0.1
        thresholds = {}
        for index, label in enumerate(self.labels):
            value = own.get(label, usual)
            under = self.counts[index, : round(value * _STEPS)].sum() / max(1, images[index])
            share = round(float(under), 4) if label in own else _MISSED_UNMEASURED
            thresholds[label] = DetectorThreshold(value, int(images[index]), share)
        return thresholds
