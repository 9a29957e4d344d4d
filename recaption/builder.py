"""Builds a dataset: from a source's facts to three configs in Parquet, a README and `build.json`, all or nothing."""

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import Any

from tqdm import tqdm

from notclip.errors import BadInputError
from notclip.recaption.absences import AbsenceChooser, balanced_shares
from notclip.recaption.blind import QuestionTexts, blind_accuracy, require_blind_chance
from notclip.recaption.build_config import BuildConfig, default_cache
from notclip.recaption.fact_base import FactBase, collect_facts
from notclip.recaption.facts import EVIDENCE_METHODS, ImageFacts
from notclip.recaption.lexicon import Lexicon, load_lexicon
from notclip.recaption.pairs import Pair, build_pairs, texts_of_pairs
from notclip.recaption.parquet_files import write_parquet
from notclip.recaption.phrasing import FORMS, TRAIN_FORMS, negate_caption
from notclip.recaption.queries import build_queries
from notclip.recaption.questions import Question, build_questions, require_counterbalance
from notclip.recaption.rows import CONFIGS, FEATURES, KINDS, SPLITS
from notclip.recaption.sources import Source, open_source

Row = dict[str, Any]
_WITHOUT_EFFECT = ("out", "cache", "workers", "progress")  # Options that no byte of the dataset depends on.
LEAST_PAIRS = 5  # Fewer cannot be cut into the folds of the blind test.
# Some ways to negate stand in the test split alone, so that its figures tell understanding from recognition.
FORMS_OF_SPLIT = {"train": TRAIN_FORMS, "validation": TRAIN_FORMS, "test": FORMS}


