"""Drawings of things of the house. Every function draws into the box that `vocabulary` gives its object."""

from notclip.recaption.drawn_world.colours import CREAM, INK, PALETTE, WOOD, Colour, darker, lighter, mix
from notclip.recaption.drawn_world.pen import Pen


def draw_cup(pen: Pen, colour: Colour, variant: int) -> None:
    """A cup with a handle, 88 x 72."""
    pen.ring(68, 34, 28, 7, darker(colour, 0.15))
    pen.blob([(6, 12), (66, 12), (65, 40), (56, 62), (36, 68), (16, 62), (7, 40)], colour)
    pen.blob([(52, 12), (66, 12), (65, 40), (56, 62), (40, 67), (52, 44)], darker(colour, 0.14))
    pen.ellipse(36, 12, 64, 15, lighter(colour, 0.3))
    pen.ellipse(36, 13, 54, 10, (104, 64, 42))
    pen.ellipse(36, 69, 40, 6, darker(colour, 0.3))
    if variant:
        pen.box(7, 34, 65, 42, lighter(colour, 0.65))
    else:
        pen.blob([(34, 54), (22, 40), (26, 31), (34, 36), (42, 31), (46, 40)], lighter(colour, 0.6))


def draw_chair(pen: Pen, colour: Colour, variant: int) -> None:
    """A wooden chair seen from its side and a little from the front, 66 x 112."""
    shade = darker(colour, 0.28)
    pen.box(18, 62, 24, 104, shade)
    pen.box(58, 62, 63, 104, shade)
    pen.box(4, 4, 11, 112, colour, radius=3)
    pen.box(40, 0, 46, 60, shade, radius=3)
    if variant:
        for top in (8, 24, 40):
            pen.polygon([(8, top + 2), (43, top - 4), (43, top + 6), (8, top + 12)], lighter(colour, 0.12))
    else:
        pen.polygon([(8, 6), (43, 0), (43, 40), (8, 48)], lighter(colour, 0.12))
        pen.polygon([(13, 12), (38, 7), (38, 34), (13, 41)], darker(colour, 0.12))
    pen.polygon([(2, 62), (40, 54), (66, 60), (52, 70), (4, 70)], lighter(colour, 0.2))
    pen.polygon([(2, 63), (52, 68), (66, 60), (66, 66), (52, 75), (2, 70)], colour)
    pen.box(47, 68, 54, 112, colour, radius=3)


def draw_table(pen: Pen, colour: Colour, variant: int) -> None:
    """A four-legged table, 150 x 78; its top is the first fifth of its height."""
    shade = darker(colour, 0.3)
    for left in (30, 113):
        pen.box(left, 14, left + 7, 66, shade)
    if variant:
        pen.box(12, 14, 138, 30, darker(colour, 0.15))
        pen.circle(75, 22, 5, CREAM)
    for left in (12, 129):
        pen.polygon([(left, 14), (left + 10, 14), (left + 8, 78), (left + 2, 78)], colour)
    pen.polygon([(14, 0), (136, 0), (150, 12), (0, 12)], lighter(colour, 0.25))
    pen.box(0, 12, 150, 19, darker(colour, 0.1), radius=2)


def draw_lamp(pen: Pen, colour: Colour, variant: int) -> None:
    """A lamp with a shade, 66 x 116: the shade has the colour."""
    metal = darker(WOOD, 0.25) if variant else (96, 98, 110)
    pen.box(30, 44, 36, 110, metal)
    pen.ellipse(33, 109, 40, 13, metal)
    pen.ellipse(33, 106, 30, 8, lighter(metal, 0.2))
    pen.circle(33, 50, 16, (255, 240, 170))
    pen.polygon([(18, 2), (48, 2), (66, 48), (0, 48)], colour)
    pen.polygon([(18, 2), (27, 2), (18, 48), (0, 48)], lighter(colour, 0.28))
    pen.polygon([(40, 2), (48, 2), (66, 48), (50, 48)], darker(colour, 0.14))
    pen.line([(50, 50), (50, 66)], 1.6, INK)
    pen.circle(50, 68, 4.5, INK)


