"""What an image shows and what it surely does not: present, verified absent, or unknown."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from notclip.dataset.rows import EvidenceMethod
from notclip.recaption.absences.co_occurrence import CoOccurrence
from notclip.recaption.absences.detector_thresholds import DetectorThreshold
from notclip.recaption.absences.facts import Evidence, ImageFacts
from notclip.recaption.absences.mention_rates import MentionRate, silence_risk, unsaid_share
from notclip.recaption.concepts.lexicon import Lexicon

_LEAST_MISSED = 0.05  # No detector finds everything, however few named images it missed.


@dataclass(frozen=True)
class Verifier:
    """Decides each concept of each image, and leaves it unknown wherever something speaks against a clear answer.

    A concept is present if an annotation or a caption affirms it or a kind of it. It is absent if

    1. an annotation that is exhaustive over it lacks it, or
    2. no caption hints at it and the detector's scores for its class, and for the classes of its kinds, stay under
       their thresholds, or
    3. no caption hints at it, no detector knows it, captioners reliably mention it when it is there, and the image has
       no annotation (beside which captions may leave out anything).

    Args:
        lexicon: the concepts and how they relate.
        co_occurrence: the corpus, which says what is plausible.
        vocabulary: concepts over which annotations are exhaustive.
        thresholds: from which detector score a class may be there, by class in the order of the scores; empty
            without a detector.
        detected_as: the detector's class of each concept that it knows.
        mention_rates: measured reliability of mentions, where the corpus has several captions an image.
        risk: the largest estimated chance of a wrong absence: of the captions' silence, times the share of such
            objects that the detector misses where it is asked.
    """

    lexicon: Lexicon
    co_occurrence: CoOccurrence
    vocabulary: frozenset[str] = frozenset()
    thresholds: Mapping[str, DetectorThreshold] = field(default_factory=dict)
    detected_as: Mapping[str, str] = field(default_factory=dict)
    mention_rates: Mapping[str, MentionRate] = field(default_factory=dict)
    risk: float = 0.01

    def facts(
        self,
        image_id: str,
        captions: tuple[str, ...],
        *,
        objects: Collection[str] | None,
        scores: np.ndarray | None,
        uncertain: Collection[str] = (),
        unsaid: Collection[str] = (),
    ) -> ImageFacts:
        """What is known about one image.

        Args:
            image_id: its identifier.
            captions: all its captions.
            objects: concepts that its annotation lists; None without annotation.
            scores: the detector's score of each of its classes; None where there is no detector or it failed.
            uncertain: concepts that may be there, as its annotation says; nothing is claimed of them and of what they
                are kinds of.
            unsaid: concepts of which its annotation says nothing; nothing is claimed of them.
        """
        said = frozenset(name for caption in captions for name in self.lexicon.find(caption))
        disputed: frozenset[str] = frozenset()
        if objects is not None:
            # A caption affirms what an annotation lacks ("a ball at home"): neither present nor absent.
            disputed = (self.lexicon.closure(said) & self.vocabulary) - self.lexicon.closure(objects) - set(unsaid)
            doubted = disputed.union(uncertain)
            said = frozenset(name for name in said if doubted.isdisjoint(self.lexicon.closure({name})))
            disputed |= self.lexicon.closure(uncertain) | frozenset(unsaid)
        shown = said | frozenset(objects or ())
        present = self.lexicon.closure(shown)
        hinted = frozenset(name for caption in captions for name in self.lexicon.hinted(caption))
        table = self._table
        open_ = table.open_beside(present)
        open_[[table.column[name] for name in disputed if name in table.column]] = False
        silent = open_ & ~table.may_be_meant(shown, present)
        silent[[table.column[name] for name in hinted if name in table.column]] = False
        annotated = objects is not None
        if annotated:
            silent &= ~table.annotated
            open_ &= table.annotated
        else:
            open_[:] = False
        told_by, chances = self.co_occurrence.told_by(present)
        if self.thresholds:
            absent = self._by_detector(open_, silent, chances, scores, annotated=annotated)
        elif annotated:
            absent = self._shared("annotation", open_.nonzero()[0], told_by, chances)
        else:
            silent &= table.salient & (np.minimum(1.0, table.unsaid * chances) <= self.risk)
            absent = self._shared("caption", silent.nonzero()[0], told_by, chances)
        return ImageFacts(image_id, captions, present, absent)

    def _by_detector(
        self, open_: np.ndarray, silent: np.ndarray, chances: np.ndarray, scores: np.ndarray | None, *, annotated: bool
    ) -> dict[str, Evidence]:
        absent: dict[str, Evidence] = {}
        by_annotation, told = open_.tolist(), chances.tolist()
        for column in np.flatnonzero(open_ | silent).tolist():
            name, chance = self.co_occurrence.candidates[column], told[column]
            if by_annotation[column]:
                absent[name] = Evidence("annotation", plausibility=chance)
                continue
            evidence = self._without_annotation(name, chance, scores, annotated=annotated)
            if evidence is not None:
                absent[name] = evidence
        return absent

    def _shared(
        self, method: EvidenceMethod, columns: np.ndarray, told_by: np.ndarray, chances: np.ndarray
    ) -> dict[str, Evidence]:
        """Evidence without a score, which all images share of which the same concept tells most of the candidate."""
        table = self._table
        kept, own = table.evidence[method], (told_by[columns], columns)
        for row, column in zip(*(axis[~table.written[method][own]] for axis in own), strict=True):
            chance = float(chances[column])
            risk = 0.0 if method == "annotation" else min(1.0, float(table.unsaid[column]) * chance)
            kept[row, column] = Evidence(method, plausibility=chance, risk=risk)
        table.written[method][own] = True
        return dict(zip(table.names[columns].tolist(), kept[own].tolist(), strict=True))

    @cached_property
    def _table(self) -> "_CandidateTable":
        return _CandidateTable(self)

    @cached_property
    def _checked(self) -> dict[str, tuple[str, ...]]:
        """Detector classes of each candidate and its kinds."""
        return {
            name: tuple(
                self.detected_as[kind]
                for kind in (name, *sorted(self.lexicon.hyponyms(name)))
                if kind in self.detected_as
            )
            for name in self.co_occurrence.candidates
        }

    def _without_annotation(
        self, name: str, chance: float, scores: np.ndarray | None, *, annotated: bool
    ) -> Evidence | None:
        concept = self.lexicon[name]
        checked = self._checked[name]
        found: dict[str, float] = {}
        if checked:
            if scores is None:
                return None
            found = {label: float(scores[self._place[label]]) for label in checked}
            if any(score >= self.thresholds[label].value for label, score in found.items()):
                return None
        label = self.detected_as.get(name)
        risk = silence_risk(self.mention_rates.get(name), chance, salient=concept.salient)
        if label is not None:
            threshold = self.thresholds[label]
            risk *= max(threshold.missed, _LEAST_MISSED)
            return Evidence("detector", found[label], threshold.value, chance, risk) if risk <= self.risk else None
        if annotated or not concept.salient or risk > self.risk:
            return None
        return Evidence("caption", plausibility=chance, risk=risk)

    @cached_property
    def _place(self) -> dict[str, int]:
        return {label: index for index, label in enumerate(self.thresholds)}


class _CandidateTable:
    """What keeps each candidate from being absent, worked out once as rows of concepts by columns of candidates."""

    def __init__(self, verifier: Verifier) -> None:
        lexicon, candidates = verifier.lexicon, verifier.co_occurrence.candidates
        self._lexicon = lexicon
        self._row = {name: row for row, name in enumerate(lexicon)}
        self.column = {name: column for column, name in enumerate(candidates)}
        self.annotated = np.array([name in verifier.vocabulary for name in candidates], dtype=bool)
        self.salient = np.array([lexicon[name].salient for name in candidates], dtype=bool)
        self.unsaid = np.array(
            [unsaid_share(verifier.mention_rates.get(name), salient=lexicon[name].salient) for name in candidates]
        )
        self.names = np.array(candidates, dtype=object)
        # Evidence that was written before, by what tells most of the candidate, and the candidate.
        kept = np.full((len(verifier.co_occurrence.counts) + 1, len(candidates)), None, dtype=object)
        self.evidence: dict[EvidenceMethod, np.ndarray] = {"annotation": kept, "caption": kept.copy()}
        self.written = {method: np.zeros(kept.shape, dtype=bool) for method in self.evidence}
        shape = (len(self._row), len(candidates))
        # The candidate itself and its kinds, whose presence is its presence.
        self._is = np.zeros(shape, dtype=bool)
        # Concepts that may hold it, mean it or bring it along: a car has wheels.
        self._opens = np.zeros(shape, dtype=bool)
        # More general concepts: "an animal" may be a cat unless something else is said to be the animal.
        self._generalizes = np.zeros(shape, dtype=bool)
        for name, column in self.column.items():
            self._is[[self._row[kind] for kind in (name, *lexicon.hyponyms(name))], column] = True
            self._generalizes[[self._row[other] for other in lexicon.closure({name}) - {name}], column] = True
            self._opens[[self._row[other] for other in lexicon.openers[name]], column] = True

    def open_beside(self, present: Collection[str]) -> np.ndarray:
        """Which candidates are not there by what is, shape (K,)."""
        return ~np.asarray(self._is[[self._row[name] for name in present]].any(axis=0))

    def may_be_meant(self, shown: frozenset[str], present: Collection[str]) -> np.ndarray:
        """Which of them something said may be, hold or bring along, shape (K,)."""
        made = np.asarray(self._opens[[self._row[name] for name in present]].any(axis=0))
        for name in present:
            if shown.isdisjoint(self._lexicon.hyponyms(name)):
                made |= self._generalizes[self._row[name]]
        return made
