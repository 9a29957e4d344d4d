"""Reads what a text affirms and what it denies: "a man in a kitchen, but no chair" affirms the man, denies a chair.

    read_scope("a beach with no people")   # affirmed "a beach", negated ("people",)

Operators of search are read first (negation_operators), a text of another language is left whole (negation_language),
and each word of an English one that may deny is labelled by a small tagger (reading_tagger), of whose labels this file
makes the affirmed text and the denied phrases. A text without a word that may deny comes back as it is.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import overload

from .negation_clauses import AFFIRMED, BEGIN, COPULAS, CUE, DROPPED, INSIDE, LINKS, SHARED, mended, sentences
from .negation_language import language_of
from .negation_operators import Operators, Span, read_operators
from .reading_tagger import Tagger, may_deny
from .reading_words import split_words

ROLES = {AFFIRMED: "affirmed", BEGIN: "denied", INSIDE: "denied", SHARED: "denied", CUE: "cue", DROPPED: "dropped"}
_PEOPLE = re.compile(r"^(?:no[ -]?one|(?:no|any|some)body|anyone|someone)\b", re.IGNORECASE)
# What names nothing in a picture by itself: a rest that has no other word affirms nothing.
_EMPTY = frozenset(
    "a an the this that these those there here it its they he she you we i one ones s is are was were be been being "
    "has have had having do does did can could will would may might and or but nor yet so while whereas though "
    "although with of in on at to for from by as than then which who where when what just only also instead image "
    "images photo photos picture pictures photograph photographs video videos scene scenes frame view shot clip "
    "footage shows show showing shown features feature featuring contains contain containing includes include "
    "including depicts depict depicting displays display displaying see seen visible present find found appears "
    "appear search all everything anything something any some".split()
)
_ARTICLES = frozenset("a an the any his her their its my".split())
_NOBODY = frozenset("no No nobody Nobody one neither Neither none None".split())
_FRAMES = frozenset("image photo picture video scene Image Photo Picture Video Scene".split())
_JOINS = frozenset(("", *"and or but nor yet".split()))
_EDGES = " \t\r\n,;:-–—.·&/|\"'“”‘’`"
_MOST_REMEMBERED = 16384  # readings
_remembered: dict[tuple[str, bool], "NegationScope"] = {}
_LETTER = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class ReadWord:
    """What became of a word (`role`: affirmed, denied, cue or dropped), and which part of the reader decided it."""

    start: int
    end: int
    role: str
    reason: str


@dataclass(frozen=True)
class NegationScope:
    """What a text affirms and what it denies.

    Attributes:
        text: the text as given.
        affirmed: the text without its negated parts, fit to be embedded; "" where it affirms nothing, and the very
            same string where it denies nothing.
        negated: the phrases that are said to be absent, without their determiners.
        spans: character spans (start, end) of `text` that hold negated content.
        cue_spans: character spans of the words that negate it.
        affirmed_spans: character spans of the words that `affirmed` is made of; empty where it is the text itself.
        language: ISO 639-1 code of the language that the text was taken for; only "en" is read beyond its operators.
        words: what became of each word, where `explain=True` asked for it.
    """

    text: str
    affirmed: str
    negated: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()
    cue_spans: tuple[Span, ...] = ()
    affirmed_spans: tuple[Span, ...] = ()
    language: str = "en"
    words: tuple[ReadWord, ...] = ()

    @property
    def kind(self) -> str:
        """`affirmation`, `negation` or `hybrid`, as NegBench sorts captions."""
        if not self.negated:
            return "affirmation"
        return "hybrid" if self.affirmed else "negation"


@overload
def read_scope(text: str, *, operators: bool = True, explain: bool = False) -> NegationScope: ...  # type: ignore[overload-overlap]  # a str is a sequence, too


@overload
def read_scope(text: Sequence[str], *, operators: bool = True, explain: bool = False) -> list[NegationScope]: ...


def read_scope(
    text: str | Sequence[str], *, operators: bool = True, explain: bool = False
) -> NegationScope | list[NegationScope]:
    """Split a text, or each of a list, into what it affirms and what it denies; defined for every string.

    Args:
        text: one text or several; several are read faster together.
        operators: whether `-x`, `!x`, `NOT x`, `field:!x` and their kin exclude; without, a hyphen is a hyphen.
        explain: whether to say of each word what became of it, and which part of the reader decided that.
    """
    texts = [text] if isinstance(text, str) else list(text)
    if explain:
        scopes = read_scopes(texts, operators=operators, explain=True)
    else:
        known = {one: _remembered[one, operators] for one in texts if (one, operators) in _remembered}
        unknown = [one for one in dict.fromkeys(texts) if one not in known]
        known.update(zip(unknown, read_scopes(unknown, operators=operators), strict=True))
        if len(_remembered) > _MOST_REMEMBERED:
            _remembered.clear()
        _remembered.update({(one, operators): known[one] for one in unknown})
        scopes = [known[one] for one in texts]
    return scopes[0] if isinstance(text, str) else scopes


def read_scopes(
    texts: Sequence[str], *, tagger: Tagger | None = None, operators: bool = True, explain: bool = False
) -> list[NegationScope]:
    """As `read_scope`, by a tagger other than the one that comes with the package."""
    readings = [_Reading(text, operators=operators) for text in texts]
    waiting = [reading for reading in readings if reading.may_deny]
    if waiting:
        tagger = tagger or Tagger.default()
        split = [[reading.words[start:end] for start, end in sentences(reading.words)] for reading in waiting]
        labels = iter(tagger.tag([sentence for of_text in split for sentence in of_text]))
        for reading, of_text in zip(waiting, split, strict=True):
            reading.labels = [label for sentence in of_text for label in mended(sentence, next(labels))]
            reading.shares = tagger.probabilities(reading.words) if explain else []
    return [reading.scope(explain=explain) for reading in readings]


class _Reading:
    """One text on its way: operators taken out, the rest in words, then a label for each."""

    def __init__(self, text: str, *, operators: bool) -> None:
        self.text = text
        self.operators = (read_operators(text) if operators else None) or Operators()
        self.rest = self.operators.rest(text)
        self.language = language_of(self.rest)
        self.spans = split_words(self.rest)
        self.words = [text[start:end] for start, end in self.spans]
        self.may_deny = self.language == "en" and may_deny(self.words)
        self.labels = [AFFIRMED] * len(self.words)
        self.shares: list[dict[str, float]] = []

    def scope(self, *, explain: bool) -> NegationScope:
        """Make phrases and the affirmed text of labels and operators."""
        phrases = sorted([*self._labelled_phrases(), *self._operated_phrases()])
        cues = self._runs(CUE) + self.operators.cues
        words = self._explained() if explain else ()
        if not phrases and not cues:
            return NegationScope(self.text, self.text, language=self.language, words=words)
        affirmed, affirmed_spans = self._affirmed()
        return NegationScope(
            text=self.text,
            affirmed=affirmed,
            negated=tuple(dict.fromkeys(phrase for _, phrase in phrases)),
            spans=_joined([span for span, _ in phrases]),
            cue_spans=_joined(sorted(cues)),
            affirmed_spans=affirmed_spans,
            language=self.language,
            words=words,
        )

    def _labelled_phrases(self) -> Iterable[tuple[Span, str]]:
        """Each denied phrase with its span; modifiers before "or" share the head of the phrase that follows."""
        shared: list[Span] = []
        at = 0
        while at < len(self.labels):
            first, label = at, self.labels[at]
            at += 1
            if label not in (BEGIN, SHARED, INSIDE):
                continue
            at = self._end_of_phrase(first)
            start, stop = first, at  # without the function words at its edges, which name nothing
            while start < stop and self.words[start].lower() in LINKS:
                start += 1
            while start < stop and self.words[stop - 1].lower() in LINKS:
                stop -= 1
            if CUE not in self.labels[max(0, first - 3) : first] and _FRAMES.issuperset(self.words[start:stop]):
                stop = start  # "a photo with people absent": no photo is denied
            self.labels[first:start] = [DROPPED] * (start - first)
            self.labels[stop:at] = [DROPPED] * (at - stop)
            if start == stop or not _LETTER.search(self.text, self.spans[start][0], self.spans[stop - 1][1]):
                self.labels[start:stop] = [DROPPED] * (stop - start)
                continue
            span = (self.spans[start][0], self.spans[stop - 1][1])
            if label == SHARED:
                shared.append(span)
                continue
            nobody = start and [word.lower() for word in self.words[start - 1 : start + 1]] == ["no", "one"]
            phrase = _phrase(self.text[slice(*span)])
            yield from ((modifier, f"{self.text[slice(*modifier)]} {self.words[stop - 1]}") for modifier in shared)
            shared.clear()
            yield span, f"people{phrase[3:]}" if nobody else phrase
        yield from ((modifier, _phrase(self.text[slice(*modifier)])) for modifier in shared)

    def _end_of_phrase(self, first: int) -> int:
        """The end of the phrase that begins at a word; it goes on over an article, "no dog is running" over "is"."""
        label, at = self.labels[first], first + 1
        following = SHARED if label == SHARED else INSIDE
        bridges = _ARTICLES | COPULAS if {*self.words[max(0, first - 1) : at]} & _NOBODY else _ARTICLES
        while True:
            while at < len(self.labels) and self.labels[at] == following:
                at += 1
            gap = at
            while gap < len(self.labels) and self.labels[gap] == DROPPED and self.words[gap].lower() in bridges:
                gap += 1
            joined = label != SHARED and at < gap < len(self.labels) and self.labels[gap] == BEGIN
            if not joined or (self.words[gap - 1] in COPULAS and not self.words[gap].endswith(("ing", "ed"))):
                return at
            self.labels[at : gap + 1] = [INSIDE] * (gap + 1 - at)

    def _operated_phrases(self) -> Iterable[tuple[Span, str]]:
        return ((span, _phrase(self.text[slice(*span)].replace("_", " "))) for span in self.operators.denied)

    def _runs(self, label: str) -> list[Span]:
        return [span for span, of in zip(self.spans, self.labels, strict=True) if of == label]

    def _affirmed(self) -> tuple[str, tuple[Span, ...]]:
        """The affirmed words as a text: without punctuation at its edges, brackets of nothing, or a frame alone."""
        pieces: list[Span] = []
        last = -1
        for at in self._kept():
            start, end = self.spans[at]
            follows = last == at - 1 and pieces and not self.text[pieces[-1][1] : start].strip()
            pieces[-1:] = [(pieces[-1][0], end)] if follows else [*pieces[-1:], (start, end)]
            last = at
        says = {word for piece in pieces for word in _LETTER.findall(self.text[slice(*piece)].lower())}
        if says <= _EMPTY:
            return "", ()
        while (trimmed := _trimmed(self.text, pieces)) != pieces:
            pieces = trimmed
        texts = [self.text[start:end] for start, end in pieces]
        for at, following in enumerate(texts[1:]):
            head, _, article = texts[at].rpartition(" ")
            if article.lower() in ("a", "an"):  # "an (umbrella-free) beach"
                fitting = article[0] + "n" * (following[0].lower() in "aeiou")
                texts[at] = f"{head} {fitting}".strip()
        joined = " ".join(" ".join(texts).split())
        return re.sub(r"(?<=\w) (?=[,.;](?:\s|$))(?<!\s)", "", joined) if len(texts) > 1 else joined, tuple(pieces)

    def _kept(self) -> list[int]:
        """Affirmed words, without what joined them to what was taken out: commas, brackets, a conjunction."""
        kept = [at for at, label in enumerate(self.labels) if label == AFFIRMED]
        for edge in (0, -1):  # "(no hat) and red hair"
            while kept and self.words[kept[edge]].lower().strip(_EDGES) in _JOINS:
                kept.pop(edge)
        pairs = {"(": ")", "[": "]"}
        return [
            at
            for place, at in enumerate(kept)
            if not (
                self.words[at] in pairs and self.words[kept[min(place + 1, len(kept) - 1)]] == pairs[self.words[at]]
            )
            and not (
                place and self.words[at] in (")", "]") and pairs.get(self.words[kept[place - 1]]) == self.words[at]
            )
        ]

    def _explained(self) -> tuple[ReadWord, ...]:
        """Each word with its role; the tagger says how sure it is of it."""
        by = "no cue" if self.language == "en" else f"language {self.language}"
        words = []
        for at, ((start, end), label) in enumerate(zip(self.spans, self.labels, strict=True)):
            role = ROLES[label]
            sure = sum(share for of, share in self.shares[at].items() if ROLES[of] == role) if self.shares else 0.0
            words.append(ReadWord(start, end, role, f"tagger, {sure:.0%}" if self.shares else by))
        operated = {"denied": self.operators.denied, "cue": self.operators.cues, "dropped": self.operators.dropped}
        for role, spans in operated.items():
            words += [ReadWord(start, end, role, "operator") for start, end in spans if start < end]
        return tuple(sorted(words, key=lambda word: word.start))


def _phrase(text: str) -> str:
    """A denied phrase as it is said: "nobody smiling" denies "people smiling"."""
    return " ".join(_PEOPLE.sub("people", text.strip(_EDGES)).split())


def _trimmed(text: str, pieces: list[Span]) -> list[Span]:
    """Pieces without punctuation at the edges of them all."""
    pieces = [piece for piece in pieces if piece[0] < piece[1]]
    if pieces:
        start, end = pieces[0]
        pieces[0] = (start + len(text[start:end]) - len(text[start:end].lstrip(_EDGES)), end)
        start, end = pieces[-1]
        pieces[-1] = (start, start + len(text[start:end].rstrip(_EDGES)))
    return pieces


def _joined(spans: Sequence[Span]) -> tuple[Span, ...]:
    return tuple(sorted(set(spans)))
