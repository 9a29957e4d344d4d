"""English noun phrases of concepts: articles, number, mass nouns, lists, and the verbs that agree with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from notclip.recaption.concepts.lexicon import Concept

# Nouns whose suffix form a person would use: "a treeless scene". Others ("a cupless scene") are left alone.
LESS_WORDS = {
    **{"cloud": "cloudless", "leaf": "leafless", "moon": "moonless", "snow": "snowless", "star": "starless"},
    **{"sun": "sunless", "tree": "treeless"},
}
# Likewise "a car-free street", but not "a paddle-free street".
FREE_WORDS = {"person": "people"} | {
    word: word for word in "animal boat car cat child cloud crowd dog ice smoke snow traffic truck vehicle".split()
}
# There is one of each: "the sun is visible", but "no sun"; and "there is a sun".
_UNIQUE = {"moon": "a moon", "ocean": "an ocean", "sky": "a sky", "sun": "a sun"}
# What a sentence writes otherwise than a table of classes does.
_WRITTEN = {"tv": "TV"}
# Settings rather than things: a photo has "no kitchen", but neither "zero kitchens" nor "nothing like a kitchen".
_PLACES = frozenset(
    """
    bathroom beach bedroom canyon cave city crowd desert farm field forest garden island kitchen lake market ocean
    office park path pier playground pool restaurant river road sidewalk stadium stage store street sunset tunnel
    waterfall yard
    """.split()
)


@dataclass(frozen=True, slots=True)
class Noun:
    """A concept as English writes it.

    Args:
        name: singular, without article: "dog".
        one: with its article, where it takes one: "a dog", "snow", "the sun".
        some: what there is: "a dog", "snow", "a sun".
        many: bare plural: "dogs"; the name itself for mass nouns.
        counted: "one dog, two dogs" can be said of it; False for "snow" and "scissors".
        plural_only: agrees as a plural even where it stands for one thing: "scissors are".
        is_person: "nobody" and "no one" deny it.
        is_thing: it can be counted and pointed at: a dog, but no snow, and no kitchen.
        is_unique: there is one of it: "the sun".
        normal: clauses that say without a negation that it is not there: "the heart size is normal".
    """

    name: str
    one: str
    some: str
    many: str
    counted: bool
    plural_only: bool
    is_person: bool
    is_thing: bool
    is_unique: bool
    normal: tuple[str, ...] = ()

    @property
    def can_stand_bare(self) -> bool:
        """Whether "free of dogs", "free of snow" can be said, but neither "free of ocean" nor "free of beaches"."""
        return self.is_thing or not (self.counted or self.is_unique)


def as_written(concept: "Concept", phrase: str) -> str:
    """A phrase of a concept's name as sentences write it: "two TVs" for "two tvs"."""
    return phrase.replace(concept.name, _WRITTEN.get(concept.name, concept.name))


def noun_of(concept: "Concept") -> Noun:
    """The noun of a concept."""
    is_unique = concept.name in _UNIQUE
    is_mass = concept.mass or is_unique
    has_article = concept.indefinite.split(" ", 1)[0] in ("a", "an", "one")
    plural_only = not is_mass and not has_article
    counted = not is_mass and not plural_only
    return Noun(
        name=as_written(concept, concept.name),
        one=f"the {concept.name}" if is_unique else as_written(concept, concept.indefinite),
        some=_UNIQUE.get(concept.name, as_written(concept, concept.indefinite)),
        many=concept.name if is_mass else as_written(concept, concept.plural),
        counted=counted,
        plural_only=plural_only,
        is_person=concept.name == "person",
        is_thing=counted and concept.name.rpartition(" ")[2] not in _PLACES,
        is_unique=is_unique,
        normal=concept.normal,
    )


def join(phrases: Sequence[str], conjunction: str) -> str:
    """Join as a list: `join(["a", "b", "c"], "or")` is "a, b or c"."""
    if len(phrases) == 1:
        return phrases[0]
    return f"{', '.join(phrases[:-1])} {conjunction} {phrases[-1]}"


def agrees_as_plural(noun: Noun, plural: bool) -> bool:
    """Whether a verb takes its plural form after this noun, written in the plural where that is wanted and can be."""
    return noun.plural_only or (plural and noun.counted)


def indefinite(noun: Noun, plural: bool) -> str:
    """A noun that may or may not be there: "a dog", "dogs", "snow"."""
    return noun.many if plural and noun.counted else noun.one


def any_list(nouns: Sequence[Noun], plural: bool) -> str:
    """What stands under a negated verb: "a dog or a cat", "any dogs or cats", "any snow"."""
    if not plural and all(noun.counted for noun in nouns):
        return join([noun.one for noun in nouns], "or")
    return "any " + join([noun.many if plural or not noun.counted else noun.name for noun in nouns], "or")


def no_list(nouns: Sequence[Noun], plural: bool) -> str:
    """What is not there: "no dog", "no dogs or cats", "no snow"."""
    return "no " + join([noun.many if plural or not noun.counted else noun.name for noun in nouns], "or")


def neither_list(nouns: Sequence[Noun], plural: bool) -> str:
    """Two or more things that are not there: "neither a dog nor a cat"."""
    return "neither " + " nor ".join([indefinite(noun, plural) for noun in nouns])
