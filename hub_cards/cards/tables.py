"""Tables of a card, as header and rows of text; every number in them comes from a results JSON."""

from collections.abc import Mapping
from typing import Any

from notclip.dataset.built import DatasetFiles
from notclip.dataset.splits import SPLITS
from notclip.hub_cards.staging.release import Release
from notclip.scoring.measures import NEGATED, ORDINARY, QUESTIONS, labels, shown_figures
from notclip.scoring.report.number_format import (
    count,
    percent,
    percent_with_interval,
    points_with_interval,
    small_percent_with_interval,
)
from notclip.scoring.results import Figure, Results

Table = dict[str, Any]

# Metric -> the parts of a suite that its repository's card shows the scores of.
METRIC_PARTS = {"negated_mcq": (QUESTIONS,), "negated_retrieval": (ORDINARY, NEGATED)}


def model_names(release: Release) -> dict[str, str]:
    """Role -> what the columns and legends call it."""
    return {"base": release.base.label, "backbone": "merged backbone", "notclip": "NotCLIP"}


def scores(release: Release, metric: str) -> Table:
    """What all three models score by a metric on the dataset's test split; all of it must have been measured."""
    return _table(release, release.scored, labels("card", parts=METRIC_PARTS[metric]))


def suites(release: Release) -> list[Table]:
    """One table a suite, the dataset's own test split first."""
    needed = {name for name, _, figure in shown_figures() if not figure.optional}
    found = []
    for name, scored in release.suites.items():
        own = scored is release.scored
        # A suite of others may have no retrieval, or no kinds; ours must have everything but pairs.
        measured = {name for name in labels("card") if all(results.has(name) for results in scored.values())}
        shown = {name: label for name, label in labels("card").items() if name in measured or (own and name in needed)}
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
    names = model_names(release)
    return {"header": ["Ordinary queries", names["base"], names["notclip"], "change, points"], "rows": rows}


def ablation(release: Release) -> Table:
    """What training alone, and reading and composing each caption on top of it, add to the base, in points."""
    base, backbone, notclip = (release.scored[role] for role in ("base", "backbone", "notclip"))
    steps = ((backbone, base), (notclip, backbone), (notclip, base))
    rows = [
        [shown.card, *(points_with_interval(after.difference(name, before)) for after, before in steps)]
        for name, _, shown in shown_figures()
        if shown.ablated
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
    names = model_names(release)
    cells = [
        [label, *(percent_with_interval(results.figure(name)) for results in scored.values())]
        for name, label in rows.items()
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
