"""Affirmative captions of a scene: what it shows, where things are, and what they do; never what it lacks."""

import random
from collections.abc import Sequence

from notclip.recaption.drawn_world.scene import Scene, Thing
from notclip.recaption.drawn_world.vocabulary import KINDS

CAPTIONS_PER_SCENE = 5

# Two lists for each setting: true of anything in the scene, and true of what touches the ground.
_WHERE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "meadow": (("in a meadow", "in a green meadow", "in the countryside", "in a field"), ("on the grass",)),
    "beach": (("on the beach", "at the beach", "at the seaside", "by the sea"), ("on the sand", "on a sandy beach")),
    "lake": (("by a lake", "at the lake", "by the water", "at a calm lake"), ()),
    "street": (("on a street", "in the city", "on a city street", "in town"), ("on the road",)),
    "room": (("in a room", "in the living room", "indoors", "at home"), ("on a wooden floor",)),
    "kitchen": (("in a kitchen", "in the kitchen", "in a tiled kitchen"), ("on the kitchen floor",)),
    "snow": (("in the snow", "on a snowy day", "in winter", "in a snowy landscape"), ("on the snow",)),
    "night": (("at night", "under a starry sky", "on a dark night", "under the stars"), ("on a dark hill",)),
}
_DOES: dict[str, tuple[tuple[str, str], ...]] = {
    "dog": (("stands", "stand"), ("is standing", "are standing"), ("waits", "wait")),
    "cat": (("sits", "sit"), ("is sitting", "are sitting")),
    "bird": (("flies", "fly"), ("is flying", "are flying")),
    "butterfly": (("flutters", "flutter"), ("is flying", "are flying")),
    "kite": (("flies", "fly"), ("is flying", "are flying")),
    "balloon": (("floats", "float"), ("is floating", "are floating"), ("hovers", "hover")),
    "cloud": (("drifts", "drift"), ("hangs", "hang"), ("is floating", "are floating")),
    "fish": (("swims", "swim"), ("is swimming", "are swimming")),
    "boat": (("sails", "sail"), ("floats", "float"), ("is sailing", "are sailing")),
    "car": (("is parked", "are parked"), ("stops", "stop")),
    "bus": (("is parked", "are parked"), ("stops", "stop")),
    "bicycle": (("is parked", "are parked"), ("stands", "stand")),
    "flower": (("blooms", "bloom"), ("grows", "grow")),
    "mushroom": (("grows", "grow"), ("stands", "stand")),
    "tree": (("grows", "grow"), ("stands", "stand")),
    "book": (("lies", "lie"), ("is lying", "are lying")),
    "banana": (("lies", "lie"), ("is lying", "are lying")),
    "ball": (("lies", "lie"), ("rests", "rest")),
    "hat": (("lies", "lie"), ("rests", "rest")),
}
_ASHORE = (("lies", "lie"), ("rests", "rest"))
_STANDS = (("stands", "stand"), ("is standing", "are standing"))
_OPENINGS = (
    "a picture of", "a drawing of", "an illustration of", "a cartoon of", "a photo of", "an image of", "a view of",
    "this image shows", "the picture shows", "this image features", "the scene includes", "the picture contains",
    "this drawing depicts", "the image includes", "we see", "look at",
)  # fmt: skip
_NUMBERS = {2: ("two",), 3: ("three",)}

Group = list[Thing]


def write_captions(scene: Scene, rng: random.Random) -> tuple[str, ...]:
    """Write five different captions; the first mentions everything, the others a part or all."""
    groups = [[thing for thing in scene.things if thing.name == name] for name in scene.objects]
    captions: list[str] = []
    for attempt in range(200):
        mentions = len(groups)
        if captions:
            mentions = max(rng.randint(1, mentions), rng.randint(1, mentions))
        chosen = rng.sample(groups, mentions)
        caption = _finish(_sentence(scene, chosen, rng), rng)
        # A scene of one plain object has few ways to be told apart; after enough attempts a repetition may stand.
        if caption not in captions or attempt > 150:
            captions.append(caption)
        if len(captions) == CAPTIONS_PER_SCENE:
            break
    return tuple(captions)


def _sentence(scene: Scene, groups: Sequence[Group], rng: random.Random) -> str:
    phrases = [_noun_phrase(group, rng) for group in groups]
    where = _where(scene, groups, rng)
    # Each form is a claim about the first group, or about the first two; what is left over joins in a list.
    forms = ["list", "list with place", "opening", "there is", "acts in place"]
    if len(groups) >= 2:
        forms += ["relation", "acts in relation", "place first", "relation"]
    form = rng.choice(forms)
    if form == "list":
        return _enumerate(phrases)
    if form == "list with place":
        return f"{_enumerate(phrases)} {where}"
    if form == "opening":
        place = f" {where}" if rng.random() < 0.5 else ""
        return f"{rng.choice(_OPENINGS)} {_enumerate(phrases)}{place}"
    if form == "there is":
        verb = "is" if len(groups[0]) == 1 else "are"
        place = f" {where}" if rng.random() < 0.7 else ""
        return f"there {verb} {_enumerate(phrases)}{place}"
    if form == "acts in place":
        first = f"{phrases[0]} {_verb(scene, groups[0], rng)} {_where(scene, groups[:1], rng)}"
        return _join_rest(scene, first, groups[1:], phrases[1:], rng)
    relation = _relation(groups[0], groups[1], rng)
    if relation is None:
        return f"{_enumerate(phrases)} {where}"
    if form == "relation":
        claim = f"{phrases[0]} {relation} {phrases[1]}"
        place = f" {where}" if rng.random() < 0.5 else ""
        return f"{_enumerate([claim, *phrases[2:]])}{place}"
    claim = f"{phrases[0]} {_verb(scene, groups[0], rng)} {relation} {phrases[1]}"
    if form == "place first":
        return _join_rest(scene, f"{where}, {claim}", groups[2:], phrases[2:], rng)
    place = f" {where}" if len(groups) == 2 and rng.random() < 0.4 else ""
    return _join_rest(scene, f"{claim}{place}", groups[2:], phrases[2:], rng)


