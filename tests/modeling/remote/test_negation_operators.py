"""Operators of search: what each excludes, and where a hyphen is a hyphen."""

import pytest

from notclip.remote.negation_operators import read_operators
from notclip.remote.negation_scope import read_scope


@pytest.mark.parametrize(
    ("query", "excluded", "rest"),
    [
        ("beach -people", ["people"], "beach"),
        ("-snow mountains", ["snow"], "mountains"),
        ('-"black and white" wedding', ["black and white"], "wedding"),
        ("halloween –pumpkin", ["pumpkin"], "halloween"),
        ("sci-fi city -flying-cars", ["flying-cars"], "sci-fi city"),
        ("cars, -trucks", ["trucks"], "cars,"),
        ("cake -'birthday candles'", ["birthday candles"], "cake"),
        ("solo -1girl", ["1girl"], "solo"),
        ("dog !cat", ["cat"], "dog"),
        ("cat&dog&!blurry", ["blurry"], "cat dog"),
        ("anatomy !+NSFW", ["NSFW"], "anatomy"),
        ("cat NOT dog", ["dog"], "cat"),
        ("red hair NOT platinum blonde hair", ["platinum blonde hair"], "red hair"),
        ("NOT nude statue", ["nude"], "statue"),
        ("sea NOT the boat in harbour", ["boat"], "sea in harbour"),
        ("coffee NOT cup AND beans", ["cup"], "coffee beans"),
        ("horse AND NOT rider", ["rider"], "horse"),
        ("(dog OR puppy) NOT leash", ["leash"], "dog OR puppy"),
        ("river NOT (bridge OR boat)", ["bridge", "boat"], "river"),
        ("meeting -(work OR meetup)", ["work", "meetup"], "meeting"),
        ("flowers WITHOUT vase", ["vase"], "flowers"),
        ("exclude:car", ["car"], ""),
        ("parking lot exclude:car,bus", ["car", "bus"], "parking lot"),
        ("without:glasses man", ["glasses"], "man"),
        ("beach not: blurry, dark", ["blurry", "dark"], "beach ,"),
        ("tiger --no grass, trees", ["grass", "trees"], "tiger ,"),
        ("label:!bird", ["bird"], ""),
        ('label:"boy&!girl"', ["girl"], '"boy "'),
        ("person:tom -person:anna", ["anna"], "tom"),
        ('-person:"Anna Maria" tom', ["Anna Maria"], "tom"),
        ("tag:(sea) -tag:(work OR home)", ["work", "home"], "sea"),
        ("label!=cat garden", ["cat"], "garden"),
        ("-face:yes", ["face"], ""),
        ("faces:no street", ["faces"], "street"),
    ],
)
def test_what_is_excluded_and_what_is_left_to_be_read(query, excluded, rest):
    operators = read_operators(query)
    assert [query[start:end] for start, end in operators.denied] == excluded
    assert " ".join(operators.rest(query).split()) == rest


@pytest.mark.parametrize("query", ["NOT (NOT dog)", "-(-dog)", "NOT -dog"])
def test_what_is_excluded_twice_is_wanted(query):
    assert read_operators(query).denied == []
    assert read_scope(query).affirmed == "dog"


@pytest.mark.parametrize(
    "text",
    [
        "a t-shirt",
        "x-ray chest",
        "snow -5 °C",
        "thermometer -20",
        "sharp at -35mm",
        "rock-n-roll - live",
        "dog -cat- bird",
        "follow-up",
        "2019-08 trip",
        "wow great shot!",
        "happy birthday! cake",
        "THIS IS NOT A DOG",
        "images that are NOT portrait",
        "not only a dog",
        "do NOT enter",
        "note: a dog",
        "https://a.org/b-c",
        "rclip cat --top 5",
        "cat NOT",
        "-",
        "!",
        "",
    ],
)
def test_a_hyphen_and_a_word_of_english_are_no_operators(text):
    assert read_operators(text) is None


def test_operators_are_off_where_asked():
    assert read_scope("cat -dog").negated == ("dog",)
    assert read_scope("cat -dog", operators=False).text == "cat -dog"
    assert "operator" not in {word.reason for word in read_scope("cat -dog", operators=False, explain=True).words}


def test_operators_exclude_in_any_language():
    scope = read_scope("playa con la gente -perros")
    assert (scope.language, scope.affirmed, scope.negated) == ("es", "playa con la gente", ("perros",))
