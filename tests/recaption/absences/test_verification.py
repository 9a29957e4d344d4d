from random import Random

import numpy as np
import pytest
from corpora import co_occurrence_of

from notclip.recaption.absences.detector import COCO_CLASSES
from notclip.recaption.absences.detector_thresholds import DetectorThreshold, ScoreCounts
from notclip.recaption.absences.mention_rates import MentionCounts, MentionRate, silence_risk
from notclip.recaption.absences.verification import Verifier
from notclip.recaption.concepts.lexicon import load_lexicon

CORPUS = [
    "dog",
    "person",
    "man",
    "woman",
    "cat",
    "car",
    "snow",
    "beach",
    "animal",
    "vehicle",
    "taxi",
    "chair",
    "grass",
    "guitar",
]


@pytest.fixture(scope="module")
def lexicon():
    return load_lexicon()


@pytest.fixture(scope="module")
def co_occurrence(lexicon):
    return co_occurrence_of([lexicon.closure({name}) for name in CORPUS] * 10, least=1)


def thresholds(value: float = 0.1, missed: float = 0.01) -> dict[str, DetectorThreshold]:
    return {label: DetectorThreshold(value, 100, missed) for label in COCO_CLASSES}


def detected_as(lexicon) -> dict[str, str]:
    return {name: concept.detector_class for name, concept in lexicon.items() if concept.detector_class}


def scores(**found: float) -> np.ndarray:
    made = np.zeros(80, dtype=np.float32)
    for label, score in found.items():
        made[COCO_CLASSES.index(label)] = score
    return made


def absent(verifier: Verifier, *captions: str, objects=None, found: np.ndarray | None = None):
    return verifier.facts("photo", captions, objects=objects, scores=found).absent


def test_annotation_alone_decides_over_its_vocabulary(lexicon, co_occurrence):
    verifier = Verifier(lexicon, co_occurrence, vocabulary=frozenset({"dog", "cat", "car"}))
    facts = verifier.facts("photo", ("A dog .",), objects={"dog"}, scores=None)
    assert facts.present == {"dog", "animal"}
    assert {name: evidence.method for name, evidence in facts.absent.items()} == {
        "cat": "annotation",
        "car": "annotation",
    }


def test_what_a_caption_affirms_and_an_annotation_lacks_is_neither_present_nor_absent(lexicon, co_occurrence):
    verifier = Verifier(lexicon, co_occurrence, vocabulary=frozenset({"dog", "car"}))
    facts = verifier.facts("photo", ("A dog in a taxi .",), objects={"dog"}, scores=None)
    assert not {"car", "taxi"} & {*facts.present, *facts.absent}


def test_an_uncertain_kind_leaves_its_general_concept_open_and_one_that_is_not_mentioned_does_not(
    lexicon, co_occurrence
):
    verifier = Verifier(lexicon, co_occurrence, vocabulary=frozenset({"taxi", "car", "dog"}))
    uncertain = verifier.facts("photo", (), objects=set(), scores=None, uncertain={"taxi"})
    assert set(uncertain.absent) == {"dog"}  # What may be a taxi may be a car.
    unsaid = verifier.facts("photo", (), objects=set(), scores=None, unsaid={"taxi"})
    assert set(unsaid.absent) == {"dog", "car"}  # The annotation says that there is no car.
    said = verifier.facts("photo", ("A taxi .",), objects={"car"}, scores=None, unsaid={"taxi"})
    assert "taxi" in said.present


def test_no_person_never_stands_on_a_photo_of_anybody(lexicon, co_occurrence):
    verifier = Verifier(lexicon, co_occurrence, thresholds=thresholds(), detected_as=detected_as(lexicon), risk=1.0)
    nobody = scores()
    for caption in ("A man runs .", "Two players .", "A climber rests .", "Surfing .", "A dog and its owner ."):
        assert "person" not in absent(verifier, caption, found=nobody)
    assert "person" in absent(verifier, "A brown dog on grass .", found=nobody)


def test_the_detector_vetoes_what_captions_leave_out(lexicon, co_occurrence):
    verifier = Verifier(lexicon, co_occurrence, thresholds=thresholds(), detected_as=detected_as(lexicon), risk=1.0)
    evidence = absent(verifier, "A brown dog on grass .", found=scores(person=0.0999))["person"]
    assert (evidence.method, evidence.threshold) == ("detector", 0.1)
    assert evidence.score == pytest.approx(0.0999)
    assert "person" not in absent(verifier, "A brown dog on grass .", found=scores(person=0.1))


