"""Last stage: what all shards hold together, what text alone gives away, and the record of the build."""

import hashlib
import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import pyarrow.parquet as pq

from notclip.dataset.reader import read_rows
from notclip.dataset.rows import PairRow, QuestionRow
from notclip.dataset.splits import SPLITS
from notclip.errors import BadInputError
from notclip.files.derived import file_digest
from notclip.recaption.absences.audit import AuditRecord, audit_records
from notclip.recaption.building.corpus import read_corpus
from notclip.recaption.building.detection import read_detection, write_seen
from notclip.recaption.building.gathering import gathering_skipped
from notclip.recaption.building.job import BuildJob
from notclip.recaption.building.raw_shards import Skipped, columns_taken_for, list_raw_shards
from notclip.recaption.building.shard_writer import read_shard_record
from notclip.recaption.building.work_folder import write_work_file
from notclip.recaption.questions.blind import QuestionTexts, blind_accuracy, require_blind_chance
from notclip.recaption.questions.pairs import texts_of_pairs

R = TypeVar("R", PairRow, QuestionRow)

# Options that no byte of the dataset depends on.
WITHOUT_EFFECT = frozenset(
    """
    out cache workers progress executor tasks slurm_partition slurm_time memory_gb llm llm_concurrency llm_timeout
    """.split()
)
_REASONS = 20
_VALUES = re.compile(r"'[^']*'|\d+|/\S+")  # What differs between reasons of one kind.
LEAST_PAIRS = 5  # Fewer cannot be cut into the folds of the blind test.
_BLIND_QUESTIONS = 20_000  # Of larger splits a sample of whole groups is read, about so many questions.


def finish(job: BuildJob) -> None:
    """Write skipped.jsonl, README.md and build.json beside the rows, and give the dataset its place.

    Raises:
        BadInputError: the questions give themselves away, or a split has none.
    """
    folder, out = job.work.dataset, job.root.with_name(job.config.out.name)
    if not folder.is_dir():  # Killed after the dataset took its place.
        return
    records = {
        split: [read_shard_record(job, shard) for shard in job.shards if shard.split == split] for split in SPLITS
    }
    counts = {
        config: {split: _added(record["counts"][config] for record in records[split]) for split in SPLITS}
        for config in job.configs
    }
    for split in SPLITS:
        if not counts["questions"][split].get("rows"):
            raise BadInputError(
                f"No question could be made of the {split} images; use more images, annotations or a detector."
            )
    every = [record for split in SPLITS for record in records[split]]
    _require_rows_on_disk(folder, counts)
    blind = _measure_blind({split: _question_texts(job, split) for split in SPLITS}, seed=job.config.seed)
    blind_pairs = _blind_pairs(job, counts)
    skipped, reasons = _write_skipped(job, folder / "skipped.jsonl", every)
    revision = hashlib.sha256("".join(record["revision"] for record in every).encode())
    for left in sorted(folder.rglob(".*.partial")):  # Of processes that were killed while they wrote.
        shutil.rmtree(left, ignore_errors=True)
    corpus = read_corpus(job)
    fingerprint, thresholds, _ = read_detection(job)
    write_seen(job, folder)
    files = {
        str(file.relative_to(folder)): {"bytes": file.stat().st_size, "sha256": file_digest(file)}
        for file in sorted(folder.rglob("*.parquet"))
    }
    (folder / "README.md").write_text(_readme(job, files), encoding="utf-8")
    write_work_file(
        folder / "build.json",
        {
            "config": {
                key: str(value) if isinstance(value, Path) else value
                for key, value in asdict(job.config).items()
                if key not in WITHOUT_EFFECT
            },
            "source": {
                "name": job.config.source,
                "revision": revision.hexdigest(),
                "annotated": job.gathered.vocabulary is not None,
                "columns": columns_taken_for(job),
                "classes": job.concept_of_label,
                "denials": job.denials,
            },
            "images": {split: sum(record["images"] for record in records[split]) for split in SPLITS},
            "skipped": skipped,
            "skipped_reasons": reasons,
            "counts": counts,
            "too_long_captions": {split: sum(record["too_long"] for record in records[split]) for split in SPLITS},
            "blind": blind,
            "blind_pairs": blind_pairs,
            "llm": _llm(job, every),
            "verification": {
                "annotated_images": _added(record["annotated"] for record in every),
                "detector": fingerprint,
                "detector_thresholds": {label: asdict(threshold) for label, threshold in thresholds.items()},
                "mention_rates": {name: asdict(rate) for name, rate in corpus.mention_rates.items()},
                "wrong_absences": [asdict(record) for record in _audited(every, seed=job.config.seed)],
            },
            "lexicon": {"concepts": len(job.lexicon), "candidates": len(corpus.co_occurrence.candidates)},
            "versions": {
                name: version(name) for name in ("notclip", "datasets", "numpy", "pillow", "pyarrow", "scikit-learn")
            },
            "files": files,
        },
    )
    if out.is_dir():
        out.rmdir()
    folder.rename(out)
    for bulky in (job.work.raw_shards, job.work.scores):
        shutil.rmtree(bulky, ignore_errors=True)


def _llm(job: BuildJob, records: list[dict[str, Any]]) -> dict[str, Any] | None:
    """What a language model worded, over all shards; None without one."""
    if job.config.llm is None:
        return None
    return {"model": job.config.llm_model, **_added(record["llm"] for record in records)}


