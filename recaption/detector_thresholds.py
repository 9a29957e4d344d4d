"""The score from which a detector may have seen a class, set class by class on images whose captions name it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from notclip.recaption.detector import COCO_CLASSES

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


def calibrate_thresholds(
    scores: np.ndarray, named: Mapping[str, Sequence[int]], *, missed: float = 0.1
) -> dict[str, DetectorThreshold]:
    """Set each class's threshold so that at most a share `missed` of the images that name it score under it.

    Args:
        scores: detector scores of N images, shape (N, 80).
        named: for each class the rows of the images whose captions or annotations name it.
        missed: the share of named images that may score under the threshold.

    Returns:
        A threshold for each of the 80 classes, between 0.003 and 0.25. A class that fewer than 30 images name takes
        the median threshold of the others, or 0.1 (NegBench's choice for OWL-ViT) where there are none, and counts as
        missed in 30 %.
    """
    low, high = _RANGE
    own = {}
    for index, label in enumerate(COCO_CLASSES):
        rows = np.asarray(named.get(label, ()), dtype=int)
        if len(rows) >= _LEAST_IMAGES:
            quantile = float(np.quantile(scores[rows, index], missed, method="lower"))
            own[label] = round(min(high, max(low, quantile)), 4)
    usual = round(float(np.median(list(own.values()))), 4) if own else 0.1
    thresholds = {}
    for index, label in enumerate(COCO_CLASSES):
        rows = np.asarray(named.get(label, ()), dtype=int)
        value = own.get(label, usual)
        under = float((scores[rows, index] < value).mean()) if label in own else _MISSED_UNMEASURED
        thresholds[label] = DetectorThreshold(value, len(rows), round(under, 4))
    return thresholds
