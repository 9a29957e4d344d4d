from pathlib import Path

import pytest

from notclip.errors import BadInputError
from notclip.recaption.absences.detector import COCO_CLASSES
from notclip.recaption.concepts.lexicon import Concept, Lexicon, load_lexicon, pluralize
from notclip.recaption.drawn_world.vocabulary import OBJECTS

VOC_CLASSES = (
    "aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person pottedplant "
    "sheep sofa train tvmonitor"
).split()


@pytest.fixture(scope="module")
def lexicon():
    return load_lexicon()


def test_every_coco_voc_and_drawn_class_is_a_concept_of_its_own(lexicon):
    for labels in (COCO_CLASSES, VOC_CLASSES, OBJECTS):
        found = [lexicon.resolve(label) for label in labels]
        assert None not in found, [label for label, name in zip(labels, found, strict=True) if name is None]
        assert len(set(found)) == len(labels)
    assert {lexicon[lexicon.resolve(label)].detector_class for label in COCO_CLASSES} == set(COCO_CLASSES)


def test_a_label_that_is_a_kind_of_a_concept_does_not_speak_for_all_of_it(lexicon):
    extended = lexicon.extended(["pug", "sofa", "kettle"])
    assert [extended.resolve(label) for label in ("pug", "sofa", "kettle")] == ["pug", "couch", "kettle"]
    assert extended.find("A pug sits on a sofa") == {"pug", "dog", "couch"}
    assert "dog" in extended.closure({"pug"})
    assert lexicon.extended(COCO_CLASSES) is lexicon
    assert lexicon.extended(VOC_CLASSES) is lexicon


def test_the_table_holds_at_least_250_concepts(lexicon):
    assert len(lexicon) >= 250


@pytest.mark.parametrize(
    ("caption", "affirmed"),
    [
        ("A Boston terrier runs .", {"dog"}),
        ("Two puppies and a pony", {"dog", "horse"}),
        ("A taxi passes a fire hydrant", {"taxi", "car", "fire hydrant"}),
        ("Four children stand on snow-covered ground .", {"child", "snow"}),
        ("A man in sunglasses rides his motorbike", {"man", "sunglasses", "glasses", "motorcycle"}),
        ("A girl eats a hot dog", {"girl", "hot dog", "food"}),
        ("The boy's kites", {"boy", "kite"}),
        ("Oranges in a bowl", {"orange", "fruit", "bowl"}),
        ("a girl on a swing", {"girl", "swing"}),
    ],
)
def test_a_caption_affirms_what_it_names(lexicon, caption, affirmed):
    assert lexicon.find(caption) == affirmed


@pytest.mark.parametrize(
    ("caption", "name"),
    [
        ("A dog toy lies on the grass", "dog"),
        ("A dog house", "dog"),
        ("A hot dog stand", "dog"),
        ("A stuffed dog on a bed", "dog"),
        ("A toy car", "car"),
        ("A statue of a man on a horse", "horse"),
        ("A plastic horse", "horse"),
        ("There is no dog on the street .", "dog"),
        ("A man without a hat", "hat"),
        ("People walk , but there are no cars", "car"),
        ("The boy swings a bat", "swing"),
        ("A woman in an orange dress", "orange"),
        ("A child dressed as a clown", "clown"),
        ("A dog paddles in the lake", "paddle"),
    ],
)
def test_a_look_alike_affirms_nothing_and_leaves_the_thing_open(lexicon, caption, name):
    assert name not in lexicon.find(caption)
    assert name in lexicon.hinted(caption)


