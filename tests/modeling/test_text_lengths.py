from pathlib import Path

from notclip.loading import load_model
from notclip.text_lengths import texts_cut

ENCODER = Path(__file__).parents[2] / "recaption" / "drawn_world" / "encoder"


def test_texts_that_the_tower_does_not_see_to_their_end_are_counted_once_each():
    model = load_model(str(ENCODER), composition="scope")
    _, seen = texts_cut(model, [])
    long = "a dog " * seen + "and no cat"
    assert texts_cut(model, ["a dog, but no cat", long, long, f"{long} at all"]) == (2, seen)
