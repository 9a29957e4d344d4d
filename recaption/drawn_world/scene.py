"""Scenes: which objects stand where, composed from a seed, and drawn at any size."""

import random
from dataclasses import dataclass, replace

from PIL import Image, ImageDraw

from notclip.recaption.drawn_world.backdrops import backdrop
from notclip.recaption.drawn_world.colours import PALETTE, Colour, vary
from notclip.recaption.drawn_world.pen import Pen
from notclip.recaption.drawn_world.vocabulary import KINDS, OBJECTS, SETTINGS, Kind, familiarity

# A neighbour may cover this share of the smaller of two boxes; boxes have empty corners, so what is hidden is less.
LARGEST_OVERLAP = 0.05
SMALLEST_SIDE = 0.28
SUPERSAMPLING = 4
# Kinds of object a scene, 1 to 3, and how often.
OBJECT_COUNTS = (0.2, 0.4, 0.4)


@dataclass(frozen=True)
class Thing:
    """One object of a scene; lengths are shares of the picture's side.

    Args:
        name: its kind, one of `OBJECTS`.
        colour: the colour as a caption names it.
        paint: the colour as it is drawn.
        variant: which of its kind's two drawings.
        left: left edge of its box.
        top: upper edge of its box.
        width: width of its box.
        height: height of its box.
        flip: whether it is mirrored.
        tilt: clockwise rotation in degrees.
        on_table: whether it stands on the scene's table.
    """

    name: str
    colour: str
    paint: Colour
    variant: int
    left: float
    top: float
    width: float
    height: float
    flip: bool
    tilt: float = 0.0
    on_table: bool = False

    @property
    def base(self) -> float:
        """Height of its lower edge, from the top of the picture."""
        return self.top + self.height

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of its box."""
        return self.left + self.width / 2, self.top + self.height / 2

    def crowds(self, other: "Thing") -> bool:
        """Whether the two boxes overlap by more than the eye forgives."""
        width = min(self.left + self.width, other.left + other.width) - max(self.left, other.left)
        height = min(self.base, other.base) - max(self.top, other.top)
        if width <= 0 or height <= 0:
            return False
        return width * height > LARGEST_OVERLAP * min(self.width * self.height, other.width * other.height)


@dataclass(frozen=True)
class Scene:
    """What a picture of the drawn world shows, completely.

    Args:
        setting: one of `SETTINGS`.
        horizon: where the ground begins, as a share of the height from the top.
        backdrop_seed: seed of the backdrop's details.
        things: its objects, far ones first.
    """

    setting: str
    horizon: float
    backdrop_seed: int
    things: tuple[Thing, ...]

    @property
    def objects(self) -> tuple[str, ...]:
        """The kinds of object that are present, in the order of the vocabulary: the annotation, and complete."""
        present = {thing.name for thing in self.things}
        return tuple(name for name in OBJECTS if name in present)

    def afloat(self, thing: Thing) -> bool:
        """Whether the thing is in the water: boats off the beach and on the lake, fish in the lake."""
        if self.setting == "beach":
            return thing.name == "boat"
        return self.setting == "lake" and KINDS[thing.name].stance == "water"


def compose_scene(rng: random.Random, *, object_count: int | None = None, setting: str | None = None) -> Scene:
    """Compose a scene whose objects all fit and are all visible.

    Args:
        rng: source of every choice.
        object_count: how many kinds of object to show, 1 to 4; drawn from `OBJECT_COUNTS`, 1 to 3, by default. Now and
            then one or more find no room, and the scene shows fewer.
        setting: one of `SETTINGS`; any by default.
    """
    wanted = object_count or rng.choices(range(1, len(OBJECT_COUNTS) + 1), weights=OBJECT_COUNTS)[0]
    setting = setting or rng.choice(SETTINGS)
    horizon = {"lake": 0.36, "street": 0.50, "kitchen": 0.54}.get(setting, 0.48) + rng.uniform(-0.05, 0.05)
    names: list[str] = []
    for _ in range(wanted):
        others = [name for name in OBJECTS if name not in names]
        weights = [familiarity(name, setting, frozenset(names)) for name in others]
        names.append(rng.choices(others, weights=weights)[0])
    # The table comes first, for what stands on it; then the large before the small, which find room more easily.
    names.sort(key=lambda name: (name != "table", -KINDS[name].size))
    placed: list[Thing] = []
    roominess = {1: 1.4, 2: 1.25, 3: 1.15, 4: 1.05}[wanted]
    for name in names:
        copies = 1 if KINDS[name].size > 0.34 or rng.random() > 0.14 else rng.choice([2, 2, 3])
        colour = rng.choice(KINDS[name].colours)
        share = roominess * rng.uniform(0.82, 1.12) * (0.85 if copies > 1 else 1.0)
        size = max(SMALLEST_SIDE, KINDS[name].size * share)
        variant = rng.randrange(2)
        group: list[Thing] = []
        for _ in range(copies):
            model = _model(KINDS[name], colour, size, variant, rng)
            thing = _find_room(model, setting, horizon, [*placed, *group], rng)
            if thing is not None:
                group.append(thing)
        placed.extend(group)
    # Painted from far to near; what is on the table after the table.
    placed.sort(key=lambda thing: (KINDS[thing.name].stance != "air", thing.on_table, thing.base))
    return Scene(setting, horizon, rng.getrandbits(32), tuple(placed))


def _model(kind: Kind, colour: str, size: float, variant: int, rng: random.Random) -> Thing:
    """The object with its look and size, not yet at its place."""
    unit = size / max(kind.box)
    tilt = rng.uniform(-kind.tilt, kind.tilt)
    paint = vary(PALETTE[colour], rng)
    width, height = kind.box[0] * unit, kind.box[1] * unit
    return Thing(kind.name, colour, paint, variant, 0.0, 0.0, width, height, rng.random() < 0.5, tilt)


def _find_room(model: Thing, setting: str, horizon: float, placed: list[Thing], rng: random.Random) -> Thing | None:
    """Put the object where it crowds nobody, a little smaller if it must; None if there is no such place."""
    table = next((thing for thing in placed if thing.name == "table"), None)
    if table is not None and KINDS[model.name].stands_on_table and rng.random() < 0.65:
        for _ in range(8):
            left = rng.uniform(table.left, table.left + table.width - model.width)
            top = table.top + 0.09 * table.height - model.height
            thing = replace(model, left=left, top=top, tilt=0.0, on_table=True)
            if top > 0.02 and not any(thing.crowds(other) for other in placed if other is not table):
                return thing
    while max(model.width, model.height) >= SMALLEST_SIDE:
        for _ in range(24):
            top_range = _range_of_top(model, setting, horizon)
            left = rng.uniform(0.02, 0.98 - model.width)
            thing = replace(model, left=left, top=rng.uniform(*top_range))
            if not any(thing.crowds(other) for other in placed):
                return thing
        model = replace(model, width=model.width * 0.9, height=model.height * 0.9)
    return None


def _range_of_top(model: Thing, setting: str, horizon: float) -> tuple[float, float]:
    """Lowest and highest upper edge at which the object stands, floats or flies where it should."""
    stance = KINDS[model.name].stance
    if stance == "air":
        highest = 0.02
        nearest_ground = horizon - 0.1 if model.name == "cloud" else horizon + 0.08
        return highest, max(highest, nearest_ground - model.height)
    nearest = 0.97
    farthest = horizon + (0.09 if stance == "ground" else 0.04)
    if setting == "lake":
        # On the water, or on the near bank, which is where things that cannot swim stand.
        farthest, nearest = (horizon + 0.1, 0.78) if stance == "water" else (0.85, 0.97)
    elif setting == "beach":
        farthest, nearest = (horizon + 0.05, horizon + 0.14) if model.name == "boat" else (horizon + 0.22, 0.97)
    top = max(0.02, farthest - model.height)
    return top, max(top, nearest - model.height)


def draw_scene(scene: Scene, size: int = 128) -> Image.Image:
    """Draw a scene as a square picture of `size` pixels; the same scene at any size shows the same."""
    canvas_size = size * SUPERSAMPLING
    canvas, shadow = backdrop(scene.setting, canvas_size, horizon=scene.horizon, seed=scene.backdrop_seed)
    draw = ImageDraw.Draw(canvas)
    for thing in scene.things:
        kind = KINDS[thing.name]
        if kind.stance != "air" and not thing.on_table and not scene.afloat(thing):
            _shade_ground(draw, thing, shadow, canvas_size)
        pen = Pen(
            draw,
            left=thing.left * canvas_size,
            top=thing.top * canvas_size,
            unit=thing.width * canvas_size / kind.box[0],
            box=kind.box,
            flip=thing.flip,
            tilt=thing.tilt,
        )
        kind.draw(pen, thing.paint, thing.variant)
    return canvas.reduce(SUPERSAMPLING)


def _shade_ground(draw: ImageDraw.ImageDraw, thing: Thing, shadow: Colour, canvas_size: int) -> None:
    middle, half = thing.centre[0], thing.width * 0.5
    height = min(0.022, thing.width * 0.08)
    edges = (middle - half, thing.base - height, middle + half, thing.base + height * 0.7)
    draw.ellipse([edge * canvas_size for edge in edges], fill=shadow)
