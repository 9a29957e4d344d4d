"""How many absences are wrong: those that the dataset would draw, held against evidence that was kept back.

What would be claimed is drawn from as captions draw from it, plausible absences more often, since those are more often
wrong too. Two things can be kept back from the verifier and then tell whether it was right:

- *annotation*: of an image with annotation and captions the annotation. It knows everything, so that the share that is
  measured is the true one of what captions (and a detector) would claim alone.
- *caption*: of an image with several captions one of them. It mentions only some of what is there, so the share is a
  lower bound of the true one. On the other hand the dataset's own absences rest on one caption more.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Literal

import numpy as np
from scipy.stats import binomtest

from notclip.recaption.absences.co_occurrence import AbsenceChooser
from notclip.recaption.absences.facts import ImageFacts
from notclip.recaption.absences.verification import Verifier
from notclip.recaption.concepts.lexicon import Lexicon

Kept = Literal["annotation", "caption"]
_RESAMPLES = 2000


@dataclass(frozen=True)
class AuditRecord:
    """What was measured of one method of verification.

    Args:
        method: `detector` or `caption`, by which the absences would have been claimed.
        kept_back: `annotation` or `caption`, against which they were held.
        images: images on which anything was claimed.
        claims: absences that were drawn.
        wrong: those of them that what was kept back contradicts.
        share: wrong / claims.
        low: lower end of the 95 % interval of the share.
        high: its upper end.
    """

    method: str
    kept_back: str
    images: int
    claims: int
    wrong: int
    share: float
    low: float
    high: float


class AbsenceAudit:
    """Counts claims and contradictions; counts of the shards of a corpus add up.

    The chooser is one of its own, since it remembers what it drew; it draws `draws` absences for each caption.
    """

    def __init__(self, verifier: Verifier, lexicon: Lexicon, chooser: AbsenceChooser, *, draws: int) -> None:
        self._verifier = verifier
        self._lexicon = lexicon
        self._chooser = chooser
        self._draws = draws
        # (method, kept back, claims, wrong) of one image -> images of which this holds.
        self.counts: Counter[tuple[str, str, int, int]] = Counter()

    def add(
        self,
        fact: ImageFacts,
        *,
        objects: Iterable[str] | None,
        open_labels: Iterable[str],
        scores: np.ndarray | None,
        rng: Random,
    ) -> None:
        """Count one image; nothing is counted of one without captions, or with a single one and no annotation.

        Args:
            fact: the image with its captions.
            objects: concepts that its annotation lists; None without annotation.
            open_labels: concepts that its annotation leaves open, of which nothing can be said.
            scores: the detector's scores, if there are any.
            rng: draws the caption that is kept back.
        """
        captions = list(fact.captions)
        kept_back: Kept = "caption" if objects is None else "annotation"
        if len(captions) < (2 if objects is None else 1):
            return
        if objects is None:
            shown = self._lexicon.closure(self._lexicon.find(captions.pop(rng.randrange(len(captions)))))
        else:
            shown = self._lexicon.closure(objects)
        claimed = self._verifier.facts(fact.image_id, tuple(captions), objects=None, scores=scores).absent
        if objects is not None:
            judged = self._verifier.vocabulary - self._lexicon.closure(open_labels)
            claimed = {name: evidence for name, evidence in claimed.items() if name in judged}
        tally: dict[str, list[int]] = {}
        for _ in captions:
            for name in self._chooser.draw(claimed, rng, self._draws):
                counted = tally.setdefault(claimed[name].method, [0, 0])
                counted[0] += 1
                counted[1] += name in shown
        for method, (claims, wrong) in tally.items():
            self.counts[method, kept_back, claims, wrong] += 1


def audit_records(counts: Mapping[tuple[str, str, int, int], int], *, seed: int) -> list[AuditRecord]:
    """The share of wrong absences of each method, with 95 % intervals over images.

    Args:
        counts: of `AbsenceAudit`, of all shards.
        seed: of the bootstrap.

    Returns:
        A record for each method and what was kept back. The interval is the wider of the bootstrap over images and
        Wilson's (1927) over claims at either end, so that no wrong claim among few is no proof that there are none.
    """
    found = []
    for method, kept_back in sorted({key[:2] for key in counts}):
        own = [(key[2], key[3], times) for key, times in sorted(counts.items()) if key[:2] == (method, kept_back)]
        claims, wrong, times = np.array(own).T
        images = int(times.sum())
        drawn = np.random.default_rng(seed).multinomial(images, times / images, size=_RESAMPLES)  # (R, kinds of image)
        ends = np.quantile((drawn @ wrong) / (drawn @ claims), [0.025, 0.975])
        total, bad = int(times @ claims), int(times @ wrong)
        low, high = binomtest(bad, total).proportion_ci(0.95, "wilson")
        found.append(
            AuditRecord(
                method=method,
                kept_back=kept_back,
                images=images,
                claims=total,
                wrong=bad,
                share=round(bad / total, 6),
                low=round(min(low, float(ends[0])), 6),
                high=round(max(high, float(ends[1])), 6),
            )
        )
    return found
