"""Fifth stage: the rows of one shard, from facts to Parquet, with counts of what was written."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import asdict, dataclass
from itertools import chain
from random import Random
from typing import Any

from notclip.dataset.clips import plain_picture
from notclip.dataset.rows import AbsenceEvidence, CaptionRow, PairRow, QuestionRow, RetrievalRow, Row
from notclip.dataset.schema import features_of
from notclip.dataset.writer import RowWriter
from notclip.errors import BadInputError
from notclip.files.whole_files import whole_file
from notclip.recaption.absences.audit import AbsenceAudit
from notclip.recaption.absences.co_occurrence import AbsenceChooser, balanced_shares
from notclip.recaption.absences.facts import ImageFacts
from notclip.recaption.absences.verification import Verifier
from notclip.recaption.building.corpus import is_usable, read_corpus, shown_concepts
from notclip.recaption.building.descriptions import describe_image
from notclip.recaption.building.detection import read_detection, read_scores
from notclip.recaption.building.gathering import Shard
from notclip.recaption.building.images import SourceImage, shard_images
from notclip.recaption.building.job import BuildJob
from notclip.recaption.building.photo_buffer import PhotoBuffer
from notclip.recaption.building.progress import TaskProgress
from notclip.recaption.building.raw_shards import Skipped
from notclip.recaption.building.work_folder import read_work_file, write_work_file
from notclip.recaption.english.caption_text import says_something
from notclip.recaption.english.phrasing import load_phrasebook
from notclip.recaption.english.text_budget import negate_within
from notclip.recaption.llm.endpoint import Endpoint
from notclip.recaption.llm.phrasing import Rephraser
from notclip.recaption.questions.fact_table import FactTable
from notclip.recaption.questions.pairs import Pair, build_pairs
from notclip.recaption.questions.queries import Queries, build_queries
from notclip.recaption.questions.questions import Question, build_questions, require_counterbalance

# Of a split that is one shard queries list right and violating images among so many; of many shards among fewer, since
# the lists would be most of the dataset.
_LISTED_IMAGES = (5000, 500)
_LEAST_GROUPS = 5  # Of fewer nobody could tell what their text gives away; coco128 has ten photos to validate on.
_AUDITED_IMAGES = 1000  # Of a shard, about.


@dataclass(frozen=True)
class Knowledge:
    """What is known before the first row is written: what decides absences, and the share that each should have."""

    verifier: Verifier
    wanted: Mapping[str, float]


def read_knowledge(job: BuildJob) -> Knowledge:
    """Read what the earlier stages measured."""
    corpus = read_corpus(job)
    _, thresholds, detected_as = read_detection(job)
    verifier = Verifier(
        job.lexicon,
        corpus.co_occurrence,
        vocabulary=frozenset() if job.config.exhaustive == "no" else frozenset(job.concept_of_label.values()),
        thresholds=thresholds,
        detected_as=detected_as,
        mention_rates=corpus.mention_rates,
        risk=job.config.risk,
    )
    return Knowledge(verifier, balanced_shares(corpus.co_occurrence, corpus.co_occurrence.candidates))


def write_shard(job: BuildJob, index: int, progress: TaskProgress) -> None:
    """Write one shard of the three configs."""
    shard = job.shards[index]
    done = job.work.shards / f"{shard.file_name}.json"
    if done.is_file():
        return
    knowledge = read_knowledge(job)
    audit = AbsenceAudit(
        knowledge.verifier, job.lexicon, _chooser(job, knowledge), draws=job.config.negated_per_caption
    )
    facts, skipped, annotated, revision = _facts(job, shard, knowledge, audit)
    questions, pairs, queries = _made_of(job, shard, FactTable(facts, job.lexicon))
    rephraser = _rephraser(job)
    counts = {name: _Counts(name) for name in job.configs}
    features = features_of(job.config.images)
    with ExitStack() as stack:
        writers = {}
        for name in job.configs:
            unfinished = stack.enter_context(whole_file(job.work.dataset / name / f"{shard.file_name}.parquet"))
            writers[name] = stack.enter_context(RowWriter(unfinished, features[name]))
        photos = stack.enter_context(PhotoBuffer(job.work.shards, {name for pair in pairs for name in pair.image_ids}))
        maker = _ShardRows(job, shard, knowledge, photos)
        rows = maker.rows(facts, questions, queries, progress)
        if rephraser is not None:
            # Whatever the domain is, a language model writes the English of everyone.
            rows = rephraser.rephrase_rows(rows, forms=load_phrasebook().of_split(shard.split).forms)
        for row in chain(rows, _pair_rows(pairs, photos)):
            counts[row.CONFIG].add(row)
            writers[row.CONFIG].write(row)
    # Written last: the shard counts once this stands.
    write_work_file(
        done,
        {
            "images": len(facts),
            "skipped": [asdict(entry) for entry in skipped],
            "annotated": dict(annotated),
            "revision": revision,
            "counts": {name: counts[name].as_dict() for name in job.configs},
            "too_long": len(maker.cut),
            "llm": rephraser.record() if rephraser is not None else None,
            "audit": [[*key, images] for key, images in sorted(audit.counts.items())],
        },
    )
    progress.note()


def read_shard_record(job: BuildJob, shard: Shard) -> dict[str, Any]:
    """What `write_shard` noted down."""
    record: dict[str, Any] = read_work_file(job.work.shards / f"{shard.file_name}.json")
    return record


def _shard_names(shard: Shard) -> tuple[str, ...]:
    """Names for seeds: those of a split that is one shard do not depend on there being shards."""
    return (shard.split,) if shard.of == 1 else (shard.split, str(shard.index))


def _chooser(job: BuildJob, knowledge: Knowledge) -> AbsenceChooser:
    return AbsenceChooser(job.lexicon, knowledge.wanted, hardness=job.config.hardness)


def _facts(
    job: BuildJob, shard: Shard, knowledge: Knowledge, audit: AbsenceAudit
) -> tuple[list[ImageFacts], list[Skipped], Counter[str], str]:
    """Facts of the shard's usable images, what was left out, how images are annotated, and a hash over all content.

    A sample of the images that nothing was measured on, those of validation and test, goes into the audit.
    """
    scores = read_scores(job, shard)
    rng = Random(_seed(job.config.seed, "audit", *_shard_names(shard)))
    sampled = 0.0 if shard.split == "train" else _AUDITED_IMAGES / max(1, shard.images)
    facts, skipped = [], []
    annotated: Counter[str] = Counter()
    revision = hashlib.sha256()
    for image in shard_images(job.work, shard, with_bytes=False):
        revision.update("\0".join((shard.split, image.image_id, image.digest, *image.captions, "\n")).encode())
        if not is_usable(image, shown_concepts(image, job)):
            reason = "no known concept in its captions or annotation"
            skipped.append(Skipped(image.file, image.row, reason))
            continue
        objects = None if image.labels is None else job.concepts(image.labels)
        uncertain, unsaid = job.concepts(image.uncertain), job.concepts(image.unsaid) - job.denied(image.labels)
        if objects is not None:
            silent = job.config.exhaustive == "no"
            annotated["affirmations alone" if silent else "listed classes" if unsaid else "every class"] += 1
        found = scores.get(image.digest)
        fact = knowledge.verifier.facts(
            image.image_id, image.captions, objects=objects, scores=found, uncertain=uncertain, unsaid=unsaid
        )
        facts.append(fact)
        if rng.random() < sampled:
            known = None if job.config.exhaustive == "no" else objects
            audit.add(fact, objects=known, open_labels=uncertain | unsaid, scores=found, rng=rng)
    return facts, skipped, annotated, revision.hexdigest()


def _rephraser(job: BuildJob) -> Rephraser | None:
    config = job.config
    if config.llm is None or config.llm_model is None:
        return None
    return Rephraser(
        Endpoint(config.llm, config.llm_model, timeout=config.llm_timeout),
        job.lexicon,
        job.cache,
        batch=config.llm_batch,
        concurrency=config.llm_concurrency,
        tries=config.llm_tries,
    )


def _made_of(job: BuildJob, shard: Shard, table: FactTable) -> tuple[list[Question], list[Pair], list[Queries]]:
    """What is asked about the images of a shard."""
    config, names, book = job.config, _shard_names(shard), job.phrasebooks[shard.split]
    questions: list[Question] = []
    pairs: list[Pair] = []
    # Neighbours in the source may be too alike for questions; other shards have some.
    where_possible = nullcontext() if shard.of == 1 else suppress(BadInputError)
    with where_possible:
        questions = build_questions(
            table,
            count=max(_LEAST_GROUPS * config.choices, round(len(table.facts) * config.questions_per_image)),
            choices=config.choices,
            phrasebook=book,
            group_prefix="-".join((*names, "")),
            seed=_seed(config.seed, "questions", *names),
        )
    require_counterbalance(questions)
    with where_possible:
        pairs = build_pairs(
            table,
            count=round(len(table.facts) * config.pairs_per_image),
            phrasebook=book,
            prefix="-".join((*names, "pair-")),
            seed=_seed(config.seed, "pairs", *names),
        )
    queries = build_queries(
        table,
        phrasebook=book,
        listed_images=_LISTED_IMAGES[shard.of > 1],
        text_tokens=config.text_tokens,
        seed=_seed(config.seed, "queries", *names),
    )
    return questions, pairs, queries


def _pair_rows(pairs: Sequence[Pair], photos: PhotoBuffer) -> Iterator[PairRow]:
    for pair in pairs:
        values: dict[str, Any] = {"pair": pair.name}
        for place, image_id in enumerate(pair.image_ids):
            values |= {f"{column}_{place}": value for column, value in photos.columns(image_id).items()}
            values[f"caption_{place}"] = pair.captions[place]
            values[f"kind_{place}"] = pair.kinds[place]
            values[f"form_{place}"] = pair.forms[place]
            values[f"pattern_{place}"] = pair.patterns[place]
        yield PairRow(**values)


class _ShardRows:
    """Makes the rows of a shard; `cut` holds the captions too long for a text tower, each with its image."""

    def __init__(self, job: BuildJob, shard: Shard, knowledge: Knowledge, photos: PhotoBuffer) -> None:
        self.job, self.shard, self.photos = job, shard, photos
        self.book = job.phrasebooks[shard.split]
        self.chooser = _chooser(job, knowledge)
        self.cut: set[tuple[str, str]] = set()

    def rows(
        self,
        facts: Sequence[ImageFacts],
        questions: Sequence[Question],
        queries: Sequence[Queries],
        progress: TaskProgress,
    ) -> Iterator[Row]:
        """Rows of all configs but pairs, image by image: each photo is read once, and its rows are neighbours."""
        facts_of = {fact.image_id: fact for fact in facts}
        queries_of = {record.image_id: record for record in queries}
        questions_of: dict[str, list[Question]] = defaultdict(list)
        for question in questions:
            questions_of[question.image_id].append(question)
        embedded = self.job.config.images == "embedded"
        for image in shard_images(self.job.work, self.shard, with_bytes=embedded):
            fact = facts_of.get(image.image_id)
            progress.update()
            if fact is None:
                continue
            shared = _image_columns(image, embedded=embedded)
            self.photos.keep(image.image_id, shared)
            yield from self._caption_rows(fact, shared)
            for question in sorted(questions_of[image.image_id], key=lambda own: (own.group, own.answer)):
                yield QuestionRow(**shared, **_columns_of(question), kind=question.kind)
            if image.image_id in queries_of:
                yield RetrievalRow(**shared, **_columns_of(queries_of[image.image_id]), present=sorted(fact.present))

    def _caption_rows(self, fact: ImageFacts, shared: dict[str, Any]) -> Iterator[CaptionRow]:
        config, lexicon = self.job.config, self.job.lexicon
        rng = Random(f"{config.seed}:captions:{fact.image_id}")
        affirmed = sorted(fact.present)
        for caption in filter(says_something, fact.captions or self._described(fact)):
            absent = self.chooser.draw(fact.absent, rng, config.negated_per_caption)
            if not absent:
                continue
            phrases = []
            for name in absent:
                phrase, kept = negate_within(self.book, caption, (name,), lexicon, rng, tokens=config.text_tokens)
                phrases.append(phrase)
                if kept != caption:
                    self.cut.add((fact.image_id, caption))
            yield CaptionRow(
                **shared,
                caption=caption,
                negated_captions=[phrase.text for phrase in phrases],
                forms=[phrase.form for phrase in phrases],
                patterns=[phrase.pattern for phrase in phrases],
                affirmed=affirmed,
                absent=absent,
                evidence=[_evidence(fact, name) for name in absent],
            )

    def _described(self, fact: ImageFacts) -> tuple[str, ...]:
        """The caption of an image that has labels alone, where they say anything."""
        rng = Random(f"{self.job.config.seed}:description:{fact.image_id}")
        subject = None if self.job.domain is None else self.job.domain.subject
        caption = describe_image(fact, self.job.lexicon, self.book, rng, subject=subject)
        return () if caption is None else (caption,)


def _image_columns(image: SourceImage, *, embedded: bool) -> dict[str, Any]:
    if embedded:
        assert image.image is not None  # noqa: S101  # as `shard_images` was asked
        return {"image": {"bytes": plain_picture(image.image), "path": image.image_id}, "image_id": image.image_id}
    return {"image_url": image.location, "image_sha256": image.digest, "image_id": image.image_id}


def _columns_of(made: Question | Queries) -> dict[str, Any]:
    """What is asked about an image, as columns of a row."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in vars(made).items()
        if name != "image_id"
    }


