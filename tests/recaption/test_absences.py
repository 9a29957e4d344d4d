from collections import Counter
from random import Random

import pytest

from notclip.recaption.absences import Companions, choose_absences
from notclip.recaption.facts import Evidence
from notclip.recaption.lexicon import load_lexicon


@pytest.fixture(scope="module")
def lexicon():
    return load_lexicon()


def test_plausible_is_what_the_corpus_shows_beside_what_is_there():
    corpus = [{"dog", "ball"}] * 60 + [{"dog"}] * 40 + [{"cat", "couch"}] * 100
    found = Companions(corpus).plausibility({"dog"})
    # P(ball | dog) = (60 + 20 * 0.3) / (100 + 20), drawn a little towards the overall share of 0.3.
    assert found["ball"] == pytest.approx(66 / 120)
    assert found["ball"] > found["couch"]


def test_rare_concepts_are_never_proposed():
    corpus = [{"dog"}] * 100 + [{"accordion"}] * 4
    assert Companions(corpus).candidates == ("dog",)


def test_draws_follow_plausibility_and_never_repeat_or_relate(lexicon):
    names = {"cat": 0.5, "animal": 0.5, "car": 0.1, "vehicle": 0.1, "snow": 0.01}
    absent = {name: Evidence("annotation", plausibility=value) for name, value in names.items()}
    rng = Random(0)
    draws = [choose_absences(absent, lexicon, rng, 3) for _ in range(500)]
    assert all(len(drawn) == 3 == len(set(drawn)) for drawn in draws)
    assert not any({"cat", "animal"} <= set(drawn) or {"car", "vehicle"} <= set(drawn) for drawn in draws)
    first = Counter(drawn[0] for drawn in draws)
    assert first["cat"] + first["animal"] > 350 > first["snow"] + 300


def test_a_concept_that_was_denied_too_often_is_drawn_less(lexicon):
    absent = {name: Evidence("annotation", plausibility=0.5) for name in ("cat", "car")}
    wanted = {"cat": 0.5, "car": 0.5}
    draws = Counter(
        choose_absences(absent, lexicon, Random(seed), 1, uses={"cat": 900, "car": 100}, wanted=wanted)[0]
        for seed in range(300)
    )
    assert draws["car"] > 2 * draws["cat"]


def test_fewer_absences_than_wanted_are_all_drawn(lexicon):
    absent = {"cat": Evidence("annotation", plausibility=0.0)}
    assert choose_absences(absent, lexicon, Random(0), 3) == ["cat"]
    assert choose_absences({}, lexicon, Random(0), 3) == []
