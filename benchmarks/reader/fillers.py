"""What fills the slots of frames: things, acts, garments, findings, queries, captions; known and made up."""

import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent

# A word, and the labels that it may have.
Labelled = list[tuple[str, str]]

_CUE = re.compile(
    r"\b(?:no|not|n't|without|never|none|nobody|nothing|neither|nor|except|cannot|lack\w*|missing|instead|rather|but|"
    r"hardly|barely|free|absent|un\w+|\w+less|only|other than|off|out)\b|'t\b",
    re.IGNORECASE,
)
_TAKES_SUBJECT = re.compile(r"^(?:is|are|in|on|with|at|[a-z]{3,}ing)$")
# In captions: what a person or animal does, and what stands between an article and what follows a noun phrase.
_VERB = re.compile(
    r"\b(?:man|woman|boy|girl|dog|person|child|player|guy|lady|kid|surfer|cat|horse|he|she|it) ([a-z]{3,}s)\b",
    re.IGNORECASE,
)
_NOUN = re.compile(
    r"\b(?:a|an|the|his|her) ([a-z]{3,}) (?:in|on|with|at|near|by|while|as|for|through|over|and)\b", re.IGNORECASE
)


def read_lists(path: Path) -> dict[str, list[str]]:
    """The lists of fillers.txt by heading."""
    sections = re.split(r"^## (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {
        heading: [phrase.strip() for phrase in re.split(r",\s", content.replace("\n", " ") + " ") if phrase.strip()]
        for heading, content in zip(sections[::2], sections[1::2], strict=True)
    }


_LISTS = read_lists(HERE / "fillers.txt")
_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BEFORE_NAMES = ("St.", "St", "Mt.", "Mr.", "Dr.", "Ft.", "Mrs.", "Le", "Van", "De")
_TYPES = ("II", "III", "IV", "V", "VI", "X", "XL", "GT", "SE", "T", "S", "3D", "4K", "5G", "2.0", "360", "4WD", "4x4")
_UNITS = "mm cm inch foot door seat speed wheel gallon liter pound ounce volt watt day year ton lane pin tier".split()


def _one(heading: str, rng: random.Random) -> str:
    return rng.choice(_LISTS[heading])


