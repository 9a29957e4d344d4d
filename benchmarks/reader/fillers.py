"""What fills the slots of frames: things, acts, garments, findings, queries, captions; known and made up."""

import random
import re
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
_TAKES_SUBJECT = re.compile(
    r"^(?:is|are|in|on|with|wearing|holding|riding|at|walks?|runs?|sits?|stands?|jumps?|plays?|looks?|rides?|holds?|"
    r"[a-z]{3,}ing)$"
)


def read_lists(path: Path) -> dict[str, list[str]]:
    """The lists of fillers.txt by heading."""
    sections = re.split(r"^## (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {
        heading: [phrase.strip() for phrase in re.split(r",\s", content.replace("\n", " ") + " ") if phrase.strip()]
        for heading, content in zip(sections[::2], sections[1::2], strict=True)
    }


_LISTS = read_lists(HERE / "fillers.txt")


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
    _halves: list[tuple[list[str], list[str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        texts = [caption.strip().rstrip(" .") for caption in self.captions]
        self.captions = [text for text in texts if not _CUE.search(text) and len(text) < 140]
        for caption in self.captions:
            words = caption.split()
            for place in range(2, min(len(words) - 1, 8)):
                if _TAKES_SUBJECT.match(words[place].lower()):
                    self._halves.append((words[:place], words[place:]))
                    break

    def thing(self, rng: random.Random) -> list[str]:
        """A noun phrase without an article."""
        kind = rng.random()
        if kind < 0.28:
            first = _one("adjectives", rng) if rng.random() < 0.4 else _one("nouns", rng) if rng.random() < 0.2 else ""
            return [*first.split(), _one("nouns", rng)]
        if kind < 0.54:
            return rng.choice(self.phrases).split()
        if kind < 0.66:
            return [rng.choice(self.words) for _ in range(rng.choice((1, 1, 2, 2, 3, 4)))]
        if kind < 0.73:
            return [*[_one("adjectives", rng) for _ in range(rng.choice((1, 1, 2)))], rng.choice(self.words)]
        if kind < 0.90:
            return self.name(rng)
        if kind < 0.93:
            return [_one("nouns", rng), "of", _one("nouns", rng)]
        if kind < 0.95:
            somebody = rng.choice(("man", "woman", "person", "dog", "child"))
            return [somebody, "in", "a", _one("adjectives", rng), _one("nouns", rng)]
        return [_one("nouns", rng), _one("nouns" if rng.random() < 0.9 else "doings", rng)]

    def name(self, rng: random.Random) -> list[str]:
        """A breed, make or type: "American three-toed woodpecker", "BMW 3 Series Wagon 2012", "737-200"."""
        kind = rng.random()
        if kind < 0.3:
            name = _one("names", rng).split()
        elif kind < 0.45:
            name = [made_name(rng)]
        else:
            name = [self._part_of_name(rng) for _ in range(rng.choice((1, 2, 2, 3, 3)))]
            if rng.random() < 0.35:
                name.insert(rng.randint(0, len(name)), made_number(rng))
            if rng.random() < 0.2:
                name.append(str(rng.randint(1950, 2030)))
        return [*name, _one("nouns", rng)] if rng.random() < 0.35 else name

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
        words = (_one("findings", rng) if rng.random() < 0.5 else rng.choice(self.findings)).split()
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
            verb, kind = _one("verbs", rng), rng.randrange(6)
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


def fill(slot: str, fillers: Fillers, rng: random.Random) -> Labelled:
    """The words of a slot with their labels.

    Raises:
        KeyError: there is no such slot.
    """
    draw, first, further = _WORDS[_ALIKE.get(slot, slot)]
    return [(word, further if place else first) for place, word in enumerate(draw(fillers, rng))]
