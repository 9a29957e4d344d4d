"""Drawings of vehicles. Every function draws into the box that `vocabulary` gives its object."""

from notclip.recaption.drawn_world.colours import CREAM, PALETTE, WOOD, Colour, darker, lighter, mix
from notclip.recaption.drawn_world.pen import Pen

GLASS: Colour = (196, 228, 244)
TYRE: Colour = (44, 44, 52)


def _wheel(pen: Pen, x: float, y: float, size: float) -> None:
    pen.circle(x, y, size, TYRE)
    pen.circle(x, y, size * 0.52, (206, 210, 216))
    pen.circle(x, y, size * 0.2, TYRE)


def draw_car(pen: Pen, colour: Colour, variant: int) -> None:
    """A small car that looks to the right, 140 x 72."""
    if variant:
        pen.blob([(18, 36), (26, 16), (48, 3), (80, 3), (102, 18), (116, 34), (70, 44)], colour)
        pen.polygon([(31, 32), (37, 18), (50, 10), (64, 10), (64, 32)], GLASS)
        pen.polygon([(70, 32), (70, 10), (80, 10), (94, 19), (102, 32)], GLASS)
    else:
        pen.polygon([(24, 36), (36, 6), (42, 2), (86, 2), (92, 5), (114, 36)], colour)
        pen.polygon([(34, 32), (42, 10), (64, 10), (64, 32)], GLASS)
        pen.polygon([(70, 32), (70, 10), (86, 10), (102, 32)], GLASS)
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
        pen.box(left, 14, left + 21, 40, GLASS, radius=3)
        pen.polygon([(left + 4, 38), (left + 12, 16), (left + 16, 16), (left + 8, 38)], lighter(GLASS, 0.5))
    pen.box(116, 14, 134, 74, darker(colour, 0.4), radius=2)
    pen.box(118, 17, 124, 70, GLASS)
    pen.box(126, 17, 132, 70, GLASS)
    pen.box(142, 14, 168, 44, GLASS, radius=4)
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
