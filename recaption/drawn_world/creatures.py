"""Drawings of animals. Every function draws into the box that `vocabulary` gives its object."""

from notclip.recaption.drawn_world.colours import CREAM, INK, PALETTE, Colour, darker, lighter, mix
from notclip.recaption.drawn_world.pen import Pen


def draw_dog(pen: Pen, colour: Colour, variant: int) -> None:
    """A dog on four legs that looks to the right, 120 x 96."""
    shade, ear = darker(colour, 0.2), darker(colour, 0.45)
    pen.line([(16, 46), (6, 34), (5, 20)], 8, colour, smooth=True)
    for x in (26, 74):
        pen.box(x, 56, x + 11, 94, shade, radius=5)
    pen.blob([(12, 50), (26, 38), (58, 40), (82, 34), (92, 52), (84, 68), (54, 66), (26, 71), (13, 64)], colour)
    for x in (16, 66):
        pen.box(x, 56, x + 12, 95, colour, radius=5.5)
        pen.box(x, 88, x + 16, 96, lighter(colour, 0.2), radius=4)
    if variant:
        pen.blob([(36, 41), (52, 40), (56, 52), (42, 56)], ear)
    pen.polygon([(70, 48), (72, 24), (92, 30), (92, 54)], colour)
    pen.blob([(68, 20), (78, 7), (94, 7), (104, 19), (117, 25), (118, 35), (106, 41), (88, 44), (72, 36)], colour)
    pen.blob([(100, 25), (116, 25), (118, 35), (106, 41), (96, 37)], lighter(colour, 0.4))
    pen.ellipse(115, 26, 10, 8, INK)
    pen.circle(96, 19, 6, INK)
    pen.circle(97, 18, 2, CREAM)
    pen.blob([(74, 8), (84, 12), (83, 32), (76, 43), (67, 38), (66, 20)], ear)
    pen.line([(72, 47), (82, 51), (91, 48)], 5, PALETTE["red"] if colour != PALETTE["red"] else PALETTE["blue"])


def draw_cat(pen: Pen, colour: Colour, variant: int) -> None:
    """A sitting cat that looks at you, 84 x 104."""
    shade, inner = darker(colour, 0.22), mix(lighter(colour, 0.5), PALETTE["pink"], 0.5)
    pen.line([(60, 96), (78, 92), (80, 72), (74, 62)], 9, shade, smooth=True)
    pen.blob([(40, 48), (58, 58), (66, 84), (62, 102), (40, 104), (18, 102), (14, 84), (22, 58)], colour)
    pen.blob([(40, 56), (50, 68), (50, 90), (40, 98), (30, 90), (30, 68)], lighter(colour, 0.4))
    for x in (30, 50):
        pen.ellipse(x, 99, 17, 10, lighter(colour, 0.25))
    for side in (-1, 1):
        pen.polygon([(40 + side * 30, 2), (40 + side * 30, 32), (40 + side * 6, 16)], colour)
        pen.polygon([(40 + side * 26, 9), (40 + side * 26, 26), (40 + side * 12, 18)], inner)
    pen.blob([(40, 11), (62, 16), (70, 34), (60, 52), (40, 57), (20, 52), (10, 34), (18, 16)], colour)
    if variant:
        for x in (32, 40, 48):
            pen.line([(x, 14), (x, 22)], 3.4, shade)
        for side in (-1, 1):
            pen.line([(40 + side * 28, 34), (40 + side * 21, 35)], 3, shade)
    pen.ellipse(40, 45, 24, 16, lighter(colour, 0.45))
    for x in (28, 52):
        pen.ellipse(x, 33, 10, 12, (214, 226, 120))
        pen.ellipse(x, 33, 5, 11, INK)
    pen.polygon([(36, 40), (44, 40), (40, 45)], PALETTE["pink"])
    for side in (-1, 1):
        pen.line([(40, 45), (40 + side * 3, 49), (40 + side * 9, 48)], 1.8, INK, smooth=True)
        for dy in (-2, 3):
            pen.line([(40 + side * 14, 45), (40 + side * 36, 44 + dy * 2)], 1.3, mix(INK, (180, 180, 190), 0.45))


