"""Which of several weights a random point falls into."""

import numpy as np
from numpy.typing import NDArray


def place_of(reached: NDArray[np.floating], point: float) -> int:
    """Find the weight that a point on the line of all weights falls into.

    A point at the very end, which rounding makes of one draw in some millions, falls into the last weight that is not
    zero, instead of behind it.

    Args:
        reached: cumulated weights, not all zero, shape (N,).
        point: from 0 to their total, drawn uniformly.

    >>> place_of(np.array([1.0, 3.0, 3.0]), 2.5), place_of(np.array([1.0, 3.0, 3.0]), 3.1)
    (1, 1)
    """
    return int(min(reached.searchsorted(point, side="right"), reached.searchsorted(reached[-1])))