@pytest.mark.parametrize(
    "caption",
    [
        *("A man smiles", "Two players run", "A climber hangs from a rope", "A surfer on a wave", "The crowd cheers"),
        *("Someone waves", "A toddler cries", "A skier goes downhill", "He jumps", "Her dog runs", "They sit still"),
        *("A violinist on stage", "A spelunker in a cave", "Firemen at work", "A bicyclist rides", "Surfing at dawn"),
        *("Eleven teammates celebrate", "An infant sleeps", "A hand holding a leash", "A couple kissing"),
        *("The band performs", "A beekeeper with a hive", "A ball, a welder, dog in front", "Two boxers", "A skiier"),
    ],
)
def test_no_person_can_never_be_claimed_where_anybody_is_hinted_at(lexicon, caption):
    assert "person" in lexicon.hinted(caption)


@pytest.mark.parametrize(
    "caption",
    [
        *("A brown dog runs on the grass .", "Two cats on a sofa", "Three boats near a bridge"),
        *("A golden retriever after another dog", "A larger dog under the tree", "A tower over the water"),
    ],
)
def test_a_caption_without_anybody_leaves_nobody_open(lexicon, caption):
    assert "person" not in lexicon.hinted(caption)


def test_verbs_leave_open_what_they_bring_along(lexicon):
    assert "surfboard" in lexicon.hinted("A man surfing")
    assert "snow" in lexicon.hinted("A snowy hill")
    assert "water" in lexicon.hinted("A dog swims")
    assert "skateboard" in lexicon.hinted("Boys skateboarding at night")
    assert "dog" in lexicon.hinted("Something barks")


@pytest.mark.parametrize(
    ("word", "name"),
    [("trampolene", "trampoline"), ("raquet", "racket"), ("baloon", "balloon"), ("helment", "helmet")],
)
def test_a_word_that_may_be_a_slip_of_the_pen_leaves_the_thing_open(lexicon, word, name):
    assert name in lexicon.hinted(f"A man and a {word}")
    assert name not in lexicon.find(f"A man and a {word}")


def test_a_breed_is_a_dog_is_an_animal(lexicon):
    assert lexicon.closure(lexicon.find("A Boston terrier")) == {"dog", "animal"}


def test_only_unrelated_concepts_are_compatible(lexicon):
    assert lexicon.compatible("dog", "cat")
    assert not lexicon.compatible("dog", "dog")
    assert not lexicon.compatible("dog", "animal")
    assert not lexicon.compatible("car", "wheel")
    assert not lexicon.compatible("boat", "canoe")
    assert all(lexicon.compatible(a, b) == lexicon.compatible(b, a) for a in lexicon for b in ("dog", "car", "tree"))


def test_articles_follow_the_sound(lexicon):
    found = [lexicon[name].indefinite for name in ("dog", "umbrella", "snow", "scissors", "uniform", "airplane")]
    assert found == ["a dog", "an umbrella", "snow", "scissors", "a uniform", "an airplane"]
    labels = ["ewe", "utensil", "urinal", "unimog", "urn", "usher", "x-ray", "eucalyptus", "honorary degree"]
    extended = lexicon.extended(labels)
    assert [extended[label].indefinite.split()[0] for label in labels] == "a a a a an an an a an".split()


def test_plurals_and_articles_agree_with_inflect(lexicon):
    engine = pytest.importorskip("inflect").engine()
    counted = [concept for concept in lexicon.values() if not concept.mass and not concept.is_plural_only]
    differing = {concept.name for concept in counted if engine.plural_noun(concept.name) != concept.plural}
    assert differing <= {"cactus", "flamingo"}  # English has two plurals of these.
    assert [concept.name for concept in counted if engine.a(concept.name) != concept.indefinite] == []


def test_an_unknown_label_becomes_a_plain_concept(lexicon):
    extended = lexicon.extended(["dog", "sousaphone"])
    assert extended["sousaphone"].plural == "sousaphones"
    assert len(extended) == len(lexicon) + 1
    assert extended.find("A sousaphone and a dog") == {"sousaphone", "dog"}
    assert "sousaphone" not in lexicon


