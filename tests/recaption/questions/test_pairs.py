import pytest

from notclip.recaption.concepts.lexicon import load_lexicon
from notclip.recaption.english.phrasing import HELD_OUT_FORMS, Phrase, load_phrasebook
from notclip.recaption.questions.fact_table import FactTable
from notclip.recaption.questions.pairs import build_pairs, texts_of_pairs

LEXICON = load_lexicon()


class Plainly:
    """Says a statement so that the test can read it back."""

    def phrase_statement(self, statement, lexicon, rng):
        return Phrase(f"{','.join(statement.affirmed)}|{','.join(statement.negated)}", "plain", "plain")


def is_true(caption, fact):
    affirmed, negated = (set(filter(None, part.split(","))) for part in caption.split("|"))
    return affirmed <= fact.present and negated <= set(fact.absent)


def is_false(caption, fact):
    affirmed, negated = (set(filter(None, part.split(","))) for part in caption.split("|"))
    return bool(affirmed & set(fact.absent) or negated & fact.present)


def test_each_caption_is_true_of_its_image_and_false_of_the_other(made_up_facts):
    facts = made_up_facts(200, unknown=0.2)
    by_id = {fact.image_id: fact for fact in facts}
    pairs = build_pairs(FactTable(facts, LEXICON), count=40, phrasebook=Plainly())
    assert len(pairs) == len({pair.name for pair in pairs}) == 40
    for pair in pairs:
        first, second = (by_id[image] for image in pair.image_ids)
        assert is_true(pair.captions[0], first) and is_false(pair.captions[0], second)
        assert is_true(pair.captions[1], second) and is_false(pair.captions[1], first)


def test_a_reader_of_texts_alone_has_no_pair_right_and_half_of_its_questions(made_up_facts):
    pairs = build_pairs(FactTable(made_up_facts(200), LEXICON), count=30)
    texts = texts_of_pairs([pair.name for pair in pairs], [pair.captions for pair in pairs], name="pairs")
    right = [
        max(range(2), key=lambda i: choices[i]) == answer
        for choices, answer in zip(texts.choices, texts.answers, strict=True)
    ]
    assert sum(right) == 30
    assert not any(first and second for first, second in zip(right[::2], right[1::2], strict=True))


def test_which_kind_of_caption_comes_first_is_left_to_chance(made_up_facts):
    pairs = build_pairs(FactTable(made_up_facts(200), LEXICON), count=60)
    mixed = [pair.kinds for pair in pairs if set(pair.kinds) == {"affirmation", "negation"}]
    assert 0.2 < sum(kinds[0] == "affirmation" for kinds in mixed) / len(mixed) < 0.8


def test_the_same_seed_makes_the_same_pairs_and_held_out_forms_stay_out(made_up_facts):
    table, book = FactTable(made_up_facts(100), LEXICON), load_phrasebook().of_split("train")
    pairs = build_pairs(table, count=20, phrasebook=book, seed=5)
    assert pairs == build_pairs(table, count=20, phrasebook=book, seed=5)
    assert pairs != build_pairs(table, count=20, phrasebook=book, seed=6)
    assert not {form for pair in pairs for form in pair.forms} & HELD_OUT_FORMS


def test_no_pairs_may_be_wanted_but_not_fewer(made_up_facts):
    assert build_pairs(FactTable(made_up_facts(10), LEXICON), count=0) == []
    with pytest.raises(ValueError, match="`count`"):
        build_pairs(FactTable(made_up_facts(10), LEXICON), count=-1)
