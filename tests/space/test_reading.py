import re

import pytest

from notclip.errors import BadInputError
from notclip.negation_scope import read_scope
from notclip.space.reading import check_text, language_note, reading_html


def test_what_is_wanted_is_marked_and_what_is_excluded_is_struck_through():
    html = reading_html("a beach with no people")
    assert '<ins class="nc-affirmed">a beach</ins>' in html
    assert '<del class="nc-negated">people</del>' in html
    assert "It looks for <b>a beach</b>, excludes <b>people</b>." in html


def test_words_that_only_join_the_parts_are_not_marked():
    assert re.findall(r"<ins[^>]*>(.*?)</ins>", reading_html("a house and no clouds")) == ["a house"]


def test_a_query_without_negation_is_all_wanted():
    html = reading_html("a red boat")
    assert "a red boat</ins>" in html and "<del" not in html and "nothing is excluded" in html


def test_the_query_is_shown_whole_and_as_text_whatever_it_holds():
    html = reading_html('<img src=x onerror=alert(1)> ${7*7} {{value}} with no "cats"')
    assert "<img" not in html and "&lt;img src=x" in html and "${7*7}" in html and "{{value}}" in html


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


@pytest.mark.parametrize("text", ["ein Strand ohne Menschen", "пляж без людей", "没有人的海滩"])
def test_another_language_is_named_as_such(text):
    assert "English only" in language_note(text, read_scope(text))


@pytest.mark.parametrize("text", ["a beach with no people", "a café", "a naïve drawing"])
def test_english_is_not_taken_for_another_language(text):
    assert language_note(text, read_scope(text)) is None