def _evidence(fact: ImageFacts, name: str) -> AbsenceEvidence:
    evidence = fact.absent[name]
    return AbsenceEvidence(name, evidence.method, evidence.score, evidence.threshold)


_TOTALS = {
    "captions": ("rows", "negated captions"),
    "questions": ("rows",),
    "pairs": ("rows",),
    "retrieval": ("rows", "queries"),
}


class _Counts:
    """What the rows of one file hold, counted while they are written."""

    def __init__(self, config: str) -> None:
        self.config = config
        self.totals: Counter[str] = Counter(dict.fromkeys(_TOTALS[config], 0))
        self.by: dict[str, Counter[str]] = {key: Counter() for key in ("kind", "form", "absent", "evidence")}

    def add(self, row: Row) -> None:
        self.totals["rows"] += 1
        if isinstance(row, CaptionRow):
            self.totals["negated captions"] += len(row.negated_captions)
            self.by["form"].update(row.forms)
            self.by["absent"].update(row.absent)
            self.by["evidence"].update(evidence.method for evidence in row.evidence)
        elif isinstance(row, QuestionRow):
            self.by["kind"][row.kind] += 1
            self.by["form"].update(row.choice_forms)
        elif isinstance(row, PairRow):
            self.by["kind"].update((row.kind_0, row.kind_1))
            self.by["form"].update((row.form_0, row.form_1))
        else:
            self.totals["queries"] += len(row.captions)
            self.by["form"].update(row.forms)
            self.by["absent"].update(name for names in row.absent for name in names)

    def as_dict(self) -> dict[str, Any]:
        by = {f"by_{key}": dict(sorted(counts.items())) for key, counts in self.by.items() if counts}
        return {**self.totals, **by}


def _seed(seed: int, *names: str) -> int:
    """A seed of its own for each part, so that one part's draws do not move another's."""
    return int.from_bytes(hashlib.sha256("\0".join((str(seed), *names)).encode()).digest()[:4], "big")
