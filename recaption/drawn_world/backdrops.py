"""The settings of the drawn world: a backdrop for each, in which no object of the vocabulary ever hides."""

import random
from collections.abc import Callable

from PIL import Image, ImageDraw

from notclip.recaption.drawn_world.colours import CREAM, Colour, darker, lighter, mix, vary
from notclip.recaption.drawn_world.pen import Pen, Point

SKIES: tuple[tuple[Colour, Colour], ...] = (
    ((112, 184, 236), (212, 238, 250)),
    ((132, 202, 232), (236, 246, 240)),
    ((98, 160, 224), (196, 222, 246)),
    ((250, 186, 132), (254, 232, 190)),
    ((168, 178, 214), (244, 214, 214)),
)
WALLS: tuple[Colour, ...] = (
    (244, 222, 196), (206, 226, 214), (214, 220, 240), (248, 214, 206), (236, 232, 206), (196, 214, 222),
)  # fmt: skip


def backdrop(setting: str, size: int, *, horizon: float, seed: int) -> tuple[Image.Image, Colour]:
    """Paint an empty setting.

    Args:
        setting: one of `vocabulary.SETTINGS`.
        size: side of the square picture, in pixels.
        horizon: height at which the ground begins, as a share of the picture from its top.
        seed: what varies within the setting (hour of the day, hills, wallpaper) follows from it.

    Returns:
        The picture and the colour of a shadow on its ground.
    """
    rng = random.Random(seed)
    canvas = Image.new("RGB", (size, size))
    pen = Pen(ImageDraw.Draw(canvas), left=0, top=0, unit=size / 100, box=(100, 100))
    shadow = _PAINTERS[setting](canvas, pen, rng, 100 * horizon)
    return canvas, shadow


def _gradient(canvas: Image.Image, top: float, bottom: float, above: Colour, below: Colour) -> None:
    """Fill the full width between two heights (in hundredths) with a vertical gradient."""
    width, height = canvas.size
    first, last = round(top / 100 * height), round(bottom / 100 * height)
    column = Image.new("RGB", (1, 64))
    column.putdata([mix(above, below, step / 63) for step in range(64)])
    canvas.paste(column.resize((width, last - first), Image.Resampling.BILINEAR), (0, first))


def _ridge(rng: random.Random, height: float, swing: float, *, steps: int = 4) -> list[Point]:
    """A rolling skyline from edge to edge, closed along the bottom of the picture."""
    crest = [(100 * step / steps, height + rng.uniform(-swing, swing)) for step in range(-1, steps + 2)]
    return [(-60, 130), (-45, height), *crest, (145, height), (160, 130)]


def _sky(canvas: Image.Image, rng: random.Random, horizon: float) -> None:
    above, below = rng.choices(SKIES, weights=(4, 3, 3, 1, 1))[0]
    _gradient(canvas, 0, min(100, horizon + 12), vary(above, rng), vary(below, rng))


def _meadow(canvas: Image.Image, pen: Pen, rng: random.Random, horizon: float) -> Colour:
    _sky(canvas, rng, horizon)
    grass = vary(rng.choice([(136, 196, 98), (158, 204, 106), (120, 184, 104)]), rng)
    pen.blob(_ridge(rng, horizon - 5, 4), mix(grass, (170, 212, 214), 0.45))
    pen.blob(_ridge(rng, horizon + 1, 2.5), grass)
    pen.blob(_ridge(rng, horizon + 24, 5), darker(grass, 0.06))
    for _ in range(22):
        x, y = rng.uniform(2, 98), rng.uniform(horizon + 8, 98)
        for lean in (-1.2, 0, 1.2):
            pen.polygon([(x - 0.4, y), (x + 0.4, y), (x + lean, y - rng.uniform(1.8, 3.2))], darker(grass, 0.2))
    return darker(grass, 0.28)


