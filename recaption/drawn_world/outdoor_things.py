"""Drawings of things that stand or fly outdoors. Every function draws into its object's box in `vocabulary`."""

from notclip.recaption.drawn_world.colours import CREAM, INK, PALETTE, WOOD, Colour, darker, lighter, mix
from notclip.recaption.drawn_world.pen import Pen

GLASS: Colour = (188, 222, 240)


def draw_house(pen: Pen, colour: Colour, variant: int) -> None:
    """A gabled house, 100 x 100: the walls have the colour."""
    roof = darker(colour, 0.5) if variant else darker(mix(colour, PALETTE["red"], 0.55), 0.25)
    pen.box(70, 8, 83, 40, darker(roof, 0.2))
    pen.box(10, 44, 90, 100, colour)
    pen.box(10, 92, 90, 100, darker(colour, 0.18))
    pen.polygon([(0, 48), (50, 4), (100, 48)], roof)
    pen.polygon([(22, 44), (50, 19), (78, 44)], colour)
    pen.circle(50, 36, 13, darker(roof, 0.1))
    pen.circle(50, 36, 9, GLASS)
    pen.box(42, 64, 60, 100, darker(roof, 0.3))
    pen.circle(56, 83, 3.4, CREAM)
    for left in (17, 66):
        pen.box(left, 58, left + 18, 78, CREAM)
        pen.box(left + 2, 60, left + 16, 76, GLASS)
        pen.box(left + 8.2, 60, left + 9.8, 76, CREAM)
        pen.box(left + 2, 67.2, left + 16, 68.8, CREAM)


def draw_tree(pen: Pen, colour: Colour, variant: int) -> None:
    """A round tree or a fir, 80 x 110: the crown has the colour."""
    bark = darker(WOOD, 0.2)
    pen.polygon([(34, 110), (36, 62), (44, 62), (47, 110)], bark)
    if variant:
        for top, half, base in ((40, 38, 92), (20, 31, 66), (0, 23, 42)):
            pen.polygon([(40, top), (40 + half, base), (40 - half, base)], darker(colour, 0.14))
            pen.polygon([(40, top), (40 + half * 0.25, base), (40 - half, base)], colour)
        return
    pen.line([(40, 80), (56, 60)], 4, bark)
    for x, y, size in ((22, 54, 44), (58, 54, 44), (40, 28, 54), (40, 52, 52)):
        pen.circle(x, y, size, darker(colour, 0.14))
    for x, y, size in ((20, 50, 34), (37, 25, 42), (54, 49, 32), (37, 50, 36)):
        pen.circle(x, y, size, colour)
    for x, y in ((30, 20), (22, 46), (48, 36), (54, 52)):
        pen.circle(x, y, 7, lighter(colour, 0.25))


def draw_flower(pen: Pen, colour: Colour, variant: int) -> None:
    """A daisy or a tulip on a stem, 56 x 95."""
    stem = PALETTE["green"]
    pen.line([(28, 34), (27, 65), (29, 93)], 4.5, darker(stem, 0.15), smooth=True)
    pen.blob([(28, 82), (14, 62), (3, 60), (9, 76)], stem)
    pen.blob([(29, 76), (42, 56), (54, 54), (47, 70)], lighter(stem, 0.15))
    if variant:
        pen.blob([(28, 46), (8, 38), (9, 12), (18, 16), (28, 4), (38, 16), (47, 12), (48, 38)], colour)
        pen.blob([(28, 45), (16, 32), (28, 8), (40, 32)], lighter(colour, 0.25))
        return
    for x, y in ((28, 9), (44.5, 18.5), (44.5, 37.5), (28, 47), (11.5, 37.5), (11.5, 18.5)):
        pen.circle(x, y, 22, darker(colour, 0.12))
        pen.circle(x + (28 - x) * 0.1, y + (28 - y) * 0.1, 17, colour)
    pen.circle(28, 28, 20, darker(PALETTE["yellow"], 0.1) if colour != PALETTE["yellow"] else PALETTE["brown"])
    pen.circle(27, 27, 13, lighter(PALETTE["orange"], 0.2))


def draw_mushroom(pen: Pen, colour: Colour, variant: int) -> None:
    """A toadstool with a spotted cap, 84 x 84."""
    pen.blob([(30, 44), (54, 44), (56, 66), (61, 83), (42, 84), (23, 83), (28, 66)], CREAM)
    pen.blob([(48, 44), (54, 44), (56, 66), (61, 83), (47, 84), (51, 64)], darker(CREAM, 0.14))
    pen.ellipse(42, 47, 56, 14, darker(CREAM, 0.25))
    pen.pie(42, 48, 84, 92, 180, 360, colour)
    pen.ellipse(42, 48, 84, 14, colour)
    pen.ellipse(42, 51, 52, 8, darker(CREAM, 0.2))
    spots = (
        ((42, 16, 15), (20, 32, 12), (63, 31, 13), (43, 38, 10))
        if variant
        else ((34, 17, 13), (57, 24, 14), (21, 37, 11), (42, 38, 11), (72, 41, 8))
    )
    for x, y, size in spots:
        pen.ellipse(x, y, size, size * 0.85, lighter(CREAM, 0.6))


