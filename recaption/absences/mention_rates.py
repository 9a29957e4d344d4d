"""How reliably captioners mention a concept that is there: measured on images with several captions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from notclip.recaption.concepts.lexicon import Lexicon

_LEAST_IMAGES = 20  # Below, the counts say too little, and the lexicon's own judgement stands.
_LEAST_RELIABILITY = 0.2
# `unsaid` where nothing was measured: about that of the measured concepts that the lexicon calls salient, and of those
# that it does not (docs/log.md).
_UNSAID_SALIENT, _UNSAID_OTHER = 0.15, 0.7


@dataclass(frozen=True)
class MentionRate:
    """What the captions of a corpus say about the reliability of a concept's mentions.

    Args:
        images: images with at least one caption that affirms it.
        reliability: r, the chance that another caption affirms it too, given that one does.
        silent: image-caption pairs of which all other captions neither affirm nor hint at it.
        surprises: those of them whose remaining caption affirms it after all.
        unsaid: (surprises / silent / r) / (images / all images): how much of its usual share is left where captions
            are silent. 0.05 says that silence removes 95 % of the chance that it is there.
    """

    images: int
    reliability: float
    silent: int
    surprises: int
    unsaid: float


class MentionCounts:
    """Leaves out one caption at a time and counts whether the others had given a concept away.

    Counts of the shards of a corpus add up.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._names = list(lexicon)
        self._column = {name: index for index, name in enumerate(self._names)}
        size = len(self._names)
        pairs = {
            (self._column[other], own) for name, own in self._column.items() for other in lexicon[name].likely_with
        }
        places = np.array(sorted(pairs), dtype=np.intp).reshape(-1, 2).T
        # Row: company, column: what it may bring along.
        self._beside = csr_array((np.ones(len(pairs), dtype=np.float32), places), shape=(size, size))
        # Rows: images, pairs of captions, pairs that agree, silent captions, surprises.
        self.counts = np.zeros((5, size))
        self.images = 0

    def add(self, texts: Sequence[str]) -> None:
        """Count the captions of one image; a single one says nothing."""
        if len(texts) < 2:
            return
        self.images += 1
        affirmed = np.zeros((len(texts), len(self._names)), dtype=bool)
        hinted = np.zeros_like(affirmed)
        for row, text in enumerate(texts):
            affirmed[row, [self._column[name] for name in self._lexicon.closure(self._lexicon.find(text))]] = True
            hinted[row, [self._column[name] for name in self._lexicon.hinted(text)]] = True
        times = affirmed.sum(axis=0)
        # Beside each caption a concept is open if any other caption hints at it or affirms its usual company.
        others = times - affirmed > 0  # (C, K)
        company = others.astype(np.float32) @ self._beside > 0
        quiet = (hinted.sum(axis=0) - hinted == 0) & ~company
        self.counts += (
            times > 0,
            times * (len(texts) - 1),
            times * (times - 1),
            quiet.sum(axis=0),
            (quiet & affirmed).sum(axis=0),
        )

    def records(self) -> dict[str, MentionRate]:
        """A record for each concept that at least 20 images show; empty for a corpus of single captions."""
        records = {}
        images, pairs, agreeing, silent, surprises = self.counts
        for name, index in self._column.items():
            if images[index] < _LEAST_IMAGES:
                continue
            reliability = agreeing[index] / pairs[index]
            there = surprises[index] / max(1.0, silent[index]) / max(reliability, 0.05)
            records[name] = MentionRate(
                images=int(images[index]),
                reliability=round(float(reliability), 4),
                silent=int(silent[index]),
                surprises=int(surprises[index]),
                unsaid=round(float(there / (images[index] / self.images)), 4),
            )
        return records


def silence_risk(record: MentionRate | None, plausibility: float, *, salient: bool) -> float:
    """Estimated chance that a concept is there although no caption gives it away.

    Args:
        record: what was measured of the concept, if anything.
        plausibility: the chance that an image with such content shows it.
        salient: what the lexicon says of it.
    """
    return min(1.0, unsaid_share(record, salient=salient) * plausibility)


def unsaid_share(record: MentionRate | None, *, salient: bool) -> float:
    """How much of a concept's usual share is left where captions are silent; see `silence_risk`."""
    if record is None:
        return _UNSAID_SALIENT if salient else _UNSAID_OTHER
    return max(record.unsaid, _UNSAID_OTHER) if record.reliability < _LEAST_RELIABILITY else record.unsaid
