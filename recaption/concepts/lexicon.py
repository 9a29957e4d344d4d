"""The table of visual concepts: which a caption affirms, which it leaves open, and how they relate."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from pluralizer import Pluralizer

from notclip.errors import BadInputError, shortened
from notclip.files.text_files import read_text
from notclip.files.yaml_files import LARGEST, parse_yaml
from notclip.recaption.concepts.mentions import Mention, MentionFinder, MentionRules
from notclip.recaption.sources.labels import words_of_label

LEXICON_FILE = Path(__file__).with_name("lexicon.yaml")
_VOWEL_SOUND = re.compile(
    r"^(?!one|once|e[uw]|uni|u[^aeioun][aeiou])(?:[aeiou]|[fhlmnrsx]-|hour|heir|honest|hono)", re.IGNORECASE
)
_PLURALS = Pluralizer()
_PLURALS.add_plural_rule(re.compile("((?:ger|otto|ro|sha|talis)man)$", re.I), "$1s")
_PLURALS.add_irregular_rule("lens", "lenses")
_PLURALS.add_irregular_rule("virus", "viruses")
_NAME_FIELDS = ("synonyms", "is", "parts", "implied_by", "likely_with", "normal")
_SPOKEN = re.compile(r"[^\W_]")  # A word has a letter or a digit, by which it is found in captions.
_FLAGS = ("mass", "salient", "ambiguous", "verb_like")
_WRITTEN_AS = {"hypernyms": "is"}  # What a file calls it.


@dataclass(frozen=True)
class Concept:
    """Something that a caption can mention and a photo can show.

    Args:
        name: canonical key, a singular noun phrase: "dog", "traffic light", "snow".
        plural: "dogs"; equals the name for mass nouns.
        mass: takes no article and singular agreement: "snow".
        synonyms: singular surface forms that mean this concept or a kind of it: "puppy".
        hypernyms: names of more general concepts that are there whenever this one is: "animal".
        parts: names of concepts that are a part of this one or always come with it.
        detector_class: COCO-80 class that a detector checks it by.
        salient: captioners reliably mention it when it is there.
        implied_by: words that leave open whether it is there, so that its absence is not claimed.
        likely_with: names of concepts beside which it may be there unmentioned.
        ambiguous: the bare singular name has another meaning ("orange").
        verb_like: forms of it may be verbs ("swings").
        article: "a" or "an", where the spelling of the name does not tell: "an" for "X-shaped crack".
        normal: clauses that say without a negation that it is not there: "the heart size is normal".
    """

    name: str
    plural: str
    mass: bool = False
    synonyms: tuple[str, ...] = ()
    hypernyms: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    detector_class: str | None = None
    salient: bool = True
    implied_by: tuple[str, ...] = ()
    likely_with: tuple[str, ...] = ()
    ambiguous: bool = False
    verb_like: bool = False
    article: str | None = None
    normal: tuple[str, ...] = ()

    @property
    def indefinite(self) -> str:
        """With its article: "a dog", "an umbrella", "snow", "scissors"."""
        if self.mass or self.is_plural_only:
            return self.name
        return f"{self.article or ('an' if _VOWEL_SOUND.match(self.name) else 'a')} {self.name}"

    @property
    def is_plural_only(self) -> bool:
        """Whether the noun has no singular: "scissors", "skis"."""
        return not self.mass and self.name == self.plural and self.name.endswith("s")


def pluralize(noun: str) -> str:
    """The plural of a noun phrase; of a plural itself.

    >>> [pluralize(noun) for noun in ("dog", "steak knife", "moose", "fireman", "cup of tea", "TV", "jeans")]
    ['dogs', 'steak knives', 'moose', 'firemen', 'cups of tea', 'TVs', 'jeans']
    """
    head, of, rest = noun.partition(" of ")
    before, space, last = head.rpartition(" ")
    many = f"{last}s" if last.isupper() else _PLURALS.plural(last)
    return f"{before}{space}{many}{of}{rest}"


@dataclass(frozen=True)
class _LabelIndex:
    """The first concept of each way in which a label may mean one; of synonyms with its place in the lexicon."""

    detected: dict[str, str]
    squeezed: dict[str, str]
    plurals: dict[str, str]
    synonyms: dict[str, tuple[int, str]]


class Lexicon(Mapping[str, Concept]):
    """Concepts by name, and what follows from how they relate; every name that one refers to must be among them."""

    def __init__(self, concepts: Iterable[Concept], rules: MentionRules) -> None:
        self._concepts = {concept.name: concept for concept in concepts}
        self.rules = rules
        for concept in self._concepts.values():
            for field in ("hypernyms", "parts", "likely_with"):
                for name in getattr(concept, field):
                    if name not in self._concepts:
                        raise BadInputError(
                            f"Concept {concept.name!r} names {name!r} in `{_WRITTEN_AS.get(field, field)}`, which is "
                            "no concept here."
                        )
        self._ancestors = _ancestors(self._concepts)
        kinds: dict[str, set[str]] = {name: set() for name in self._concepts}
        for name, above in self._ancestors.items():
            for hypernym in above:
                kinds[hypernym].add(name)
        self._hyponyms = {name: frozenset(below) for name, below in kinds.items()}
        self._finder = MentionFinder(self._concepts.values(), self._ancestors, rules, pluralize)
        self.find = lru_cache(maxsize=65536)(self._find)
        self.hinted = lru_cache(maxsize=65536)(self._hinted)

    def __getitem__(self, name: str) -> Concept:
        return self._concepts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._concepts)

    def __len__(self) -> int:
        return len(self._concepts)

    def mentions(self, text: str) -> list[Mention]:
        """Where a caption speaks of concepts, in order, longest match first; each says whether it affirms them."""
        return self._finder.mentions(text)

    def _find(self, text: str) -> frozenset[str]:
        """Names of the concepts that a caption affirms, without hypernyms; "no dog" and "a dog toy" affirm no dog."""
        return frozenset(name for mention in self.mentions(text) if mention.affirmed for name in mention.names)

    def _hinted(self, text: str) -> frozenset[str]:
        """Names of all concepts that a caption affirms, mentions in any way or leaves open, with their hypernyms."""
        return self.closure(self._finder.hints(text))

    def closure(self, names: Iterable[str]) -> frozenset[str]:
        """The names with all their hypernyms."""
        return frozenset(found for name in names for found in (name, *self._ancestors[name]))

    def hyponyms(self, name: str) -> frozenset[str]:
        """Names of all concepts that are kinds of this one, without itself."""
        return self._hyponyms[name]

    def compatible(self, first: str, second: str) -> bool:
        """Whether one may be there without the other: neither synonym, hypernym, hyponym nor part of the other."""
        return second not in self.related[first]

    @cached_property
    def related(self) -> Mapping[str, frozenset[str]]:
        """Of each concept all that are not `compatible` with it, itself among them."""
        found = {name: {name} | self._ancestors[name] | self._hyponyms[name] for name in self._concepts}
        for name, concept in self._concepts.items():
            for other in (*concept.parts, *concept.synonyms):
                if other in found:
                    found[name].add(other)
                    found[other].add(name)
        return {name: frozenset(others) for name, others in found.items()}

    @cached_property
    def openers(self) -> Mapping[str, frozenset[str]]:
        """Of each concept those beside which it may be there unmentioned: what has it, means it or brings it along."""
        found: dict[str, set[str]] = {name: set(concept.likely_with) for name, concept in self._concepts.items()}
        for name, concept in self._concepts.items():
            for part in concept.parts:
                found[part].add(name)
            for other in concept.synonyms:
                if other in found:
                    found[name].add(other)
                    found[other].add(name)
        return {name: frozenset(others) for name, others in found.items()}

    def resolve(self, label: str) -> str | None:
        """Name of the concept that a label of some data set means ("aeroplane" is "airplane"), or None."""
        wanted = " ".join(label.lower().replace("_", " ").replace("-", " ").split())
        squeezed = wanted.replace(" ", "")
        known = self._labels
        # The detector's own names come first: its "mouse" is the one of a computer.
        if wanted in known.detected:
            return known.detected[wanted]
        if words_of_label(label) in self._concepts:
            return words_of_label(label)
        for names, spoken in ((known.squeezed, squeezed), (known.plurals, wanted)):
            if spoken in names:
                return names[spoken]
        found = [known.synonyms[spoken] for spoken in (wanted, squeezed) if spoken in known.synonyms]
        return min(found, default=(0, None))[1]

    @cached_property
    def _labels(self) -> "_LabelIndex":
        index = _LabelIndex({}, {}, {}, {})
        for place, (name, concept) in enumerate(self._concepts.items()):
            if concept.detector_class is not None:
                index.detected.setdefault(concept.detector_class, name)
            index.squeezed.setdefault(name.replace(" ", ""), name)
            index.plurals.setdefault(concept.plural, name)
            for synonym in concept.synonyms:
                index.synonyms.setdefault(synonym, (place, name))
        return index

    def extended(self, labels: Iterable[str]) -> "Lexicon":
        """A lexicon that also holds a concept for each label that this one does not know, or knows as a kind alone.

        A photo without a pug may show another dog: of a label that is a kind of a concept only the kind is absent.
        """
        new: dict[str, str | None] = {}
        for label in labels:
            found = self.resolve(label)
            if found is None or self._is_a_kind(label, found):
                new[words_of_label(label)] = found
        if not new:
            return self
        made = (_plain_concept(name, hypernym=wider) for name, wider in new.items())
        return Lexicon([*self.values(), *made], self.rules)

    def called(self, name: str) -> list[str]:
        """By which words a concept is called, its article first; a kind of it ("taxi" for "car") is not among them."""
        concept = self[name]
        same = [synonym for synonym in concept.synonyms if synonym in self.rules.same]
        return list(dict.fromkeys([concept.indefinite, concept.name, concept.plural, *same]))

    def _is_a_kind(self, label: str, name: str) -> bool:
        """Whether a label that was resolved to a concept is one of its synonyms that mean less than it does."""
        words = words_of_label(label).lower()
        return words in self[name].synonyms and words not in self.rules.same


def _ancestors(concepts: Mapping[str, Concept]) -> dict[str, frozenset[str]]:
    """The hypernyms of each concept, near and far; each is climbed once, however many ways lead to it.

    Raises:
        BadInputError: a concept is its own hypernym.
    """
    found: dict[str, frozenset[str]] = {}
    try:
        for name in TopologicalSorter({name: its.hypernyms for name, its in concepts.items()}).static_order():
            above = concepts[name].hypernyms
            found[name] = frozenset(above).union(*(found[hypernym] for hypernym in above))
    except CycleError as error:
        path = error.args[1][::-1]  # Each is a kind of the next.
        raise BadInputError(f"Concept {path[0]!r} is its own hypernym, through {' > '.join(path[:-1])}.") from error
    return {name: found[name] for name in concepts}


def _plain_concept(name: str, *, hypernym: str | None = None) -> Concept:
    """A concept of which only the name is known, and what it is a kind of: with the everyday noun's grammar."""
    everyday = load_lexicon().get(name)
    if everyday is not None:
        return Concept(name, everyday.plural, mass=everyday.mass, article=everyday.article)
    hypernyms = () if hypernym is None else (hypernym,)
    return Concept(name, pluralize(name), hypernyms=hypernyms)


