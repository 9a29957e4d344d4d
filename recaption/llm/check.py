"""Whether a rewritten caption still says what it must: absences denied, affirmations kept, nothing new."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from notclip.dataset.negation_forms import forms_in
from notclip.recaption.concepts.lexicon import Lexicon
from notclip.remote.negation_scope import read_scope

_SHAPE = re.compile(r"[A-Z0-9“\"'][^\n\r<>{}\[\]|#*_`\\]{3,}[.!]", re.ASCII)
_CHATTER = re.compile(
    r"\b(?:caption|caption's|rephras|rewrit|paraphras|json|item \d|here is the|here's the|sure\b|as an ai|sorry)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[A-Za-z]+(?:'[a-z]+)?|\d+")
_MOST_WORDS, _MOST_GROWTH = 70, 2.0  # Words of an answer, at all and as a multiple of its source's.
_LEAST_KEPT = 0.6  # Of the content words that the source affirms.
_MOST_NEW = 0.34  # New content words for each one of the source.

# What must neither vanish nor appear.
_FIXED = frozenset(
    """
    one two three four five six seven eight nine ten eleven twelve dozen several many
    red orange yellow green blue purple pink black white brown grey gray golden silver tan blond blonde
    big small large little tall young old
    """.split()
)
# What a photo shows is never all that there is to see in it.
_ALL = re.compile(r"\b(?:only|just|merely|solely|alone|exclusively)\b", re.IGNORECASE)
_SAME = {"grey": "gray", "blonde": "blond"}
# Words that tell how, not what: free to come and go.
_FRAME = frozenset(
    """
    a an the this that these those some any each every its his her their it he she they them him who which whose what
    i we you me us there here where when while as so if than then
    and or but nor yet though although however with without of in on at by for from to into onto over under up down out
    off near nearby around along across through beside next between behind among amid about
    is are was were be been being am has have having had do does did can could will would may might must
    isn aren wasn doesn don didn can't cannot won isn't aren't doesn't don't won't couldn't no not none neither never
    nobody nothing nowhere
    image images photo photos picture pictures photograph photographs scene scenes frame shot snapshot view sight
    background foreground
    show shows showing shown feature features featuring featured include includes including included contain contains
    containing depict depicts depicting depicted display displays displayed capture captures capturing captured see
    sees seen seeing look looks looking visible present appear appears appearing appearance absent absence lack lacks
    lacking missing find found spot spotted sign trace part also all both ones
    other else instead rather
    single anywhere somewhere completely entirely clearly notably despite except devoid free
    """.split()
)


@dataclass(frozen=True)
class Meaning:
    """What a caption says, as the checks see it.

    Args:
        text: a caption that says what is absent, in the words of the grammar.
        absent: names of the concepts that it denies.
    """

    text: str
    absent: tuple[str, ...]


def answer_fault(
    answer: str, meaning: Meaning, lexicon: Lexicon, *, forms: Collection[str] | None = None
) -> str | None:
    """Why an answer cannot stand for the caption, or None where it can.

    Args:
        answer: the rewritten caption.
        meaning: what it must say.
        lexicon: finds the concepts in both.
        forms: forms of negation that it may use, all when None.

    Returns:
        `shape` (not one or two plain sentences), `form` (a form of negation that is held out, or none at all),
        `absence` (an absent concept is not under negation, or something else is), `affirmation` (what was affirmed is
        no longer), `addition` (something new), or None.
    """
    source = _read(meaning.text, lexicon)
    words = len(_WORD.findall(answer))
    longest = min(_MOST_WORDS, _MOST_GROWTH * len(_WORD.findall(meaning.text)) + 8)
    if not _SHAPE.fullmatch(answer) or _CHATTER.search(answer) or words > longest:
        return "shape"
    used = forms_in(answer)
    if not used or (forms is not None and not used - forms_in(meaning.text) <= frozenset(forms)):
        return "form"
    read = _read(answer, lexicon)
    fault = _fault_of_absences(read, source, meaning, lexicon) or _fault_of_affirmed(read, source, lexicon)
    if fault is None and _ALL.search(answer) and not _ALL.search(meaning.text):
        return "addition"
    return fault


@dataclass(frozen=True)
class _Read:
    """A caption taken apart: concepts that it affirms, those of each denied phrase, and the words that it affirms.

    `idle` counts each "no" that denies nothing, as in "no regrets".
    """

    concepts: frozenset[str]
    denied: tuple[frozenset[str], ...]
    fixed: frozenset[str]
    content: frozenset[str]
    names: frozenset[str]
    idle: int


def _read(text: str, lexicon: Lexicon) -> _Read:
    scope = read_scope(text)
    words = _WORD.findall(scope.affirmed)
    lower = [_SAME.get(word.lower(), word.lower()) for word in words]
    inner = re.sub(r"(?:^|[.!?] +)\W*\w+", " ", scope.affirmed)
    return _Read(
        concepts=_mentioned(scope.affirmed, lexicon),
        denied=tuple(_mentioned(phrase, lexicon) for phrase in scope.negated),
        fixed=frozenset(word for word in lower if word in _FIXED or word.isdigit()),
        content=frozenset(word_stem(word) for word in lower if word not in _FRAME and word not in _FIXED),
        names=frozenset(word for word in re.findall(r"\b[A-Z]\w+", inner)),
        idle=sum(
            not any(start <= no.start() < end for start, end in scope.cue_spans)
            for no in re.finditer(r"\bno\b", text, re.IGNORECASE)
        ),
    )


def _mentioned(text: str, lexicon: Lexicon) -> frozenset[str]:
    """Concepts that a text names in any way; "nobody" names a person."""
    found = {name for mention in lexicon.mentions(text) for name in mention.names}
    if "person" in lexicon and re.search(r"\b(?:nobody|no one|somebody|someone|anyone|anybody|people)\b", text, re.I):
        found.add("person")
    return frozenset(found) - {"picture"}


def _fault_of_absences(read: _Read, source: _Read, meaning: Meaning, lexicon: Lexicon) -> str | None:
    if read.idle > source.idle:
        return "absence"
    absent = frozenset(meaning.absent)
    denied = frozenset(name for names in read.denied for name in names)
    already = frozenset(name for names in source.denied for name in names)
    if not absent <= denied or not denied <= lexicon.closure(absent | already):
        return "absence"
    # Each denied phrase is about a concept that the source denies too: "no dog and no sound" denies a sound as well.
    if any(not names for names in read.denied) and all(source.denied):
        return "absence"
    return "absence" if absent & read.concepts else None


def _fault_of_affirmed(read: _Read, source: _Read, lexicon: Lexicon) -> str | None:
    if not source.concepts <= lexicon.closure(read.concepts) or not source.fixed <= read.fixed:
        return "affirmation"
    kept = len(source.content & read.content)
    if kept < _LEAST_KEPT * len(source.content):
        return "affirmation"
    new = len(read.content - source.content)
    if read.concepts - lexicon.closure(source.concepts) or not read.fixed <= source.fixed or read.names - source.names:
        return "addition"
    return "addition" if new > max(1, _MOST_NEW * len(source.content)) else None


def word_stem(word: str) -> str:
    """The beginning of a word, the same for its inflections: "rides" and "riding", "dog" and "dogs".

    >>> word_stem("riding"), word_stem("rides"), word_stem("running"), word_stem("run"), word_stem("dogs")
    ('rid', 'rid', 'run', 'run', 'dog')
    """
    word = re.sub(r"(?:'s|ing|ies|es|ed|s|e|y)$", "", word) if len(word) > 3 else word
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word