def draw_book(pen: Pen, colour: Colour, variant: int) -> None:
    """A closed book that stands, or an open one, 96 x 74."""
    if variant:
        pen.blob(
            [(48, 14), (24, 6), (0, 12), (0, 70), (24, 64), (48, 73), (72, 64), (96, 70), (96, 12), (72, 6)], colour
        )
        for side in (-1, 1):
            edge = [
                (48, 12),
                (48 + side * 14, 3),
                (48 + side * 42, 5),
                (48 + side * 42, 60),
                (48 + side * 16, 58),
                (48, 67),
            ]
            pen.polygon(edge, lighter(CREAM, 0.5) if side > 0 else darker(CREAM, 0.06))
            for y in (18, 27, 36, 45):
                pen.line([(48 + side * 9, y + 1), (48 + side * 35, y - 3)], 2, (176, 172, 180))
        pen.line([(48, 12), (48, 67)], 2, darker(colour, 0.3))
        return
    pen.polygon([(14, 0), (84, 0), (92, 8), (92, 74), (22, 74), (14, 66)], CREAM)
    for y in (67, 70):
        pen.line([(22, y), (90, y)], 1, darker(CREAM, 0.3))
    pen.box(8, 0, 80, 66, colour, radius=3)
    pen.box(8, 0, 18, 66, darker(colour, 0.3), radius=3)
    pen.polygon([(8, 64), (18, 64), (28, 74), (20, 74), (10, 70)], darker(colour, 0.4))
    pen.box(28, 12, 70, 30, lighter(colour, 0.6), radius=2)
    pen.box(33, 17, 65, 20, darker(colour, 0.2))
    pen.box(38, 23, 60, 25.5, darker(colour, 0.2))
    pen.circle(49, 46, 13, PALETTE["yellow"] if colour != PALETTE["yellow"] else CREAM)


def draw_clock(pen: Pen, colour: Colour, variant: int) -> None:
    """An alarm clock with two bells, 84 x 96."""
    for side in (-1, 1):
        pen.line([(42 + side * 20, 84), (42 + side * 28, 95)], 7, darker(colour, 0.35))
        pen.pie(42 + side * 23, 20, 30, 30, 180 + side * 35, 360 + side * 35, darker(colour, 0.2))
    pen.line([(42, 4), (42, 14)], 4, darker(colour, 0.35))
    pen.circle(42, 4, 8, darker(colour, 0.35))
    pen.circle(42, 54, 78, colour)
    pen.circle(42, 54, 60, lighter(CREAM, 0.5))
    for x, y in ((42, 30), (66, 54), (42, 78), (18, 54)):
        pen.circle(x, y, 5, INK)
    pen.line([(42, 54), (42, 36)] if variant else [(42, 54), (28, 46)], 4, INK)
    pen.line([(42, 54), (57, 62)] if variant else [(42, 54), (53, 36)], 4, PALETTE["red"])
    pen.circle(42, 54, 7, INK)


def draw_hat(pen: Pen, colour: Colour, variant: int) -> None:
    """A top hat or a sun hat, 112 x 70."""
    band = lighter(colour, 0.6)
    if variant:
        pen.ellipse(56, 60, 104, 19, darker(colour, 0.2))
        pen.polygon([(24, 6), (88, 6), (82, 60), (30, 60)], colour)
        pen.ellipse(56, 60, 52, 10, colour)
        pen.polygon([(27.5, 40), (84.5, 40), (82, 57), (30, 57)], band)
        pen.ellipse(56, 6, 64, 11, lighter(colour, 0.15))
        return
    pen.ellipse(56, 56, 112, 27, darker(colour, 0.12))
    pen.ellipse(56, 53, 108, 21, colour)
    pen.blob([(26, 52), (30, 20), (44, 4), (68, 4), (82, 20), (86, 52), (56, 60)], lighter(colour, 0.12))
    pen.blob([(26, 52), (28, 38), (56, 45), (84, 38), (86, 52), (56, 60)], darker(colour, 0.45))


def draw_guitar(pen: Pen, colour: Colour, variant: int) -> None:
    """An acoustic guitar, upright, 64 x 150: the body has the colour."""
    neck = darker(WOOD, 0.4)
    pen.box(25, 2, 39, 20, darker(neck, 0.2), radius=3)
    for y in (6, 12, 18):
        pen.circle(22, y, 5, (220, 214, 200))
        pen.circle(42, y, 5, (220, 214, 200))
    pen.box(28, 16, 36, 84, neck)
    for y in (28, 38, 48, 58, 66):
        pen.box(28, y, 36, y + 1.6, (214, 206, 190))
    body = [
        (32, 68),
        (50, 71),
        (56, 86),
        (50, 100),
        (63, 118),
        (57, 140),
        (32, 149),
        (7, 140),
        (1, 118),
        (14, 100),
        (8, 86),
        (14, 71),
    ]
    pen.blob(body, darker(colour, 0.35))
    pen.blob([(32 + (x - 32) * 0.87, 109 + (y - 109) * 0.9) for x, y in body], colour)
    pen.box(28, 62, 36, 92, neck)
    pen.circle(32, 99, 21, darker(colour, 0.5))
    pen.circle(32, 99, 15, INK)
    pen.box(19, 124, 45, 131, neck, radius=2)
    if variant:
        pen.blob([(46, 100), (54, 112), (50, 126), (42, 116)], darker(colour, 0.45))
    for x in (30, 34):
        pen.line([(x, 18), (x, 126)], 0.9, (236, 232, 220))


