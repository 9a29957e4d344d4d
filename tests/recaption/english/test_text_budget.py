from random import Random

import pytest

from notclip.recaption.concepts.lexicon import load_lexicon
from notclip.recaption.english.phrasing import load_phrasebook
from notclip.recaption.english.text_budget import estimated_tokens, negate_within, shortened_caption

LONG = (
    "In the middle of the photograph a brown dog with a red collar, which seems to be rather old, runs over the wet "
    "grass of a park, past a wooden bench on which two women with umbrellas are talking about the weather of the last "
    "days, while behind them a man on a bicycle waits for a bus. The sky above the trees is grey. It may rain soon."
)


@pytest.mark.parametrize("tokens", [32, 64, 77])
@pytest.mark.parametrize("absent", [("cat",), ("traffic light", "fire hydrant")])
def test_a_long_caption_leaves_room_for_its_negation(tokens: int, absent: tuple[str, ...]):
    for seed in range(100):
        phrase, kept = negate_within(load_phrasebook(), LONG, absent, load_lexicon(), Random(seed), tokens=tokens)
        assert LONG.startswith(kept)
        assert kept != LONG
        assert estimated_tokens(phrase.text) <= tokens
        assert all(name.split()[-1] in phrase.text.lower() for name in absent)


def test_a_caption_that_fits_is_phrased_as_without_a_limit():
    for seed in range(100):
        plain = load_phrasebook().negate_caption("A dog runs .", ("cat",), load_lexicon(), rng := Random(seed))
        phrase, kept = negate_within(
            load_phrasebook(), "A dog runs .", ("cat",), load_lexicon(), own := Random(seed), tokens=77
        )
        assert (phrase, kept, own.random()) == (plain, "A dog runs .", rng.random())


def test_a_caption_is_cut_at_a_sentence_a_comma_or_a_word_that_can_be_the_last():
    assert shortened_caption("A dog runs. A cat sits, too. It rains.", 12) == "A dog runs. A cat sits, too."
    assert shortened_caption("A dog runs on grass, and a cat sits on the roof of a house", 10) == "A dog runs on grass"
    assert (
        shortened_caption("A brown dog runs over the roof of a very old house", 11) == "A brown dog runs over the roof"
    )
    assert shortened_caption("Donaudampfschifffahrtsgesellschaft", 3) == "Donaudampfschifffahrtsgesellschaft"
