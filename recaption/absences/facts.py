"""What is known about an image: which concepts it shows, and which it was verified not to show."""

from collections.abc import Mapping
from dataclasses import dataclass

from notclip.dataset.rows import EvidenceMethod


@dataclass(frozen=True, slots=True)
class Evidence:
    """How an absence was verified; an absence without evidence is never written.

    Args:
        method: `annotation` (an exhaustive annotation lacks the concept), `detector` (its score stayed under the
            threshold and no caption hints at the concept) or `caption` (no caption hints at a concept that captioners
            reliably mention).
        score: the detector's highest score for the concept's class, None for other methods.
        threshold: the score from which the detector would have refused the absence, None for other methods.
        plausibility: how likely the concept would have been in this image, given what is there: the share of the
            corpus's images with such content that show it. Higher is a harder, more informative absence.
        risk: estimated chance that the concept is there after all; 0 by annotation.
    """

    method: EvidenceMethod
    score: float | None = None
    threshold: float | None = None
    plausibility: float = 0.0
    risk: float = 0.0


@dataclass(frozen=True)
class ImageFacts:
    """Each concept of the lexicon is present, verified absent, or (in neither field) unknown for this image.

    Args:
        image_id: identifier of the image in its source.
        captions: the source's captions, as written.
        present: concepts that an annotation or a caption affirms, with all their hypernyms.
        absent: verified absent concepts with their evidence; disjoint from `present`.
    """

    image_id: str
    captions: tuple[str, ...]
    present: frozenset[str]
    absent: Mapping[str, Evidence]
