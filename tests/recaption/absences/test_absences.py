from collections import Counter
from random import Random

import pytest
from corpora import co_occurrence_of

from notclip.recaption.absences.co_occurrence import AbsenceChooser
from notclip.recaption.absences.facts import Evidence
from notclip.recaption.concepts.lexicon import load_lexicon


@pytest.fixture(scope="module")
def lexicon():
    return load_lexicon()


def test_plausible_is_what_the_corpus_shows_beside_what_is_there():
    corpus = [{"dog", "ball"}] * 60 + [{"dog"}] * 40 + [{"cat", "couch"}] * 100
    co_occurrence = co_occurrence_of(corpus)
    found = dict(zip(co_occurrence.candidates, co_occurrence.told_by({"dog"})[1], strict=True))
    # P(ball | dog) = (60 + 20 * 0.3) / (100 + 20), drawn a little towards the overall share of 0.3.
    assert found["ball"] == pytest.approx(66 / 120)
    assert found["ball"] > found["couch"]


def test_rare_concepts_are_never_proposed():
    corpus = [{"dog"}] * 100 + [{"accordion"}] * 4
    assert co_occurrence_of(corpus).candidates == ("dog",)


def chooser(lexicon, *names: str, **options) -> AbsenceChooser:
    return AbsenceChooser(lexicon, {name: 1 / len(names) for name in names}, **options)


def test_draws_follow_plausibility_and_never_repeat_or_relate(lexicon):
    names = {"cat": 0.5, "animal": 0.5, "car": 0.1, "vehicle": 0.1, "snow": 0.01}
    absent = {name: Evidence("annotation", plausibility=value) for name, value in names.items()}
    draws = [chooser(lexicon, *names).draw(absent, Random(seed), 3) for seed in range(500)]
    assert all(len(drawn) == 3 == len(set(drawn)) for drawn in draws)
    assert not any({"cat", "animal"} <= set(drawn) or {"car", "vehicle"} <= set(drawn) for drawn in draws)
    first = Counter(drawn[0] for drawn in draws)
    # 1.0 of the weight of 1.21 lies on cat and animal.
    assert first["cat"] + first["animal"] == pytest.approx(500 * 1.0 / 1.21, abs=40)


def test_hardness_zero_draws_all_alike(lexicon):
    absent = {"cat": Evidence("annotation", plausibility=0.9), "car": Evidence("annotation", plausibility=0.01)}
    first = Counter(chooser(lexicon, *absent, hardness=0).draw(absent, Random(seed), 1)[0] for seed in range(400))
    assert first["car"] == pytest.approx(200, abs=50)


def test_a_concept_that_is_ahead_of_its_share_is_drawn_less(lexicon):
    absent = {"cat": Evidence("annotation", plausibility=0.9), "car": Evidence("annotation", plausibility=0.1)}
    drawing = chooser(lexicon, *absent)
    rng = Random(0)
    counts = Counter(drawing.draw(absent, rng, 1)[0] for _ in range(1000))
    # Plausibility alone would give 900; equal shares are wanted.
    assert 500 < counts["cat"] < 800


def test_fewer_absences_than_wanted_are_all_drawn(lexicon):
    absent = {"cat": Evidence("annotation", plausibility=0.0)}
    assert chooser(lexicon, "cat", "car").draw(absent, Random(0), 3) == ["cat"]
    assert chooser(lexicon, "cat", "car").draw({}, Random(0), 3) == []
