"""How reliably captioners mention a concept that is there: measured on images with several captions."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from notclip.recaption.lexicon import Lexicon

_LEAST_IMAGES = 20  # Below, the counts say too little, and the lexicon's own judgement stands.
_LEAST_RELIABILITY = 0.2
# `unsaid` where nothing was measured: about that of the measured concepts that the lexicon calls salient, and of those
# that it does not (docs/experiments.md).
_UNSAID_SALIENT, _UNSAID_OTHER = 0.15, 0.7


@dataclass(frozen=True)
class SalienceRecord:
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


def measure_salience(captions: Iterable[Sequence[str]], lexicon: Lexicon) -> dict[str, SalienceRecord]:
    """Leave out one caption at a time and see whether the others had given the concept away.

    Args:
        captions: the captions of each image; images with fewer than two are not counted.
        lexicon: the concepts.

    Returns:
        A record for each concept that at least 20 images show; empty for a corpus of single captions.
    """
    names = list(lexicon)
    column = {name: index for index, name in enumerate(names)}
    beside = np.zeros(
        (len(names), len(names)), dtype=np.float32
    )  # row: company, column: concept that it may bring along
    for name, index in column.items():
        beside[[column[other] for other in lexicon[name].likely_with], index] = 1
    images = np.zeros(len(names))
    pairs, agreeing = np.zeros(len(names)), np.zeros(len(names))
    silent, surprises = np.zeros(len(names)), np.zeros(len(names))
    total = 0
    for texts in captions:
        if len(texts) < 2:
            continue
        total += 1
        affirmed = np.zeros((len(texts), len(names)), dtype=bool)
        hinted = np.zeros_like(affirmed)
        for row, text in enumerate(texts):
            affirmed[row, [column[name] for name in lexicon.closure(lexicon.find(text))]] = True
            hinted[row, [column[name] for name in lexicon.hinted(text)]] = True
        times = affirmed.sum(axis=0)
        images += times > 0
        pairs += times * (len(texts) - 1)
        agreeing += times * (times - 1)
        # Beside each caption a concept is open if any other caption hints at it or affirms its usual company.
        others = times - affirmed > 0  # (C, K)
        company = others.astype(np.float32) @ beside > 0
        quiet = (hinted.sum(axis=0) - hinted == 0) & ~company
        silent += quiet.sum(axis=0)
        surprises += (quiet & affirmed).sum(axis=0)
    records = {}
    for name, index in column.items():
        if images[index] < _LEAST_IMAGES:
            continue
        reliability = agreeing[index] / pairs[index]
        there = surprises[index] / max(1.0, silent[index]) / max(reliability, 0.05)
        records[name] = SalienceRecord(
            images=int(images[index]),
            reliability=round(float(reliability), 4),
            silent=int(silent[index]),
            surprises=int(surprises[index]),
            unsaid=round(float(there / (images[index] / total)), 4),
        )
    return records


def silence_risk(record: SalienceRecord | None, plausibility: float, *, salient: bool) -> float:
    """Estimated chance that a concept is there although no caption gives it away.

    Args:
        record: what was measured of the concept, if anything.
        plausibility: the chance that an image with such content shows it.
        salient: what the lexicon says of it.
    """
    if record is None:
        return min(1.0, (_UNSAID_SALIENT if salient else _UNSAID_OTHER) * plausibility)
    if record.reliability < _LEAST_RELIABILITY:
        return min(1.0, max(record.unsaid, _UNSAID_OTHER) * plausibility)
    return min(1.0, record.unsaid * plausibility)


def salience_table(records: dict[str, SalienceRecord]) -> dict[str, dict[str, float]]:
    """The records as plain values, for `build.json`."""
    return {name: asdict(record) for name, record in records.items()}
