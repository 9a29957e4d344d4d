"""A caption's frame is what it says beside what it shows."""

import time

import pytest

from notclip.remote.caption_frames import without_frame


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("This image features a dog", "a dog"),
        ("The photograph clearly shows a dog and a ball", "a dog and a ball"),
        ("There is a red bus in the picture", "a red bus"),
        ("In this scene, there are two men", "two men"),
        ("A car and a clock are both visible here", "A car and a clock"),
        ("An umbrella can be seen in this photo", "An umbrella"),
        ("Here is a photo of a cat", "a cat"),
        ("it does include a bicycle", "a bicycle"),
        ("You can see a tree here.", "a tree"),
        ("shows a dog", "a dog"),
        ("does feature trees", "trees"),
        ("Shown in the image is a bus", "a bus"),
        ("An ordinary snapshot with a lamp", "a lamp"),
        ("a house is part of this picture", "a house"),
    ],
)
def test_the_frame_is_taken_away(text, shown):
    assert without_frame(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "A brown dog runs through the grass",
        "two men at a bus stop",
        "a man holding a picture of his wife",
        "a view",
        "there",
        "",
        "A photographer takes a photo of a bird .",
        "a boy with a camera in his hand.",
        "Display cases in a shop",
        "features of a face",
        "show jumping",
    ],
)
def test_a_text_without_a_frame_comes_back_as_it_is(text):
    assert without_frame(text) == text


def test_something_is_always_left():
    for text in ("This image shows", "is visible", "There is", "can be seen here", "in this photo"):
        assert without_frame(text).strip()


@pytest.mark.parametrize(
    "text",
    [
        "it shows " * 11_000 + "a dog",
        "a dog" + " is visible" * 9_000,
        "a dog" + " " * 100_000 + "here",
        "there" + " also" * 20_000 + " is a dog",
        "a dog" + ", " * 50_000,
    ],
)
def test_a_hundred_thousand_letters_take_a_second_and_not_a_minute(text):
    started = time.process_time()
    without_frame(text)
    assert time.process_time() - started < 5
