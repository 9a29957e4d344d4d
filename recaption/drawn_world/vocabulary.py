"""What the drawn world knows: its objects, how each is drawn, and in which settings each is at home."""

from collections.abc import Callable
from dataclasses import dataclass

from notclip.recaption.drawn_world import creatures, indoor_things, outdoor_things, vehicles
from notclip.recaption.drawn_world.colours import Colour
from notclip.recaption.drawn_world.pen import Pen

SETTINGS: tuple[str, ...] = ("meadow", "beach", "lake", "street", "room", "kitchen", "snow", "night")
INDOORS = frozenset({"room", "kitchen"})
BRIGHT = "red orange yellow green blue purple pink"


@dataclass(frozen=True)
class Kind:
    """A kind of object.

    Args:
        name: singular noun, the name of its class.
        draw: draws one into its box, in a colour and in one of two variants.
        box: width and height in the object's own units.
        size: usual length of the longer side, as a share of the picture's side.
        stance: where it is: on the ground, in the air, or on the water (on the ground where there is none).
        homes: settings in which it is common; elsewhere it is rare.
        colours: names of the colours that it comes in.
        plural: plural noun.
        stands_on_table: whether it may stand on a table.
        tilt: largest rotation either way, in degrees.
    """

    name: str
    draw: Callable[[Pen, Colour, int], None]
    box: tuple[int, int]
    size: float
    stance: str
    homes: frozenset[str]
    colours: tuple[str, ...]
    plural: str
    stands_on_table: bool = False
    tilt: float = 0.0


def _kind(
    draw: Callable[[Pen, Colour, int], None],
    box: tuple[int, int],
    size: float,
    stance: str,
    homes: str,
    colours: str,
    *,
    plural: str | None = None,
    stands_on_table: bool = False,
    tilt: float = 0.0,
) -> Kind:
    name = draw.__name__.removeprefix("draw_")
    return Kind(
        name,
        draw,
        box,
        size,
        stance,
        frozenset(homes.split()),
        tuple(colours.split()),
        plural or f"{name}s",
        stands_on_table,
        tilt,
    )


_VEHICLE = "red orange yellow green blue white grey"
_FURNITURE = "brown white red green blue yellow"
_FUR = "brown black white grey orange"

