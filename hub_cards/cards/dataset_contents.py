"""What a dataset's card says about its content: counts by kind, form and concept, and random samples."""

from collections import Counter
from random import Random
from typing import Any, TypeVar

from notclip.dataset.built import DatasetFiles
from notclip.dataset.rows import CaptionRow, QuestionRow
from notclip.dataset.splits import SPLITS
from notclip.scoring.report.number_format import count

R = TypeVar("R", CaptionRow, QuestionRow)
Table = dict[str, Any]

SAMPLES = 20
_CONCEPTS = 30  # The most denied ones; a domain has fewer, everyday English hundreds.


def kinds(dataset: DatasetFiles) -> Table:
    """Questions of each kind, by the kind of the true choice, in each split."""
    counts = dataset.build["counts"]["questions"]
    names = sorted({kind for split in SPLITS for kind in counts[split].get("by_kind", {})})
    rows = [[kind, *(count(counts[split]["by_kind"].get(kind, 0)) for split in SPLITS)] for kind in names]
    return {"header": ["questions whose answer is", *SPLITS], "rows": rows}


def forms(dataset: DatasetFiles) -> Table:
    """How often each form of negation is used, most used first; in which splits, tells the last column."""
    configs = {"captions": "negated captions", "questions": "choices", "retrieval": "queries"}
    totals = {config: _added(dataset, config, "by_form") for config in configs}
    everything = sum(totals.values(), Counter())
    everything.pop("affirmed", None)
    rows = []
    for form, _ in sorted(everything.items(), key=lambda item: (-item[1], item[0])):
        used = [
            split
            for split in SPLITS
            if any(dataset.build["counts"][config][split].get("by_form", {}).get(form) for config in configs)
        ]
        where = "all splits" if used == list(SPLITS) else f"{', '.join(used)} alone"
        rows.append([f"*{form}*", *(count(totals[config][form]) for config in configs), where])
    return {"header": ["form", *configs.values(), "in"], "rows": rows}


def concepts(dataset: DatasetFiles) -> Table:
    """The concepts that are denied most often, and how many others there are."""
    configs = {"captions": "negated captions", "retrieval": "queries"}
    totals = {config: _added(dataset, config, "by_absent") for config in configs}
    everything = sorted(sum(totals.values(), Counter()).items(), key=lambda item: (-item[1], item[0]))
    rows = [[name, *(count(totals[config][name]) for config in configs)] for name, _ in everything[:_CONCEPTS]]
    others = [name for name, _ in everything[_CONCEPTS:]]
    if others:
        rest = [count(sum(totals[config][name] for name in others)) for config in configs]
        rows.append([f"{count(len(others))} others", *rest])
    return {"header": ["denied concept", *configs.values()], "rows": rows, "distinct": len(everything)}


def samples(dataset: DatasetFiles) -> dict[str, list[dict[str, Any]]]:
    """Random rows of the test split, drawn by the dataset's own seed: the same for everyone.

    Returns:
        `captions`: image, caption, one negated version, its form and evidence; none where the source's sentences are
        not passed on. `questions`: image, choices and which of them is true. Twenty in all, where there are so many.
    """
    rng = Random(f"{dataset.build['config']['seed']}:samples")
    passed_on = dataset.license is not None
    columns = ["image_id", "caption", "negated_captions", "forms", "absent", "evidence"]
    captions = _drawn(dataset, CaptionRow, columns, SAMPLES // 2, rng) if passed_on else []
    questions = _drawn(dataset, QuestionRow, ["image_id", "choices", "answer"], SAMPLES - len(captions), rng)
    return {
        "captions": [_caption(row, rng) for row in captions],
        "questions": [{"image_id": row.image_id, "choices": row.choices, "answer": row.answer} for row in questions],
    }


def _added(dataset: DatasetFiles, config: str, by: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for split in SPLITS:
        found.update(dataset.build["counts"][config][split].get(by, {}))
    return found


def _drawn(dataset: DatasetFiles, kind: type[R], columns: list[str], wanted: int, rng: Random) -> list[R]:
    from notclip.dataset.reader import read_split

    rows = [row for row, _ in read_split(dataset.folder, kind, "test", columns)]
    return [rows[place] for place in sorted(rng.sample(range(len(rows)), min(wanted, len(rows))))]


def _caption(row: CaptionRow, rng: Random) -> dict[str, Any]:
    place = rng.randrange(len(row.negated_captions))
    evidence = row.evidence[place]
    method: str = evidence.method
    if evidence.score is not None:
        method = f"{method}, {evidence.score:.4f} under {evidence.threshold:.4f}"
    return {
        "image_id": row.image_id,
        "caption": row.caption,
        "negated": row.negated_captions[place],
        "form": row.forms[place],
        "absent": row.absent[place],
        "evidence": method,
    }
