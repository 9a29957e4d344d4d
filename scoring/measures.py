"""The figures that a results file can hold: their ranges, which way is better, where they are shown and called what.

One entry each, in the order of tables. Gate, tables, cards, reports, the Space and the reader of results files go by
it: a new figure is a new entry.
"""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

KINDS = ("affirmation", "negation", "hybrid")
Place = Literal["table", "card", "index", "task", "plain"]


@dataclass(frozen=True)
class Shown:
    """What a figure is called wherever it is shown; empty where it is not.

    Args:
        table: on a terminal, in reports, and in the Space's diagnosis.
        card: in the tables of cards and of README.
        index: in the model-index of a card's front matter, which the Hub reads.
        task: its task in `.eval_results`, where the Hub shows it.
        plain: to visitors of the Space.
        metric_type: the kind of metric that model-index says it is.
        compared: whether the terminal shows how far it is from a compared model's.
        ablated: whether cards say what each step of NotCLIP adds to it.
        optional: whether cards leave it out where the dataset does not measure it; else that is an error.
    """

    table: str
    card: str = ""
    index: str = ""
    task: str = ""
    plain: str = ""
    metric_type: str = ""
    compared: bool = False
    ablated: bool = False
    optional: bool = False


@dataclass(frozen=True)
class Measure:
    """What is known of a figure before it is measured.

    Args:
        part: of a suite that it is measured on: photos, questions, negated_queries, ordinary_queries or pairs.
        shown: kind or depth, empty for the figure itself -> what it is called; nothing where no place shows it.
        inside: whose names its value holds, one inside another: of kinds, or of any labels; none for one number.
        low: least value.
        high: greatest value.
        whole: whether it is a count.
        better: which way is better; None where neither is.
        at_depths: whether its name is followed by `@k`.
    """

    part: str
    shown: Mapping[str, Shown] = field(default_factory=dict)
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


def _called(table: str, **elsewhere: Any) -> dict[str, Shown]:
    return {"": Shown(table, **elsewhere)}


def _at_five(table: str, *, depths: tuple[str, ...] = ("1", "5", "10"), **elsewhere: Any) -> dict[str, Shown]:
    """Tables show several depths, `{}` in their label; cards and the like show 5 alone."""
    return {depth: Shown(table.format(depth), **(elsewhere if depth == "5" else {})) for depth in depths}


