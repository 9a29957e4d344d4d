import pytest

from notclip.space.photo_set import read_photo_set
from notclip.space.question_tab import exhaustive_captions
from notclip.space.quiz import Quiz, end_sentence, why


@pytest.fixture(scope="module")
def drawn():
    return read_photo_set("drawn-world")


def test_why_a_caption_is_true_or_false_is_said_by_the_labels(drawn):
    image = next(name for name in drawn.ids if {"boat"} <= drawn.present[name] and "cat" not in drawn.present[name])
    assert why(drawn, image, "a boat") == "it shows a boat"
    assert why(drawn, image, "a boat and no cat") == "it shows a boat and no cat"
    assert why(drawn, image, "a picture with no boat") == "it shows a boat"
    assert why(drawn, image, "a cat") == "it shows no cat"


def test_of_four_captions_one_is_true_whatever_a_photo_shows():
    both, first, second, neither = exhaustive_captions("dogs", "water")
    assert (both, first) == ("a photo of dogs and water", "a photo of dogs, but no water")
    assert (second, neither) == ("a photo of water, but no dogs", "a photo with neither dogs nor water")


def test_the_quiz_ends_in_a_sentence():
    quiz = Quiz(tuple(range(10)), at=9, answered=True, right=(8, 4, 9))
    assert end_sentence(quiz) == (
        "I got 8 of 10 on what “not” means in pictures. An ordinary vision-language model got 4, NotCLIP 9."
    )
