import random
import re
from dataclasses import replace

import pytest

from notclip.recaption.drawn_world import OBJECTS, Scene, Thing, compose_scene, make_sample
from notclip.recaption.drawn_world.captions import write_captions
from notclip.recaption.drawn_world.vocabulary import KINDS

NEGATIONS = re.compile(
    r"\b(no|not|without|neither|nor|never|none|nobody|nothing|nowhere|lack\w*|miss\w*|absent|absence|except|free|devoid"
    r"|minus|omit\w*|exclud\w*|empty|any\w*)\b|n't",
    re.IGNORECASE,
)
CROWDED = [make_sample(5, "train", index, object_count=4) for index in range(100)]  # which the encoder learns from
SAMPLES = [*(make_sample(5, "train", index) for index in range(300)), *CROWDED]


def mentioned(caption: str) -> set[str]:
    words = set(re.findall(r"[a-z]+", caption.lower()))
    return {name for name in OBJECTS if words & {name, KINDS[name].plural}}


def thing(name: str, left: float, top: float, **changes: object) -> Thing:
    plain = Thing(name, KINDS[name].colours[0], (0, 0, 0), 0, left, top, 0.2, 0.2, flip=False)
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_each_scene_has_five_captions_and_most_have_five_different_ones() -> None:
    assert all(len(sample.captions) == 5 for sample in SAMPLES)
    assert sum(len(set(sample.captions)) == 5 for sample in SAMPLES) >= 0.98 * len(SAMPLES)


def test_captions_mention_only_what_is_present_and_always_something() -> None:
    for sample in SAMPLES:
        for caption in sample.captions:
            assert mentioned(caption), caption
            assert mentioned(caption) <= set(sample.scene.objects), (caption, sample.scene.objects)


def test_the_first_caption_mentions_everything_up_to_four_kinds() -> None:
    for sample in SAMPLES:
        assert len(mentioned(sample.captions[0])) == min(4, len(sample.scene.objects)), sample.captions[0]


def test_most_crowded_scenes_show_four_things() -> None:
    assert sum(len(sample.scene.objects) for sample in CROWDED) > 3.3 * len(CROWDED)


def test_no_caption_negates() -> None:
    for sample in SAMPLES:
        for caption in sample.captions:
            assert not NEGATIONS.search(caption), caption


def test_articles_and_verbs_agree() -> None:
    text = " . ".join(caption.lower() for sample in SAMPLES for caption in sample.captions)
    assert not re.search(r"\ba [aeiou]", text)
    assert not re.search(r"\ban [^aeiou]", text)
    assert not re.search(r"\b(two|three) (\w+ )?(dog|cat|bus|butterfly|snowman|cup)\b", text)
    assert not re.search(r"\b(two|three) \w+s (is|stands|flies|floats|sits)\b", text)


def test_colours_are_those_that_are_drawn() -> None:
    for sample in SAMPLES:
        colours = {each.name: each.colour for each in sample.scene.things}
        for caption in sample.captions:
            for colour, name in re.findall(r"\b(red|green|blue|pink|black|purple) (\w+)", caption):
                if name in colours:
                    assert colours[name] == colour, caption


@pytest.mark.parametrize(
    ("first", "second", "true", "false"),
    [
        (thing("dog", 0.1, 0.7), thing("cat", 0.7, 0.7), "dog to the left of a cat", "dog to the right of a cat"),
        (thing("bird", 0.4, 0.1), thing("dog", 0.4, 0.7), "bird above a dog", "bird below a dog"),
        (thing("dog", 0.4, 0.5), thing("cat", 0.45, 0.75), "dog behind a cat", "dog in front of a cat"),
        (
            thing("cup", 0.4, 0.4, on_table=True),
            thing("table", 0.3, 0.58),
            "cup on top of a table",
            "cup under a table",
        ),
    ],
)
def test_relations_are_true_of_the_picture(first: Thing, second: Thing, true: str, false: str) -> None:
    scene = Scene("meadow", 0.4, 0, (first, second))
    written = "\n".join(
        re.sub(r"\b(red|brown|black|small|little|tiny) ", "", caption.lower())
        for seed in range(150)
        for caption in write_captions(scene, random.Random(seed))
    )
    assert true in written
    assert false not in written


def test_what_a_fish_does_depends_on_where_it_is() -> None:
    def doings(setting: str) -> str:
        scene = compose_scene(random.Random(0), object_count=1, setting=setting)
        scene = replace(scene, things=(thing("fish", 0.4, 0.6),))
        return " ".join(caption for seed in range(60) for caption in write_captions(scene, random.Random(seed)))

    assert re.search(r"fish (swims|is swimming)", doings("lake"))
    assert not re.search(r"swim", doings("kitchen"))
    assert not re.search(r"swim", doings("beach"))
