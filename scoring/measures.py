"""The figures that a results file can hold: their names, what they are called, their ranges, and which way is better.

One list, in the order of tables. The gate, tables, cards, reports and the reader of results files go by it.
"""

from dataclasses import dataclass
from typing import Literal

KINDS = ("affirmation", "negation", "hybrid")


@dataclass(frozen=True)
class Measure:
    """What is known of a figure before it is measured.

    Args:
        part: of a suite that it is measured on: photos, questions, negated_queries, ordinary_queries or pairs.
        label: in tables, on a terminal and in reports; of a figure with several depths or kinds with `{}` for them;
            empty where tables leave it out.
        shown: depths or kinds that tables show.
        inside: whose names its value holds, one inside another: of kinds, or of any labels; none for one number.
        low: least value.
        high: greatest value.
        whole: whether it is a count.
        better: which way is better; None where neither is.
        at_depths: whether its name is followed by `@k`.
    """

    part: str
    label: str = ""
    shown: tuple[str, ...] = ()
    inside: tuple[Literal["kind", "label"], ...] = ()
    low: float = 0.0
    high: float = 1.0
    whole: bool = False
    better: Literal["more", "less"] | None = "more"
    at_depths: bool = False


MOST = 10**12  # of photos, questions or ranks: what is more was not counted


def _count(part: str) -> Measure:
    return Measure(part, high=MOST, whole=True, better=None)


def _rank(part: str) -> Measure:
    return Measure(part, low=1, high=MOST, better="less")


def _at(part: str, label: str = "", *shown: str) -> Measure:
    return Measure(part, label, shown, at_depths=True)


QUESTIONS, NEGATED, ORDINARY, PAIRS = "questions", "negated_queries", "ordinary_queries", "pairs"
MEASURES = {
    "accuracy": Measure(QUESTIONS, "accuracy"),
    "macro_accuracy": Measure(QUESTIONS, "macro accuracy over kinds"),
    "accuracy_by_kind": Measure(QUESTIONS, "accuracy, {}", KINDS, inside=("kind",)),
    "accuracy_by_form": Measure(QUESTIONS, inside=("label",)),
    "chance": Measure(QUESTIONS, "chance", better=None),
    "blind_accuracy": Measure(QUESTIONS, "blind accuracy (other images)", better=None),
    "vision_gain": Measure(QUESTIONS, "vision gain", low=-1),
    "affirmation_bias": Measure(QUESTIONS, "affirmation bias", low=-1, better=None),
    "group_score": Measure(QUESTIONS, "all questions of a group right"),
    "group_chance": Measure(QUESTIONS, "… by chance", better=None),
    "pair_text_score": Measure(PAIRS, "pairs: both images get their caption"),
    "pair_image_score": Measure(PAIRS, "pairs: both captions get their image"),
    "pair_group_score": Measure(PAIRS, "pairs: group score"),
    "pair_group_chance": Measure(PAIRS, "… by chance", better=None),
    "tie_rate": Measure(QUESTIONS, "ties", better="less"),
    "calibration_error": Measure(QUESTIONS, "calibration error", better="less"),
    "confusion": Measure(QUESTIONS, inside=("kind", "kind"), better=None),
    "recall": _at(ORDINARY, "recall@{}, ordinary queries", "1", "5", "10"),
    "negated_recall": _at(NEGATED, "recall@{}, negated queries", "1", "5", "10"),
    "caption_recall": _at(ORDINARY, "recall@{} of captions by images", "5"),
    "negated_caption_recall": _at(NEGATED, "recall@{} of negated captions by images", "5"),
    "recall_per_image": _at(ORDINARY),
    "negated_recall_per_image": _at(NEGATED),
    "caption_recall_per_image": _at(ORDINARY),  # in comparisons alone
    "negated_caption_recall_per_image": _at(NEGATED),
    # By itself, or at a depth: negation_drop is negation_drop@5.
    "negation_drop": Measure(NEGATED, "negation drop of recall@5", low=-1, better="less", at_depths=True),
    "violation": Measure(NEGATED, "violation@{} (lower is better)", ("1", "5", "10"), better="less", at_depths=True),
    "violation_chance": Measure(NEGATED, "violation of a random order", better=None),
    "mrr": Measure(ORDINARY),
    "negated_mrr": Measure(NEGATED),
    "caption_mrr": Measure(ORDINARY),
    "negated_caption_mrr": Measure(NEGATED),
    "median_rank": _rank(ORDINARY),
    "negated_median_rank": _rank(NEGATED),
    "caption_median_rank": _rank(ORDINARY),
    "negated_caption_median_rank": _rank(NEGATED),
    "n_images": _count("photos"),
    "n_questions": _count(QUESTIONS),
    "n_questions_by_form": Measure(QUESTIONS, inside=("label",), high=MOST, whole=True, better=None),
    "n_groups": _count(QUESTIONS),
    "n_pairs": _count(PAIRS),
    # Always there, as n_images is: 0 where a suite has no queries.
    "n_queries": _count("photos"),
    "n_ordinary_queries": _count("photos"),
}


def _shown() -> dict[str, str]:
    labels = {}
    for name, measure in MEASURES.items():
        if measure.label and not measure.shown:
            labels[name] = measure.label
        for one in measure.shown:
            labels[f"{name}{'@' if measure.at_depths else '/'}{one}"] = measure.label.format(one)
    return labels


# Name in the results -> what tables call it, for all that tables show, in their order.
FIGURE_NAMES = _shown()


def measure_named(figure: str) -> Measure | None:
    """What is known of a figure, `recall@5` or `accuracy_by_kind/negation`; None where no figure has that name.

    >>> measure_named("violation@5").better, measure_named("accuracy@5"), measure_named("recall")
    ('less', None, None)
    """
    name, at, depth = figure.partition("/")[0].partition("@")
    measure = MEASURES.get(name)
    if measure is None or (at and not (measure.at_depths and depth.isdecimal())):
        return None
    return measure if at or not measure.at_depths or name == "negation_drop" else None


def difference_name(name: str, *, of: str = "difference") -> str:
    """The name of a figure's difference from a compared model's, or of another figure of that comparison.

    >>> difference_name("recall@5"), difference_name("accuracy_by_kind/negation"), difference_name("mrr", of="p_value")
    ('recall_difference@5', 'accuracy_by_kind_difference/negation', 'mrr_p_value')

    Args:
        name: of the figure in the results.
        of: `difference` or `p_value`.
    """
    outer, slash, inner = name.partition("/")
    measured, at, k = outer.partition("@")
    return f"{measured}_{of}{at}{k}{slash}{inner}"
