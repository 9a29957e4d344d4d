"""Sentence patterns with slots: read from the table of forms, and filled with the nouns of a statement."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntFlag, auto
from functools import lru_cache
from random import Random

from notclip.recaption.english.caption_text import CaptionText, caption_text
from notclip.recaption.english.noun_phrases import (
    FREE_WORDS,
    LESS_WORDS,
    Noun,
    agrees_as_plural,
    any_list,
    indefinite,
    join,
    neither_list,
    no_list,
)

_SLOT = re.compile(r"\{(\^?)([\w?]+)\}|\[([^\]]*)\]")
_VOWEL = re.compile(r"[aeiou]")


class Trait(IntFlag):
    """What a sentence's nouns and caption allow; a pattern names the traits that it wants."""

    ONE_AFFIRMED = auto()
    TWO_AFFIRMED = auto()
    SOMEONE = auto()  # The only affirmed noun is a person.
    ONE_NEGATED = auto()
    SEVERAL_NEGATED = auto()
    FEW = auto()  # At most two: "dogs and cats are missing".
    THINGS = auto()  # Every negated noun is a thing: "not a single dog or cat" can be said.
    ONE_THING = auto()  # There is one negated noun, and it is a thing.
    MANY = auto()  # Every negated noun can stand without an article: "free of snow and dogs", but not "of beaches".
    COMPOUND = auto()  # "Dog-free" can be made of it.
    LESS = auto()  # "Treeless" can be made of it.
    NOBODY = auto()  # It is a person.
    ANY = auto()  # "There isn't one", "there aren't any" can be said of it, but not of the ocean.
    NORMAL = auto()  # A clause without negation says that it is not there.
    BODY = auto()  # Which parts of the caption can be used, see `CaptionText`.
    LOWER = auto()
    CLAUSE = auto()
    HEAD = auto()
    VERBLESS = auto()  # No finite verb was found in the caption: "a boy eating an apple, in a photo without a dog".
    PLAIN = auto()  # The caption is a mere noun phrase: "a snowman and two hats, sans clocks".
    NO_BUT = auto()  # The caption lacks the word that a pattern joins it with: not "while one watches, while ...".
    NO_WHILE = auto()
    NO_THOUGH = auto()
    NO_WITH = auto()
    NO_IN = auto()  # Nor does it speak of a picture: not "a cup in a photo, in a picture without a car".
    NO_PICTURE = auto()  # It speaks of none at all: not "no car is in the photo, where this is a picture of a cup".


# What joins an absence to a caption -> what the caption must be like for that.
_JOINING: dict[str, Trait] = {
    "and": Trait.CLAUSE,  # "A cup by a lake, and there is no car" lacks a verb in front of the "and".
    "while": Trait.CLAUSE | Trait.NO_WHILE,
    "but": Trait.NO_BUT,
    "though": Trait.NO_THOUGH,
    "with": Trait.NO_WITH,
    "without": Trait.NO_WITH,
    "in": Trait.NO_IN | Trait.VERBLESS,
    "minus": Trait.PLAIN | Trait.NO_WITH,
    "sans": Trait.PLAIN | Trait.NO_WITH,
}
_JOINED = re.compile(r"\{caption\}[,;] (\w+)")
_PICTURES = "photos?|photographs?|pictures?|images?|cartoon|drawing|illustration"
_LINKS: dict[Trait, re.Pattern[str]] = {
    Trait.NO_BUT: re.compile(r"\bbut\b"),
    Trait.NO_WHILE: re.compile(r"\b(while|as|when)\b", re.IGNORECASE),
    Trait.NO_THOUGH: re.compile(r"\b(al)?though\b", re.IGNORECASE),
    Trait.NO_WITH: re.compile(r"\b(with|without)\b", re.IGNORECASE),
    Trait.NO_IN: re.compile(rf"\b(in|inside|view|{_PICTURES})\b", re.IGNORECASE),
    Trait.NO_PICTURE: re.compile(rf"\b(scene|snapshot|{_PICTURES})\b", re.IGNORECASE),
}


def traits_of_affirmed(nouns: tuple[Noun, ...]) -> int:
    """Traits of the affirmed nouns, as a plain number for speed."""
    if len(nouns) == 1:
        return int(Trait.ONE_AFFIRMED | (Trait.SOMEONE if nouns[0].is_person else 0))
    return int(Trait.TWO_AFFIRMED) if len(nouns) == 2 else 0


@lru_cache(maxsize=65536)
def _traits_of_negated_noun(noun: Noun) -> int:
    traits = Trait.ONE_NEGATED | Trait.FEW
    if noun.is_thing:
        traits |= Trait.THINGS | Trait.ONE_THING
    if noun.can_stand_bare:
        traits |= Trait.MANY
    if noun.name in FREE_WORDS:
        traits |= Trait.COMPOUND
    if noun.name in LESS_WORDS:
        traits |= Trait.LESS
    if noun.is_person:
        traits |= Trait.NOBODY
    if not noun.is_unique:
        traits |= Trait.ANY
    if noun.normal:
        traits |= Trait.NORMAL
    return int(traits)