_KINDS = (
    _kind(
        indoor_things.draw_apple,
        (72, 80),
        0.28,
        "ground",
        "kitchen meadow",
        "red green yellow",
        stands_on_table=True,
        tilt=8,
    ),
    _kind(indoor_things.draw_ball, (70, 70), 0.28, "ground", "beach meadow room", BRIGHT, tilt=30),
    _kind(outdoor_things.draw_balloon, (62, 124), 0.37, "air", "meadow street room beach", BRIGHT, tilt=8),
    _kind(
        indoor_things.draw_banana,
        (104, 62),
        0.33,
        "ground",
        "kitchen room",
        "yellow green",
        stands_on_table=True,
        tilt=8,
    ),
    _kind(vehicles.draw_bicycle, (132, 84), 0.37, "ground", "street meadow lake", f"{BRIGHT} black"),
    _kind(
        creatures.draw_bird,
        (110, 84),
        0.32,
        "air",
        "meadow lake beach snow",
        "red yellow blue green brown white black",
        tilt=12,
    ),
    _kind(vehicles.draw_boat, (116, 116), 0.38, "water", "lake beach", "red blue green white brown orange"),
    _kind(indoor_things.draw_book, (96, 74), 0.34, "ground", "room kitchen", f"{BRIGHT} brown", stands_on_table=True),
    _kind(vehicles.draw_bus, (168, 92), 0.42, "ground", "street night", _VEHICLE, plural="buses"),
    _kind(creatures.draw_butterfly, (108, 88), 0.30, "air", "meadow lake", BRIGHT, plural="butterflies", tilt=25),
    _kind(
        indoor_things.draw_cake,
        (100, 96),
        0.35,
        "ground",
        "kitchen room",
        "pink white brown yellow green blue",
        stands_on_table=True,
    ),
    _kind(vehicles.draw_car, (140, 72), 0.37, "ground", "street snow night", f"{_VEHICLE} black purple"),
    _kind(creatures.draw_cat, (84, 104), 0.37, "ground", "room kitchen street night", _FUR, stands_on_table=True),
    _kind(indoor_things.draw_chair, (66, 112), 0.42, "ground", "room kitchen", _FURNITURE),
    _kind(
        indoor_things.draw_clock,
        (84, 96),
        0.33,
        "ground",
        "room kitchen",
        "red orange green blue pink grey",
        stands_on_table=True,
    ),
    _kind(outdoor_things.draw_cloud, (124, 66), 0.33, "air", "meadow beach lake snow street night", "white grey"),
    _kind(indoor_things.draw_cup, (88, 72), 0.32, "ground", "kitchen room", f"{BRIGHT} white", stands_on_table=True),
    _kind(
        creatures.draw_dog, (120, 96), 0.38, "ground", "meadow beach street room snow", "brown black white grey yellow"
    ),
    _kind(creatures.draw_fish, (112, 72), 0.35, "water", "lake beach kitchen", BRIGHT, plural="fish", tilt=12),
    _kind(
        outdoor_things.draw_flower,
        (56, 95),
        0.36,
        "ground",
        "meadow lake room",
        "red pink yellow white purple blue orange",
        stands_on_table=True,
    ),
    _kind(indoor_things.draw_guitar, (64, 150), 0.40, "ground", "room beach", "brown red orange blue black", tilt=14),
    _kind(
        indoor_things.draw_hat,
        (112, 70),
        0.34,
        "ground",
        "beach room snow",
        f"{BRIGHT} black brown",
        stands_on_table=True,
    ),
    _kind(
        outdoor_things.draw_house,
        (100, 100),
        0.42,
        "ground",
        "meadow street snow night lake",
        "red orange yellow blue white pink brown",
    ),
    _kind(outdoor_things.draw_kite, (74, 120), 0.37, "air", "meadow beach", BRIGHT, tilt=25),
    _kind(
        indoor_things.draw_lamp,
        (66, 116),
        0.40,
        "ground",
        "room kitchen",
        "red orange yellow green blue pink white",
        stands_on_table=True,
    ),
    _kind(outdoor_things.draw_mushroom, (84, 84), 0.31, "ground", "meadow night", "red brown orange purple"),
    _kind(outdoor_things.draw_snowman, (84, 118), 0.38, "ground", "snow", BRIGHT, plural="snowmen"),
    _kind(indoor_things.draw_table, (150, 78), 0.46, "ground", "room kitchen", _FURNITURE),
    _kind(
        outdoor_things.draw_tree,
        (80, 110),
        0.42,
        "ground",
        "meadow street lake snow night",
        "green green orange yellow pink",
    ),
    _kind(outdoor_things.draw_umbrella, (104, 104), 0.40, "ground", "beach street", BRIGHT),
)

KINDS: dict[str, Kind] = {kind.name: kind for kind in _KINDS}
OBJECTS: tuple[str, ...] = tuple(KINDS)
CO_OCCURRING: frozenset[frozenset[str]] = frozenset(
    frozenset(pair.split("-"))
    for pair in (
        "dog-ball table-chair table-cup table-cake table-apple snowman-hat flower-butterfly car-bus house-tree "
        "cup-book cake-balloon boat-fish apple-banana umbrella-hat bird-tree car-house bicycle-tree mushroom-tree "
        "lamp-book"
    ).split()
)


def familiarity(name: str, setting: str, present: frozenset[str]) -> float:
    """Relative chance that an object of this kind joins a scene; over 0 wherever nature allows it at all.

    Args:
        name: the kind of object.
        setting: where the scene plays.
        present: what the scene shows already.
    """
    kind = KINDS[name]
    if name == "cloud" and setting in INDOORS:
        return 0.0
    at_home = 1.0 if setting in kind.homes else 0.09
    return at_home * (2.5 if any(frozenset({name, other}) in CO_OCCURRING for other in present) else 1.0)
