import pytest

from notclip.recaption.english.caption_text import CaptionText, caption_text


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("A dog runs .", "A dog runs."),
        ("  a   dog runs", "A dog runs."),
        ("A man , wet , looks at the dog 's ear .", "A man, wet, looks at the dog's ear."),
        ('A sign says " Kiss " .', 'A sign says "Kiss".'),
        ('A sign asks " Where are you ? "', 'A sign asks "Where are you?"'),
        ("A boy ( in red ) does n't look .", "A boy (in red) doesn't look."),
        ("Three men sit in a room , .", "Three men sit in a room."),
        ("So much fun !", "So much fun!"),
        ("A football player # 28 .", "A football player #28."),
        ("A man at 5 p.m. in the U.S. .", "A man at 5 p.m. in the U.S."),
    ],
)
def test_spacing_capitals_and_the_full_stop_are_mended(written, sentence):
    assert caption_text(written).sentence == sentence


def test_a_caption_is_split_behind_its_subject():
    assert caption_text("A brown dog is running .") == CaptionText(
        sentence="A brown dog is running.",
        body="A brown dog is running",
        lower="a brown dog is running",
        clause="a brown dog is running",
        head="A brown dog",
        rest="is running",
    )


@pytest.mark.parametrize("caption", ["A dog with a ball runs .", "A boy and a dog in water .", "Dogs racing ."])
def test_a_subject_that_is_not_plain_is_left_whole(caption):
    assert caption_text(caption).head == ""


@pytest.mark.parametrize(
    ("caption", "is_clause"),
    [
        ("A dog runs .", True),
        ("Two dogs run .", True),
        ("There is a dog on the grass .", True),
        ("A girl catches a ball while her friend looks on .", True),
        ("A dog on grass .", False),
        ("A dog running on grass .", False),
        ("A man who is running .", False),
        ("A group of people at play .", False),
    ],
)
def test_a_caption_with_a_finite_verb_is_a_clause(caption, is_clause):
    assert bool(caption_text(caption).clause) == is_clause
    assert caption_text(caption).lower


@pytest.mark.parametrize("caption", ["Miami players run .", "USA fans cheer .", "Boy runs .", "Orange dog in snow"])
def test_a_name_or_a_noun_without_its_article_keeps_its_capital(caption):
    assert caption_text(caption).lower == ""
    assert caption_text(caption).body[0] == caption[0]


@pytest.mark.parametrize(
    "caption", ["Two men talk . One smiles .", "Where is it ?", 'It says " Stop "', "One sits ; one stands .", ""]
)
def test_nothing_is_attached_inside_several_sentences_questions_or_quotations(caption):
    assert caption_text(caption).body == ""
