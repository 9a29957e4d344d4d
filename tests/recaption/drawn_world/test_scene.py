import random
from dataclasses import replace

import numpy as np
import pytest

from notclip.recaption.drawn_world import OBJECTS, SETTINGS, Scene, compose_scene, draw_scene, make_sample
from notclip.recaption.drawn_world.backdrops import backdrop
from notclip.recaption.drawn_world.scene import SMALLEST_SIDE
from notclip.recaption.drawn_world.vocabulary import CO_OCCURRING, KINDS, familiarity


def test_there_are_at_least_24_kinds_of_object_and_no_name_twice() -> None:
    assert len(OBJECTS) >= 24
    assert len(set(OBJECTS)) == len(OBJECTS)


def test_the_same_seed_draws_the_same_pixels_and_another_seed_others() -> None:
    first, again = (np.asarray(make_sample(3, "train", 7).picture(96)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (first != np.asarray(make_sample(4, "train", 7).picture(96))).any()
    assert (first != np.asarray(make_sample(3, "test", 7).picture(96))).any()


@pytest.mark.parametrize("index", range(25))
def test_every_object_that_is_listed_shows_and_nothing_else_does(index: int) -> None:
    scene = make_sample(0, "test", index).scene
    whole = np.asarray(draw_scene(scene, 128)).astype(int)
    for name in scene.objects:
        rest = replace(scene, things=tuple(thing for thing in scene.things if thing.name != name))
        changed = np.abs(whole - np.asarray(draw_scene(rest, 128)).astype(int)).max(axis=2) > 24
        assert changed.sum() > 60, f"{name} can hardly be seen in scene {index}"
    # Without its things a scene is its backdrop, to the pixel.
    empty = np.asarray(draw_scene(replace(scene, things=()), 128))
    canvas, _ = backdrop(scene.setting, 512, horizon=scene.horizon, seed=scene.backdrop_seed)
    np.testing.assert_array_equal(empty, np.asarray(canvas.reduce(4)))


@pytest.mark.parametrize("name", OBJECTS)
def test_each_kind_draws_inside_its_box_in_both_variants(name: str) -> None:
    kind = KINDS[name]
    scale = 0.4 / max(kind.box)
    width, height = kind.box[0] * scale, kind.box[1] * scale
    blank = np.asarray(draw_scene(Scene("room", 0.4, 0, ()), 128)).astype(int)
    for variant in (0, 1):
        thing = replace(
            compose_scene(random.Random(0), object_count=1).things[0],
            name=name,
            paint=(250, 0, 250),
            variant=variant,
            left=0.3,
            top=0.3,
            width=width,
            height=height,
            tilt=0.0,
            on_table=True,
        )
        drawn = np.asarray(draw_scene(Scene("room", 0.4, 0, (thing,)), 128)).astype(int)
        rows, columns = np.nonzero(np.abs(drawn - blank).sum(axis=2))
        assert rows.size > 200
        slack = 3
        assert rows.min() >= 0.3 * 128 - slack and rows.max() <= (0.3 + height) * 128 + slack
        assert columns.min() >= 0.3 * 128 - slack and columns.max() <= (0.3 + width) * 128 + slack


def test_things_stay_in_the_picture_are_not_tiny_and_do_not_crowd_each_other() -> None:
    for index in range(200):
        things = compose_scene(random.Random(index)).things
        assert 1 <= len({thing.name for thing in things}) <= 5
        for position, thing in enumerate(things):
            assert thing.left >= 0 and thing.left + thing.width <= 1
            assert thing.top >= 0 and thing.base <= 1
            assert max(thing.width, thing.height) >= SMALLEST_SIDE
            for other in things[:position]:
                on_it = thing.on_table and other.name == "table"
                assert on_it or not thing.crowds(other)


def test_any_two_kinds_may_meet_somewhere_but_some_pairs_are_far_likelier() -> None:
    for first in OBJECTS:
        for second in OBJECTS:
            together = [
                familiarity(first, setting, frozenset()) * familiarity(second, setting, frozenset({first}))
                for setting in SETTINGS
            ]
            assert max(together) > 0, f"{first} and {second} can never meet"
    assert familiarity("boat", "lake", frozenset()) > 5 * familiarity("boat", "kitchen", frozenset())
    assert familiarity("ball", "meadow", frozenset({"dog"})) > familiarity("ball", "meadow", frozenset({"bus"}))


def test_companions_are_kinds_of_object() -> None:
    assert {name for pair in CO_OCCURRING for name in pair} <= set(OBJECTS)


def test_the_number_of_kinds_can_be_asked_for() -> None:
    assert all(len(compose_scene(random.Random(index), object_count=1).objects) == 1 for index in range(50))


def test_a_scene_drawn_large_reduces_to_the_scene_drawn_small() -> None:
    scene = make_sample(0, "train", 1).scene
    small = np.asarray(draw_scene(scene, 64)).astype(float)
    large = np.asarray(draw_scene(scene, 256).reduce(4)).astype(float)
    assert np.abs(small - large).mean() < 3
