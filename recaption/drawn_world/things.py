"""Drawings of the drawn world's objects. Every function draws into the box that `vocabulary` gives its object."""

from notclip.recaption.drawn_world.colours import CREAM, INK, PALETTE, WOOD, Colour, darker, lighter, mix
from notclip.recaption.drawn_world.pen import Pen, Point

GLASS: Colour = (188, 222, 240)
CAR_GLASS: Colour = (196, 228, 244)
TYRE: Colour = (44, 44, 52)


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
                (48, 12), (48 + side * 14, 3), (48 + side * 42, 5),
                (48 + side * 42, 60), (48 + side * 16, 58), (48, 67),
            ]  # fmt: skip
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
        (32, 68), (50, 71), (56, 86), (50, 100), (63, 118), (57, 140),
        (32, 149), (7, 140), (1, 118), (14, 100), (8, 86), (14, 71),
    ]  # fmt: skip
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
        (36, 22), (52, 16), (68, 26), (71, 46), (62, 68), (47, 79),
        (36, 76), (25, 79), (10, 68), (1, 46), (4, 26), (20, 16),
    ]  # fmt: skip
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
    icing = [
        (10, 42), (30, 46), (50, 47), (70, 46), (90, 42), (90, 54), (82, 60),
        (74, 52), (64, 60), (54, 54), (44, 62), (34, 53), (22, 60), (10, 52),
    ]  # fmt: skip
    pen.blob(icing, colour)


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

        def across(*points: Point, side: int = side) -> list[Point]:
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


def _wheel(pen: Pen, x: float, y: float, size: float) -> None:
    pen.circle(x, y, size, TYRE)
    pen.circle(x, y, size * 0.52, (206, 210, 216))
    pen.circle(x, y, size * 0.2, TYRE)


def draw_car(pen: Pen, colour: Colour, variant: int) -> None:
    """A small car that looks to the right, 140 x 72."""
    if variant:
        pen.blob([(18, 36), (26, 16), (48, 3), (80, 3), (102, 18), (116, 34), (70, 44)], colour)
        pen.polygon([(31, 32), (37, 18), (50, 10), (64, 10), (64, 32)], CAR_GLASS)
        pen.polygon([(70, 32), (70, 10), (80, 10), (94, 19), (102, 32)], CAR_GLASS)
    else:
        pen.polygon([(24, 36), (36, 6), (42, 2), (86, 2), (92, 5), (114, 36)], colour)
        pen.polygon([(34, 32), (42, 10), (64, 10), (64, 32)], CAR_GLASS)
        pen.polygon([(70, 32), (70, 10), (86, 10), (102, 32)], CAR_GLASS)
    pen.box(2, 30, 138, 60, colour, radius=11)
    pen.box(4, 48, 136, 60, darker(colour, 0.2), radius=6)
    pen.box(66.2, 32, 67.8, 56, darker(colour, 0.3))
    pen.box(73, 37, 83, 40, darker(colour, 0.35), radius=1.4)
    pen.ellipse(133, 42, 9, 11, PALETTE["yellow"])
    pen.box(2, 37, 9, 46, PALETTE["red"], radius=2)
    for x in (34, 106):
        pen.pie(x, 59, 38, 38, 180, 360, darker(colour, 0.45))
        _wheel(pen, x, 58, 28)


def draw_bus(pen: Pen, colour: Colour, variant: int) -> None:
    """A bus with a row of windows, 168 x 92."""
    pen.box(0, 2, 168, 80, colour, radius=10)
    pen.box(0, 52, 168, 60, lighter(colour, 0.6) if variant else darker(colour, 0.3))
    pen.box(2, 66, 166, 80, darker(colour, 0.25), radius=5)
    for left in (10, 36, 62, 88):
        pen.box(left, 14, left + 21, 40, CAR_GLASS, radius=3)
        pen.polygon([(left + 4, 38), (left + 12, 16), (left + 16, 16), (left + 8, 38)], lighter(CAR_GLASS, 0.5))
    pen.box(116, 14, 134, 74, darker(colour, 0.4), radius=2)
    pen.box(118, 17, 124, 70, CAR_GLASS)
    pen.box(126, 17, 132, 70, CAR_GLASS)
    pen.box(142, 14, 168, 44, CAR_GLASS, radius=4)
    pen.circle(163, 66, 8, PALETTE["yellow"])
    pen.box(0, 62, 5, 70, PALETTE["red"], radius=2)
    for x in (36, 98):
        pen.pie(x, 79, 36, 36, 180, 360, darker(colour, 0.5))
        _wheel(pen, x, 78, 27)
    _wheel(pen, 150, 78, 27)


def draw_bicycle(pen: Pen, colour: Colour, variant: int) -> None:
    """A bicycle, 132 x 84: the frame has the colour."""
    for x in (27, 105):
        pen.ring(x, 57, 48, 5, TYRE)
        for dx, dy in ((22, 0), (11, 19), (-11, 19)):
            pen.line([(x - dx, 57 - dy), (x + dx, 57 + dy)], 1.1, (150, 154, 162))
        pen.circle(x, 57, 7, TYRE)
    frame = [(27, 57), (48, 24), (92, 24), (60, 58), (27, 57)]
    pen.line(frame, 6, colour)
    pen.line([(44, 14), (60, 58)], 6, colour)
    pen.line([(105, 57), (90, 10)], 6, darker(colour, 0.15))
    pen.line([(90, 10), (102, 5), (108, 11)] if variant else [(82, 8), (90, 9), (104, 5)], 5, TYRE, smooth=True)
    pen.blob([(30, 11), (50, 9), (58, 13), (46, 18), (31, 17)], TYRE)
    pen.circle(60, 58, 13, darker(colour, 0.4))
    pen.line([(60, 58), (68, 73)], 3.4, TYRE)
    pen.line([(62, 74), (74, 74)], 4, TYRE)


def draw_boat(pen: Pen, colour: Colour, variant: int) -> None:
    """A sailing boat, 116 x 116: the hull has the colour."""
    sail = lighter(CREAM, 0.4) if variant else lighter(mix(colour, CREAM, 0.7), 0.2)
    pen.line([(56, 4), (56, 86)], 4, darker(WOOD, 0.25))
    pen.polygon([(60, 8), (108, 76), (60, 76)], sail)
    pen.polygon([(60, 54), (92.5, 54), (100.5, 65), (60, 65)], colour)
    pen.polygon([(52, 18), (52, 76), (16, 76)], darker(sail, 0.1))
    pen.polygon([(56, 0), (56, 10), (40, 5)], PALETTE["red"] if variant else darker(colour, 0.1))
    pen.blob([(2, 84), (28, 85), (88, 85), (114, 82), (104, 104), (92, 113), (26, 113), (12, 104)], colour)
    pen.blob([(9, 98), (58, 100), (108, 97), (102, 106), (92, 113), (26, 113), (13, 106)], darker(colour, 0.3))
    for x in (36, 58, 80):
        pen.circle(x, 92, 6, CREAM)
