"""What an image shows and what it surely does not: present, verified absent, or unknown."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from notclip.recaption.absences import Companions
from notclip.recaption.detector_thresholds import DetectorThreshold
from notclip.recaption.facts import Evidence, EvidenceMethod, ImageFacts
from notclip.recaption.lexicon import Lexicon
from notclip.recaption.salience import SalienceRecord, silence_risk

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
        companions: the corpus, which says what is plausible.
        vocabulary: concepts over which annotations are exhaustive.
        thresholds: from which detector score a class may be there, by class in the order of the scores; empty
            without a detector.
        detected_as: the detector's class of each concept that it knows.
        salience: measured reliability of mentions, where the corpus has several captions an image.
        risk: the largest estimated chance of a wrong absence: of the captions' silence, times the share of such
            objects that the detector misses where it is asked.
    """

    lexicon: Lexicon
    companions: Companions
    vocabulary: frozenset[str] = frozenset()
    thresholds: Mapping[str, DetectorThreshold] = field(default_factory=dict)
    detected_as: Mapping[str, str] = field(default_factory=dict)
    salience: Mapping[str, SalienceRecord] = field(default_factory=dict)
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
        plausibility = self.companions.plausibility(present)
        absent: dict[str, Evidence] = {}
        for name in self.companions.candidates:
            relations = self._relations[name]
            if name in present or name in disputed or not relations.kinds.isdisjoint(present):
                continue
            chance = plausibility[name]
            if objects is not None and name in self.vocabulary:
                absent[name] = self._evidence("annotation", plausibility=chance)
                continue
            if name in hinted or relations.may_be_meant(shown, present):
                continue
            evidence = self._without_annotation(name, chance, scores, annotated=objects is not None)
            if evidence is not None:
                absent[name] = evidence
        return ImageFacts(image_id, captions, present, absent)

    @cached_property
    def _relations(self) -> dict[str, "_Relations"]:
        return {name: _Relations.of(name, self.lexicon, self.detected_as) for name in self.companions.candidates}

    def _without_annotation(
        self, name: str, chance: float, scores: np.ndarray | None, *, annotated: bool
    ) -> Evidence | None:
        concept = self.lexicon[name]
        checked = self._relations[name].checked
        found: dict[str, float] = {}
        if self.thresholds and checked:
            if scores is None:
                return None
            found = {label: float(scores[self._place[label]]) for label in checked}
            if any(score >= self.thresholds[label].value for label, score in found.items()):
                return None
        label = self.detected_as.get(name)
        risk = silence_risk(self.salience.get(name), chance, salient=concept.salient)
        if self.thresholds and label is not None:
            threshold = self.thresholds[label]
            risk *= max(threshold.missed, _LEAST_MISSED)
            return Evidence("detector", found[label], threshold.value, chance, risk) if risk <= self.risk else None
        if annotated or not concept.salient or risk > self.risk:
            return None
        return self._evidence("caption", plausibility=chance, risk=risk)

    def _evidence(self, method: EvidenceMethod, *, plausibility: float, risk: float = 0.0) -> Evidence:
        """Evidence without a score; the many images for which it is the same share it."""
        key = (method, plausibility, risk)
        found = self._shared.get(key)
        if found is None:
            found = self._shared[key] = Evidence(method, plausibility=plausibility, risk=risk)
        return found

    @cached_property
    def _shared(self) -> dict[tuple[EvidenceMethod, float, float], Evidence]:
        return {}

    @cached_property
    def _place(self) -> dict[str, int]:
        return {label: index for index, label in enumerate(self.thresholds)}


@dataclass(frozen=True)
class _Relations:
    """What keeps one concept from being absent, worked out once.

    Args:
        kinds: more special concepts, whose presence is its presence.
        openers: concepts that may hold it, mean it or bring it along: a car has wheels.
        generals: more general concepts, each with its other kinds: "an animal" may be a cat unless it is a dog.
        checked: detector classes of the concept and its kinds.
    """

    kinds: frozenset[str]
    openers: frozenset[str]
    generals: tuple[tuple[str, frozenset[str]], ...]
    checked: tuple[str, ...]

    @classmethod
    def of(cls, name: str, lexicon: Lexicon, detected_as: Mapping[str, str]) -> "_Relations":
        concept = lexicon[name]
        kinds = lexicon.hyponyms(name)
        openers = set(concept.likely_with)
        for other, its in lexicon.items():
            if name in its.parts or name in its.synonyms or other in concept.synonyms:
                openers.add(other)
        generals = tuple(
            (other, lexicon.hyponyms(other) - {name}) for other in sorted(lexicon.closure({name}) - {name})
        )
        classes = (detected_as.get(kind) for kind in (name, *sorted(kinds)))
        return cls(kinds, frozenset(openers), generals, tuple(label for label in classes if label is not None))

    def may_be_meant(self, shown: frozenset[str], present: frozenset[str]) -> bool:
        """Whether something said may be, hold or bring along the concept."""
        return not self.openers.isdisjoint(present) or any(
            general in present and shown.isdisjoint(others) for general, others in self.generals
        )
