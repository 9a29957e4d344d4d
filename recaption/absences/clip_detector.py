"""Presence in clips: what is seen in any frame is there."""

from collections.abc import Sequence

import numpy as np

from notclip.dataset.clips import frame_bytes, unpack_clip
from notclip.recaption.absences.detector import Detector


class EveryFrame:
    """A detector of photos that sees in a clip what it sees in any of its frames.

    Args:
        detector: scores photos.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.labels, self.fingerprint, self.batch_size = detector.labels, detector.fingerprint, detector.batch_size

    def scores(self, images: Sequence[bytes]) -> np.ndarray:
        """The largest score of each class over the frames, shape (N, classes)."""
        frames = [[frame_bytes(frame) for frame in unpack_clip(image)] or [image] for image in images]
        every = [frame for own in frames for frame in own]
        seen = [
            self._detector.scores(every[at : at + self.batch_size]) for at in range(0, len(every), self.batch_size)
        ]
        firsts = np.cumsum([0, *(len(own) for own in frames[:-1])])
        largest: np.ndarray = np.maximum.reduceat(np.concatenate(seen), firsts, axis=0)
        return largest