def _join_rest(scene: Scene, first: str, groups: Sequence[Group], phrases: Sequence[str], rng: random.Random) -> str:
    """Add the groups that a clause has left out: each with what it does, or as a list."""
    if not groups:
        return first
    if len(groups) == 1:
        return (
            f"{first} {rng.choice(['while', 'and'])} {phrases[0]} {_verb(scene, groups[0], rng)} {_nearby(groups[0])}"
        )
    return f"{first}, along with {_enumerate(phrases)}"


def _nearby(group: Group) -> str:
    return "in the air" if KINDS[group[0].name].stance == "air" else "nearby"


def _noun_phrase(group: Group, rng: random.Random) -> str:
    thing, kind = group[0], KINDS[group[0].name]
    words = [kind.name if len(group) == 1 else kind.plural]
    scarf = ""
    if rng.random() < 0.5:
        if thing.name == "snowman":
            scarf = f" in {'a ' if len(group) == 1 else ''}{thing.colour} {'scarf' if len(group) == 1 else 'scarves'}"
            scarf = scarf.replace("a orange", "an orange")
        else:
            words.insert(0, thing.colour)
    scale = max(thing.width, thing.height) / kind.size
    if len(group) == 1 and rng.random() < 0.35:
        if scale > 1.2:
            words.insert(0, rng.choice(["big", "large"]))
        elif scale < 0.82:
            words.insert(0, rng.choice(["small", "little", "tiny"]))
    if len(group) == 1:
        words.insert(0, "an" if words[0][0] in "aeiou" else "a")
    else:
        words.insert(0, rng.choice(_NUMBERS[len(group)]))
    return " ".join(words) + scarf


def _verb(scene: Scene, group: Group, rng: random.Random) -> str:
    name = group[0].name
    verbs = _DOES.get(name, _STANDS)
    if KINDS[name].stance == "water" and not scene.afloat(group[0]):
        verbs = _ASHORE
    return rng.choice(verbs)[0 if len(group) == 1 else 1]


def _where(scene: Scene, groups: Sequence[Group], rng: random.Random) -> str:
    anywhere, on_ground = _WHERE[scene.setting]
    things = [thing for group in groups for thing in group]
    grounded = all(KINDS[thing.name].stance == "ground" and not thing.on_table for thing in things)
    return rng.choice(anywhere + on_ground if grounded else anywhere)


def _relation(first: Group, second: Group, rng: random.Random) -> str | None:
    """How the first group stands to the second, as every thing of both bears out; None if nothing simple is true."""
    found: set[str] | None = None
    for a in first:
        for b in second:
            found = _true_relations(a, b) if found is None else found & _true_relations(a, b)
    return rng.choice(sorted(found)) if found else None


def _true_relations(a: Thing, b: Thing) -> set[str]:
    if a.on_table and b.name == "table":
        return {"on", "on top of"}
    right, down = b.centre[0] - a.centre[0], b.centre[1] - a.centre[1]
    relations: set[str] = set()
    if abs(right) > 0.18 and abs(right) > 0.8 * abs(down):
        relations |= {"to the left of", "left of"} if right > 0 else {"to the right of", "right of"}
    a_flies, b_flies = KINDS[a.name].stance == "air", KINDS[b.name].stance == "air"
    if a_flies != b_flies and abs(right) < 0.3 and abs(down) > 0.18:
        if a_flies and down > 0:
            relations |= {"above", "over"}
        elif b_flies and down < 0:
            relations |= {"below", "under"}
    if a_flies == b_flies and a.on_table == b.on_table:
        gap = max(abs(right) - (a.width + b.width) / 2, 0.0)
        if gap < 0.2 and abs(a.base - b.base) < 0.14:
            relations |= {"next to", "beside", "near"}
        if not a_flies and not a.on_table and abs(right) < 0.25 and abs(a.base - b.base) > 0.1:
            relations |= {"behind"} if a.base < b.base else {"in front of"}
    return relations


def _enumerate(phrases: Sequence[str]) -> str:
    if len(phrases) == 1:
        return phrases[0]
    return f"{', '.join(phrases[:-1])} and {phrases[-1]}"


def _finish(sentence: str, rng: random.Random) -> str:
    """Most captions are written as sentences, some in lower case without a full stop, as captions are."""
    if rng.random() < 0.3:
        return sentence
    return f"{sentence[0].upper()}{sentence[1:]}."
