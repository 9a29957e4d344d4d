"""Tables of a card, as header and rows of text; every number in them comes from a results JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

from notclip.dataset.built import DatasetFiles
from notclip.dataset.splits import SPLITS
from notclip.hub_cards.staging.release import Release
from notclip.scoring.report.number_format import (
    count,
    percent,
    percent_with_interval,
    points_with_interval,
    small_percent_with_interval,
)
from notclip.scoring.results import Figure, Results

Table = dict[str, Any]

QUESTION_ROWS = {
    "Questions: macro accuracy": "macro_accuracy",
    "… affirmation": "accuracy_by_kind/affirmation",
    "… negation": "accuracy_by_kind/negation",
    "… hybrid": "accuracy_by_kind/hybrid",
    "Vision gain": "vision_gain",
    "Affirmation bias": "affirmation_bias",
}
RETRIEVAL_ROWS = {
    "Recall@5, ordinary queries": "recall@5",
    "Recall@5, negated queries": "negated_recall@5",
    "Violation@5 (lower is better)": "violation@5",
}
# Of datasets with pairs, where they were scored.
PAIR_ROWS = {"Pairs: group score": "pair_group_score"}
ABLATED = {"Questions: macro accuracy": "macro_accuracy"} | RETRIEVAL_ROWS
METRIC_ROWS = {"negated_mcq": QUESTION_ROWS, "negated_retrieval": RETRIEVAL_ROWS}


def labels(release: Release) -> dict[str, str]:
    """Role -> what the columns and legends call it."""
    return {"base": release.base.label, "backbone": "merged backbone", "notclip": "NotCLIP"}


def scores(release: Release, rows: Mapping[str, str]) -> Table:
    """The given metrics of all three models on the dataset's test split; all of them must have been measured."""
    return _table(release, release.scored, rows)


def suites(release: Release) -> list[Table]:
    """One table a suite, the dataset's own test split first."""
    needed, rows = QUESTION_ROWS | RETRIEVAL_ROWS, QUESTION_ROWS | PAIR_ROWS | RETRIEVAL_ROWS
    found = []
    for name, scored in release.suites.items():
        own = scored is release.scored
        # A suite of others may have no retrieval, or no kinds; ours must have everything but pairs.
        measured = {label: m for label, m in rows.items() if all(r.has(m) for r in scored.values())}
        shown = {label: m for label, m in rows.items() if label in measured or (own and label in needed)}
        about = "On the dataset's test split" if own else f"On {name}"
        found.append(
            {"name": name, "description": about + _sizes(next(iter(scored.values())))} | _table(release, scored, shown)
        )
    return found


def forgotten(release: Release) -> Table:
    """Ordinary recall of base and NotCLIP, and the difference in points."""
    base, notclip = release.scored["base"], release.scored["notclip"]
    rows = []
    for k in (1, 5, 10):
        before, after = base.figure(f"recall@{k}"), notclip.figure(f"recall@{k}")
        change = points_with_interval(notclip.difference(f"recall@{k}", base))
        rows.append([f"Recall@{k}", percent_with_interval(before), percent_with_interval(after), change])
    names = labels(release)
    return {"header": ["Ordinary queries", names["base"], names["notclip"], "change, points"], "rows": rows}


def ablation(release: Release) -> Table:
    """What training alone, and reading and composing each caption on top of it, add to the base, in points."""
    base, backbone, notclip = (release.scored[role] for role in ("base", "backbone", "notclip"))
    steps = ((backbone, base), (notclip, backbone), (notclip, base))
    rows = [
        [label, *(points_with_interval(after.difference(metric, before)) for after, before in steps)]
        for label, metric in ABLATED.items()
    ]
    return {"header": ["points", "training alone", "reading and composing", "both"], "rows": rows}


def row_counts(dataset: DatasetFiles) -> Table:
    """Rows of each config and split."""
    rows = [[f"`{config}`", *(count(splits[split]) for split in SPLITS)] for config, splits in dataset.rows.items()]
    return {"header": ["config", *SPLITS], "rows": rows}


def evidence(dataset: DatasetFiles) -> Table:
    """How many absences of the negated captions each method verified."""
    counts = dataset.build["counts"]["captions"]
    methods = sorted({method for split in SPLITS for method in counts[split].get("by_evidence", {})})
    rows = [[method, *(count(counts[split]["by_evidence"].get(method, 0)) for split in SPLITS)] for method in methods]
    return {"header": ["absences verified by", *SPLITS], "rows": rows}


def wrong_absences(dataset: DatasetFiles) -> Table:
    """The measured share of wrong absences; no rows where nothing could be kept back to measure it by."""
    rows = [
        [
            measured["method"],
            measured["kept_back"],
            count(measured["claims"]),
            count(measured["images"]),
            count(measured["wrong"]),
            small_percent_with_interval(Figure(measured["share"], measured["low"], measured["high"])),
        ]
        for measured in dataset.build["verification"].get("wrong_absences", [])
    ]
    return {"header": ["claimed by", "held against", "absences", "on images", "contradicted", "%"], "rows": rows}


def blind_accuracies(dataset: DatasetFiles) -> Table:
    """What text-only classifiers scored on the questions of each split, when the dataset was built."""
    rows = [
        [
            split,
            measured["view"],
            measured["setting"],
            percent_with_interval(Figure(measured["accuracy"], measured["low"], measured["high"])),
            percent(measured["chance"]),
        ]
        for split in SPLITS
        for measured in dataset.build["blind"][split]
    ]
    return {"header": ["split", "classifier sees", "setting", "accuracy", "chance"], "rows": rows}


def _table(release: Release, scored: Mapping[str, Results], rows: Mapping[str, str]) -> Table:
    names = labels(release)
    cells: Sequence[list[str]] = [
        [label, *(percent_with_interval(results.figure(metric)) for results in scored.values())]
        for label, metric in rows.items()
    ]
    return {"header": ["%", *(names[role] for role in scored)], "rows": cells}


def _sizes(results: Results) -> str:
    """How much was asked, and what guessing would score."""
    asked = {"n_questions": "questions", "n_queries": "negated queries", "n_ordinary_queries": "ordinary queries"}
    parts = [f"{count(results.figure(name).value)} {what}" for name, what in asked.items() if results.has(name)]
    guessed = {"chance": "a guess answers {} % of the questions", "violation_chance": "a random order violates {} %"}
    chances = [text.format(percent(results.figure(name))) for name, text in guessed.items() if results.has(name)]
    about = f" about {count(results.figure('n_images').value)} images"
    return f", {', '.join(parts)}{about}. By chance, {' and '.join(chances)}." if chances else f", {', '.join(parts)}."