def _added(counts: Iterator[dict[str, Any]]) -> dict[str, Any]:
    """Counts of several shards as one."""
    totals: Counter[str] = Counter()
    by: dict[str, Counter[str]] = {}
    for own in counts:
        for name, value in own.items():
            if isinstance(value, dict):
                by.setdefault(name, Counter()).update(value)
            else:
                totals[name] += value
    return {**totals, **{name: dict(sorted(counted.items())) for name, counted in by.items()}}


def _audited(records: list[dict[str, Any]], *, seed: int) -> list[AuditRecord]:
    """What the audits of all shards found."""
    counts: Counter[tuple[str, str, int, int]] = Counter()
    for record in records:
        for method, kept_back, claims, wrong, images in record["audit"]:
            counts[method, kept_back, claims, wrong] += images
    return audit_records(counts, seed=seed)


def _require_rows_on_disk(folder: Path, counts: dict[str, Any]) -> None:
    """Check that the files hold what the shards counted: a task that wrote nothing never passes for a finished one."""
    for config in counts:
        written = sum(pq.ParquetFile(file).metadata.num_rows for file in (folder / config).glob("*.parquet"))
        counted = sum(counts[config][split].get("rows", 0) for split in SPLITS)
        if written != counted:
            raise RuntimeError(f"{folder / config} holds {written} rows, but {counted} were counted while writing.")


def _measure_blind(texts: dict[str, QuestionTexts], *, seed: int) -> dict[str, list[dict[str, Any]]]:
    measured = {}
    for split in SPLITS:
        results = blind_accuracy(texts[split], None if split == "train" else texts["train"], seed=seed)
        require_blind_chance(results, name=texts[split].name)
        measured[split] = [asdict(result) for result in results]
    return measured


def _blind_pairs(job: BuildJob, counts: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """What text alone gives away of pairs, each as two questions; empty where there are too few."""
    if min(counts.get("pairs", {}).get(split, {}).get("rows", 0) for split in SPLITS) < LEAST_PAIRS:
        return {}
    texts = {}
    for split in SPLITS:
        rows = list(_sampled_rows(job, PairRow, split, ["caption_0", "caption_1", "pair"]))
        captions = [(row.caption_0, row.caption_1) for row in rows]
        texts[split] = texts_of_pairs([row.pair for row in rows], captions, name=f"{split} pairs")
    return _measure_blind(texts, seed=job.config.seed)


def _question_texts(job: BuildJob, split: str) -> QuestionTexts:
    rows = list(_sampled_rows(job, QuestionRow, split, ["choices", "answer", "group"]))
    return QuestionTexts(
        choices=[row.choices for row in rows],
        answers=[row.answer for row in rows],
        units=[str(row.group) for row in rows],
        name=f"{split} questions",
    )


def _sampled_rows(job: BuildJob, kind: type[R], split: str, columns: list[str]) -> Iterator[R]:
    """Rows of a split; of a large one about as many as `_BLIND_QUESTIONS`, in whole units."""
    shards = [shard for shard in job.shards if shard.split == split]
    total = sum(read_shard_record(job, shard)["counts"][kind.CONFIG].get("rows", 0) for shard in shards)
    share = min(1.0, _BLIND_QUESTIONS / max(1, total))
    for shard in shards:
        for row, _ in read_rows(job.work.dataset / kind.CONFIG / f"{shard.file_name}.parquet", kind, columns):
            unit = row.pair if isinstance(row, PairRow) else str(row.group)
            if share == 1.0 or _in_sample(unit, share):
                yield row


def _in_sample(group: str, share: float) -> bool:
    return int.from_bytes(hashlib.sha256(group.encode()).digest()[:4], "big") < share * 2**32


def _write_skipped(job: BuildJob, file: Path, records: list[dict[str, Any]]) -> tuple[int, dict[str, int]]:
    """List what was left out; how much that is, and how often each of the commonest reasons was given."""
    reasons: Counter[str] = Counter()
    with file.open("w", encoding="utf-8") as lines:
        for entry in _skipped(job, records):
            lines.write(json.dumps(asdict(entry)) + "\n")
            reasons[_VALUES.sub("…", entry.reason)] += 1
    return reasons.total(), dict(reasons.most_common(_REASONS))


def _skipped(job: BuildJob, records: list[dict[str, Any]]) -> Iterator[Skipped]:
    for raw_shard in list_raw_shards(job)[0]:
        yield from raw_shard.skipped()
    yield from gathering_skipped(job.work)
    yield from (Skipped(**entry) for record in records for entry in record["skipped"])


def _readme(job: BuildJob, files: dict[str, dict[str, Any]]) -> str:
    """The front matter by which `load_dataset` finds the configs; the card proper is written at staging."""
    of = {shard.split: shard.of for shard in job.shards}
    lines = ["---", "configs:"]
    for name in job.configs:
        # `datasets` keeps what it loaded by the folder's name and this front matter: without the hash it would take
        # another dataset in a folder of the same name, or an earlier one in this, for what it has kept.
        own = "".join(file["sha256"] for path, file in files.items() if path.startswith(f"{name}/"))
        content = hashlib.sha256(own.encode()).hexdigest()[:16]
        lines += [f"- config_name: {name}", f"  description: {name}, content {content}"]
        lines += (["  default: true"] if name == "captions" else []) + ["  data_files:"]
        for split in SPLITS:
            named = split if of[split] == 1 else f"{split}-*"
            lines += [f"  - split: {split}", f"    path: {name}/{named}.parquet"]
    lines += [
        "---",
        "",
        f"Negated captions, questions and queries built from {job.config.source!r} by NotCLIP; see build.json.",
    ]
    return "\n".join(lines) + "\n"