QUESTIONS, NEGATED, ORDINARY, PAIRS = "questions", "negated_queries", "ordinary_queries", "pairs"
_INDEX_OF_KIND = {"negation": {"index": "Accuracy on negations", "metric_type": "accuracy"}}
MEASURES = {
    "accuracy": Measure(QUESTIONS, _called("accuracy", compared=True)),
    "macro_accuracy": Measure(
        QUESTIONS,
        _called(
            "macro accuracy over kinds",
            card="Questions: macro accuracy",
            index="Macro accuracy on questions",
            metric_type="accuracy",
            task="questions",
            compared=True,
            ablated=True,
        ),
    ),
    "accuracy_by_kind": Measure(
        QUESTIONS,
        {
            kind: Shown(
                f"accuracy, {kind}",
                card=f"… {kind}",
                task=f"questions_{kind}",
                plain=f"{kind.capitalize()}s answered rightly",
                **_INDEX_OF_KIND.get(kind, {}),  # type: ignore[arg-type]  # all of them texts
            )
            for kind in KINDS
        },
        inside=("kind",),
    ),
    "accuracy_by_form": Measure(QUESTIONS, inside=("label",)),
    "chance": Measure(QUESTIONS, _called("chance"), better=None),
    "blind_accuracy": Measure(QUESTIONS, _called("blind accuracy (other images)"), better=None),
    "vision_gain": Measure(
        QUESTIONS,
        _called(
            "vision gain",
            card="Vision gain",
            index="Vision gain",
            metric_type="vision_gain",
            task="questions_vision_gain",
            compared=True,
        ),
        low=-1,
    ),
    "affirmation_bias": Measure(
        QUESTIONS, _called("affirmation bias", card="Affirmation bias", compared=True), low=-1, better=None
    ),
    "group_score": Measure(QUESTIONS, _called("all questions of a group right")),
    "group_chance": Measure(QUESTIONS, _called("… by chance"), better=None),
    "pair_text_score": Measure(PAIRS, _called("pairs: both images get their caption")),
    "pair_image_score": Measure(PAIRS, _called("pairs: both captions get their image")),
    "pair_group_score": Measure(
        PAIRS, _called("pairs: group score", card="Pairs: group score", compared=True, optional=True)
    ),
    "pair_group_chance": Measure(PAIRS, _called("… by chance"), better=None),
    "tie_rate": Measure(QUESTIONS, _called("ties"), better="less"),
    "calibration_error": Measure(QUESTIONS, _called("calibration error"), better="less"),
    "confusion": Measure(QUESTIONS, inside=("kind", "kind"), better=None),
    "recall": Measure(
        ORDINARY,
        _at_five(
            "recall@{}, ordinary queries",
            card="Recall@5, ordinary queries",
            index="Recall@5, ordinary queries",
            metric_type="recall_at_5",
            task="retrieval_recall_at_5",
            plain="Ordinary search, right photo in the first five",
            compared=True,
            ablated=True,
        ),
        at_depths=True,
    ),
    "negated_recall": Measure(
        NEGATED,
        _at_five(
            "recall@{}, negated queries",
            card="Recall@5, negated queries",
            index="Recall@5, negated queries",
            metric_type="recall_at_5",
            task="retrieval_negated_recall_at_5",
            plain="Negated search, right photo in the first five",
            compared=True,
            ablated=True,
        ),
        at_depths=True,
    ),
    "caption_recall": Measure(ORDINARY, _at_five("recall@{} of captions by images", depths=("5",)), at_depths=True),
    "negated_caption_recall": Measure(
        NEGATED, _at_five("recall@{} of negated captions by images", depths=("5",)), at_depths=True
    ),
    "recall_per_image": Measure(ORDINARY, at_depths=True),
    "negated_recall_per_image": Measure(NEGATED, at_depths=True),
    "caption_recall_per_image": Measure(ORDINARY, at_depths=True),  # in comparisons alone
    "negated_caption_recall_per_image": Measure(NEGATED, at_depths=True),
    # By itself, or at a depth: negation_drop is negation_drop@5.
    "negation_drop": Measure(NEGATED, _called("negation drop of recall@5"), low=-1, better="less", at_depths=True),
    "violation": Measure(
        NEGATED,
        _at_five(
            "violation@{} (lower is better)",
            card="Violation@5 (lower is better)",
            index="Violation@5 (lower is better)",
            metric_type="violation_at_5",
            task="retrieval_violation_at_5",
            plain="Results that show what was excluded",
            compared=True,
            ablated=True,
        ),
        better="less",
        at_depths=True,
    ),
    "violation_chance": Measure(NEGATED, _called("violation of a random order"), better=None),
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


def shown_figures() -> Iterator[tuple[str, Measure, Shown]]:
    """Name in the results, what is known of it and what it is called, for all that any place shows, in table order."""
    for name, measure in MEASURES.items():
        for inner, shown in measure.shown.items():
            yield name + (f"{'@' if measure.at_depths else '/'}{inner}" if inner else ""), measure, shown


def labels(place: Place, *, parts: Container[str] | None = None) -> dict[str, str]:
    """Name in the results -> what a place calls it, for all that it shows.

    >>> labels("plain")["violation@5"]
    'Results that show what was excluded'

    Args:
        place: a field of `Shown`.
        parts: of the suite, those alone that are measured on one of them.
    """
    return {
        name: label
        for name, measure, shown in shown_figures()
        if (label := getattr(shown, place)) and (parts is None or measure.part in parts)
    }


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