def test_a_detector_that_failed_leaves_its_classes_unknown(lexicon, co_occurrence):
    verifier = Verifier(lexicon, co_occurrence, thresholds=thresholds(), detected_as=detected_as(lexicon), risk=1.0)
    found = absent(verifier, "A brown dog on grass .", found=None)
    assert not {name for name in found if lexicon[name].detector_class}
    assert found["guitar"].method == "caption"


def test_a_detected_kind_vetoes_the_general_concept(lexicon, co_occurrence):
    verifier = Verifier(lexicon, co_occurrence, thresholds=thresholds(), detected_as=detected_as(lexicon), risk=1.0)
    assert "vehicle" in absent(verifier, "A brown dog on grass .", found=scores())
    assert "vehicle" not in absent(verifier, "A brown dog on grass .", found=scores(bus=0.5))


def test_without_a_detector_only_salient_concepts_are_verified_by_captions(lexicon, co_occurrence):
    verifier = Verifier(lexicon, co_occurrence, risk=1.0)
    found = absent(verifier, "A cat sleeps .")
    assert found["guitar"].method == "caption"
    assert found["dog"].method == "caption"
    assert "grass" not in found
    assert "chair" not in found


def test_a_general_word_leaves_its_kinds_open_until_it_is_explained(lexicon, co_occurrence):
    verifier = Verifier(lexicon, co_occurrence, risk=1.0)
    assert "dog" not in absent(verifier, "An animal sleeps .")
    assert "dog" in absent(verifier, "An animal sleeps .", "A cat sleeps .")


def test_neither_synonym_nor_part_nor_kind_of_what_is_there_is_absent(lexicon, co_occurrence):
    verifier = Verifier(lexicon, co_occurrence, vocabulary=frozenset(CORPUS), risk=1.0)
    for caption in ("A taxi .", "A car .", "A Boston terrier .", "Snow ."):
        facts = verifier.facts("photo", (caption,), objects=None, scores=None)
        for name in facts.absent:
            for other in facts.present:
                assert name not in lexicon[other].parts
                assert other not in lexicon.hyponyms(name)
                assert name != other
    assert "taxi" not in absent(verifier, "A car .")


def test_an_estimated_risk_over_the_limit_leaves_the_concept_unknown(lexicon, co_occurrence):
    reliable = MentionRate(images=100, reliability=0.8, silent=1000, surprises=1, unsaid=0.01)
    unreliable = MentionRate(images=100, reliability=0.8, silent=1000, surprises=100, unsaid=0.9)
    for record, verified in ((reliable, True), (unreliable, False)):
        verifier = Verifier(lexicon, co_occurrence, mention_rates={"guitar": record}, risk=0.01)
        assert ("guitar" in absent(verifier, "A cat sleeps .")) is verified
    evidence = absent(Verifier(lexicon, co_occurrence, mention_rates={"guitar": reliable}), "A cat sleeps .")["guitar"]
    assert evidence.risk == pytest.approx(0.01 * evidence.plausibility)


def counted(found: np.ndarray, named: dict[str, list[int]]) -> ScoreCounts:
    counts = ScoreCounts(COCO_CLASSES)
    for row, own in enumerate(found):
        counts.add(own, {label for label, rows in named.items() if row in rows})
    return counts


def test_the_threshold_misses_the_wanted_share_of_named_images():
    found = np.zeros((100, 80), dtype=np.float32)
    found[:, COCO_CLASSES.index("dog")] = np.linspace(0.001, 0.1, 100).round(4)
    made = counted(found, {"dog": list(range(100)), "cat": [0, 1]}).thresholds(missed=0.1)
    quantile = np.quantile(found[:, COCO_CLASSES.index("dog")], 0.1, method="lower")
    assert made["dog"].value == pytest.approx(quantile, abs=1e-6)
    assert made["dog"].images == 100
    assert made["dog"].missed == pytest.approx(0.1, abs=0.011)
    assert made["cat"].value == made["dog"].value  # two images say nothing: the median of the other classes
    assert made["cat"].missed == 0.3
    assert counted(found, {}).thresholds()["dog"].value == 0.1


