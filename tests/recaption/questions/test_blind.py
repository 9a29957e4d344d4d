import csv
from pathlib import Path
from random import Random

import numpy as np
import pytest

from notclip.errors import BadInputError
from notclip.recaption.concepts.lexicon import load_lexicon
from notclip.recaption.questions.blind import (
    VIEWS,
    BlindAccuracy,
    QuestionTexts,
    blind_accuracy,
    require_blind_chance,
    single_choice_tokens,
    whole_question_tokens,
    words_of_view,
)
from notclip.recaption.questions.fact_table import FactTable
from notclip.recaption.questions.questions import build_questions

LEXICON = load_lexicon()
NEGBENCH = Path(__file__).parents[3].parent / "shared/data/negbench/VOC2007_mcq_llama3.1_rephrased.csv"


def texts_of(questions):
    return QuestionTexts(
        [question.choices for question in questions],
        [question.answer for question in questions],
        [question.group for question in questions],
    )


@pytest.fixture(name="built")
def build_some(made_up_facts):
    def build(*, count=400, seed=0):
        return build_questions(FactTable(made_up_facts(400, seed=seed), LEXICON), count=count, seed=seed)

    return build


def leaky(count=300, *, seed=0):
    """NegBench's pattern: what the answer affirms and negates, two of the other choices get wrong one at a time."""
    rng = Random(seed)
    choices, answers = [], []
    for _ in range(count):
        first, second = rng.sample(["dog", "cat", "bus", "tree", "ball", "hat", "car", "boat"], 2)
        texts = [
            f"A {first}, but no {second}.",
            f"A {second}, but no {first}.",
            f"A {second}.",
            f"There is no {first}.",
        ]
        order = rng.sample(range(4), 4)
        choices.append([texts[index] for index in order])
        answers.append(order.index(0))
    return QuestionTexts(choices, answers, [str(n) for n in range(count)], "leaky")


def test_built_questions_score_exactly_chance_in_set_and_across_splits(built):
    measured = blind_accuracy(texts_of(built(seed=1)), texts_of(built(seed=2)))
    assert [(result.view, result.setting) for result in measured] == [
        ("single choices", "in-set"),
        ("whole questions", "in-set"),
        ("single choices", "transfer"),
        ("whole questions", "transfer"),
    ]
    for result in measured:
        assert result.accuracy == pytest.approx(0.25, abs=1e-9)
        assert result.low <= 0.25 + 1e-9 and result.high >= 0.25 - 1e-9
    require_blind_chance(measured)


def test_a_set_whose_pattern_gives_the_answer_away_is_refused_with_the_numbers():
    measured = blind_accuracy(leaky(seed=1), leaky(seed=2))
    assert all(result.accuracy > 0.4 for result in measured if result.view == "single choices")
    assert all(result.accuracy > 0.95 for result in measured if result.view == "whole questions")
    with pytest.raises(
        BadInputError, match=r"leaky: .*whole questions, transfer: 100.0% .*chance 25.0%, 300 questions"
    ):
        require_blind_chance(measured, name="leaky")


def test_built_questions_that_lost_their_negations_are_refused(built):
    """Dropping single questions, as a filter downstream might, undoes the counterbalance."""
    kept = [question for question in built(count=800) if question.kind != "negation"]
    measured = blind_accuracy(texts_of(kept))
    with pytest.raises(BadInputError, match="in-set"):
        require_blind_chance(measured)


@pytest.mark.shared
@pytest.mark.skipif(not NEGBENCH.exists(), reason="needs ../shared")
def test_negbench_questions_are_refused():
    with NEGBENCH.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[:800]
    texts = QuestionTexts(
        [[row[f"caption_{index}"] for index in range(4)] for row in rows],
        [0] * len(rows),
        [row["image_path"] for row in rows],
        "NegBench VOC2007",
    )
    measured = blind_accuracy(texts)
    assert measured[0].accuracy > 0.65 and measured[1].accuracy > 0.8
    with pytest.raises(BadInputError, match="NegBench VOC2007"):
        require_blind_chance(measured, name=texts.name)


def test_groups_split_over_folds_would_score_below_chance(built):
    """Why groups stay whole: the answers seen in training are just those that are used up."""
    texts = texts_of(built(count=800))
    split = QuestionTexts(texts.choices, texts.answers, [str(row) for row in range(len(texts.answers))])
    assert blind_accuracy(split, views=["single choices"])[0].accuracy < 0.1


def test_texts_that_do_not_differ_earn_the_credit_of_a_guess():
    rng = Random(0)
    same = [["A dog.", "A dog.", "A dog."] for _ in range(60)]
    texts = QuestionTexts(same, [rng.randrange(3) for _ in same], [str(row) for row in range(60)])
    for result in blind_accuracy(texts):
        assert result.accuracy == pytest.approx(1 / 3)
        assert result.chance == pytest.approx(1 / 3)


def test_the_interval_widens_when_questions_hang_together():
    rng = np.random.default_rng(0)
    choices = [["A dog.", "No dog."]] * 200
    answers = rng.integers(2, size=50).repeat(4).tolist()
    apart = QuestionTexts(choices, answers, [str(row) for row in range(200)])
    together = QuestionTexts(choices, answers, [str(row // 4) for row in range(200)])

    def width(texts):
        result = blind_accuracy(texts, views=["single choices"])[0]
        return result.high - result.low

    assert width(together) > 1.5 * width(apart)


def test_chance_inside_the_interval_is_no_leak():
    result = BlindAccuracy("single choices", "in-set", 0.27, 0.249, 0.291, 0.25, 1000)
    require_blind_chance([result])
    with pytest.raises(BadInputError, match=r"25.1% to 29.1%"):
        require_blind_chance([BlindAccuracy("single choices", "in-set", 0.271, 0.251, 0.291, 0.25, 1000)])


def test_the_same_seed_measures_the_same():
    texts = leaky()
    assert blind_accuracy(texts, seed=1) == blind_accuracy(texts, seed=1)


def test_too_few_groups_and_wrong_rows_are_named():
    with pytest.raises(BadInputError, match="at least 5 groups of questions, got 2; use more images"):
        blind_accuracy(QuestionTexts([["a", "b"]] * 2, [0, 1], ["x", "y"]))
    with pytest.raises(BadInputError, match=r"mine, row 1: .* got 2 of 2"):
        QuestionTexts([["a", "b"]] * 2, [0, 2], ["x", "y"], "mine")
    with pytest.raises(ValueError, match="equally long, got 1, 2 and 1"):
        QuestionTexts([["a", "b"]], [0, 1], ["x"])


@pytest.mark.parametrize(("view", "alone"), [(VIEWS[0], single_choice_tokens), (VIEWS[1], whole_question_tokens)])
def test_questions_that_share_choices_get_the_tokens_that_each_would_get_alone(view, alone):
    choices = [("a dog but no cat", "no dog", "a cat"), ("a cat", "a dog but no cat", "no dog"), ("a car", "no car")]
    texts = QuestionTexts(choices, [0, 1, 0], ["one", "one", "two"])
    found = words_of_view(view, texts, np.array([1, 0, 2]))
    assert found == alone(choices[1]) + alone(choices[0]) + alone(choices[2])