def build_dataset(config: BuildConfig) -> dict[str, Any]:
    """Build a dataset and return what `build.json` says about it.

    Args:
        config: the options.

    Raises:
        BadInputError: an option, the source or its content cannot be used, or the questions give themselves away.
    """
    out = config.out
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BadInputError(
            f"`out` must be a new or empty folder, but {out} holds something: remove it or name another."
        )
    lexicon = load_lexicon(config.lexicon)
    source = open_source(
        config.source,
        cache=config.cache or default_cache(),
        limit=config.limit,
        seed=config.seed,
        workers=config.workers,
        progress=config.progress,
    )
    lexicon = lexicon.extended(source.vocabulary or ())
    base = collect_facts(source, lexicon, config)
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_name(f".{out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    try:
        summary = _write_all(unfinished, source, base, lexicon, config)
        if out.exists():
            out.rmdir()
        unfinished.rename(out)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return summary


def _write_all(folder: Path, source: Source, base: FactBase, lexicon: Lexicon, config: BuildConfig) -> dict[str, Any]:
    configs = [name for name in CONFIGS if name != "pairs" or config.pairs_per_image]
    counts: dict[str, Any] = {name: {} for name in configs}
    questions = {split: _questions(base.facts[split], lexicon, config, split) for split in SPLITS}
    texts = {split: QuestionTexts.of(questions[split], name=f"{split} questions") for split in SPLITS}
    blind = _measure_blind(texts, config)
    pairs = {split: _pairs(base.facts[split], lexicon, config, split) for split in SPLITS}
    paired = {split: texts_of_pairs(pairs[split], name=f"{split} pairs") for split in SPLITS}
    blind_pairs = _measure_blind(paired, config) if min(map(len, pairs.values())) >= LEAST_PAIRS else {}
    for split in SPLITS:
        facts = base.facts[split]
        makers = {
            "captions": _caption_rows(facts, base, lexicon, config, split),
            "questions": _question_rows(questions[split], base),
            "pairs": _pair_rows(pairs[split], base),
            "retrieval": _query_rows(facts, base, lexicon, config, split),
        }
        for name in configs:
            rows = makers[name]
            counted = _Counts(name)
            with tqdm(desc=f"writing {name} {split}", unit="row", disable=not config.progress) as bar:
                write_parquet(folder / name / f"{split}.parquet", counted.over(rows, bar), FEATURES[name])
            counts[name][split] = counted.as_dict()
    (folder / "skipped.jsonl").write_text("".join(json.dumps(asdict(entry)) + "\n" for entry in source.skipped))
    summary = {
        "config": {
            key: str(value) if isinstance(value, Path) else value
            for key, value in asdict(config).items()
            if key not in _WITHOUT_EFFECT
        },
        "source": {"name": source.name, "revision": source.revision, "annotated": source.vocabulary is not None},
        "images": {split: len(base.facts[split]) for split in SPLITS},
        "skipped": len(source.skipped),
        "counts": counts,
        "blind": blind,
        "blind_pairs": blind_pairs,  # empty where there are too few
        "verification": base.record(),
        "lexicon": {"concepts": len(lexicon), "candidates": len(base.companions.candidates)},
        "versions": {
            name: version(name) for name in ("notclip", "datasets", "numpy", "pillow", "pyarrow", "scikit-learn")
        },
        "files": {
            str(file.relative_to(folder)): {"bytes": file.stat().st_size, "sha256": _sha256(file)}
            for file in sorted(folder.rglob("*.parquet"))
        },
    }
    (folder / "README.md").write_text(_readme(source, configs))
    (folder / "build.json").write_text(json.dumps(summary, indent=1, sort_keys=True) + "\n")
    return summary


def _questions(facts: Sequence[ImageFacts], lexicon: Lexicon, config: BuildConfig, split: str) -> list[Question]:
    questions = build_questions(
        facts,
        lexicon,
        count=max(config.choices, round(len(facts) * config.questions_per_image)),
        choices=config.choices,
        forms=FORMS_OF_SPLIT[split],
        group_prefix=f"{split}-",
        seed=_seed(config.seed, "questions", split),
    )
    require_counterbalance(questions)
    return questions


def _pairs(facts: Sequence[ImageFacts], lexicon: Lexicon, config: BuildConfig, split: str) -> list[Pair]:
    return build_pairs(
        facts,
        lexicon,
        count=round(len(facts) * config.pairs_per_image),
        forms=FORMS_OF_SPLIT[split],
        prefix=f"{split}-pair-",
        seed=_seed(config.seed, "pairs", split),
    )


def _measure_blind(texts: dict[str, QuestionTexts], config: BuildConfig) -> dict[str, list[dict[str, Any]]]:
    measured = {}
    for split in SPLITS:
        results = blind_accuracy(texts[split], None if split == "train" else texts["train"], seed=config.seed)
        require_blind_chance(results, name=texts[split].name)
        measured[split] = [asdict(result) for result in results]
    return measured


def _caption_rows(
    facts: Sequence[ImageFacts], base: FactBase, lexicon: Lexicon, config: BuildConfig, split: str
) -> Iterator[Row]:
    forms = FORMS_OF_SPLIT[split]
    companions = base.companions
    chooser = AbsenceChooser(lexicon, balanced_shares(companions, companions.candidates), hardness=config.hardness)
    for fact in facts:
        image = base.images[fact.image_id]
        rng = Random(f"{config.seed}:captions:{fact.image_id}")
        affirmed = sorted(fact.present)
        for caption in fact.captions:
            absent = chooser.draw(fact.absent, rng, config.negated_per_caption)
            if not absent:
                continue
            phrases = [negate_caption(caption, (name,), lexicon, rng, forms=forms) for name in absent]
            yield {
                "image": _embedded(image),
                "image_id": fact.image_id,
                "caption": caption,
                "negated_captions": [phrase.text for phrase in phrases],
                "forms": [phrase.form for phrase in phrases],
                "patterns": [phrase.pattern for phrase in phrases],
                "affirmed": affirmed,
                "absent": absent,
                "evidence": [_evidence(fact, name) for name in absent],
            }


def _question_rows(questions: Sequence[Question], base: FactBase) -> Iterator[Row]:
    # Sorted by image, so that the questions of one image share its bytes on disk.
    for question in sorted(questions, key=lambda question: (question.image_id, question.group, question.answer)):
        yield {
            "image": _embedded(base.images[question.image_id]),
            "image_id": question.image_id,
            "choices": list(question.choices),
            "answer": question.answer,
            "kind": KINDS.index(question.kind),
            "choice_kinds": [KINDS.index(kind) for kind in question.choice_kinds],
            "choice_forms": list(question.choice_forms),
            "choice_patterns": list(question.choice_patterns),
            "group": question.group,
        }


def _pair_rows(pairs: Sequence[Pair], base: FactBase) -> Iterator[Row]:
    for pair in pairs:
        row: Row = {"pair": pair.name}
        for place, image_id in enumerate(pair.image_ids):
            row[f"image_{place}"] = _embedded(base.images[image_id])
            row[f"image_id_{place}"] = image_id
            row[f"caption_{place}"] = pair.captions[place]
            row[f"kind_{place}"] = KINDS.index(pair.kinds[place])
            row[f"form_{place}"] = pair.forms[place]
            row[f"pattern_{place}"] = pair.patterns[place]
        yield row


def _query_rows(
    facts: Sequence[ImageFacts], base: FactBase, lexicon: Lexicon, config: BuildConfig, split: str
) -> Iterator[Row]:
    present = {fact.image_id: sorted(fact.present) for fact in facts}
    for queries in build_queries(
        facts, lexicon, forms=FORMS_OF_SPLIT[split], seed=_seed(config.seed, "queries", split)
    ):
        yield {
            "image": _embedded(base.images[queries.image_id]),
            "image_id": queries.image_id,
            "captions": list(queries.captions),
            "forms": list(queries.forms),
            "patterns": list(queries.patterns),
            "affirmed": [list(names) for names in queries.affirmed],
            "absent": [list(names) for names in queries.absent],
            "relevant": [list(ids) for ids in queries.relevant],
            "violating": [list(ids) for ids in queries.violating],
            "present": present[queries.image_id],
        }


def _embedded(image: Any) -> dict[str, Any]:
    return {"bytes": image.image, "path": image.image_id}


def _evidence(fact: ImageFacts, name: str) -> Row:
    evidence = fact.absent[name]
    method = EVIDENCE_METHODS.index(evidence.method)
    return {"concept": name, "method": method, "score": evidence.score, "threshold": evidence.threshold}


class _Counts:
    """What the rows of one file hold, counted while they are written."""

    def __init__(self, config: str) -> None:
        self.config = config
        self.totals: Counter[str] = Counter()
        self.by: dict[str, Counter[str]] = {key: Counter() for key in ("kind", "form", "absent", "evidence")}

    def over(self, rows: Iterator[Row], bar: Any) -> Iterator[Row]:
        for row in rows:
            self.totals["rows"] += 1
            bar.update()
            if self.config == "captions":
                self.totals["negated captions"] += len(row["negated_captions"])
                self.by["form"].update(row["forms"])
                self.by["absent"].update(row["absent"])
                self.by["evidence"].update(EVIDENCE_METHODS[entry["method"]] for entry in row["evidence"])
            elif self.config == "questions":
                self.by["kind"][KINDS[row["kind"]]] += 1
                self.by["form"].update(row["choice_forms"])
            elif self.config == "pairs":
                self.by["kind"].update(KINDS[row[name]] for name in ("kind_0", "kind_1"))
                self.by["form"].update((row["form_0"], row["form_1"]))
            else:
                self.totals["queries"] += len(row["captions"])
                self.by["form"].update(row["forms"])
                self.by["absent"].update(name for names in row["absent"] for name in names)
            yield row

    def as_dict(self) -> dict[str, Any]:
        by = {f"by_{key}": dict(sorted(counts.items())) for key, counts in self.by.items() if counts}
        return {**self.totals, **by}


def _seed(seed: int, *names: str) -> int:
    """A seed of its own for each part, so that one part's draws do not move another's."""
    return int.from_bytes(hashlib.sha256("\0".join((str(seed), *names)).encode()).digest()[:4], "big")


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _readme(source: Source, configs: Sequence[str]) -> str:
    """The front matter by which `load_dataset` finds the configs; the card proper is written at staging."""
    lines = ["---", "configs:"]
    for name in configs:
        lines += [f"- config_name: {name}"] + (["  default: true"] if name == "captions" else []) + ["  data_files:"]
        for split in SPLITS:
            lines += [f"  - split: {split}", f"    path: {name}/{split}.parquet"]
    lines += [
        "---",
        "",
        f"Negated captions, questions and queries built from {source.name!r} by NotCLIP; see build.json.",
    ]
    return "\n".join(lines) + "\n"