def draw_snowman(pen: Pen, colour: Colour, variant: int) -> None:
    """A snowman, 84 x 118: the scarf has the colour."""
    snow, shade = (250, 252, 255), (208, 220, 238)
    pen.line([(24, 62), (8, 48), (2, 50)], 3, darker(WOOD, 0.3))
    pen.line([(8, 48), (7, 40)], 2.4, darker(WOOD, 0.3))
    pen.line([(60, 62), (76, 46), (83, 47)], 3, darker(WOOD, 0.3))
    pen.line([(76, 46), (76, 38)], 2.4, darker(WOOD, 0.3))
    for y, size in ((91, 54), (58, 42), (29, 32)):
        pen.circle(42, y, size, shade)
        pen.circle(40.5, y - 1, size - 4, snow)
    pen.blob([(27, 40), (42, 45), (57, 40), (58, 46), (42, 52), (26, 46)], colour)
    pen.polygon([(50, 46), (58, 45), (62, 68), (53, 69)], darker(colour, 0.15))
    for y in (60, 70, 84, 95):
        pen.circle(42, y, 4.4, INK)
    for x in (36, 48):
        pen.circle(x, 25, 4, INK)
    pen.polygon([(42, 28), (42, 33), (62, 33)], PALETTE["orange"])
    if variant:
        for x, y in ((34, 35), (38, 38), (43, 39)):
            pen.circle(x, y, 2.2, INK)


def draw_kite(pen: Pen, colour: Colour, variant: int) -> None:
    """A diamond kite with a tail of bows, 74 x 120."""
    second = mix(lighter(colour, 0.55), PALETTE["yellow"], 0.3 if variant else 0.0)
    pen.line([(37, 70), (46, 86), (32, 98), (44, 110), (36, 119)], 2.2, INK, smooth=True)
    for x, y in ((44, 85), (34, 98), (43, 110)):
        pen.polygon([(x, y), (x - 9, y - 5), (x - 9, y + 5)], colour)
        pen.polygon([(x, y), (x + 9, y - 5), (x + 9, y + 5)], darker(colour, 0.2))
    pen.polygon([(37, 0), (74, 32), (37, 72), (0, 32)], colour)
    pen.polygon([(37, 0), (74, 32), (37, 32)], second)
    pen.polygon([(0, 32), (37, 32), (37, 72)], second)
    pen.line([(37, 1), (37, 71)], 2, darker(colour, 0.4))
    pen.line([(1, 32), (73, 32)], 2, darker(colour, 0.4))


def draw_balloon(pen: Pen, colour: Colour, variant: int) -> None:
    """A toy balloon on a string, 62 x 124."""
    pen.line([(31, 78), (36, 92), (26, 106), (33, 123)], 2.2, INK, smooth=True)
    pen.polygon([(31, 68), (38, 79), (24, 79)], darker(colour, 0.2))
    pen.blob([(31, 0), (55, 9), (61, 33), (48, 61), (31, 73), (14, 61), (1, 33), (7, 9)], colour)
    pen.blob([(52, 9), (61, 33), (48, 61), (31, 73), (46, 52), (53, 32)], darker(colour, 0.14))
    pen.ellipse(20, 22, 12, 20, lighter(colour, 0.55))
    if variant:
        pen.circle(18, 39, 6, lighter(colour, 0.45))


def draw_cloud(pen: Pen, colour: Colour, variant: int) -> None:
    """A heap of cloud, 124 x 66."""
    shade = darker(colour, 0.12)
    puffs = (
        ((28, 42, 46), (56, 28, 54), (86, 34, 48), (104, 46, 38))
        if variant
        else ((24, 46, 38), (46, 32, 46), (78, 29, 54), (102, 44, 42))
    )
    for x, y, size in puffs:
        pen.circle(x, y, size, shade)
    pen.box(10, 40, 116, 66, shade, radius=13)
    for x, y, size in puffs:
        pen.circle(x - 1, y - 2, size - 5, colour)
    pen.box(14, 38, 110, 60, colour, radius=11)


def draw_umbrella(pen: Pen, colour: Colour, variant: int) -> None:
    """An open umbrella with a hooked handle, 104 x 104."""
    other = lighter(colour, 0.6) if variant else darker(colour, 0.22)
    pen.line([(52, 4), (52, 90)], 4, darker(WOOD, 0.3))
    pen.line([(52, 88), (54, 99), (63, 101), (68, 92)], 5, darker(WOOD, 0.3), smooth=True)
    pen.line([(52, 0), (52, 8)], 4, INK)
    pen.pie(52, 54, 104, 98, 180, 360, colour)
    pen.polygon([(52, 5), (43, 16), (32, 54), (52, 54)], other)
    pen.polygon([(52, 5), (61, 16), (72, 54), (52, 54)], colour if variant else lighter(colour, 0.12))
    pen.polygon([(52, 5), (72, 11), (92, 30), (104, 54), (72, 54), (64, 24)], other)
    for x, width, fill in ((16, 32, colour), (42, 20, other), (62, 20, colour), (88, 32, other)):
        pen.pie(x, 53.5, width, 14, 0, 180, fill)
