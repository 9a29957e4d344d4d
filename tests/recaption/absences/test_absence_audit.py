"""The share of wrong absences, counted by hand."""

from random import Random

import numpy as np
import pytest
from corpora import co_occurrence_of

from notclip.recaption.absences.audit import AbsenceAudit, audit_records
from notclip.recaption.absences.co_occurrence import AbsenceChooser, balanced_shares
from notclip.recaption.absences.detector import COCO_CLASSES
from notclip.recaption.absences.detector_thresholds import DetectorThreshold
from notclip.recaption.absences.facts import ImageFacts
from notclip.recaption.absences.verification import Verifier
from notclip.recaption.concepts.lexicon import load_lexicon

LEXICON = load_lexicon()
CORPUS = ("dog", "cat", "car")


def audited(*, detector: bool = False) -> AbsenceAudit:
    co_occurrence = co_occurrence_of([LEXICON.closure({name}) for name in CORPUS] * 10, least=1)
    verifier = Verifier(
        LEXICON,
        co_occurrence,
        vocabulary=frozenset(CORPUS),
        thresholds={label: DetectorThreshold(0.1, 100, 0.05) for label in COCO_CLASSES} if detector else {},
        detected_as={name: name for name in CORPUS} if detector else {},
        risk=1.0,
    )
    chooser = AbsenceChooser(LEXICON, balanced_shares(co_occurrence, co_occurrence.candidates))
    return AbsenceAudit(verifier, LEXICON, chooser, draws=3)


def add(audit: AbsenceAudit, *captions: str, objects=None, open_labels=(), scores=None) -> None:
    fact = ImageFacts("photo", captions, frozenset(), {})
    audit.add(fact, objects=objects, open_labels=open_labels, scores=scores, rng=Random(0))


def test_an_annotation_that_was_kept_back_contradicts_what_captions_left_out():
    audit = audited()
    add(audit, "A dog .", objects={"dog", "cat"})  # Cat and car would be denied, and a cat is there.
    add(audit, "A dog .", objects={"dog"}, open_labels={"car"})  # Nothing can be said of the car.
    (record,) = audit_records(audit.counts, seed=0)
    assert (record.method, record.kept_back, record.images) == ("caption", "annotation", 2)
    assert (record.claims, record.wrong, record.share) == (3, 1, pytest.approx(1 / 3, abs=1e-6))


def test_of_several_captions_the_one_that_was_kept_back_contradicts_the_others():
    audit = audited()
    add(audit, "A dog .", "A dog .", "A dog .")
    assert [(record.wrong, record.kept_back) for record in audit_records(audit.counts, seed=0)] == [(0, "caption")]
    for seed in range(20):
        other = audited()
        fact = ImageFacts("photo", ("A dog .", "A cat ."), frozenset(), {})
        other.add(fact, objects=None, open_labels=(), scores=None, rng=Random(seed))
        (record,) = audit_records(other.counts, seed=0)
        # Whichever is kept back, the other one's silence denies it, and car or vehicle; an animal is there anyhow.
        assert (record.claims, record.wrong) == (2, 1)


def test_the_detector_is_counted_by_itself_and_what_it_sees_is_not_claimed():
    audit = audited(detector=True)
    scores = np.zeros(80, dtype=np.float32)
    scores[COCO_CLASSES.index("cat")] = 0.9
    add(audit, "A dog .", objects={"dog", "cat", "car"}, scores=scores)
    (record,) = audit_records(audit.counts, seed=0)
    assert (record.method, record.claims, record.wrong) == ("detector", 1, 1)  # It missed the car.


def test_an_image_with_one_caption_and_no_annotation_tells_nothing():
    audit = audited()
    add(audit, "A dog .")
    add(audit, objects={"dog"})
    assert not audit.counts


def test_no_wrong_claim_among_a_hundred_leaves_almost_four_per_cent_possible():
    (record,) = audit_records({("caption", "caption", 1, 0): 100}, seed=0)
    assert (record.wrong, record.share, record.low, record.high) == (0, 0.0, 0.0, pytest.approx(0.037, abs=1e-3))


def test_images_with_many_wrong_claims_at_once_widen_the_interval():
    apart = {("caption", "caption", 10, 1): 100}
    together = {("caption", "caption", 10, 10): 10, ("caption", "caption", 10, 0): 90}
    (even,), (lumped,) = audit_records(apart, seed=0), audit_records(together, seed=0)
    assert even.share == lumped.share == 0.1
    assert lumped.high - lumped.low > 1.5 * (even.high - even.low)
