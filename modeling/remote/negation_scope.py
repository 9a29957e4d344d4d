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

from .negation_language import language_of
from .negation_operators import Operators, Span, read_operators
from .reading_tagger import Tagger, may_deny
from .reading_words import split_words

AFFIRMED, BEGIN, INSIDE, SHARED, CUE, DROPPED = "ABISCD"
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
def read_scope(text: str, *, operators: bool = True, explain: bool = False) -> NegationScope: ...


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
        known = {one: _remembered.get((one, operators)) for one in texts}
        unknown = [one for one, scope in known.items() if scope is None]
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
        labels = (tagger or Tagger.default()).tag([reading.words for reading in waiting])
        for reading, of_text in zip(waiting, labels, strict=True):
            reading.labels = list(of_text)
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
        waiting: list[Span] = []
        at = 0
        while at < len(self.labels):
            label, first = self.labels[at], at
            at += 1
            if label not in (BEGIN, SHARED, INSIDE):
                continue
            following = INSIDE if label != SHARED else SHARED
            while at < len(self.labels) and self.labels[at] == following:
                at += 1
            span = (self.spans[first][0], self.spans[at - 1][1])
            if not _LETTER.search(self.text, *span):  # signs alone name nothing
                self.labels[first:at] = [DROPPED] * (at - first)
            elif label == SHARED:
                waiting.append(span)
            else:
                for modifier in waiting:
                    yield modifier, f"{_phrase(self.text[slice(*modifier)])} {self.words[at - 1]}"
                waiting.clear()
                nobody = at - 1 == first > 0 and self.words[first - 1 : at] in (["no", "one"], ["No", "one"])
                yield span, "people" if nobody else _phrase(self.text[slice(*span)])
        yield from ((modifier, _phrase(self.text[slice(*modifier)])) for modifier in waiting)

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
        """Affirmed words, without commas and brackets that stand about what was taken out."""
        kept = [at for at, label in enumerate(self.labels) if label == AFFIRMED]
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
        by = "tagger" if self.may_deny else "no cue" if self.language == "en" else f"language {self.language}"
        words = [
            ReadWord(start, end, ROLES[label], by) for (start, end), label in zip(self.spans, self.labels, strict=True)
        ]
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
