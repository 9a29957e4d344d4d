"""The embedded default: scenes of the drawn world, drawn when the Space starts, with questions and queries."""

import io

from notclip.recaption.absences.facts import Evidence, ImageFacts
from notclip.recaption.concepts.lexicon import Lexicon, load_lexicon
from notclip.recaption.drawn_world.samples import Sample, make_sample
from notclip.recaption.drawn_world.vocabulary import OBJECTS
from notclip.recaption.questions.fact_table import FactTable
from notclip.recaption.questions.queries import build_queries
from notclip.recaption.questions.questions import build_questions
from notclip.scoring.suites.suite import Photo, Query, Suite, SuiteQuestion
from notclip.space.photo_set import DRAWN_WORLD, MemoryPhoto, PhotoSet

SIZE = 128  # as the dataset's pictures
SEED = 0
CHOICES = 4


def draw_photos(count: int, *, split: str = "test") -> PhotoSet:
    """Draw scenes of one split and write questions about them, as `notclip build-dataset` does.

    Args:
        count: scenes to draw.
        split: `train`, `validation` or `test`; no scene is in two.
    """
    lexicon = load_lexicon().extended(OBJECTS)
    samples = [make_sample(SEED, split, index) for index in range(count)]
    facts = [_facts(sample, lexicon) for sample in samples]
    table = FactTable(facts, lexicon)
    photos: dict[str, Photo] = {sample.image_id: MemoryPhoto(_png(sample), sample.image_id) for sample in samples}
    present = {fact.image_id: fact.present for fact in facts}
    questions = [
        SuiteQuestion(q.image_id, tuple(q.choices), q.answer, tuple(q.choice_kinds))
        for q in build_questions(table, count=max(CHOICES, count), choices=CHOICES, seed=SEED)
    ]
    negated = [
        Query(caption, queries.image_id, frozenset(name for name in photos if present[name] & set(absent)))
        for queries in build_queries(table, seed=SEED)
        for caption, absent in zip(queries.captions, queries.absent, strict=True)
    ]
    ordinary = [Query(caption, sample.image_id) for sample in samples for caption in sample.captions]
    suite = Suite(f"{count} drawn scenes", photos, questions, negated, ordinary, list(photos))
    captions = {sample.image_id: sample.captions[0] for sample in samples}
    return PhotoSet(DRAWN_WORLD, f"{count} drawn scenes", suite, captions, present, frozenset(OBJECTS), lexicon)


def _facts(sample: Sample, lexicon: Lexicon) -> ImageFacts:
    shown = {name for caption in sample.captions for name in lexicon.find(caption)} | set(sample.scene.objects)
    present = lexicon.closure(shown)
    # The annotation is complete: what it does not list is not there.
    absent = {name: Evidence("annotation") for name in OBJECTS if name not in present}
    return ImageFacts(sample.image_id, sample.captions, present, absent)


def _png(sample: Sample) -> bytes:
    encoded = io.BytesIO()
    sample.picture(SIZE).save(encoded, "PNG")
    return encoded.getvalue()
