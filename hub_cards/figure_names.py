"""What the figures of a results file are called in tables, on a terminal and in reports: one list, in their order."""

FIGURE_NAMES = {
    "accuracy": "accuracy",
    "macro_accuracy": "macro accuracy over kinds",
    "accuracy_by_kind/affirmation": "accuracy, affirmation",
    "accuracy_by_kind/negation": "accuracy, negation",
    "accuracy_by_kind/hybrid": "accuracy, hybrid",
    "chance": "chance",
    "blind_accuracy": "blind accuracy (other images)",
    "vision_gain": "vision gain",
    "affirmation_bias": "affirmation bias",
    "group_score": "all questions of a group right",
    "group_chance": "… by chance",
    "pair_text_score": "pairs: both images get their caption",
    "pair_image_score": "pairs: both captions get their image",
    "pair_group_score": "pairs: group score",
    "pair_group_chance": "… by chance",
    "tie_rate": "ties",
    "calibration_error": "calibration error",
    "recall@1": "recall@1, ordinary queries",
    "recall@5": "recall@5, ordinary queries",
    "recall@10": "recall@10, ordinary queries",
    "negated_recall@1": "recall@1, negated queries",
    "negated_recall@5": "recall@5, negated queries",
    "negated_recall@10": "recall@10, negated queries",
    "caption_recall@5": "recall@5 of captions by images",
    "negated_caption_recall@5": "recall@5 of negated captions by images",
    "negation_drop": "negation drop of recall@5",
    "violation@1": "violation@1 (lower is better)",
    "violation@5": "violation@5 (lower is better)",
    "violation@10": "violation@10 (lower is better)",
    "violation_chance": "violation of a random order",
}


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