def _beach(canvas: Image.Image, pen: Pen, rng: random.Random, horizon: float) -> Colour:
    _sky(canvas, rng, horizon)
    sea, sand = vary((64, 156, 200), rng), vary((244, 220, 166), rng)
    shore = horizon + 14
    _gradient(canvas, horizon, shore + 6, darker(sea, 0.05), lighter(sea, 0.4))
    for _ in range(7):
        x, y = rng.uniform(0, 90), rng.uniform(horizon + 2, shore - 3)
        pen.line([(x, y), (x + rng.uniform(3, 9), y)], 0.5, lighter(sea, 0.5))
    line = _ridge(rng, shore, 1.6, steps=5)
    pen.blob([(x, y - 1.4) for x, y in line], (250, 252, 252))
    pen.blob(line, sand)
    for _ in range(36):
        pen.circle(
            rng.uniform(1, 99),
            rng.uniform(shore + 6, 99),
            rng.uniform(0.5, 1.1),
            darker(sand, rng.choice([0.12, 0.2])),
        )
    return darker(sand, 0.22)


def _lake(canvas: Image.Image, pen: Pen, rng: random.Random, horizon: float) -> Colour:
    _sky(canvas, rng, horizon)
    water, bank = vary((78, 150, 196), rng), vary((132, 188, 100), rng)
    pen.blob(_ridge(rng, horizon - 6, 5), mix(bank, (150, 190, 214), 0.55))
    pen.blob(_ridge(rng, horizon - 1, 2), mix(bank, (70, 120, 110), 0.3))
    _gradient(canvas, horizon + 3, 92, lighter(water, 0.3), darker(water, 0.08))
    for _ in range(16):
        x, y = rng.uniform(0, 92), rng.uniform(horizon + 6, 76)
        pen.line([(x, y), (x + rng.uniform(3, 10), y)], 0.6, lighter(water, 0.45))
    pen.blob(_ridge(rng, 80, 1.5), darker(bank, 0.1))
    pen.blob(_ridge(rng, 82, 1.5), bank)
    return darker(bank, 0.28)


def _street(canvas: Image.Image, pen: Pen, rng: random.Random, horizon: float) -> Colour:
    _sky(canvas, rng, horizon)
    wall = vary((186, 196, 214), rng)
    left = -4.0
    while left < 100:
        width, height = rng.uniform(10, 18), rng.uniform(14, 34)
        front = mix(wall, rng.choice([(220, 186, 170), (160, 178, 206), (204, 204, 196)]), 0.5)
        pen.box(left, horizon - height, left + width, horizon + 4, front)
        for column in range(int(width / 4.6)):
            for row in range(int(height / 6)):
                x, y = left + 2 + column * 4.4, horizon - height + 3 + row * 5.6
                pen.box(x, y, x + 2, y + 3, lighter(front, 0.4))
        left += width + rng.choice([0, 0, 1.5])
    pavement, road = vary((206, 202, 198), rng, amount=6), vary((132, 134, 146), rng, amount=6)
    pen.box(0, horizon, 100, 100, pavement)
    pen.box(0, horizon + 5.5, 100, horizon + 6.5, darker(pavement, 0.25))
    pen.box(0, horizon + 6.5, 100, 100, road)
    for x in range(-6, 100, 20):
        pen.polygon([(x + 2, 79), (x + 13, 79), (x + 12, 81.5), (x, 81.5)], (240, 236, 214))
    return darker(road, 0.3)


def _floor(canvas: Image.Image, pen: Pen, rng: random.Random, horizon: float, floor: Colour) -> Colour:
    _gradient(canvas, horizon, 100, darker(floor, 0.08), lighter(floor, 0.08))
    return darker(floor, 0.28)


def _room(canvas: Image.Image, pen: Pen, rng: random.Random, horizon: float) -> Colour:
    wall = vary(rng.choice(WALLS), rng, amount=8)
    pen.box(0, 0, 100, 100, wall)
    if rng.random() < 0.5:
        for x in range(2, 100, 10):
            pen.box(x, 0, x + 4.5, horizon, lighter(wall, 0.22))
    floor = vary(rng.choice([(222, 184, 138), (206, 166, 122), (214, 190, 160)]), rng, amount=8)
    shadow = _floor(canvas, pen, rng, horizon, floor)
    for row, y in enumerate((horizon + 9, horizon + 22, horizon + 38)):
        pen.box(0, y, 100, y + 0.5, darker(floor, 0.15))
        for x in range(8 + 11 * row, 100, 34):
            pen.box(x, y, x + 0.5, y + 13, darker(floor, 0.15))
    pen.box(0, horizon - 3, 100, horizon, lighter(CREAM, 0.3))
    if rng.random() < 0.6:
        rug = vary(rng.choice([(196, 108, 108), (108, 136, 176), (120, 160, 130)]), rng)
        middle, depth = rng.uniform(30, 70), (92 - horizon) * 0.62
        pen.ellipse(middle, (horizon + 98) / 2, 70, depth, mix(rug, CREAM, 0.2))
        pen.ellipse(middle, (horizon + 98) / 2, 60, depth * 0.82, lighter(rug, 0.35))
    return shadow