def mention_rates(images, lexicon):
    counts = MentionCounts(lexicon)
    for captions in images:
        counts.add(captions)
    return counts.records()


def test_reliability_is_the_chance_that_another_caption_agrees(lexicon):
    # Of 40 photos 20 show a guitar: both captions say so on 10, one of the two on the other 10.
    captions = [["A guitar .", "A guitar ."]] * 10 + [["A guitar .", "Music ."]] * 10 + [["A cat .", "A cat ."]] * 20
    record = mention_rates(captions, lexicon)["guitar"]
    assert record.images == 20
    assert record.reliability == pytest.approx(20 / 30, abs=1e-4)
    # "Music" leaves a guitar open, so no caption that names one stands beside silence.
    assert record.surprises == 0


def test_a_surprise_is_a_concept_that_the_other_captions_kept_silent_about(lexicon):
    captions = [["A camel .", "Sand ."]] * 20 + [["A cat .", "A cat ."]] * 20
    record = mention_rates(captions, lexicon)["camel"]
    assert (record.images, record.surprises, record.silent) == (20, 20, 60)
    assert record.reliability == 0


def test_single_captions_measure_nothing(lexicon):
    assert mention_rates([["A dog ."]] * 50, lexicon) == {}


def is_absent(name, verifier, captions, objects, found):
    """Whether one concept is absent, read off the rules of `Verifier` one by one."""
    lexicon = verifier.lexicon
    said = {other for caption in captions for other in lexicon.find(caption)}
    disputed = set()
    if objects is not None:
        disputed = (lexicon.closure(said) & verifier.vocabulary) - lexicon.closure(objects)
        said = {other for other in said if disputed.isdisjoint(lexicon.closure({other}))}
    shown = said | set(objects or ())
    present = lexicon.closure(shown)
    if name in present or name in disputed or lexicon.hyponyms(name) & present:
        return False
    if objects is not None and name in verifier.vocabulary:
        return True
    if any(name in lexicon.hinted(caption) for caption in captions):
        return False
    for other in present:
        its = lexicon[other]
        if other in lexicon[name].likely_with or name in its.parts or name in its.synonyms:
            return False
        if other in lexicon[name].synonyms:
            return False
        if other in lexicon.closure({name}) and not shown & (lexicon.hyponyms(other) - {name}):
            return False
    risk = silence_risk(
        verifier.mention_rates.get(name),
        verifier.co_occurrence.told_by(present)[1][verifier.co_occurrence.candidates.index(name)],
        salient=lexicon[name].salient,
    )
    if verifier.thresholds:
        kinds = [other for other in (name, *lexicon.hyponyms(name)) if other in verifier.detected_as]
        scored = [found[COCO_CLASSES.index(verifier.detected_as[other])] for other in kinds]
        if any(score >= 0.1 for score in scored):
            return False
        if name in verifier.detected_as:
            return risk * 0.05 <= verifier.risk
    return objects is None and lexicon[name].salient and risk <= verifier.risk


@pytest.mark.parametrize("detector", [False, True])
def test_absences_are_those_that_the_rules_give_one_by_one(lexicon, detector):
    rng, numbers = Random(0), np.random.default_rng(0)
    names = rng.sample(list(lexicon), 150)
    corpus = co_occurrence_of([lexicon.closure(rng.sample(names, 3)) for _ in range(400)], least=2)
    records = {name: MentionRate(50, rng.random(), 900, 5, rng.random()) for name in rng.sample(names, 80)}
    known = {"thresholds": thresholds(), "detected_as": detected_as(lexicon)} if detector else {}
    verifier = Verifier(
        lexicon, corpus, vocabulary=frozenset(rng.sample(names, 60)), mention_rates=records, risk=0.02, **known
    )
    counts = []
    for number in range(16):
        captions = tuple(" and ".join(lexicon[name].indefinite for name in rng.sample(names, 2)) for _ in range(2))
        objects = rng.sample(sorted(verifier.vocabulary), 2) if number % 2 else None
        found = (numbers.random(80) ** 8).astype(np.float32)
        absences = list(verifier.facts("photo", captions, objects=objects, scores=found).absent)
        assert absences == [name for name in corpus.candidates if is_absent(name, verifier, captions, objects, found)]
        counts.append(len(absences))
    assert max(counts) > 30
