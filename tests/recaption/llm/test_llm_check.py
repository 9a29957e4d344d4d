import pytest

from notclip.recaption.concepts.lexicon import load_lexicon
from notclip.recaption.english.phrasing import TRAIN_FORMS
from notclip.recaption.llm.check import Meaning, answer_fault

LEXICON = load_lexicon()
DOG = Meaning("A brown dog runs through the snow, with no ball in sight.", ("ball",))
MEN = Meaning("Two men in red shirts ride bicycles down a street. There is no car here, though.", ("car",))
WOMAN = Meaning("This image shows a woman and a bench, but neither a dog nor a tree.", ("dog", "tree"))
EMPTY = Meaning("No people can be seen in this photo.", ("person",))


@pytest.mark.parametrize(
    ("meaning", "answer"),
    [
        (DOG, "There isn't a ball in sight as a brown dog runs through the snow."),
        (DOG, "A brown dog is running through snow without a ball."),
        (DOG, "Running through the snow is a brown dog, and there are no balls anywhere."),
        (MEN, "Two men wearing red shirts are riding bicycles down a street without any cars."),
        (MEN, "On a street with no cars, two men in red shirts ride their bikes."),
        (WOMAN, "A woman sits near a bench, with no dog or tree around."),
        (WOMAN, "There is a woman by a bench, but no dogs and no trees."),
        (WOMAN, "You can see a woman and a bench here, but not a dog or a tree."),
        (EMPTY, "Nobody is in this picture."),
        (EMPTY, "There isn't a person in sight."),
    ],
)
def test_a_rewording_that_says_the_same_is_taken(meaning, answer):
    assert answer_fault(answer, meaning, LEXICON, forms=TRAIN_FORMS) is None


@pytest.mark.parametrize(
    ("meaning", "answer", "fault"),
    [
        (DOG, "", "shape"),
        (DOG, "no idea", "shape"),
        (DOG, "Here is the caption: A brown dog runs through the snow without a ball.", "shape"),
        (DOG, "A brown dog runs\nthrough the snow without a ball.", "shape"),
        (DOG, "A brown dog runs through the <b>snow</b> without a ball.", "shape"),
        (DOG, "A brown dog runs through the snow without a ball" + ", far and wide" * 20 + ".", "shape"),
        (DOG, "A brown dog runs through the snow.", "form"),
        (DOG, "A brown dog runs through the snow with a ball.", "form"),
        (DOG, "A brown dog runs through the snow, devoid of balls.", "form"),
        (DOG, "A brown dog doesn't run through the snow with a ball.", "absence"),
        (DOG, "No dog runs through the snow with a ball.", "absence"),
        (DOG, "A brown dog runs through the snow, with no ball or frisbee.", "absence"),
        (DOG, "A brown dog runs through the snow with no ball and no regrets.", "absence"),
        (DOG, "A brown dog with a ball runs through the snow, with no other ball.", "absence"),
        (WOMAN, "A woman sits near a bench, with no dog.", "absence"),
        (WOMAN, "A woman with a dog, and no bench or tree.", "absence"),
        (EMPTY, "There is no photo.", "absence"),
        (DOG, "A black dog runs through the snow without a ball.", "affirmation"),
        (DOG, "A dog runs through the snow without a ball.", "affirmation"),
        (DOG, "A brown animal runs through the snow without a ball.", "affirmation"),
        (MEN, "Two men in red shirts ride bicycles. There are no cars.", "affirmation"),
        (MEN, "Two women in red shirts ride bicycles down a street with no cars.", "affirmation"),
        (DOG, "Three brown dogs run through the snow without a ball.", "addition"),
        (DOG, "Only a brown dog runs through the snow, without a ball.", "addition"),
        (DOG, "A brown dog and a cat run through the snow, with no ball.", "addition"),
        (DOG, "A brown dog runs through the snow near a house without a ball.", "addition"),
        (DOG, "A brown dog named Rex runs through the snow without a ball.", "addition"),
        (DOG, "A brown dog happily leaps, barks, runs and plays through the deep snow without a ball.", "addition"),
    ],
)
def test_a_rewording_that_says_something_else_is_refused_with_its_reason(meaning, answer, fault):
    assert answer_fault(answer, meaning, LEXICON, forms=TRAIN_FORMS) == fault


def test_a_form_that_is_held_out_may_stand_in_the_test_split():
    answer = "A brown dog runs through the snow, devoid of balls."
    assert answer_fault(answer, DOG, LEXICON) is None


def test_a_negation_of_the_source_caption_stays_and_does_not_count_against_the_answer():
    meaning = Meaning("A man with no shirt rides a horse, with no dog nearby.", ("dog",))
    assert answer_fault("A man with no shirt is riding a horse, and there is no dog around.", meaning, LEXICON) is None