def draw_ball(pen: Pen, colour: Colour, variant: int) -> None:
    """A beach ball or a spotted ball, 70 x 70."""
    pen.circle(35, 35, 70, darker(colour, 0.18))
    pen.circle(34, 34, 65, colour)
    white = (250, 250, 246)
    if variant:
        pen.polygon([(35, 22), (47, 31), (43, 45), (27, 45), (23, 31)], white)
        for x, y in ((35, 5), (63, 26), (53, 59), (17, 59), (7, 26)):
            pen.circle(35 + (x - 35) * 0.88, 35 + (y - 35) * 0.88, 13, white)
        return
    pen.blob([(30, 3), (44, 3), (60, 22), (66, 42), (58, 52), (46, 24)], white)
    pen.blob([(26, 4), (20, 24), (22, 48), (30, 67), (14, 60), (5, 38), (12, 14)], white)
    pen.circle(29, 9, 12, lighter(colour, 0.5))


def draw_apple(pen: Pen, colour: Colour, variant: int) -> None:
    """An apple with a leaf, 72 x 80."""
    pen.line([(36, 24), (37, 12), (43, 3)], 4.5, darker(WOOD, 0.4), smooth=True)
    pen.blob([(40, 13), (50, 3), (66, 4), (60, 15), (48, 18)], darker(PALETTE["green"], 0.05))
    shape = [
        (36, 22),
        (52, 16),
        (68, 26),
        (71, 46),
        (62, 68),
        (47, 79),
        (36, 76),
        (25, 79),
        (10, 68),
        (1, 46),
        (4, 26),
        (20, 16),
    ]
    pen.blob(shape, darker(colour, 0.16))
    pen.blob([(34 + (x - 36) * 0.9, 47 + (y - 48) * 0.92) for x, y in shape], colour)
    pen.ellipse(19, 35, 11, 17, lighter(colour, 0.5))
    if variant:
        pen.circle(20, 50, 5, lighter(colour, 0.4))


def draw_banana(pen: Pen, colour: Colour, variant: int) -> None:
    """A banana, 104 x 62."""
    pen.blob(
        [(4, 10), (14, 6), (26, 28), (50, 38), (78, 32), (94, 12), (102, 14), (98, 36), (78, 56), (48, 61), (20, 48)],
        colour,
    )
    pen.blob(
        [(8, 22), (24, 42), (50, 49), (80, 43), (100, 22), (98, 36), (78, 56), (48, 61), (20, 48)],
        darker(colour, 0.13),
    )
    pen.polygon([(91, 15), (93, 1), (101, 1), (102, 16)], darker(PALETTE["brown"], 0.1))
    pen.circle(8, 9, 9, darker(PALETTE["brown"], 0.35))
    if variant:
        for x, y in ((40, 42), (58, 50), (72, 42)):
            pen.ellipse(x, y, 7, 3, mix(colour, PALETTE["brown"], 0.6))


def draw_cake(pen: Pen, colour: Colour, variant: int) -> None:
    """A birthday cake with candles, 100 x 96: the icing has the colour."""
    sponge = (226, 178, 120) if variant else (248, 232, 206)
    for x in (30, 50, 70):
        pen.box(x - 3, 14, x + 3, 40, CREAM if variant else lighter(PALETTE["blue"], 0.4))
        pen.blob([(x, 0), (x + 4, 9), (x, 15), (x - 4, 9)], PALETTE["orange"])
        pen.blob([(x, 5), (x + 2, 10), (x, 14), (x - 2, 10)], PALETTE["yellow"])
    pen.ellipse(50, 87, 100, 17, (198, 204, 214))
    pen.ellipse(50, 85, 100, 15, (232, 236, 242))
    pen.box(10, 42, 90, 82, sponge)
    pen.ellipse(50, 82, 80, 13, sponge)
    pen.polygon([(10, 62), (90, 62), (90, 68), (10, 68)], darker(sponge, 0.2))
    pen.ellipse(50, 41, 80, 15, lighter(colour, 0.2))
    pen.blob(
        [
            (10, 42),
            (30, 46),
            (50, 47),
            (70, 46),
            (90, 42),
            (90, 54),
            (82, 60),
            (74, 52),
            (64, 60),
            (54, 54),
            (44, 62),
            (34, 53),
            (22, 60),
            (10, 52),
        ],
        colour,
    )
