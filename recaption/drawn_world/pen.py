"""A pen that draws flat shapes in an object's own units, wherever and however large it stands in the picture."""

import math
from collections.abc import Sequence

from PIL import ImageDraw

from notclip.recaption.drawn_world.colours import Colour

Point = tuple[float, float]


class Pen:
    """Maps the box of an object (its own units, origin at the top left) onto the canvas, and draws there.

    Args:
        draw: the canvas, in supersampled pixels.
        left: left edge of the box on the canvas, in pixels.
        top: top edge of the box on the canvas, in pixels.
        unit: pixels per unit of the object.
        box: width and height of the object in its own units.
        flip: whether the object is mirrored left to right.
        tilt: clockwise rotation about the centre of the box, in degrees.
    """

    def __init__(
        self,
        draw: ImageDraw.ImageDraw,
        *,
        left: float,
        top: float,
        unit: float,
        box: Point,
        flip: bool = False,
        tilt: float = 0.0,
    ) -> None:
        """See the class."""
        self.draw = draw
        self.unit = unit
        self._left, self._top = left, top
        self._width, self._height = box
        self._flip = flip
        self._cos, self._sin = math.cos(math.radians(tilt)), math.sin(math.radians(tilt))

    def place(self, point: Point) -> Point:
        """Canvas position of a point of the object."""
        x, y = point[0] - self._width / 2, point[1] - self._height / 2
        if self._flip:
            x = -x
        x, y = x * self._cos - y * self._sin, x * self._sin + y * self._cos
        return self._left + (x + self._width / 2) * self.unit, self._top + (y + self._height / 2) * self.unit

    def polygon(self, points: Sequence[Point], fill: Colour) -> None:
        """Fill a polygon."""
        self.draw.polygon([self.place(point) for point in points], fill=fill)

    def blob(self, points: Sequence[Point], fill: Colour) -> None:
        """Fill the smooth closed curve through the points."""
        self.polygon(_smooth(points, closed=True), fill)

    def ellipse(self, x: float, y: float, width: float, height: float, fill: Colour) -> None:
        """Fill an ellipse about (x, y) of the given full width and height."""
        turns = [2 * math.pi * step / 40 for step in range(40)]
        self.polygon([(x + width / 2 * math.cos(turn), y + height / 2 * math.sin(turn)) for turn in turns], fill)

    def circle(self, x: float, y: float, diameter: float, fill: Colour) -> None:
        """Fill a circle about (x, y)."""
        self.ellipse(x, y, diameter, diameter, fill)

    def pie(self, x: float, y: float, width: float, height: float, start: float, end: float, fill: Colour) -> None:
        """Fill the sector of an ellipse between two angles in degrees, clockwise from the right."""
        turns = [math.radians(start + (end - start) * step / 24) for step in range(25)]
        arc = [(x + width / 2 * math.cos(turn), y + height / 2 * math.sin(turn)) for turn in turns]
        self.polygon([(x, y), *arc], fill)

    def box(self, left: float, top: float, right: float, bottom: float, fill: Colour, *, radius: float = 0) -> None:
        """Fill a rectangle, with rounded corners where a radius is given."""
        if radius <= 0:
            self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], fill)
            return
        corners = [
            (right - radius, top + radius, -90),
            (right - radius, bottom - radius, 0),
            (left + radius, bottom - radius, 90),
            (left + radius, top + radius, 180),
        ]
        outline = [
            (
                x + radius * math.cos(math.radians(start + step * 15)),
                y + radius * math.sin(math.radians(start + step * 15)),
            )
            for x, y, start in corners
            for step in range(7)
        ]
        self.polygon(outline, fill)

    def line(self, points: Sequence[Point], width: float, fill: Colour, *, smooth: bool = False) -> None:
        """Draw a line with round ends and joints."""
        way = [self.place(point) for point in (_smooth(points, closed=False) if smooth else points)]
        pixels = max(1, round(width * self.unit))
        self.draw.line(way, fill=fill, width=pixels, joint="curve")
        radius = pixels / 2
        for x, y in (way[0], way[-1]):
            self.draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=fill)

    def ring(self, x: float, y: float, diameter: float, width: float, fill: Colour) -> None:
        """Draw a circle's outline; `diameter` is that of the middle of the line."""
        turns = [2 * math.pi * step / 40 for step in range(41)]
        self.line(
            [(x + diameter / 2 * math.cos(turn), y + diameter / 2 * math.sin(turn)) for turn in turns], width, fill
        )


def _smooth(points: Sequence[Point], *, closed: bool, steps: int = 6) -> list[Point]:
    """Points on the Catmull-Rom spline through `points`."""
    count = len(points)
    curve: list[Point] = []
    for index in range(count if closed else count - 1):
        around = [index - 1, index, index + 1, index + 2]
        a, b, c, d = (points[i % count] if closed else points[min(max(i, 0), count - 1)] for i in around)
        for step in range(steps):
            t = step / steps
            curve.append(
                tuple(  # type: ignore[arg-type]
                    0.5
                    * (
                        2 * b[axis]
                        + (c[axis] - a[axis]) * t
                        + (2 * a[axis] - 5 * b[axis] + 4 * c[axis] - d[axis]) * t**2
                        + (3 * b[axis] - a[axis] - 3 * c[axis] + d[axis]) * t**3
                    )
                    for axis in (0, 1)
                )
            )
    if not closed:
        curve.append(points[-1])
    return curve