def draw_bird(pen: Pen, colour: Colour, variant: int) -> None:
    """A bird on the wing that flies to the right, 110 x 84."""
    shade = darker(colour, 0.25)
    pen.polygon([(26, 46), (0, 36), (4, 50), (0, 62), (28, 58)], shade)
    pen.blob([(50, 40), (40, 16), (34, 0), (56, 8), (74, 30), (72, 44)], shade)
    pen.blob([(18, 50), (40, 38), (66, 34), (88, 26), (100, 36), (92, 54), (72, 68), (44, 68)], colour)
    pen.blob([(34, 60), (60, 58), (88, 48), (88, 58), (72, 68), (46, 68)], lighter(colour, 0.5))
    pen.polygon([(98, 32), (110, 39), (96, 44)], PALETTE["orange"])
    pen.circle(90, 35, 6, INK)
    pen.circle(91, 34, 2, CREAM)
    if variant:
        pen.blob([(42, 46), (66, 42), (62, 62), (40, 82), (22, 84), (34, 66)], darker(colour, 0.36))
    else:
        pen.blob([(44, 50), (68, 46), (58, 26), (36, 8), (14, 4), (30, 26)], darker(colour, 0.36))


def draw_fish(pen: Pen, colour: Colour, variant: int) -> None:
    """A fish that swims to the right, 112 x 72."""
    fin = darker(colour, 0.25)
    pen.polygon([(28, 36), (0, 8), (6, 36), (0, 64)], fin)
    pen.blob([(40, 16), (56, 0), (82, 8), (78, 20)], fin)
    pen.blob([(50, 56), (56, 70), (70, 66), (70, 54)], fin)
    pen.blob([(18, 36), (44, 14), (76, 10), (102, 24), (111, 36), (102, 48), (76, 61), (44, 57)], colour)
    if variant:
        for x in (44, 62):
            pen.blob([(x, 14), (x + 8, 13), (x + 12, 36), (x + 8, 59), (x, 58), (x + 4, 36)], lighter(colour, 0.65))
    else:
        for x, y in ((40, 30), (40, 44), (54, 24), (54, 38), (54, 50), (68, 32), (68, 45)):
            pen.pie(x, y, 13, 13, -90, 90, darker(colour, 0.13))
    pen.circle(93, 30, 11, CREAM)
    pen.circle(95, 30, 6, INK)
    pen.line([(109, 42), (104, 43), (100, 40)], 2, darker(colour, 0.5), smooth=True)


def draw_butterfly(pen: Pen, colour: Colour, variant: int) -> None:
    """A butterfly with open wings, 108 x 88."""
    spot = lighter(colour, 0.6) if variant else mix(PALETTE["yellow"], colour, 0.15)
    for side in (-1, 1):

        def across(*points: tuple[float, float], side: int = side) -> list[tuple[float, float]]:
            return [(54 + side * x, y) for x, y in points]

        pen.line(across((1, 24), (6, 10), (14, 3)), 2.2, INK, smooth=True)
        pen.circle(54 + side * 14, 3, 5, INK)
        pen.blob(across((3, 34), (20, 8), (44, 2), (53, 18), (44, 42), (20, 48)), darker(colour, 0.4))
        pen.blob(across((5, 34), (21, 13), (42, 7), (48, 19), (40, 38), (20, 43)), colour)
        pen.blob(across((3, 44), (24, 46), (42, 56), (38, 78), (22, 86), (8, 68)), darker(colour, 0.4))
        pen.blob(across((5, 48), (23, 50), (37, 58), (34, 74), (22, 80), (10, 66)), lighter(colour, 0.15))
        pen.circle(54 + side * 34, 21, 13, spot)
        pen.circle(54 + side * 25, 64, 10, spot)
    pen.blob([(54, 20), (59, 30), (58, 56), (54, 78), (50, 56), (49, 30)], INK)
    pen.circle(54, 22, 11, INK)
