"""What the drawn world knows: its objects, how each is drawn, and in which settings each is at home."""

from collections.abc import Callable
from dataclasses import dataclass

from notclip.recaption.drawn_world import things
from notclip.recaption.drawn_world.colours import Colour
from notclip.recaption.drawn_world.pen import Pen

SETTINGS: tuple[str, ...] = ("meadow", "beach", "lake", "street", "room", "kitchen", "snow", "night")
INDOORS = frozenset({"room", "kitchen"})


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


_PLURALS = {"bus": "buses", "butterfly": "butterflies", "fish": "fish", "snowman": "snowmen"}
# Name, box, size, stance, tilt (with a star where it may stand on a table) | homes | colours.
_TABLE = """
apple     72x80   0.28 ground 8* | kitchen meadow                | red green yellow
ball      70x70   0.28 ground 30 | beach meadow room             | red orange yellow green blue purple pink
balloon   62x124  0.37 air    8  | meadow street room beach      | red orange yellow green blue purple pink
banana    104x62  0.33 ground 8* | kitchen room                  | yellow green
bicycle   132x84  0.37 ground 0  | street meadow lake            | red orange yellow green blue purple pink black
bird      110x84  0.32 air    12 | meadow lake beach snow        | red yellow blue green brown white black
boat      116x116 0.38 water  0  | lake beach                    | red blue green white brown orange
book      96x74   0.34 ground 0* | room kitchen                  | red orange yellow green blue purple pink brown
bus       168x92  0.42 ground 0  | street night                  | red orange yellow green blue white grey
butterfly 108x88  0.30 air    25 | meadow lake                   | red orange yellow green blue purple pink
cake      100x96  0.35 ground 0* | kitchen room                  | pink white brown yellow green blue
car       140x72  0.37 ground 0  | street snow night             | red orange yellow green blue white grey black purple
cat       84x104  0.37 ground 0* | room kitchen street night     | brown black white grey orange
chair     66x112  0.42 ground 0  | room kitchen                  | brown white red green blue yellow
clock     84x96   0.33 ground 0* | room kitchen                  | red orange green blue pink grey
cloud     124x66  0.33 air    0  | meadow beach lake snow street night | white grey
cup       88x72   0.32 ground 0* | kitchen room                  | red orange yellow green blue purple pink white
dog       120x96  0.38 ground 0  | meadow beach street room snow | brown black white grey yellow
fish      112x72  0.35 water  12 | lake beach kitchen            | red orange yellow green blue purple pink
flower    56x95   0.36 ground 0* | meadow lake room              | red pink yellow white purple blue orange
guitar    64x150  0.40 ground 14 | room beach                    | brown red orange blue black
hat       112x70  0.34 ground 0* | beach room snow               | red orange yellow green blue purple pink black brown
house     100x100 0.42 ground 0  | meadow street snow night lake | red orange yellow blue white pink brown
kite      74x120  0.37 air    25 | meadow beach                  | red orange yellow green blue purple pink
lamp      66x116  0.40 ground 0* | room kitchen                  | red orange yellow green blue pink white
mushroom  84x84   0.31 ground 0  | meadow night                  | red brown orange purple
snowman   84x118  0.38 ground 0  | snow                          | red orange yellow green blue purple pink
table     150x78  0.46 ground 0  | room kitchen                  | brown white red green blue yellow
tree      80x110  0.42 ground 0  | meadow street lake snow night | green green orange yellow pink
umbrella  104x104 0.40 ground 0  | beach street                  | red orange yellow green blue purple pink
"""


def _kind(line: str) -> Kind:
    facts, homes, colours = line.split("|")
    name, box, size, stance, tilt = facts.split()
    width, height = map(int, box.split("x"))
    return Kind(
        name=name,
        draw=getattr(things, f"draw_{name}"),
        box=(width, height),
        size=float(size),
        stance=stance,
        homes=frozenset(homes.split()),
        colours=tuple(colours.split()),
        plural=_PLURALS.get(name, f"{name}s"),
        stands_on_table=tilt.endswith("*"),
        tilt=float(tilt.rstrip("*")),
    )


KINDS: dict[str, Kind] = {kind.name: kind for kind in map(_kind, _TABLE.strip().splitlines())}
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
