"""Which absent concepts are plausible: those that the corpus often shows beside what an image shows."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from random import Random

import numpy as np

from notclip.recaption.facts import Evidence
from notclip.recaption.lexicon import Lexicon

_PRIOR_IMAGES = 20.0  # Weight of a concept's overall share against what is seen beside another one.


class Companions:
    """How often concepts occur in the same image, over a corpus.

    Args:
        present: the concepts that each image of the corpus shows, hypernyms included.
        least: concepts that fewer images show are never proposed as absent; 1 in 500, but at least 5, by default.
    """

    def __init__(self, present: Iterable[Collection[str]], *, least: int | None = None) -> None:
        sets = [frozenset(names) for names in present]
        counts: dict[str, int] = {}
        for names in sets:
            for name in names:
                counts[name] = counts.get(name, 0) + 1
        least = max(5, len(sets) // 500) if least is None else least
        self.images = len(sets)
        self.counts = dict(sorted(counts.items()))
        self.candidates: tuple[str, ...] = tuple(name for name, count in self.counts.items() if count >= least)
        self._all = tuple(self.counts)
        self._row = {name: index for index, name in enumerate(self._all)}
        shown = np.zeros((len(sets), len(self._all)), dtype=np.float32)
        for image, names in enumerate(sets):
            shown[image, [self._row[name] for name in names]] = 1
        together = shown.T @ shown  # (K, K)
        total = together.diagonal()
        share = total / max(1, len(sets))
        # P(column's concept | row's concept), drawn towards the overall share where the row's concept is rare.
        self._given = (together + _PRIOR_IMAGES * share[None, :]) / (total[:, None] + _PRIOR_IMAGES)
        self._share = share
        self._column = np.array([self._row[name] for name in self.candidates], dtype=int)

    def share(self, name: str) -> float:
        """Share of the corpus's images that show a concept."""
        return float(self._share[self._row[name]]) if name in self._row else 0.0

    def plausibility(self, present: Collection[str]) -> dict[str, float]:
        """For each candidate the largest share of images with one of these concepts that show it too."""
        rows = [self._row[name] for name in present if name in self._row]
        chances = self._given[rows].max(axis=0) if rows else self._share
        return dict(zip(self.candidates, chances[self._column].tolist(), strict=True))


def choose_absences(
    absent: Mapping[str, Evidence],
    lexicon: Lexicon,
    rng: Random,
    count: int,
    *,
    hardness: float = 0.75,
    uses: Mapping[str, int] | None = None,
    wanted: Mapping[str, float] | None = None,
) -> list[str]:
    """Draw absences for one caption, plausible ones more often, unrelated to each other.

    Args:
        absent: the verified absences of the image.
        lexicon: tells which concepts are related.
        rng: source of chance.
        count: how many are wanted; fewer where there are fewer.
        hardness: 0 draws any absence, 1 in proportion to its plausibility, more prefers what one would expect most.
        uses: how often each concept was drawn so far.
        wanted: the share of all draws that each concept should have; one that is ahead of it is drawn less.
    """
    names = sorted(absent)
    weights = [max(absent[name].plausibility, 1e-4) ** hardness for name in names]
    if uses is not None and wanted is not None:
        total = sum(uses.values()) + len(wanted)
        ahead = [(uses.get(name, 0) + 1) / (total * max(wanted.get(name, 0.0), 1e-4)) for name in names]
        weights = [weight / max(1.0, excess) ** 2 for weight, excess in zip(weights, ahead, strict=True)]
    drawn: list[str] = []
    while len(drawn) < count and any(weights):
        index = rng.choices(range(len(names)), weights)[0]
        drawn.append(names[index])
        weights = [
            weight if lexicon.compatible(name, names[index]) else 0.0
            for name, weight in zip(names, weights, strict=True)
        ]
        weights[index] = 0.0
    return drawn


def balanced_shares(companions: Companions, names: Sequence[str], *, power: float = 0.6) -> dict[str, float]:
    """Shares of draws that let common concepts be denied more often than rare ones, but not in full proportion."""
    raw = {name: companions.share(name) ** power for name in names}
    total = sum(raw.values()) or 1.0
    return {name: value / total for name, value in raw.items()}