def concept_of_fields(name: str, fields: Any, file: Path) -> Concept:
    """A concept from its entry in a YAML file.

    Args:
        name: its name.
        fields: the entry, in the form that lexicon.yaml explains; None for one without fields.
        file: the file, for messages.

    Raises:
        BadInputError: a field is unknown, or has a value of the wrong kind.
    """
    fields = {} if fields is None else fields
    if not isinstance(fields, dict):
        raise BadInputError(f"{file}: concept {name!r} must hold `field: value` pairs, got {shortened(fields)}.")
    unknown = set(fields) - {*_NAME_FIELDS, *_FLAGS, "plural", "detector", "article"}
    if unknown:
        raise BadInputError(f"{file}: concept {name!r} has unknown field {sorted(map(str, unknown))[0]!r}.")
    for field in _NAME_FIELDS:
        words = fields.get(field, [])
        if not isinstance(words, list) or not all(isinstance(item, str) for item in words):
            raise BadInputError(
                f"{file}: concept {name!r}: `{field}` must be a list of words, got {shortened(fields[field])}; quote "
                "each."
            )
    spoken = {"name": name, "plural": fields.get("plural", name), "detector": fields.get("detector", name)}
    said = [*spoken.items(), *((field, word) for field in _NAME_FIELDS for word in fields.get(field, []))]
    for field, word in said:
        if not isinstance(word, str) or not _SPOKEN.search(word):
            raise BadInputError(
                f"{file}: concept {name!r}: `{field}` must be a word, got {shortened(word)}; quote it."
            )
    for field in _FLAGS:
        if not isinstance(fields.get(field, False), bool):
            raise BadInputError(f"{file}: concept {name!r}: `{field}` must be true or false, got {fields[field]!r}.")
    if fields.get("article") not in (None, "a", "an"):
        raise BadInputError(
            f"{file}: concept {name!r}: `article` must be a or an, got {fields['article']!r}; `mass: true` for none."
        )
    mass = bool(fields.get("mass", False))
    return Concept(
        name=name,
        plural=fields.get("plural", name if mass else pluralize(name)),
        mass=mass,
        synonyms=tuple(fields.get("synonyms", ())),
        hypernyms=tuple(fields.get("is", ())),
        parts=tuple(fields.get("parts", ())),
        detector_class=fields.get("detector"),
        salient=bool(fields.get("salient", True)),
        implied_by=tuple(fields.get("implied_by", ())),
        likely_with=tuple(fields.get("likely_with", ())),
        ambiguous=bool(fields.get("ambiguous", False)),
        verb_like=bool(fields.get("verb_like", False)),
        article=fields.get("article"),
        normal=tuple(fields.get("normal", ())),
    )


def load_lexicon(path: Path | None = None) -> Lexicon:
    """Read a lexicon file.

    Args:
        path: a YAML file in the form of `lexicon.yaml`, which is the default.

    Raises:
        BadInputError: the file is missing, is no YAML, or breaks a rule of the form.
    """
    file = path or LEXICON_FILE
    return _lexicon_of(read_text(file, "The lexicon", largest=LARGEST), file)


@lru_cache(maxsize=4)
def _lexicon_of(text: str, file: Path) -> Lexicon:
    table = parse_yaml(text, f"The lexicon {file}")
    if not isinstance(table, dict) or not isinstance(table.get("concepts"), dict):
        raise BadInputError(f"The lexicon {file} needs a mapping `concepts`, like {LEXICON_FILE.name} of the package.")
    rules = MentionRules.from_table(table, file)
    return Lexicon([concept_of_fields(str(name), fields, file) for name, fields in table["concepts"].items()], rules)
