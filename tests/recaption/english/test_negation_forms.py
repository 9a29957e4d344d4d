from random import Random

import pytest

from notclip.dataset.negation_forms import AFFIRMED, CUES, form_of
from notclip.recaption.concepts.lexicon import load_lexicon
from notclip.recaption.english.phrasing import FORMS, Statement, load_phrasebook

LEXICON = load_lexicon()
BOOK = load_phrasebook()
CONTENTS = [
    ((), ("dog",)),
    (("ball",), ("person",)),
    (("ball", "tree"), ("snow",)),
    (("dog",), ("car", "tree")),
    (("dog",), ()),
]


def test_the_form_of_what_the_grammar_says_is_the_one_that_it_is_tagged_with():
    rng, seen = Random(0), set()
    for number in range(6000):
        affirmed, negated = CONTENTS[number % len(CONTENTS)]
        if number % 3 and negated:
            phrase = BOOK.negate_caption("A man rides a bike .", negated, LEXICON, rng)
        else:
            phrase = BOOK.phrase_statement(Statement(affirmed, negated), LEXICON, rng)
        assert (form_of(phrase.text) or AFFIRMED) == phrase.form, phrase
        seen.add(phrase.form)
    assert seen == FORMS


def test_every_form_that_the_grammar_writes_has_words_by_which_it_is_told():
    assert set(CUES) == FORMS - {AFFIRMED}


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("A dog’s bowl isn’t here.", "nt"),
        ("A car-free street", "free"),
        ("Notes on a knot, another nose", None),
        ("None of the dogs is here", "none"),
    ],
)
def test_cues_are_whole_words(text, form):
    assert form_of(text) == form


def test_a_negation_of_the_source_caption_does_not_name_the_form():
    assert form_of("A man with no shirt, without a dog.", beside="A man with no shirt.") == "without"
    assert form_of("A man with no shirt and no dog.", beside="A man with no shirt.") == "no"