def test_plurals_that_no_ending_tells():
    nouns = ("cup of tea", "policeman", "housewife", "ox", "moose", "bookshelf", "ottoman", "camera lens", "LED", "CD")
    assert [pluralize(noun) for noun in (*nouns, "jeans", "rabbit foot")] == [
        *("cups of tea", "policemen", "housewives", "oxen", "moose", "bookshelves", "ottomans", "camera lenses"),
        *("LEDs", "CDs", "jeans", "rabbit feet"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("concepts: [dog]", "needs a mapping `concepts`"),
        ("concepts: {dog: {colour: red}}", "unknown field 'colour'"),
        ("concepts: {dog: {is: [animal]}}", "names 'animal' in `is`"),
        ("concepts: {dog: {is: [pet]}, pet: {is: [dog]}}", "its own hypernym"),
        ("concepts: {dog: {synonyms: [no]}}", "list of words"),
        ("concepts: {dog: [", "is not valid YAML"),
        ("headers: [show]\nconcepts: {dog: {}}", "unknown list 'headers'"),
    ],
)
def test_a_broken_table_is_refused_by_name(tmp_path: Path, text, message):
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(BadInputError, match=message):
        load_lexicon(file)


def test_a_missing_table_is_refused(tmp_path: Path):
    with pytest.raises(BadInputError, match=r"The lexicon .*none\.yaml .*does not exist"):
        load_lexicon(tmp_path / "none.yaml")


def test_a_file_that_was_edited_is_read_anew(tmp_path: Path):
    file = tmp_path / "lexicon.yaml"
    for name in ("dog", "cat"):
        file.write_text(f"concepts:\n  {name}:\n", encoding="utf-8")
        assert list(load_lexicon(file)) == [name]


def test_a_lexicon_of_diamonds_is_climbed_once_a_concept():
    # Each level is of two concepts that are both kinds of both of the next: 2^40 ways from the first to the last.
    levels = 40
    concepts = [
        Concept(f"{side}{level}", f"{side}{level}s", hypernyms=(f"a{level + 1}", f"b{level + 1}"))
        for level in range(levels)
        for side in "ab"
    ]
    top = [Concept(f"{side}{levels}", f"{side}{levels}s") for side in "ab"]
    lexicon = Lexicon([*concepts, *top], load_lexicon().rules)
    assert lexicon.closure({"a0"}) == {"a0"} | {f"{side}{level}" for side in "ab" for level in range(1, levels + 1)}
    assert len(lexicon.hyponyms(f"a{levels}")) == 2 * levels
    assert not lexicon.compatible("a0", f"b{levels}")
    assert lexicon.compatible("a0", "b0")


def test_a_chain_of_two_thousand_hypernyms_is_no_recursion():
    chain = [Concept(f"c{n}x", f"c{n}xs", hypernyms=(f"c{n + 1}x",) if n < 2000 else ()) for n in range(2001)]
    assert len(Lexicon(chain, load_lexicon().rules).closure({"c0x"})) == 2001


def test_what_is_related_is_what_is_not_compatible_by_each_rule():
    lexicon = load_lexicon()
    slow = {
        (one, other)
        for one, its in lexicon.items()
        for other, theirs in lexicon.items()
        if one == other
        or one in lexicon.closure({other})
        or other in lexicon.closure({one})
        or one in theirs.parts
        or other in its.parts
        or one in theirs.synonyms
        or other in its.synonyms
    }
    assert {(one, other) for one in lexicon for other in lexicon.related[one]} == slow
    openers = {
        name: set(concept.likely_with)
        | {
            other
            for other, its in lexicon.items()
            if name in its.parts or name in its.synonyms or other in concept.synonyms
        }
        for name, concept in lexicon.items()
    }
    assert lexicon.openers == openers


def test_a_concept_is_called_by_its_article_its_plural_and_words_that_mean_the_same(lexicon):
    assert lexicon.called("couch") == ["a couch", "couch", "couches", "sofa"]
    assert "taxi" not in lexicon.called("car")
