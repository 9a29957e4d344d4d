"""Sentence patterns with slots: read from the table of forms, and filled with the nouns of a statement."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from notclip.recaption.caption_text import CaptionText
from notclip.recaption.noun_phrases import (
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


@dataclass(frozen=True, slots=True)
class Shape:
    """What decides whether a pattern can be filled: how many nouns there are, and of what kind.

    Args:
        affirmed: number of affirmed nouns.
        negated: number of negated nouns.
        counted: every negated noun can be counted.
        one_thing: the only negated noun can stand behind "is a".
        compound: "dog-free" can be made of the only negated noun.
        less: "treeless" can be made of it.
        person: the only negated noun is a person.
        someone: the only affirmed noun is a person.
        body, lower, head: which parts of the caption can be used, see `CaptionText`.
    """

    affirmed: int = 0
    negated: int = 0
    counted: bool = False
    one_thing: bool = False
    compound: bool = False
    less: bool = False
    person: bool = False
    someone: bool = False
    body: bool = False
    lower: bool = False
    head: bool = False


def shape_of(affirmed: tuple[Noun, ...], negated: tuple[Noun, ...], caption: CaptionText | None) -> Shape:
    """The shape of a statement or of a caption with absences."""
    only = negated[0] if len(negated) == 1 else None
    return Shape(
        affirmed=len(affirmed),
        negated=len(negated),
        counted=all(noun.counted for noun in negated),
        one_thing=only is not None and not only.plural_only,
        compound=only is not None and only.name.isalpha() and not only.plural_only,
        less=only is not None and only.name in LESS_WORDS,
        person=only is not None and only.is_person,
        someone=len(affirmed) == 1 and affirmed[0].is_person,
        body=caption is not None and caption.body != "",
        lower=caption is not None and caption.lower != "",
        head=caption is not None and caption.head != "",
    )


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


def _both_all(f: Filling) -> str:
    return ("", " both", " all")[min(len(f.negated), 3) - 1]


def _compound(f: Filling) -> str:
    noun = f.negated[0]
    return f"{'an' if _VOWEL.match(noun.name) else 'a'} {noun.name}-free"


def _draw(f: Filling, *words: str) -> str:
    return words[int(f.random() * len(words))]


# Slots that depend on the nouns or the caption; those of `words` in the table do not.
_FILL: dict[str, Callable[[Filling], str]] = {
    "A": lambda f: join([noun.one for noun in f.affirmed], "and"),
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
    "some_is_both": lambda f: ("are" if _some_are(f) else "is") + _both_all(f),
    "some_isnt": lambda f: "aren't" if _some_are(f) else "isn't",
    "some_does": lambda f: "do" if _some_are(f) else "does",
    "some_doesnt": lambda f: "don't" if _some_are(f) else "doesn't",
    "sing_N": lambda f: f.negated[0].one,
    "name_N": lambda f: join([noun.name for noun in f.negated], "or"),
    "the_N": lambda f: join([f"the {noun.name}" for noun in f.negated], "and"),
    "bare_N": lambda f: join([noun.many for noun in f.negated], "and"),
    "bare_is": lambda f: "are" if len(f.negated) > 1 or f.negated[0].many != f.negated[0].name else "is",
    "count_N": lambda f: f.negated[0].many,
    "neither_N": lambda f: neither_list(f.negated, f.plural),
    "neither_is": lambda f: "are" if _last_are(f) else "is",
    "there_is_neither": lambda f: "there are" if _first_are(f) else "there is",
    "isnt_pron": lambda f: "aren't" if _first_are(f) else "isn't",
    "pron_N": lambda f: "one" if f.negated[0].counted and not f.plural else "any",
    "a_free_N": _compound,
    "a_less_N": lambda f: f"a {LESS_WORDS[f.negated[0].name]}",
    "nobody": lambda f: _draw(f, "nobody", "no one"),
    "caption": lambda f: f.caption.body if f.caption else "",
    "sentence": lambda f: f.caption.sentence if f.caption else "",
    "lower": lambda f: f.caption.lower if f.caption else "",
    "head": lambda f: f.caption.head if f.caption else "",
    "rest": lambda f: f.caption.rest if f.caption else "",
}
_WANTS: dict[str, Callable[[Shape], bool]] = {
    "both_A": lambda s: s.affirmed == 2,
    "someone_A": lambda s: s.someone,
    "one_N": lambda s: s.negated == 1,
    "sing_N": lambda s: s.one_thing,
    "pron_N": lambda s: s.negated == 1,
    "name_N": lambda s: s.counted,
    "count_N": lambda s: s.counted and s.negated == 1,
    "neither_N": lambda s: s.negated > 1,
    "a_free_N": lambda s: s.compound,
    "a_less_N": lambda s: s.less,
    "nobody": lambda s: s.person,
    "caption": lambda s: s.body,
    "lower": lambda s: s.lower,
    "head": lambda s: s.head,
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
        slots: names of its slots.
    """

    section: str
    form: str
    template: str
    parts: tuple[Part, ...] = field(repr=False, compare=False)
    slots: frozenset[str] = field(repr=False, compare=False)

    def fits(self, shape: Shape) -> bool:
        """Whether each slot can be filled."""
        return all(_WANTS[slot](shape) for slot in self.slots if slot in _WANTS)

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
    slots = set()
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
            slots.add(slot)
            parts.append(_raised_fill(_FILL[slot]) if raised else _FILL[slot])
        else:
            raise ValueError(
                f"Pattern {template!r} of form {form!r} names the slot {slot!r}, which is neither under `words` nor "
                f"one of {', '.join(sorted(_FILL))}."
            )
    if end < len(template):
        parts.append(template[end:])
    return Pattern(section, form, template, tuple(parts), frozenset(slots))


def draw(patterns: tuple[Pattern, ...], rng: Random) -> Pattern:
    """One pattern, each with the same probability."""
    return patterns[int(rng.random() * len(patterns))]
