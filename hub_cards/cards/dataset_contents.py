"""What a dataset's card says about its content: counts by kind, form and concept, and random samples."""

from collections import Counter
from random import Random
from typing import Any

from notclip.dataset.built import SPLITS, DatasetFiles
from notclip.scoring.report.number_format import count

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
    captions = _drawn(dataset, "captions", SAMPLES // 2, rng) if passed_on else []
    questions = _drawn(dataset, "questions", SAMPLES - len(captions), rng)
    return {
        "captions": [_caption(row, rng) for row in captions],
        "questions": [{name: row[name] for name in ("image_id", "choices", "answer")} for row in questions],
    }


def _added(dataset: DatasetFiles, config: str, by: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for split in SPLITS:
        found.update(dataset.build["counts"][config][split].get(by, {}))
    return found


def _drawn(dataset: DatasetFiles, config: str, wanted: int, rng: Random) -> list[dict[str, Any]]:
    import pyarrow as pa

    from notclip.files.parquet_files import open_parquet, parquet_features, read_columns

    columns = {
        "captions": ["image_id", "caption", "negated_captions", "forms", "absent", "evidence"],
        "questions": ["image_id", "choices", "answer"],
    }[config]
    files = dataset.parts[config]["test"]
    table = pa.concat_tables([read_columns(file, columns) for file in files])
    rows: list[dict[str, Any]] = table.take(
        sorted(rng.sample(range(table.num_rows), min(wanted, table.num_rows)))
    ).to_pylist()
    if config == "captions":
        with open_parquet(files[0]) as parquet:
            methods = parquet_features(parquet, files[0])["evidence"].feature["method"].names
        for row in rows:
            row["methods"] = [methods[entry["method"]] for entry in row["evidence"]]
    return rows


def _caption(row: dict[str, Any], rng: Random) -> dict[str, Any]:
    place = rng.randrange(len(row["negated_captions"]))
    evidence = row["evidence"][place]
    method = row["methods"][place]
    if evidence["score"] is not None:
        method = f"{method}, {evidence['score']:.4f} under {evidence['threshold']:.4f}"
    return {
        "image_id": row["image_id"],
        "caption": row["caption"],
        "negated": row["negated_captions"][place],
        "form": row["forms"][place],
        "absent": row["absent"][place],
        "evidence": method,
    }
