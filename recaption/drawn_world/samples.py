"""One sample of the drawn world: a scene, its picture and its captions, from a seed, a split and an index alone."""

import random
from dataclasses import dataclass

from PIL import Image

from notclip.recaption.drawn_world.captions import write_captions
from notclip.recaption.drawn_world.scene import Scene, compose_scene, draw_scene


@dataclass(frozen=True)
class Sample:
    """A scene and what was written about it: five affirmative captions.

    `image_id` names the seed, the split and the index.
    """

    image_id: str
    scene: Scene
    captions: tuple[str, ...]

    def picture(self, size: int) -> Image.Image:
        """The scene as a square picture of `size` pixels."""
        return draw_scene(self.scene, size)


def make_sample(seed: int, split: str, index: int, *, object_count: int | None = None) -> Sample:
    """Compose and describe one scene; the same arguments give the same sample on every machine.

    Args:
        seed: seed of the world.
        split: train, validation or test; each has scenes of its own.
        index: number of the scene in its split; a larger split begins with the scenes of a smaller one.
        object_count: how many kinds of object to show; varied by default.
    """
    rng = random.Random(f"drawn world {seed} {split} {index} {object_count}")
    scene = compose_scene(rng, object_count=object_count)
    counted = "" if object_count is None else f"-of-{object_count}"
    return Sample(f"drawn-{seed}-{split}{counted}-{index:06d}", scene, write_captions(scene, rng))
