"""Where a caption speaks of a concept, and whether it affirms that the thing is there."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from notclip.errors import BadInputError
from notclip.remote.negation_scope import read_scope

if TYPE_CHECKING:
    from notclip.recaption.concepts.lexicon import Concept

_TOKEN = re.compile(r"[^\W_]+")
_AGENT = re.compile(r"..(?:er|or|ist|man|ian|ant|ent|ee)s?$|(?:men|woman|women|folks?|people)$")
_DETERMINERS = frozenset(
    "a an the his her its their this that these those some two three four five six several many few another each both "
    "in on with at by from near over of off into onto through under behind beside down up along across around against "
    "between toward towards like as than inside outside above below using holding wearing".split()
)

# Words that end like an agent's name and are no nouns.
_FUNCTION_WORDS = frozenset(
    "after another either ever forever further however indoor indoors inner later neither never other others outdoor "
    "outdoors outer over rather three together under upper whether".split()
)
_LIKE = frozenset("like shaped themed patterned print printed style styled colored coloured".split())


@dataclass(frozen=True)
class Mention:
    """One mention of one or more concepts in a text.

    Args:
        start: offset of its first character.
        end: offset after its last character.
        names: the concepts that the words stand for ("taxi" is a taxi and a car).
        affirmed: whether the text says that the thing is there.
    """

    start: int
    end: int
    names: tuple[str, ...]
    affirmed: bool


@dataclass(frozen=True)
class MentionRules:
    """Word lists of the lexicon file that tell a mention from a look-alike; the file says what each is for."""

    heads: frozenset[str]
    verbs: frozenset[str]
    likenesses: frozenset[str]
    lifeless: frozenset[str]
    likeness_heads: frozenset[str]
    same: frozenset[str]

    @classmethod
    def from_table(cls, table: Mapping[str, Any], file: Path) -> "MentionRules":
        """Take the lists from a parsed lexicon file; one that is left out is empty."""
        unknown = set(table) - {field.name for field in fields(cls)} - {"concepts"}
        if unknown:
            raise BadInputError(f"{file}: unknown list {sorted(unknown)[0]!r}.")
        return cls(**{field.name: frozenset(table.get(field.name, ())) for field in fields(cls)})


@dataclass(frozen=True, slots=True)
class _Form:
    tokens: tuple[str, ...]
    names: tuple[str, ...]
    plural: bool
    verb_like: bool


def _tokens(text: str) -> tuple[str, ...]:
    return tuple(_TOKEN.findall(text.lower()))


def _inflected(word: str) -> set[str]:
    """A word as noun or verb, on the generous side: ski, skis, skied, skiing, skier, skiers."""
    stem = word.removesuffix("e")
    stems = {stem, stem + stem[-1]} if re.search(r"[aeiou][bdgklmnprt]$", word) else {stem}
    found = {word, word + "s", word + "es", word + "ed", word + "ing"}
    if word.endswith("y"):
        found |= {word[:-1] + "ies", word[:-1] + "ied"}
    return found | {form + ending for form in stems for ending in ("ing", "ed", "er", "ers")}


def _slips(word: str) -> set[str]:
    """What is left of a long word by one letter less, and itself: two words that share one may be the same, misspelt.

    >>> bool(_slips("trampolene") & _slips("trampoline")), bool(_slips("touches") & _slips("couches"))
    (True, False)
    """
    return {word, *(word[:at] + word[at + 1 :] for at in range(1, len(word)))} if len(word) > 5 else set()


class MentionFinder:
    """Finds mentions by longest match over the surface forms of all concepts, inflected once in advance."""

    def __init__(
        self,
        concepts: Iterable["Concept"],
        ancestors: Mapping[str, frozenset[str]],
        rules: MentionRules,
        pluralize: Callable[[str], str],
    ) -> None:
        self._rules = rules
        self._ancestors = ancestors
        self._living = frozenset(
            name for name in ancestors if {"animal", "person", "dinosaur"} & {name, *ancestors[name]}
        )
        self._people = frozenset(name for name in ancestors if "person" in {name, *ancestors[name]})
        affirming: dict[tuple[str, ...], set[str]] = defaultdict(set)
        hinting: dict[tuple[str, ...], set[str]] = defaultdict(set)
        plurals: set[tuple[str, ...]] = set()
        verb_like: set[tuple[str, ...]] = set()
        for concept in concepts:
            for noun in (concept.name, *concept.synonyms):
                plural = concept.plural if noun == concept.name else pluralize(noun)
                hinting[_tokens(noun)].add(concept.name)
                if not (concept.ambiguous and noun == concept.name):
                    affirming[_tokens(noun)].add(concept.name)
                affirming[_tokens(plural)].add(concept.name)
                if plural != noun:
                    plurals.add(_tokens(plural))
                if concept.verb_like:
                    verb_like |= {_tokens(noun), _tokens(plural)}
            for word in concept.implied_by:
                for form in _inflected(word):
                    hinting[_tokens(form)].add(concept.name)
        for spoken, names in affirming.items():
            hinting[spoken] |= names
        self._forms: dict[str, list[_Form]] = defaultdict(list)
        for spoken, names in sorted(affirming.items(), key=lambda item: (-len(item[0]), item[0])):
            entry = _Form(spoken, tuple(sorted(names)), spoken in plurals, spoken in verb_like)
            self._forms[spoken[0]].append(entry)
        self._hints: dict[str, list[tuple[tuple[str, ...], frozenset[str]]]] = defaultdict(list)
        for spoken, names in sorted(hinting.items()):
            self._hints[spoken[0]].append((spoken, frozenset(names)))
        self._slips: dict[str, set[str]] = defaultdict(set)
        for spoken, names in affirming.items():
            for slip in _slips(spoken[0]) if len(spoken) == 1 else ():
                self._slips[slip] |= names

    def hints(self, text: str) -> frozenset[str]:
        """Concepts that any word of the text, alone, within a compound or misspelt, mentions or implies."""
        words = _tokens(text)
        found: set[str] = set()
        for index, word in enumerate(words):
            for form, names in self._hints.get(word, ()):
                if words[index : index + len(form)] == form:
                    found |= names
            for slip in _slips(word) if word not in self._hints else ():
                found |= self._slips.get(slip, set())
        if "person" in self._ancestors and self._names_an_agent(text.lower()):
            found.add("person")
        return frozenset(found)

    def _names_an_agent(self, text: str) -> bool:
        """Whether a word may say who does something, by its ending: "a spelunker", "two welders".

        None that belongs to the name of another thing ("a golden retriever") and none that tells which ("a larger
        dog").
        """
        words = _tokens(text)
        agents = {at for at, word in enumerate(words) if _AGENT.search(word) and word not in _FUNCTION_WORDS}
        for begin, form in self._matches(words) if agents else ():
            agents -= set(range(begin, begin + len(form.tokens)))
            phrase = " ".join(words[max(begin - 1, 0) : begin + 1])
            if phrase in text and not (form.plural or form.verb_like or words[begin - 1].endswith("s")):
                agents.discard(begin - 1)
        return bool(agents)

    def mentions(self, text: str) -> list[Mention]:
        """All mentions in order, without overlaps; see `Lexicon.mentions`."""
        spans = [match.span() for match in _TOKEN.finditer(text)]
        words = tuple(text[start:end].lower() for start, end in spans)
        matches = self._matches(words)
        nouns = {begin + offset for begin, form in matches for offset in range(len(form.tokens))}
        negated = read_scope(text).spans if matches else ()
        found = []
        for position, (begin, form) in enumerate(matches):
            following = matches[position + 1] if position + 1 < len(matches) else None
            end = begin + len(form.tokens)
            adjacent = following[1] if following and following[0] == end else None
            gap = text[spans[end - 1][1] : spans[end][0]] if end < len(words) else "."
            joined = adjacent if gap.strip() in ("", "-") else None
            affirmed = (
                not any(start < spans[end - 1][1] and spans[begin][0] < stop for start, stop in negated)
                and not self._is_modifier(words, end, begin, form, joined, gap)
                and not self._is_likeness(words, begin, form, nouns)
                and (not form.verb_like or self._stands_as_noun(words, begin, nouns))
            )
            found.append(Mention(spans[begin][0], spans[end - 1][1], form.names, affirmed))
        return found

    def _matches(self, words: tuple[str, ...]) -> list[tuple[int, _Form]]:
        """The longest forms from left to right, without overlaps, each with the place of its first word."""
        found: list[tuple[int, _Form]] = []
        index = 0
        while index < len(words):
            form = self._match(words, index)
            if form is not None:
                found.append((index, form))
            index += len(form.tokens) if form else 1
        return found

    def _match(self, words: tuple[str, ...], index: int) -> _Form | None:
        for form in self._forms.get(words[index], ()):
            if words[index : index + len(form.tokens)] == form.tokens:
                return form
        return None

    def _is_modifier(
        self, words: tuple[str, ...], end: int, begin: int, form: _Form, following: _Form | None, gap: str
    ) -> bool:
        """Whether the noun only says which kind of another noun is meant: "a dog toy"."""
        if form.plural or end >= len(words) or gap.strip() not in ("", "-"):
            return False
        word = words[end]
        if gap == "-" and word in _LIKE:
            return True
        if word in self._rules.heads:
            people = any(name in self._people for name in form.names)
            subjects = people or {"and", "or"} & set(words[max(begin - 4, 0) : begin])
            return not (word in self._rules.verbs and subjects)
        if following is None or (following.verb_like and following.plural):
            return False
        own = {ancestor for name in form.names for ancestor in (name, *self._ancestors[name])}
        other = {ancestor for name in following.names for ancestor in (name, *self._ancestors[name])}
        return not own & other

    def _is_likeness(self, words: tuple[str, ...], begin: int, form: _Form, nouns: set[int]) -> bool:
        """Whether the words are about a picture, a toy or a costume of the thing."""
        living = any(name in self._living for name in form.names)
        before = [words[back] for back in (begin - 1, begin - 2) if back >= 0]
        if before and (before[0] in self._rules.likenesses or (living and before[0] in self._rules.lifeless)):
            return "toy" not in form.names
        if len(before) > 1 and begin - 1 not in nouns and before[1] in self._rules.likenesses:
            return "toy" not in form.names
        phrase = words[max(begin - 7, 0) : begin]
        if "like" in phrase[-3:] or (len(phrase) >= 3 and phrase[-3:-1] in (("dressed", "as"), ("disguised", "as"))):
            return True
        if "of" not in phrase:
            return False
        return any(word in self._rules.likeness_heads and after == "of" for word, after in pairwise(phrase))

    def _stands_as_noun(self, words: tuple[str, ...], begin: int, nouns: set[int]) -> bool:
        """Whether a form that may be a verb follows a determiner or preposition, at most three adjectives on."""
        for back in range(begin - 1, max(begin - 5, -1), -1):
            if words[back] in _DETERMINERS:
                return True
            if back in nouns:
                return False
        return False
