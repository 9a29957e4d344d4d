"""The palette of the drawn world: colour names as captions say them, and the RGB values that the pen puts down."""

import random

Colour = tuple[int, int, int]

PALETTE: dict[str, Colour] = {
    "red": (222, 58, 60),
    "orange": (244, 139, 44),
    "yellow": (250, 205, 62),
    "green": (76, 168, 84),
    "blue": (58, 118, 212),
    "purple": (136, 84, 186),
    "pink": (242, 138, 178),
    "brown": (142, 94, 60),
    "white": (246, 246, 242),
    "grey": (146, 152, 160),
    "black": (56, 56, 64),
}
INK: Colour = (48, 44, 54)
CREAM: Colour = (255, 246, 226)
WOOD: Colour = (168, 112, 68)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Blend two colours; `share` 0 gives the first, 1 the second."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def lighter(colour: Colour, share: float = 0.3) -> Colour:
    """Blend a colour with white."""
    return mix(colour, (255, 255, 255), share)


def darker(colour: Colour, share: float = 0.25) -> Colour:
    """Blend a colour with a dark blue-grey, which looks softer than black."""
    return mix(colour, (30, 26, 48), share)


def vary(colour: Colour, rng: random.Random, *, amount: int = 12) -> Colour:
    """Make a colour lighter or darker by at most `amount`, and shift its hue by less: no two reds are the same."""
    light = rng.randint(-amount, amount)
    red, green, blue = (min(255, max(0, value + light + rng.randint(-amount // 3, amount // 3))) for value in colour)
    return red, green, blue