_SEVERAL, _PAIR = int(Trait.SEVERAL_NEGATED), int(Trait.SEVERAL_NEGATED | Trait.FEW)
_THINGS, _MANY = int(Trait.THINGS), int(Trait.MANY)


def traits_of_negated(nouns: tuple[Noun, ...]) -> int:
    """Traits of the negated nouns."""
    if len(nouns) == 1:
        return _traits_of_negated_noun(nouns[0])
    if not nouns:
        return 0
    things = all([noun.is_thing for noun in nouns])
    many = things or all([noun.can_stand_bare for noun in nouns])
    return (_PAIR if len(nouns) == 2 else _SEVERAL) | (_THINGS if things else 0) | (_MANY if many else 0)


def traits_of_caption(caption: CaptionText) -> int:
    """Traits of a caption."""
    return (
        (int(Trait.BODY) if caption.body else 0)
        | (int(Trait.LOWER) if caption.lower else 0)
        | (int(Trait.CLAUSE) if caption.clause else 0)
        | (int(Trait.HEAD) if caption.head else 0)
        | (int(Trait.VERBLESS) if caption.lower and not caption.clause else 0)
        | (int(Trait.PLAIN) if caption.is_plain else 0)
        | sum(int(trait) for trait, link in _LINKS.items() if not link.search(caption.body))
    )


@lru_cache(maxsize=16384)
def read_caption(caption: str) -> tuple[CaptionText, int]:
    """A caption and its traits; cached, since each one usually gets several negated captions in a row."""
    text = caption_text(caption)
    return text, traits_of_caption(text)


@dataclass(slots=True)
class Filling:
    """What the slots of one sentence are filled with."""

    affirmed: tuple[Noun, ...]
    negated: tuple[Noun, ...]
    plural: bool
    caption: CaptionText | None
    random: Callable[[], float]


def _some_are(f: Filling) -> bool:
    return len(f.negated) > 1 or agrees_as_plural(f.negated[0], f.plural)


def _first_are(f: Filling) -> bool:
    return agrees_as_plural(f.negated[0], f.plural)


def _last_are(f: Filling) -> bool:
    return agrees_as_plural(f.negated[-1], f.plural)


def _affirmed_are(f: Filling) -> bool:
    return len(f.affirmed) > 1 or f.affirmed[0].plural_only


def _both(f: Filling) -> str:
    return " both" if len(f.negated) == 2 else ""


def _compound(f: Filling) -> str:
    word = FREE_WORDS[f.negated[0].name]
    return f"{'an' if _VOWEL.match(word) else 'a'} {word}-free"


def _draw(f: Filling, *words: str) -> str:
    return words[int(f.random() * len(words))]


# Slots that depend on the nouns or the caption; those of `words` in the table do not.
_FILL: dict[str, Callable[[Filling], str]] = {
    "A": lambda f: join([noun.one for noun in f.affirmed], "and"),
    "an_A": lambda f: join([noun.some for noun in f.affirmed], "and"),
    "one_A": lambda f: f.affirmed[0].one,
    "both_A": lambda f: "both " + join([noun.one for noun in f.affirmed], "and"),
    "A_is": lambda f: "are" if _affirmed_are(f) else "is",
    "A_appears": lambda f: "appear" if _affirmed_are(f) else "appears",
    "A_makes": lambda f: "make" if _affirmed_are(f) else "makes",
    "there_A": lambda f: "there are" if f.affirmed[0].plural_only else "there is",
    "someone_A": lambda f: _draw(f, "someone", "somebody"),
    "no_N": lambda f: no_list(f.negated, f.plural),
    "no_is": lambda f: "are" if _last_are(f) else "is",
    "no_appears": lambda f: "appear" if _last_are(f) else "appears",
    "there_is_no": lambda f: "there are" if _first_are(f) else "there is",
    "any_N": lambda f: any_list(f.negated, f.plural),
    "there_isnt": lambda f: "there aren't" if _first_are(f) else "there isn't",
    "a_N": lambda f: join([indefinite(noun, f.plural) for noun in f.negated], "or"),
    "some_N": lambda f: join([indefinite(noun, f.plural) for noun in f.negated], "and"),
    "one_N": lambda f: indefinite(f.negated[0], f.plural),
    "some_is": lambda f: "are" if _some_are(f) else "is",
    "some_is_both": lambda f: ("are" if _some_are(f) else "is") + _both(f),
    "some_isnt": lambda f: "aren't" if _some_are(f) else "isn't",
    "some_does": lambda f: "do" if _some_are(f) else "does",
    "some_doesnt": lambda f: "don't" if _some_are(f) else "doesn't",
    "sing_N": lambda f: f.negated[0].one,
    "name_N": lambda f: join([noun.name for noun in f.negated], "or"),
    "anys_N": lambda f: any_list(f.negated, True),
    "bare_N": lambda f: join([noun.many for noun in f.negated], "and"),
    "bare_is": lambda f: "are" if len(f.negated) > 1 or agrees_as_plural(f.negated[0], True) else "is",
    "few_N": lambda f: join([noun.many for noun in f.negated], "and"),
    "count_N": lambda f: f.negated[0].many,
    "neither_N": lambda f: neither_list(f.negated, f.plural),
    "neither_is": lambda f: "are" if _last_are(f) else "is",
    "there_is_neither": lambda f: "there are" if _first_are(f) else "there is",
    "isnt_pron": lambda f: "aren't" if _first_are(f) else "isn't",
    "pron_N": lambda f: "one" if f.negated[0].counted and not f.plural else "any",
    "a_free_N": _compound,
    "a_less_N": lambda f: f"a {LESS_WORDS[f.negated[0].name]}",
    "nobody": lambda f: _draw(f, "nobody", "no one"),
    "normal_N": lambda f: _draw(f, *f.negated[0].normal),
    "caption": lambda f: f.caption.body if f.caption else "",
    "sentence": lambda f: f.caption.sentence if f.caption else "",
    "lower": lambda f: f.caption.lower if f.caption else "",
    "clause": lambda f: f.caption.clause if f.caption else "",
    "head": lambda f: f.caption.head if f.caption else "",
    "rest": lambda f: f.caption.rest if f.caption else "",
}
_WANTS: dict[str, Trait] = {
    "one_A": Trait.ONE_AFFIRMED,
    "both_A": Trait.TWO_AFFIRMED,
    "someone_A": Trait.SOMEONE,
    "one_N": Trait.ONE_NEGATED,
    "pron_N": Trait.ONE_NEGATED | Trait.ANY,
    "neither_N": Trait.SEVERAL_NEGATED,
    "name_N": Trait.THINGS,
    "count_N": Trait.ONE_THING,
    "sing_N": Trait.ONE_THING,
    "anys_N": Trait.MANY,
    "bare_N": Trait.MANY,
    "few_N": Trait.MANY | Trait.FEW,
    "some_N": Trait.FEW,
    "a_free_N": Trait.COMPOUND,
    "a_less_N": Trait.LESS,
    "nobody": Trait.NOBODY,
    "normal_N": Trait.NORMAL,
    "caption": Trait.BODY,
    "lower": Trait.LOWER,
    "clause": Trait.CLAUSE,
    "head": Trait.HEAD,
}

