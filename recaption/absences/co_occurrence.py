"""Which absent concepts are plausible: those that the corpus often shows beside what an image shows."""

from collections.abc import Collection, Mapping, Sequence
from operator import attrgetter
from random import Random

import numpy as np
from scipy.sparse import csc_array

from notclip.recaption.absences.facts import Evidence
from notclip.recaption.concepts.lexicon import Lexicon
from notclip.recaption.concepts.weighted_draw import place_of

_PLAUSIBILITY = attrgetter("plausibility")
_POWER = 0.6  # Of a concept's share: under 1, common concepts are denied more often, but not in full proportion.
_PRIOR_IMAGES = 20.0  # Weight of a concept's overall share against what is seen beside another one.


class CoOccurrence:
    """How often concepts occur in the same image, over a corpus whose shards were counted apart.

    Args:
        names: K concepts; those that no image shows are left out.
        together: images that show both of two concepts, hypernyms included, on the diagonal those that show one, shape
            (K, K); sparse, since of tens of thousands of concepts most are never seen together.
        images: number of images.
        least: concepts that fewer images show are never proposed as absent; 1 in 500, but at least 5, by default.
    """

    def __init__(self, names: Sequence[str], together: csc_array, images: int, *, least: int | None = None) -> None:
        seen = together.diagonal() > 0
        order = [index for index in sorted(range(len(names)), key=names.__getitem__) if seen[index]]
        names, together = [names[index] for index in order], together[order][:, order]
        total = together.diagonal().astype(np.float64)
        least = max(5, images // 500) if least is None else least
        self.images = images
        self.counts = {name: int(count) for name, count in zip(names, total, strict=True)}
        self.candidates: tuple[str, ...] = tuple(name for name, count in self.counts.items() if count >= least)
        self._row = {name: index for index, name in enumerate(names)}
        share = total / max(1, images)
        self._share = share
        column = np.array([self._row[name] for name in self.candidates], dtype=int)
        # P(column's candidate | row's concept), drawn towards the overall share where the row's concept is rare.
        beside = together[:, column].toarray()
        given = (beside + _PRIOR_IMAGES * share[None, column]) / (total[:, None] + _PRIOR_IMAGES)
        # The last row is of images of which nothing is known.
        self._chances = np.vstack([given, share[column]])
        self._places = np.arange(len(column))

    def share(self, name: str) -> float:
        """Share of the corpus's images that show a concept."""
        return float(self._share[self._row[name]]) if name in self._row else 0.0

    def told_by(self, present: Collection[str]) -> tuple[np.ndarray, np.ndarray]:
        """Which of these concepts tells most of each candidate, and how plausible the candidate is beside it.

        Returns:
            a number of the concept from 0 to `len(self.counts)`, and the largest share of images with one of these
            concepts that show the candidate too, both of shape (K,) in the order of the candidates; the same number
            and candidate always have the same share.
        """
        rows = np.array([self._row[name] for name in present if name in self._row] or [len(self.counts)])
        chances = self._chances[rows]
        most = chances.argmax(axis=0)
        return rows[most], chances[most, self._places]


class AbsenceChooser:
    """Draws absences for captions: plausible ones more often, unrelated to each other, none of them all the time.

    Args:
        lexicon: tells which concepts are related.
        wanted: the share of all draws that each concept should have; one that is ahead of it is drawn less.
        hardness: 0 draws any absence, 1 in proportion to its plausibility, more prefers what one would expect most.
    """

    def __init__(self, lexicon: Lexicon, wanted: Mapping[str, float], *, hardness: float = 1.0) -> None:
        self._names = tuple(wanted)
        self._row = {name: index for index, name in enumerate(self._names)}
        self._wanted = np.maximum(np.array([wanted[name] for name in self._names]), 1e-4)
        self._hardness = hardness
        self._related = related_matrix(lexicon, self._names)
        self.uses = np.zeros(len(self._names))

    def draw(self, absent: Mapping[str, Evidence], rng: Random, count: int) -> list[str]:
        """Absences for one caption, in the order drawn; fewer than `count` where there are fewer.

        Args:
            absent: the verified absences of the image.
            rng: source of chance.
            count: how many are wanted.
        """
        rows = np.fromiter(map(self._row.__getitem__, absent), np.intp, len(absent))
        plausibility = np.fromiter(map(_PLAUSIBILITY, absent.values()), np.float64, len(absent))
        ahead = (self.uses[rows] + 1) / ((self.uses.sum() + len(self._names)) * self._wanted[rows])
        weights = np.maximum(plausibility, 1e-4) ** self._hardness / np.maximum(1.0, ahead) ** 2
        drawn: list[str] = []
        while len(drawn) < count:
            reached = weights.cumsum()
            if not len(reached) or reached[-1] <= 0:
                break
            place = place_of(reached, rng.random() * reached[-1])
            row = rows[place]
            drawn.append(self._names[row])
            self.uses[row] += 1
            weights[self._related[row, rows]] = 0.0
        return drawn


def related_matrix(lexicon: Lexicon, names: Sequence[str]) -> np.ndarray:
    """Which of K concepts are not compatible with each other, shape (K, K)."""
    row = {name: index for index, name in enumerate(names)}
    related = np.zeros((len(names), len(names)), dtype=bool)
    for name, index in row.items():
        related[index, [row[other] for other in lexicon.related[name] if other in row]] = True
    return related


def balanced_shares(co_occurrence: CoOccurrence, names: Sequence[str]) -> dict[str, float]:
    """Shares of draws that let common concepts be denied more often than rare ones, but not in full proportion."""
    raw = {name: co_occurrence.share(name) ** _POWER for name in names}
    total = sum(raw.values()) or 1.0
    return {name: value / total for name, value in raw.items()}
