import re
from html import unescape

import pytest

from notclip.errors import BadInputError
from notclip.remote.negation_scope import read_scope
from notclip.space.reading import check_text, hints, reading_html


def shown(html):
    return unescape(re.sub(r"<[^>]+>", "", html.partition('nc-read-text">')[2].partition("</p>")[0]))


def test_what_is_wanted_is_marked_and_what_is_excluded_is_struck_through():
    html = reading_html("a beach with no people")
    assert '<ins class="nc-affirmed">a beach</ins>' in html
    assert '<del class="nc-denied">people</del>' in html
    assert "It looks for <b>a beach</b>, excludes <b>people</b>." in html


@pytest.mark.parametrize(
    ("text", "wanted", "excluded"),
    [
        ("a house and no clouds", ["a house"], ["clouds"]),
        ("a beach without any umbrella or boat", ["a beach"], ["umbrella", "boat"]),
        ("a park that does not have any dogs", ["a park"], ["dogs"]),
        ("a dog rather than a cat on a sofa", ["a dog", "on a sofa"], ["cat"]),
        ("a red car, a blue bus; no people", ["a red car, a blue bus"], ["people"]),
        ("there isn't any snow on the mountain", ["the mountain"], ["snow"]),
        ("a photo with people absent", [], ["people"]),
        ("people-free beach", ["beach"], ["people"]),
    ],
)
def test_words_that_belong_to_neither_part_are_not_marked(text, wanted, excluded):
    html = reading_html(text)
    assert re.findall(r"<ins[^>]*>(.*?)</ins>", html) == wanted
    assert re.findall(r"<del[^>]*>(.*?)</del>", html) == excluded
    assert shown(html) == text


def test_a_query_without_negation_is_all_wanted():
    html = reading_html("a red boat")
    assert "a red boat</ins>" in html and "<del" not in html and "nothing is excluded" in html


def test_the_query_is_shown_whole_and_as_text_whatever_it_holds():
    text = '<img src=x onerror=alert(1)> ${7*7} {{value}} with no "cats"'
    html = reading_html(text)
    assert "<img" not in html
    assert shown(html) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("  \n\t\u200b ", "is empty"),
        ("x" * 10_000, "10,000 characters; the limit is 500"),
        ("not", "says only “not”"),
        ("No, not!", "says only"),
        ("?!…", "has no words"),
    ],
)
def test_what_is_no_query_gets_a_plain_message(text, message):
    with pytest.raises(BadInputError, match=re.escape(message)):
        check_text(text, what="The query")


@pytest.mark.parametrize("text", ["ein Strand ohne Menschen", "cachorro no parque", "пляж без людей", "没有人的海滩"])
def test_another_language_is_named_as_such(text):
    (hint,) = hints(read_scope(text))
    assert "English only" in hint and hint in reading_html(text)


@pytest.mark.parametrize(
    "text", ["a beach with no people", "a café", "a naïve drawing", "no dogs: a park", "a beach -people"]
)
def test_a_query_that_was_read_gets_no_hint(text):
    assert hints(read_scope(text)) == []


@pytest.mark.parametrize(
    ("text", "hint"),
    [("not only dogs", "“not” was not read as excluding"), ("a beach ~people", "“~people” is no operator here")],
)
def test_what_may_be_misread_is_hinted_at(text, hint):
    assert hints(read_scope(text))[0].startswith(hint)


def test_each_word_is_told_what_became_of_it_and_by_what():
    html = reading_html("a dog, but no ball")
    rows = re.findall(r'<th scope="row">(.*?)</th><td>(.*?)</td><td>(.*?)</td>', html)
    became = {word: became for word, became, _ in rows}
    assert became["dog"] == "is looked for" and became["no"] == "says “not”" and became["ball"] == "must not be there"
    assert all(reason for *_, reason in rows)


@pytest.mark.parametrize("value", [None, 3, ["a dog"]])
def test_what_is_no_text_is_named(value):
    with pytest.raises(BadInputError, match="text, got"):
        check_text(value, what="The query")