Part = str | tuple[str, ...] | Callable[[Filling], str]


def _raised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _raised_fill(fill: Callable[[Filling], str]) -> Callable[[Filling], str]:
    return lambda f: _raised(fill(f))


@dataclass(frozen=True, slots=True)
class Pattern:
    """One sentence with slots.

    Args:
        section: `affirmation`, `negation`, `hybrid` (statements) or `captions`.
        form: its form of negation, `affirmed` where there is none.
        template: as written in the table.
        parts: the template compiled: fixed text, alternatives, and slots to fill.
        wants: the traits that its slots want.
    """

    section: str
    form: str
    template: str
    parts: tuple[Part, ...] = field(repr=False, compare=False)
    wants: int = field(repr=False, compare=False)

    def fits(self, traits: int) -> bool:
        """Whether each slot can be filled in a sentence with these traits."""
        return self.wants & ~traits == 0

    def fill(self, filling: Filling) -> str:
        """The sentence, begun with a capital."""
        out = []
        for part in self.parts:
            if type(part) is str:
                out.append(part)
            elif type(part) is tuple:
                out.append(part[int(filling.random() * len(part))])
            else:
                out.append(part(filling))  # type: ignore[operator]  # what is neither text nor alternatives is a slot
        text = "".join(out)
        return text[:1].upper() + text[1:]


def compile_pattern(section: str, form: str, template: str, words: Mapping[str, list[str]]) -> Pattern:
    """Compile a template of the table.

    Raises:
        ValueError: the template names a slot that is neither in `words` nor known to the grammar.
    """
    parts: list[Part] = []
    joined = _JOINED.match(template)
    wants = _JOINING.get(joined.group(1), Trait(0)) if joined else Trait(0)
    if ", where {clause}" in template:
        wants |= Trait.NO_PICTURE
    end = 0
    for match in _SLOT.finditer(template):
        if match.start() > end:
            parts.append(template[end : match.start()])
        end = match.end()
        raised, slot, alternatives = match.groups()
        if alternatives is not None:
            if "{" in alternatives:
                raise ValueError(
                    f"Pattern {template!r} of form {form!r} has a slot inside [alternatives]; name it under `words`."
                )
            parts.append(tuple(alternatives.split("|")))
        elif slot in words:
            parts.append(tuple(_raised(word) if raised else word for word in words[slot]))
        elif slot in _FILL:
            wants |= _WANTS.get(slot, Trait(0))
            parts.append(_raised_fill(_FILL[slot]) if raised else _FILL[slot])
        else:
            raise ValueError(
                f"Pattern {template!r} of form {form!r} names the slot {slot!r}, which is neither under `words` nor "
                f"one of {', '.join(sorted(_FILL))}."
            )
    if end < len(template):
        parts.append(template[end:])
    return Pattern(section, form, template, tuple(parts), int(wants))


def draw_pattern(patterns: tuple[Pattern, ...], rng: Random) -> Pattern:
    """One pattern, each with the same probability."""
    return patterns[int(rng.random() * len(patterns))]
