import gc
import weakref
from random import Random

import pytest

from notclip.errors import BadInputError
from notclip.recaption.absences.facts import Evidence, ImageFacts
from notclip.recaption.concepts.lexicon import load_lexicon
from notclip.recaption.english.phrasing import HELD_OUT_FORMS, load_phrasebook
from notclip.recaption.questions.fact_table import FactTable
from notclip.recaption.questions.queries import build_queries
from notclip.recaption.questions.questions import build_questions

LEXICON = load_lexicon()


def test_every_image_satisfies_its_queries(made_up_facts):
    facts = made_up_facts(200, unknown=0.2)
    by_id = {fact.image_id: fact for fact in facts}
    queries = build_queries(FactTable(facts, LEXICON))
    assert len(queries) > 180
    for record in queries:
        fact = by_id[record.image_id]
        assert 1 <= len(record.captions) <= 4
        assert len(record.captions) == len(record.forms) == len(record.affirmed) == len(record.absent)
        for affirmed, absent in zip(record.affirmed, record.absent, strict=True):
            assert affirmed and set(affirmed) <= fact.present
            assert absent and set(absent) <= set(fact.absent)
            assert all(LEXICON.compatible(a, b) for a in affirmed for b in absent)


def test_no_concept_is_excluded_twice_for_one_image(made_up_facts):
    for record in build_queries(FactTable(made_up_facts(200), LEXICON)):
        absent = [name for names in record.absent for name in names]
        assert len(absent) == len(set(absent))


def test_the_first_query_is_a_caption_with_an_absence(made_up_facts):
    for record in build_queries(FactTable(made_up_facts(100), LEXICON)):
        assert "tands here" in record.captions[0]


def test_exclusions_are_what_other_matching_images_show(monkeypatch):
    """Dogs come with balls and never with buses, so "a dog without …" excludes the ball."""
    rng = Random(0)
    absent = Evidence("annotation")
    facts = []
    for number in range(200):
        shown = {"dog", "ball"} if rng.random() < 0.5 else {"dog"} if rng.random() < 0.5 else {"bus"}
        facts.append(
            ImageFacts(
                str(number),
                (f"A {'dog' if 'dog' in shown else 'bus'} .",),
                frozenset(shown),
                {name: absent for name in ("dog", "ball", "bus") if name not in shown},
            )
        )
    monkeypatch.setattr("notclip.recaption.questions.queries.PER_IMAGE", (1, 1))
    queries = build_queries(FactTable(facts, LEXICON))
    of_dogs = [record.absent[0] for record in queries if record.affirmed[0] == ("dog",)]
    lone_dogs = [names for names in of_dogs if names != ("bus",)]
    assert len(lone_dogs) >= 40
    alone = {fact.image_id for fact in facts if fact.present == {"dog"}}
    assert {record.absent[0][0] for record in queries if record.image_id in alone} == {"ball"}


def test_the_same_seed_writes_the_same_queries(made_up_facts):
    facts = made_up_facts(60)
    assert build_queries(FactTable(facts, LEXICON), seed=3) == build_queries(FactTable(facts, LEXICON), seed=3)
    assert build_queries(FactTable(facts, LEXICON), seed=3) != build_queries(FactTable(facts, LEXICON), seed=4)


def test_held_out_forms_stay_out_where_they_are_not_allowed(made_up_facts):
    queries = build_queries(FactTable(made_up_facts(200), LEXICON), phrasebook=load_phrasebook().of_split("train"))
    assert not {form for record in queries for form in record.forms} & HELD_OUT_FORMS


def test_facts_without_absences_are_refused():
    with pytest.raises(BadInputError, match="no query can exclude"):
        build_queries(FactTable([ImageFacts("a", ("A dog .",), frozenset({"dog"}), {})], LEXICON))


def test_a_statement_finds_every_image_that_fits_and_violates_with_every_image_that_shows_the_excluded(monkeypatch):
    """Ten dogs without a ball, ten with one, ten balls alone, and one dog whose ball nobody knows about."""
    absent = Evidence("annotation")
    contents = [{"dog"}] * 10 + [{"dog", "ball"}] * 10 + [{"ball"}] * 10
    facts = [
        ImageFacts(str(number), (), frozenset(shown), {name: absent for name in ("dog", "ball") if name not in shown})
        for number, shown in enumerate(contents)
    ]
    facts.append(ImageFacts("unknown", (), frozenset({"dog"}), {}))
    monkeypatch.setattr("notclip.recaption.questions.queries.PER_IMAGE", (1, 1))
    queries = {record.image_id: record for record in build_queries(FactTable(facts, LEXICON))}
    lone_dog = queries["3"]
    assert (lone_dog.affirmed, lone_dog.absent) == ((("dog",),), (("ball",),))
    assert lone_dog.relevant == (("3", "0", "1", "2", "4", "5", "6", "7", "8", "9"),)
    assert lone_dog.violating == (tuple(str(number) for number in range(10, 30)),)


def test_a_source_caption_finds_its_own_image_alone(made_up_facts):
    for record in build_queries(FactTable(made_up_facts(100), LEXICON)):
        for caption, relevant in zip(record.captions, record.relevant, strict=True):
            assert relevant[0] == record.image_id
            assert len(relevant) == 1 or "tands here" not in caption


def test_some_queries_exclude_several_concepts_and_violators_show_any_of_them(made_up_facts):
    facts = made_up_facts(200)
    present = {fact.image_id: fact.present for fact in facts}
    several = 0
    for record in build_queries(FactTable(facts, LEXICON)):
        for absent, violating in zip(record.absent, record.violating, strict=True):
            several += len(absent) > 1
            assert set(violating) == {name for name, shown in present.items() if shown & set(absent)}
    assert several > 20


def test_lists_name_images_of_the_first_so_many_alone_and_the_own_one(made_up_facts):
    facts = made_up_facts(120)
    first = {fact.image_id for fact in facts[:50]}
    for record in build_queries(FactTable(facts, LEXICON), listed_images=50):
        for relevant, violating in zip(record.relevant, record.violating, strict=True):
            assert set(relevant) - {record.image_id} <= first and set(violating) <= first
    with pytest.raises(ValueError, match="`listed_images`"):
        build_queries(FactTable(facts, LEXICON), listed_images=0)


@pytest.mark.parametrize("build", [build_queries, build_questions])
def test_what_a_shard_needed_is_freed_with_it_before_anybody_looks_for_cycles(made_up_facts, build):
    table = FactTable(made_up_facts(100), LEXICON)
    freed = weakref.ref(table)
    gc.disable()
    try:
        made = build(table)
        del table
        assert made and freed() is None
    finally:
        gc.enable()
