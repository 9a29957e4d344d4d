"""The schema of the four configs of a built dataset: what `load_dataset` users see, column by column."""

from datasets import ClassLabel, Features, Image, List, Value

from notclip.dataset.splits import SPLITS
from notclip.recaption.absences.facts import EVIDENCE_METHODS

__all__ = ["CONFIGS", "FEATURES", "KINDS", "SPLITS", "features_of"]
KINDS = ("affirmation", "negation", "hybrid")
CONFIGS = ("captions", "questions", "pairs", "retrieval")

EVIDENCE_FEATURE = {
    "concept": Value("string"),
    "method": ClassLabel(names=list(EVIDENCE_METHODS)),
    "score": Value("float32"),
    "threshold": Value("float32"),
}

# One row per (image, caption), rows of one image adjacent, so that zstd folds the repeated image bytes. The image of a
# clip is a TIFF whose pages are its frames (see `clips`).
CAPTION_FEATURES = Features(
    {
        "image": Image(),
        "image_id": Value("string"),
        "caption": Value("string"),
        "negated_captions": List(Value("string")),
        "forms": List(Value("string")),  # form of negation of each negated caption
        "patterns": List(Value("string")),  # pattern that each fills, as phrasing_forms.yaml has it
        "affirmed": List(
            Value("string")
        ),  # concepts known to be in the image, from all its captions or its annotation
        "absent": List(Value("string")),  # concept that each negated caption excludes
        "evidence": List(EVIDENCE_FEATURE),  # one for each of `absent`
    }
)

# One row per question; `answer` is the index of the only true choice.
QUESTION_FEATURES = Features(
    {
        "image": Image(),
        "image_id": Value("string"),
        "choices": List(Value("string")),
        "answer": Value("int32"),
        "kind": ClassLabel(names=list(KINDS)),
        "choice_kinds": List(ClassLabel(names=list(KINDS))),
        "choice_forms": List(Value("string")),  # form of negation of each choice
        "choice_patterns": List(Value("string")),  # pattern that each fills
        "group": Value("string"),  # questions of one group share their choices; drop or keep whole groups
    }
)

# One row per pair, in Winoground's columns: caption_0 is true of image_0 alone, caption_1 of image_1 alone.
PAIR_FEATURES = Features(
    {
        "image_0": Image(),
        "image_1": Image(),
        "image_id_0": Value("string"),
        "image_id_1": Value("string"),
        "caption_0": Value("string"),
        "caption_1": Value("string"),
        "kind_0": ClassLabel(names=list(KINDS)),
        "kind_1": ClassLabel(names=list(KINDS)),
        "form_0": Value("string"),
        "form_1": Value("string"),
        "pattern_0": Value("string"),
        "pattern_1": Value("string"),
        "pair": Value("string"),  # its name
    }
)

# One row per image; the lists run over its queries.
RETRIEVAL_FEATURES = Features(
    {
        "image": Image(),
        "image_id": Value("string"),
        "captions": List(Value("string")),  # negated queries that this image answers
        "forms": List(Value("string")),  # form of negation of each query
        "patterns": List(Value("string")),  # pattern that each fills
        "affirmed": List(List(Value("string"))),  # concepts that each query asks for
        "absent": List(List(Value("string"))),  # concepts that each query excludes
        "relevant": List(List(Value("string"))),  # ids of the images that each query finds rightly, this one first
        "violating": List(List(Value("string"))),  # ids of the images that show what each query excludes
        "present": List(Value("string")),  # concepts known to be in this image
    }
)

FEATURES = {
    "captions": CAPTION_FEATURES,
    "questions": QUESTION_FEATURES,
    "pairs": PAIR_FEATURES,
    "retrieval": RETRIEVAL_FEATURES,
}

_REFERENCES = {"image": "", "image_0": "_0", "image_1": "_1"}  # column of an image -> ending of what stands for it


def features_of(images: str) -> dict[str, Features]:
    """The features of each config.

    Args:
        images: `embedded`, or `referenced` for large sets and sources whose photos may not be passed on: instead of
            the photo, where it is found and the SHA-256 of its bytes.
    """
    return dict(FEATURES) if images == "embedded" else {name: _referenced(FEATURES[name]) for name in CONFIGS}


def _referenced(features: Features) -> Features:
    made = {}
    for column, feature in features.items():
        if column in _REFERENCES:
            made[f"image_url{_REFERENCES[column]}"] = Value("string")
            made[f"image_sha256{_REFERENCES[column]}"] = Value("string")
        else:
            made[column] = feature
    return Features(made)
