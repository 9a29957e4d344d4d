"""The schema of the three configs of a built dataset: what `load_dataset` users see, column by column."""

from datasets import ClassLabel, Features, Image, List, Value

from notclip.recaption.facts import EVIDENCE_METHODS

KINDS = ("affirmation", "negation", "hybrid")
SPLITS = ("train", "validation", "test")
CONFIGS = ("captions", "questions", "retrieval")

EVIDENCE_FEATURE = {
    "concept": Value("string"),
    "method": ClassLabel(names=list(EVIDENCE_METHODS)),
    "score": Value("float32"),
    "threshold": Value("float32"),
}

# One row per (image, caption), rows of one image adjacent, so that zstd folds the repeated image bytes.
CAPTION_FEATURES = Features(
    {
        "image": Image(),
        "image_id": Value("string"),
        "caption": Value("string"),
        "negated_captions": List(Value("string")),
        "forms": List(Value("string")),  # pattern of each negated caption
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
        "choice_forms": List(Value("string")),  # pattern of each choice
        "group": Value("string"),  # questions of one group share their choices; drop or keep whole groups
    }
)

# One row per image; the lists run over its queries.
RETRIEVAL_FEATURES = Features(
    {
        "image": Image(),
        "image_id": Value("string"),
        "captions": List(Value("string")),  # negated queries that this image answers
        "forms": List(Value("string")),  # pattern of each query
        "affirmed": List(List(Value("string"))),  # concepts that each query asks for
        "absent": List(List(Value("string"))),  # concepts that each query excludes
        "present": List(Value("string")),  # concepts known to be in this image, for violation@k
    }
)

FEATURES = {"captions": CAPTION_FEATURES, "questions": QUESTION_FEATURES, "retrieval": RETRIEVAL_FEATURES}
