"""The rows of a built dataset: one dataclass a config, from which schema, reader, writer and checks are made.

A photo stands in a row as its bytes; in large sets, and where it may not be passed on, as where it is found and the
SHA-256 of its bytes. The photo of a clip is a TIFF whose pages are its frames (`clips`).
"""

from collections.abc import Sized
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, TypedDict

Kind = Literal["affirmation", "negation", "hybrid"]
KINDS: tuple[Kind, ...] = ("affirmation", "negation", "hybrid")
EvidenceMethod = Literal["annotation", "detector", "caption"]
EVIDENCE_METHODS: tuple[EvidenceMethod, ...] = ("annotation", "detector", "caption")
# Fields that earlier builds did not write, or left empty.
MAY_LACK: dict[str, Any] = {"optional": True}


def kind_of(affirmed: Sized, negated: Sized) -> Kind:
    """Kind of a statement that affirms some things and negates others."""
    if not negated:
        return "affirmation"
    return "hybrid" if affirmed else "negation"


class Picture(TypedDict):
    """A photo inside a row, as `datasets.Image` stores it."""

    bytes: bytes | None
    path: str | None


@dataclass(slots=True)
class AbsenceEvidence:
    """How one absence was verified (`notclip.recaption.absences.facts.Evidence`)."""

    concept: str
    method: EvidenceMethod
    score: float | None
    threshold: float | None


@dataclass(slots=True)
class CaptionRow:
    """A caption of an image, and what it says when something verified absent is denied in it.

    Rows of one image are neighbours, so that zstd folds the repeated bytes of its photo.

    Args:
        forms: form of negation of each negated caption.
        patterns: pattern that each fills, as phrasing_forms.yaml has it.
        affirmed: concepts known to be in the image, from all its captions or its annotation.
        absent: concept that each negated caption excludes.
        evidence: one for each of `absent`.
    """

    CONFIG: ClassVar[str] = "captions"

    image: Picture | None = None
    image_id: str = ""
    caption: str = ""
    negated_captions: list[str] = field(default_factory=list)
    forms: list[str] = field(default_factory=list)
    patterns: list[str] = field(default_factory=list)
    affirmed: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    evidence: list[AbsenceEvidence] = field(default_factory=list)
    image_url: str | None = None
    image_sha256: str | None = None


@dataclass(slots=True)
class QuestionRow:
    """A multiple-choice question.

    Args:
        answer: index of the only true choice.
        kind: of the true choice.
        choice_forms: form of negation of each choice; empty where nobody knows.
        choice_patterns: pattern that each fills.
        group: questions of one group share their choices; drop or keep whole groups.
    """

    CONFIG: ClassVar[str] = "questions"

    image: Picture | None = None
    image_id: str = ""
    choices: list[str] = field(default_factory=list)
    answer: int = 0
    kind: Kind = "affirmation"
    choice_kinds: list[Kind] = field(default_factory=list)
    choice_forms: list[str] = field(default_factory=list, metadata=MAY_LACK)
    choice_patterns: list[str] = field(default_factory=list)
    group: str | None = field(default=None, metadata=MAY_LACK)
    image_url: str | None = None
    image_sha256: str | None = None


@dataclass(slots=True)
class PairRow:
    """A named pair in Winoground's columns: caption_0 is true of image_0 alone, caption_1 of image_1 alone."""

    CONFIG: ClassVar[str] = "pairs"

    image_0: Picture | None = None
    image_1: Picture | None = None
    image_id_0: str = ""
    image_id_1: str = ""
    caption_0: str = ""
    caption_1: str = ""
    kind_0: Kind = "affirmation"
    kind_1: Kind = "affirmation"
    form_0: str = ""
    form_1: str = ""
    pattern_0: str = ""
    pattern_1: str = ""
    pair: str = ""
    image_url_0: str | None = None
    image_sha256_0: str | None = None
    image_url_1: str | None = None
    image_sha256_1: str | None = None


@dataclass(slots=True)
class RetrievalRow:
    """The queries that an image answers; the lists run over them.

    Args:
        captions: queries with negation.
        forms: form of negation of each query.
        patterns: pattern that each fills.
        affirmed: concepts that each query asks for.
        absent: concepts that each query excludes.
        relevant: ids of the images that each query finds rightly, this one first.
        violating: ids of the images that show what each query excludes.
        present: concepts known to be in this image.
    """

    CONFIG: ClassVar[str] = "retrieval"

    image: Picture | None = None
    image_id: str = ""
    captions: list[str] = field(default_factory=list)
    forms: list[str] = field(default_factory=list)
    patterns: list[str] = field(default_factory=list)
    affirmed: list[list[str]] = field(default_factory=list)
    absent: list[list[str]] = field(default_factory=list)
    relevant: list[list[str]] = field(default_factory=list, metadata=MAY_LACK)
    violating: list[list[str]] = field(default_factory=list)
    present: list[str] = field(default_factory=list)
    image_url: str | None = None
    image_sha256: str | None = None


Row = CaptionRow | QuestionRow | PairRow | RetrievalRow
ROWS: dict[str, type[Row]] = {kind.CONFIG: kind for kind in (CaptionRow, QuestionRow, PairRow, RetrievalRow)}
CONFIGS = tuple(ROWS)