@dataclass
class Fillers:
    """What slots of frames are filled with.

    Args:
        words: words of any kind, for things that nobody needs to have heard of.
        phrases: phrases that people deny or affirm.
        findings: phrases that reports deny.
        captions: real captions; those that may deny something are left out.
    """

    words: Sequence[str]
    phrases: Sequence[str]
    findings: Sequence[str]
    captions: Sequence[str]
    verbs: list[str] = field(init=False)
    nouns: list[str] = field(init=False)
    _halves: list[tuple[list[str], list[str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        texts = [caption.strip().rstrip(" .") for caption in self.captions]
        self.captions = [text for text in texts if not _CUE.search(text) and len(text) < 140]
        self.verbs = sorted(
            {*_LISTS["verbs"], *_found_twice(_VERB, self.captions)} - {"across", "outdoors", "indoors"}
        )
        self.nouns = sorted({*_LISTS["nouns"], *_found_twice(_NOUN, self.captions)}.difference(self.verbs))
        self.words = [word for word in self.words if word not in self.verbs]
        verbs = frozenset(self.verbs)
        for caption in self.captions:
            words = caption.split()
            for place in range(2, min(len(words) - 1, 8)):
                if _TAKES_SUBJECT.match(words[place].lower()) or words[place] in verbs:
                    self._halves.append((words[:place], words[place:]))
                    break

    def thing(self, rng: random.Random) -> list[str]:
        """A noun phrase without an article."""
        kind = rng.random()
        if kind < 0.22:
            return [*([_one("adjectives", rng)] if rng.random() < 0.4 else []), rng.choice(self.nouns)]
        if kind < 0.42:
            return rng.choice(self.phrases).split()
        if kind < 0.50:
            return [rng.choice(self.words) for _ in range(rng.choice((1, 1, 2, 2, 3, 4)))]
        if kind < 0.58:
            return [*[_one("adjectives", rng) for _ in range(rng.choice((1, 1, 2)))], rng.choice(self.words)]
        if kind < 0.76:
            return self.name(rng)
        if kind < 0.90:
            return self.compound(rng)
        if kind < 0.93:
            return [rng.choice(self.nouns), "of", rng.choice(self.nouns)]
        if kind < 0.95:
            somebody = rng.choice(("man", "woman", "person", "dog", "child"))
            return [somebody, "in", "a", _one("adjectives", rng), rng.choice(self.nouns)]
        return [rng.choice(self.nouns), rng.choice(self.nouns) if rng.random() < 0.9 else _one("doings", rng)]

    def compound(self, rng: random.Random) -> list[str]:
        """Nouns that are one thing: "lobster roll", "four-wheel cart", "Anna's old box", "wire-haired terrier"."""
        words = [rng.choice((rng.choice(self.nouns), rng.choice(self.words))) for _ in range(rng.choice((1, 1, 2)))]
        kind = rng.random()
        if kind < 0.08:
            return [*words, _one("nouns that are verbs", rng)]
        if kind < 0.25:
            ending = rng.choice(
                (*"haired tailed crested wheel breasted sized legged style winged poster front".split(), words[0])
            )
            words[0] = f"{rng.choice((_one('adjectives', rng), rng.choice(self.words), made_number(rng)))}-{ending}"
        elif kind < 0.4:
            words[0] = f"{rng.choice(self.words)}ed" if rng.random() < 0.5 else _one("participles", rng)
        elif kind < 0.55:
            owner = _one("names", rng).split()[0] if rng.random() < 0.3 else rng.choice(self.words).capitalize()
            words = [f"{owner}'s", *words]
        elif kind < 0.65:
            words = [_one("adjectives", rng), *words]
        return [*words, rng.choice(self.nouns)]

    def name(self, rng: random.Random) -> list[str]:
        """A breed, make or type: "American three-toed woodpecker", "BMW 3 Series Wagon 2012", "737-200"."""
        kind = rng.random()
        if kind < 0.25:
            name = _one("names", rng).split()
        elif kind < 0.36:
            name = [made_name(rng)]
        elif kind < 0.62:
            return self._titled(rng)
        else:
            name = [self._part_of_name(rng) for _ in range(rng.choice((1, 2, 2, 3, 3)))]
            if rng.random() < 0.35:
                name.insert(rng.randint(0, len(name)), made_number(rng))
            if rng.random() < 0.2:
                name.append(str(rng.randint(1950, 2030)))
        return [*name, _one("nouns", rng)] if rng.random() < 0.35 else name

    def named(self, rng: random.Random) -> list[str]:
        """A name, or a thing that is called after somebody: "Kreft's oriole"."""
        if rng.random() < 0.65 and "and" not in (name := self.name(rng)):
            return name
        owner = self._part_of_name(rng) if rng.random() < 0.7 else rng.choice(self.nouns)
        return [f"{owner}'s", rng.choice((rng.choice(self.nouns), rng.choice(self.words)))]

    def _titled(self, rng: random.Random) -> list[str]:
        """A name with what names alone have: "Mt. Kreft", "No. 8 jersey", "C/V van", "Duke of Blim", "J.K. Zorb"."""
        word, noun = self._part_of_name(rng), _one("nouns", rng)
        kind = rng.randrange(9)
        if kind == 0:
            return [rng.choice(_BEFORE_NAMES), word, *([noun] * (rng.random() < 0.4))]
        if kind == 1:
            return [f"No. {rng.randint(1, 99)}", *[noun] * (rng.random() < 0.8)]
        if kind == 2:
            initials = ".".join(rng.choices(_CAPITALS, k=rng.choice((1, 2, 2, 3))))
            return [f"{initials}.", rng.choice((word, noun)), *([noun] * (rng.random() < 0.3))]
        if kind == 3:
            letters = rng.choices(_CAPITALS, k=2)
            return [*([word] * (rng.random() < 0.5)), f"{letters[0]}{rng.choice(('/', '&', '-'))}{letters[1]}", noun]
        if kind == 4:
            between = rng.choice(("of", "of", "of the", "de", "von", "del", "à la"))
            return [rng.choice((word, noun)), *between.split(), rng.choice((word, noun, self._part_of_name(rng)))]
        if kind == 5:
            measure = f"{made_size(rng)}{rng.choice(('', '-'))}{rng.choice(_UNITS)}"
            return [measure, *([_one("adjectives", rng)] * (rng.random() < 0.2)), noun]
        if kind == 6:
            return [*_one("names with and", rng).split(), *([noun] * (rng.random() < 0.2))]
        if kind == 7:
            joined = rng.choice(("-", "-", "-and-", "-of-the-", "-in-", "-de-", "-o'-")).join(
                (rng.choice(self.words), rng.choice(self.words))
            )
            return [joined.capitalize() if rng.random() < 0.3 else joined, *([noun] * (rng.random() < 0.6))]
        return [*([word] * (rng.random() < 0.7)), rng.choice(_TYPES), *([noun] * (rng.random() < 0.5))]

    def unknown_verb(self, rng: random.Random) -> str:
        """A finite verb that what stands around it shows, since any word may be one."""
        return rng.choice(self.words) + rng.choice(("s", "s", "ed"))

    def _part_of_name(self, rng: random.Random) -> str:
        word = rng.choice(self.words)
        kind = rng.random()
        if kind < 0.2:  # a word that nobody knows
            word = word[: rng.randint(2, 4)] + rng.choice(self.words)[-rng.randint(1, 4) :]
        elif kind < 0.3:
            word = f"{word}-{rng.choice(self.words)}"
        return word.capitalize()

    def act(self, rng: random.Random) -> list[str]:
        """What somebody may be doing, or be like."""
        words: list[str] = []
        for word in _one("acts", rng).split():
            if word == "{n}":
                words += self.thing(rng)[:3]
            elif word == "{adj}":
                words.append(_one("adjectives", rng))
            else:
                words.append(word.replace("{word}", rng.choice(self.words)))
        return words

    def query(self, rng: random.Random) -> list[str]:
        """What somebody types to find a photo."""
        kind = rng.random()
        if kind < 0.3:
            return [_one("nouns", rng)]
        if kind < 0.5:
            return [*self.thing(rng), rng.choice(("in", "on", "at", "near", "with")), *_one("places", rng).split()]
        return _one("places", rng).split() if kind < 0.6 else self.thing(rng)

    def finding(self, rng: random.Random) -> list[str]:
        """What a report may say is there, or is not."""
        kind = rng.random()
        if kind < 0.2:  # medicine has more words than lists
            words = [rng.choice(self.words) for _ in range(rng.choice((1, 1, 2, 2, 3)))]
        else:
            words = (_one("findings", rng) if kind < 0.6 else rng.choice(self.findings)).split()
        return ["XXXX", *words] if rng.random() < 0.05 else words  # what was taken out of the reports

    def garment_part(self, rng: random.Random) -> list[str]:
        """What a garment may have."""
        looks = [_one("adjectives", rng)] if rng.random() < 0.15 else []
        return looks + ([_one("garment parts", rng)] if rng.random() < 0.8 else self.thing(rng)[:2])

    def lower(self, rng: random.Random) -> list[str]:
        """A caption that begins in lower case."""
        caption = rng.choice(self.captions)
        return (caption[:1].lower() + caption[1:]).split()

    def halves(self, rng: random.Random) -> tuple[list[str], list[str]]:
        """A caption's subject and the rest; now and then made up, since captions have few finite verbs."""
        subject, rest = rng.choice(self._halves)
        if rng.random() < 0.4:
            subject = [rng.choice(("a", "the", "A", "The", "one", "some", "two", "")), *self.thing(rng)[:3]]
        if rng.random() < 0.45:
            verb, kind = rng.choice(self.verbs), rng.randrange(6)
            rest = [
                [verb],
                [verb],
                [verb.removesuffix("s")],
                [_one("doings", rng)],
                ["is", _one("doings", rng)],
                ["is", _one("participles", rng), "by"],
            ][kind]
            if rng.random() < 0.3:
                rest += [*([rng.choice(("a", "the", "his", "her"))] * (rng.random() < 0.6)), *self.thing(rng)[:2]]
            if rng.random() < 0.5:
                article = rng.choice(("a", "the", "his", "her", "some"))
                rest += [_one("prepositions", rng), article, *self.thing(rng)[:2]]
        return [word for word in subject if word], rest


def _found_twice(pattern: re.Pattern[str], captions: Sequence[str]) -> list[str]:
    """Words that a pattern finds at least twice."""
    found = Counter(word.lower() for caption in captions for word in pattern.findall(caption))
    return [word for word, times in found.items() if times > 1]


def made_name(rng: random.Random) -> str:
    """A name, a type or a number."""
    letters = "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(1, 7)))
    return rng.choice(
        (
            letters.capitalize(),
            letters.upper(),
            letters,
            f"{letters.upper()[:2]}-{rng.randint(1, 999)}",
            str(rng.randint(0, 2100)),
            f"{rng.randint(100, 800)}-{rng.randint(1, 9)}00",
        )
    )


def made_size(rng: random.Random) -> str:
    """A count or a measure's number."""
    return rng.choice((str(rng.randint(1, 500)), f"{rng.randint(0, 9)}.{rng.randint(0, 9)}", f"1/{rng.randint(2, 9)}"))


def made_number(rng: random.Random) -> str:
    """A number as types have it."""
    digits = str(rng.choice((rng.randint(0, 9), rng.randint(10, 99), rng.randint(100, 9999))))
    letters = "".join(rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for _ in range(rng.randint(1, 3)))
    typed = (f"{digits}-{digits[:2]}0", f"{letters}-{digits}", f"{letters}{digits}", letters)
    return rng.choice((digits, digits, *typed))


def _any_word(fillers: Fillers, rng: random.Random) -> str:
    return rng.choice((_one("nouns", rng), rng.choice(fillers.words), made_name(rng)))


# By slot: its words, and the labels of the first and of the others.
_WORDS: dict[str, tuple[Callable[[Fillers, random.Random], Sequence[str]], str, str]] = {
    "a": (Fillers.thing, "A", "A"),
    "b": (Fillers.thing, "B", "I"),
    "b1": (lambda fillers, rng: [_any_word(fillers, rng)], "B", "I"),
    "s1": (lambda fillers, rng: [_one("adjectives", rng)], "S", "S"),
    "n": (lambda fillers, rng: [rng.choice((_one("nouns", rng), rng.choice(fillers.words)))], "A", "A"),
    "v": (Fillers.act, "B", "I"),
    "v1": (lambda fillers, rng: [_one("doings", rng)], "B", "I"),
    "va": (Fillers.act, "A", "A"),
    "verb": (lambda fillers, rng: [rng.choice(fillers.verbs)], "A", "A"),
    "na": (Fillers.named, "A", "A"),
    "nb": (Fillers.named, "B", "I"),
    "xverb": (lambda fillers, rng: [fillers.unknown_verb(rng)], "A", "A"),
    "with": (
        lambda fillers, rng: [rng.choice(("with", "in", "on")), rng.choice(("a", "the")), *fillers.thing(rng)],
        "A",
        "A",
    ),
    "caption": (lambda fillers, rng: rng.choice(fillers.captions).split(), "A", "A"),
    "lower": (Fillers.lower, "A", "A"),
    "g": (Fillers.garment_part, "B", "I"),
    "g1": (lambda fillers, rng: [_one("garment parts", rng)], "B", "I"),
    "h": (lambda fillers, rng: _one("garment looks", rng).split(), "A", "A"),
    "garment": (lambda fillers, rng: _one("garments", rng).split(), "A", "A"),
    "nadj": (lambda fillers, rng: [_one("adjectives", rng)], "B", "I"),
    "adj": (lambda fillers, rng: [_one("adjectives", rng)], "A", "A"),
    "unadj": (lambda fillers, rng: [rng.choice(("unattractive", "unhappy", "unusual", "unlike", "unkind"))], "A", "A"),
    "unthing": (lambda fillers, rng: [rng.choice(("uncooked", "uncut", "unused", "unpaved", "unopened"))], "A", "A"),
    "r": (Fillers.finding, "B", "I"),
    "rf": (Fillers.finding, "A", "A"),
    "ra": (lambda fillers, rng: _one("anatomy", rng).split(), "A", "A"),
    "q": (Fillers.query, "A", "A"),
    "sign": (lambda fillers, rng: [_one("sign words", rng)], "A", "A"),
    "number": (lambda fillers, rng: [str(rng.randint(1, 999))], "A", "A"),
}
# Frames that say "a0" or "as" (without an article, plural) are filled alike: neither makes a difference here.
_ALIKE = {"as": "a", "a0": "a", "c": "a", "cs": "a", "bs": "b", "d": "b", "ds": "b"}


def _place(fillers: Fillers, rng: random.Random) -> Labelled:
    """Where something is, or is not: "in the park", "next to his red car"; now and then there are two."""
    preposition = _one("places before", rng)
    article = rng.choice(("the", "the", "the", "a", "a", "an", "his", "her", "its", "their", "this", "that"))
    kind = rng.random()
    if kind < 0.4:
        noun = _one("places", rng).split()
    elif kind < 0.8:
        noun = [_one("nouns", rng)]
    else:
        noun = [rng.choice(fillers.words), *([_one("nouns", rng)] * (rng.random() < 0.4))]
    if rng.random() < 0.15:
        noun = [_one("adjectives", rng), *noun]
    words = [(word, "AD") for word in (*preposition.split(), article)] + [(word, "A") for word in noun]
    return words + _place(fillers, rng) if rng.random() < 0.1 else words


_LISTS_OF = {"bl": "b", "rl": "r", "gl": "g"}


def fill(slot: str, fillers: Fillers, rng: random.Random) -> Labelled:
    """The words of a slot with their labels.

    Raises:
        KeyError: there is no such slot.
    """
    if slot == "place":
        return _place(fillers, rng)
    if slot in _LISTS_OF:
        return _listed(_LISTS_OF[slot], fillers, rng)
    draw, first, further = _WORDS[_ALIKE.get(slot, slot)]
    return [(word, further if place else first) for place, word in enumerate(draw(fillers, rng))]


def _listed(slot: str, fillers: Fillers, rng: random.Random) -> Labelled:
    """One to four fillings: "X, Y, or Z"."""
    size = rng.choice((1, 1, 2, 2, 3, 3, 4))
    words = fill(slot, fillers, rng)
    for place in range(1, size):
        last = rng.choice(("or", "or", ", or", "and", ", and", ",", "nor", "/")) if slot == "r" or size > 2 else "or"
        words += [(word, "D") for word in (last if place == size - 1 else ",").split()] + fill(slot, fillers, rng)
    return words
