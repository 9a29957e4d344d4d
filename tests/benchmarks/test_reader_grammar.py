"""The grammar that the tagger learns from."""

import random
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks" / "reader"
sys.path.insert(0, str(FOLDER))
import fillers  # noqa: E402
import grammar  # noqa: E402

FILLERS = fillers.Fillers(
    words=["quark", "frump"],
    phrases=["blue sky", "dog"],
    findings=["effusion"],
    captions=["A man in a red shirt is riding a bike .", "Two dogs run on the beach"],
)


@pytest.mark.parametrize("name", ["frames_written", "frames_paraphrases", "captions"])
def test_every_frame_can_be_filled_and_leaves_no_sign_behind(name):
    rng = random.Random(0)
    for frame, weight in grammar.read_frames(FOLDER / f"{name}.txt"):
        assert weight > 0
        for _ in range(5):
            text = grammar.filled(frame, FILLERS, rng)
            assert text
            for word, allowed in text:
                assert not set(word) & set("{}|"), frame
                assert set(allowed) <= set(grammar.ANY), frame
            labels = "".join(allowed if len(allowed) == 1 else "?" for _, allowed in text)
            inside = [place for place, label in enumerate(labels) if label == "I"]
            assert all(labels[place - 1] in "BI" for place in inside), (frame, text)


def test_a_frame_says_what_becomes_of_each_word():
    text = grammar.filled("the cow ~whose {b} !is !not ~visible ?here =red", FILLERS, random.Random(2))
    assert [label for _, label in text][:3] == ["A", "A", "D"]
    assert [label for _, label in text][-5:] == ["C", "C", "D", grammar.ANY, "S"]