def _kitchen(canvas: Image.Image, pen: Pen, rng: random.Random, horizon: float) -> Colour:
    tile = vary(rng.choice([(232, 240, 240), (240, 236, 220), (214, 232, 236), (236, 222, 226)]), rng, amount=6)
    pen.box(0, 0, 100, 100, tile)
    for x in range(0, 101, 10):
        pen.box(x, 0, x + 0.6, horizon, darker(tile, 0.12))
    for y in range(int(horizon), -1, -10):
        pen.box(0, y, 100, y + 0.6, darker(tile, 0.12))
    band = vary(rng.choice([(112, 178, 178), (236, 170, 110), (128, 150, 200)]), rng)
    pen.box(0, horizon - 6, 100, horizon, band)
    light, dark = (244, 242, 236), mix(band, (90, 92, 104), 0.6)
    pen.box(0, horizon, 100, 100, light)
    rows = 5
    for row in range(rows):
        top = horizon + (100 - horizon) * (row / rows) ** 1.25
        bottom = horizon + (100 - horizon) * ((row + 1) / rows) ** 1.25
        spread = [4 + 12 * ((edge - horizon) / (100 - horizon)) for edge in (top, bottom)]
        for column in range(-14, 15):
            if (column + row) % 2:
                xs = [50 + (column + side) * spread[edge] for side, edge in ((0, 0), (1, 0), (1, 1), (0, 1))]
                pen.polygon(list(zip(xs, (top, top, bottom, bottom), strict=True)), lighter(dark, 0.35))
    return darker(dark, 0.1)


def _snow(canvas: Image.Image, pen: Pen, rng: random.Random, horizon: float) -> Colour:
    grey = rng.random() < 0.5
    above, below = ((176, 194, 218), (226, 232, 240)) if grey else ((132, 184, 230), (222, 238, 250))
    _gradient(canvas, 0, horizon + 12, vary(above, rng), vary(below, rng))
    snow: Colour = (242, 246, 252)
    pen.polygon(
        [(-5, horizon + 5), (18, horizon - 24), (34, horizon - 8), (52, horizon - 30), (82, horizon + 5)],
        mix(above, snow, 0.45),
    )
    pen.polygon(
        [(52, horizon - 30), (59, horizon - 22), (54, horizon - 20), (50, horizon - 23), (44, horizon - 19)], snow
    )
    pen.blob(_ridge(rng, horizon, 3), darker(snow, 0.1))
    pen.blob(_ridge(rng, horizon + 8, 3), darker(snow, 0.05))
    pen.blob(_ridge(rng, horizon + 24, 4), snow)
    for _ in range(rng.choice([0, 50, 80])):
        pen.circle(rng.uniform(0, 100), rng.uniform(0, horizon + 6), rng.uniform(0.8, 1.7), (252, 253, 255))
    return (190, 204, 226)


def _night(canvas: Image.Image, pen: Pen, rng: random.Random, horizon: float) -> Colour:
    _gradient(canvas, 0, horizon + 12, vary((24, 28, 72), rng, amount=8), vary((82, 74, 138), rng, amount=10))
    for _ in range(46):
        pen.circle(rng.uniform(0, 100), rng.uniform(0, horizon - 3), rng.choice([0.6, 0.8, 1.3]), (250, 244, 208))
    hill = vary((84, 122, 130), rng, amount=8)
    pen.blob(_ridge(rng, horizon - 4, 4), mix(hill, (60, 60, 112), 0.5))
    pen.blob(_ridge(rng, horizon + 1, 2.5), hill)
    pen.blob(_ridge(rng, horizon + 24, 4), lighter(hill, 0.08))
    return darker(hill, 0.4)


_PAINTERS: dict[str, Callable[[Image.Image, Pen, random.Random, float], Colour]] = {
    "meadow": _meadow,
    "beach": _beach,
    "lake": _lake,
    "street": _street,
    "room": _room,
    "kitchen": _kitchen,
    "snow": _snow,
    "night": _night,
}
