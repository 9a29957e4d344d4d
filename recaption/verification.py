"""What an image shows and what it surely does not: present, verified absent, or unknown."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np

from notclip.recaption.absences import Companions
from notclip.recaption.detector import COCO_CLASSES
from notclip.recaption.detector_thresholds import DetectorThreshold
from notclip.recaption.facts import Evidence, ImageFacts
from notclip.recaption.lexicon import Lexicon
from notclip.recaption.salience import SalienceRecord, silence_risk

_LEAST_MISSED = 0.05  # No detector finds everything, however few named images it missed.
_CLASS_INDEX = {name: index for index, name in enumerate(COCO_CLASSES)}


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
        thresholds: from which detector score a class may be there, by COCO class; empty without a detector.
        salience: measured reliability of mentions, where the corpus has several captions an image.
        risk: the largest estimated chance of a wrong absence: of the captions' silence, times the share of such
            objects that the detector misses where it is asked.
    """

    lexicon: Lexicon
    companions: Companions
    vocabulary: frozenset[str] = frozenset()
    thresholds: Mapping[str, DetectorThreshold] = field(default_factory=dict)
    salience: Mapping[str, SalienceRecord] = field(default_factory=dict)
    risk: float = 0.01

    def facts(
        self, image_id: str, captions: tuple[str, ...], *, objects: Collection[str] | None, scores: np.ndarray | None
    ) -> ImageFacts:
        """What is known about one image.

        Args:
            image_id: its identifier.
            captions: all its captions.
            objects: concepts that its annotation lists; None without annotation.
            scores: detector scores of its classes, shape (80,); None where there is no detector or it failed.
        """
        said = frozenset(name for caption in captions for name in self.lexicon.find(caption))
        shown = said | frozenset(objects or ())
        present = self.lexicon.closure(shown)
        hinted = frozenset(name for caption in captions for name in self.lexicon.hinted(caption))
        plausibility = self.companions.plausibility(present)
        absent: dict[str, Evidence] = {}
        for name in self.companions.candidates:
            if name in present or any(kind in present for kind in self.lexicon.hyponyms(name)):
                continue
            chance = plausibility[name]
            if objects is not None and name in self.vocabulary:
                absent[name] = Evidence("annotation", plausibility=chance)
                continue
            if name in hinted or self._may_be_meant(name, shown, present):
                continue
            evidence = self._without_annotation(name, chance, scores, annotated=objects is not None)
            if evidence is not None:
                absent[name] = evidence
        return ImageFacts(image_id, captions, present, absent)

    def _may_be_meant(self, name: str, shown: frozenset[str], present: frozenset[str]) -> bool:
        """Whether something said may be, hold or bring along it: "an animal" may be a cat, a car has wheels."""
        concept = self.lexicon[name]
        if any(other in present for other in concept.likely_with):
            return True
        for other in present:
            if name in self.lexicon[other].parts or other in concept.synonyms or name in self.lexicon[other].synonyms:
                return True
            kinds = self.lexicon.hyponyms(other)
            # "An animal runs" is explained where another caption says that it is a dog.
            if name in kinds and not (shown & kinds - {name}):
                return True
        return False

    def _without_annotation(
        self, name: str, chance: float, scores: np.ndarray | None, *, annotated: bool
    ) -> Evidence | None:
        concept = self.lexicon[name]
        checked = self._checkable(name)
        found: dict[str, float] = {}
        if self.thresholds and checked:
            if scores is None:
                return None
            found = {label: float(scores[_CLASS_INDEX[label]]) for label in checked}
            if any(score >= self.thresholds[label].value for label, score in found.items()):
                return None
        label = concept.detector_class
        risk = silence_risk(self.salience.get(name), chance, salient=concept.salient)
        if self.thresholds and label is not None:
            threshold = self.thresholds[label]
            risk *= max(threshold.missed, _LEAST_MISSED)
            return Evidence("detector", found[label], threshold.value, chance, risk) if risk <= self.risk else None
        if annotated or not concept.salient or risk > self.risk:
            return None
        return Evidence("caption", plausibility=chance, risk=risk)

    def _checkable(self, name: str) -> list[str]:
        """Detector classes of a concept and of its kinds."""
        concepts = (self.lexicon[kind] for kind in (name, *sorted(self.lexicon.hyponyms(name))))
        return [concept.detector_class for concept in concepts if concept.detector_class is not None]
