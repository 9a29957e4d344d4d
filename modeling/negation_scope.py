"""Reads what a caption affirms and what it denies: "A man in a kitchen, but no chair" -> "A man in a kitchen", "chair".

One pass over the tokens; no model, no dependency, linear time. The idea is that of NegEx (Chapman et al. 2001), cues
with a direction and words that end their reach, carried from clinical reports to captions, with the affirmed rest as text.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from .negation_cues import FOREIGN, HINTS, LESS_NOUNS, VAGUE
from .negation_phrases import NOUN_START, Phrases
from .negation_rest import CONTENT, CUE, DROPPED, KEPT, NEGATED, affirmed_text

_WORD = re.compile(r"\w+")
_HAVE = ("has", "have", "had")
_ANYBODY = {"anyone": "people", "anybody": "people", "someone": "people"}


@dataclass(frozen=True)
class NegationScope:
    """What a caption affirms and what it denies.

    Attributes:
        text: the caption as given.
        affirmed: the caption without its negated parts, fit to be embedded; "" where it affirms nothing, and the very
            same string where it denies nothing.
        negated: the phrases that are said to be absent, without their determiners.
        spans: character spans (start, end) of `text` that hold negated content.
        cue_spans: character spans of the words that negate it.
    """

    text: str
    affirmed: str
    negated: tuple[str, ...] = ()
    spans: tuple[tuple[int, int], ...] = ()
    cue_spans: tuple[tuple[int, int], ...] = ()

    @property
    def kind(self) -> str:
        """`affirmation`, `negation` or `hybrid`, as NegBench sorts captions."""
        if not self.negated:
            return "affirmation"
        return "hybrid" if self.affirmed else "negation"


@lru_cache(maxsize=16384)
def read_scope(text: str) -> NegationScope:
    """Split a caption into its affirmed text and its negated phrases; defined for every string."""
    if HINTS.isdisjoint(_WORD.findall(text.lower())):
        return NegationScope(text, text)
    return _Reading(text).scope()


class _Reading(Phrases):
    """One reading of one caption: what becomes of each token."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.fates = [KEPT] * self.size
        self.floor = 0  # the end of the last tokens that were read as cue or negated
        self.phrases: list[list[tuple[int, int]]] = []  # each phrase by its slices of tokens
        self.spoken: dict[int, str] = {}  # token -> what to call it in a phrase
        self.swaps: dict[int, str] = {}  # token -> what stands in its place in the affirmed text
        self.changed = False
        self._foreign: bool | None = None
        self._marks: list[tuple[int, int]] = []  # of the cue being read

    def scope(self) -> NegationScope:
        """Read the caption from left to right, cue by cue."""
        i = 0
        while i < self.size:
            reader = _READERS.get(self.tags[i])
            i = self._read_cue(reader, i) if reader and not self._opens_quotation(i) else i + 1
        negated = tuple(dict.fromkeys(filter(None, map(self._phrase_text, self.phrases))))
        if not negated and not self.changed:
            return NegationScope(self.text, self.text)
        spans, cue_spans = self._spans(NEGATED), self._spans(CUE)
        return NegationScope(self.text, affirmed_text(self), negated, spans, cue_spans)

    def _read_cue(self, reader: "Callable[[_Reading, int], int]", i: int) -> int:
        """Read one cue; one that turns out to deny nothing leaves no mark."""
        denied, floor, changed = len(self.phrases), self.floor, self.changed
        self._marks.clear()
        after = max(reader(self, i), i + 1)
        if len(self.phrases) == denied and self.changed == changed:
            for start, end in self._marks:
                self.fates[start:end] = [KEPT] * (end - start)
            self.floor = floor
        return after

    def _mark(self, start: int, end: int, fate: int) -> int:
        end = min(end, self.size)
        self._marks.append((start, end))
        for i in range(start, end):
            self.fates[i] = fate
        if fate != KEPT:
            self.floor = max(self.floor, end)
        return end

    def _opens_quotation(self, i: int) -> bool:
        """Whether a quotation within a sentence opens here: a sign that reads "no diving"."""
        before = self.text[max(0, self.starts[i] - 2) : self.starts[i]].strip()
        if before not in ('"', "“", "``") or i == 0:
            return False
        return self.tags[i - 1] not in ".," or self.words[max(0, i - 2)] in ("says", "saying", "reads", "reading")

    def _is_attached(self, i: int) -> bool:
        """Whether the cue at i hangs on an affirmed noun of its clause."""
        j = i - 1
        if i and self.tags[j] == "S":  # "where no dogs" (are allowed)
            return False
        if i > 1 and self.tags[j] == "&" and self.tags[j - 1] == ",":  # "..., and no shoes"
            j -= 2
        while j >= max(self.floor, i - 60) and self.tags[j] not in ".,B":
            if self.tags[j] in CONTENT:
                return True
            j -= 1
        return False

    def _follows_verb(self, i: int) -> bool:
        """Whether the clause already has its verb before token i: "a man sits and no dog" (is running)."""
        j = i - 1
        while j >= max(self.floor, i - 60) and self.tags[j] not in ".,BS":
            if self.tags[j] in "Vahj" and not self.words[j].endswith("ing"):
                return True
            j -= 1
        return False

    # ---- cues -----------------------------------------------------------------------------------------------------

    def _no(self, i: int) -> int:
        """No X, neither X nor Y, none of the Xs."""
        words, tags = self.words, self.tags
        k = i + 1
        if words[i] == "none" and i and (tags[k] in ".,B" or self.frames_end(k) > k):
            return self._deny_topic(i, self._mark(i, k, CUE))
        if tags[k] in ".,B=" or (words[i] == "no" and self._is_foreign()) or (words[i] == "zero" and tags[k] == "P"):
            return k
        attached, clause = self._is_attached(i), self._follows_verb(i)
        if words[i] in ("neither", "nor", "none"):
            while tags[k] in "aATrR":  # "nor is there a cat"
                k += 1
            k += tags[k] == "h" and k > i + 1
        first = len(self.phrases)
        j = self._deny_list(k, attached)
        if len(self.phrases) == first:
            if tags[k] in "fF":  # "with no present"
                self._mark(i, k, CUE)
                return self._drop_frames(self._deny(k, k + 1))
            if words[i] in ("neither", "none"):  # "but none is visible"
                return self._deny_topic(i, self._mark(i, k, CUE))
            return k
        self._mark(i, k, CUE)
        if tags[j] in "wv" and all(tags[start] == "F" for start, _ in self.phrases[-1]):  # "no image without a dog"
            del self.phrases[first:]
            self._mark(i, j + 1, CUE)
            self.changed = True
            return j + 1
        if attached and not (clause and tags[j] in "aA"):
            return j
        return self._deny_predicate(j, first)

    def _deny_topic(self, i: int, end: int) -> int:
        """As for X, there is none; you might expect X, but there isn't one."""
        tags = self.tags
        stop = i
        while stop > 0 and (tags[stop - 1] in "aAT,RBr" or self.words[stop - 1] == ":"):
            stop -= 1
        start = stop
        while start > 0 and stop - start < 40 and tags[start - 1] in "kicFgdty&|,V":
            start -= 1
        if start < stop and (
            start == 0 or tags[start - 1] in "Po" or self.words[start - 1] in ("expect", "see", "find")
        ):
            self._mark(max(0, start - 1), start, DROPPED)
            self._deny_subject(start, stop, end)
        return self._drop_frames(end)

    def _without(self, i: int) -> int:
        """Without X, instead of X, lacks X, except X."""
        if self.tags[i] == "e" and i and self.fates[i - 1] != KEPT:  # "nobody except a girl" affirms her
            if self.phrases and self._phrase_text(self.phrases[-1]) == "anything":
                self.phrases.pop()
            self.changed = True
            if any(fate == KEPT and tag in CONTENT for fate, tag in zip(self.fates[:i], self.tags, strict=False)):
                self.swaps[i] = "with"  # "a pizza with no toppings except cheese" is one with cheese
            return self._mark(i, i + 1, CUE)
        if self.tags[i] == "v" and i and self.tags[i - 1] in "dtm":  # "a lack"
            return i + 1
        k = i + 1 + (self.tags[i + 1] == "n")
        first = len(self.phrases)
        joined = "kFgi" if self.tags[i] == "v" or self.words[i].endswith(" of") else "kFg"
        verbal = self.words[i] == "without" and self.tags[k] == "i"
        j = self._deny_list(k, self.tags[i] != "e", verbal, joined)
        if len(self.phrases) == first:
            if self.tags[k] in "fF" and self.tags[k + 1] in ".,B":  # "without video"
                self._mark(i, k, CUE)
                return self._deny(k, k + 1)
            return k
        attached = self._is_attached(i)
        self._mark(i, k, CUE)
        if self.words[i] in ("absence of", "lack of") and self.tags[j] == "a" and not attached:
            while self.tags[j] not in ".,B":  # "the absence of a dog is easy to see"
                j = self._mark(j, j + 1, DROPPED)
        return j

    def _not(self, i: int) -> int:
        """X is not shown, does not show X, is not riding X, not X but Y."""
        words, tags = self.words, self.tags
        aux = i
        while aux > self.floor and (tags[aux - 1] in "RaA" or words[aux - 1] in _HAVE):
            aux -= 1
        k = i + 1
        while tags[k] in "RaA":
            k += 1
        if tags[k] in "wvpq":
            return self._deny_twice(aux, k)
        if tags[k] == "=" or words[k] == "far":  # "cannot help but", "isn't far"
            return i + 1
        start = self.subject_start(aux, self.floor)
        noun = any(tags[m] in "kiVg" for m in range(start, aux)) and tags[aux - 1] != "r"  # "a man we cannot see"
        subject = noun or any(tags[m] == "F" for m in range(start, aux))
        self._mark(aux, k, CUE)
        if tags[k] == "n":
            return self._no(k)
        if tags[aux - 1] == "T" and words[k] in ("one", "any", "some") and tags[k + 1] in ".,B":
            return self._deny_topic(aux, self._mark(k, k + 1, CUE))
        if tags[k] in ".,B&S|":  # "a girl is not"
            if subject and (aux < i or tags[i] == "x" or tags[start - 1] in "B,"):
                return self._deny_subject(start, aux, k)
            self._mark(aux, k, KEPT)
            return k
        if words[k] == "one" and tags[k + 1] == "o" and aux < i and subject:  # "is not one of the sports"
            return self._mark(k, self.phrase_end(k, attached=True), DROPPED) and self._deny_subject(start, aux, k)
        shown = tags[k] in "fjT" or (tags[k] == "P" and tags[k + 1] != "m" and self.frame_end(k) > k)
        if tags[k] == "f" and tags[k + 1] in "iP" and not noun and self.frame_end(k + 1) == k + 1:
            shown, k = False, self._mark(k, k + 1, DROPPED)  # "the video is not presented in live-action"
        elif tags[k] == "f" and (
            tags[k + 1] == "i"
            or (aux == i and tags[i] == "N" and tags[k + 1] == "P" and self.frame_end(k + 1) == k + 1)
        ):
            shown, k = False, self._mark(k, k + 1, DROPPED)  # "not shown riding", "not found in America"
        if not shown and noun and self.is_passive(k) and words[k - 1] in ("not", "being", "isn't", "wasn't", "never"):
            after = self.frames_end(k + 1)
            bare = tags[start] in "ki" and words[aux] in ("is", "isn't", "was", "wasn't")
            if bare and tags[after] in ".,BS&":  # "tennis is not being played"
                self._mark(k, k + 1, DROPPED)
                return self._deny_subject(start, aux, k + 1)
        if shown:
            return self._deny_subject(start, aux, k) if subject else self._deny_inverted(k)
        if tags[k] == "h":
            if tags[k + 1] in NOUN_START or tags[k + 1] == "u":
                self._mark(k, k + 1, DROPPED)
                return self._deny_list(k + 1, attached=True)
            return self._deny_subject(start, aux, k + 1) if subject else k + 1
        first = len(self.phrases)
        alone = aux == i and tags[i] == "N"
        if alone or (aux and tags[aux - 1] == "T"):
            attached = alone and self._is_attached(i)
            j = self._deny_list(k, attached, verbal=tags[k] in "iV")
            if not attached and len(self.phrases) > first:
                j = self._deny_predicate(j, first)
        else:
            j = self._deny_list(k, attached=True, verbal=True)
            if tags[start] == "t" and start and tags[start - 1] == "B":  # "..., but the woman is not looking"
                self._mark(start, aux, DROPPED)
        if len(self.phrases) == first:
            self._mark(aux, k, KEPT)
        return j

    def _absent(self, i: int) -> int:
        """X is absent, is missing X, absent from this image is X."""
        tags = self.tags
        if tags[i] == "q" and i and tags[i - 1] in "dtmycP" and self.words[i - 1] != "both":  # "a missing tooth"
            return i + 1
        if i and self.words[i].startswith(("out ", "off ")) and not self._is_out_of_view(i):
            return i + 1
        aux = i
        while aux > self.floor and (tags[aux - 1] in "RaAdt" or self.words[aux - 1] in _HAVE):
            aux -= 1
        aux -= aux > self.floor and tags[aux - 1] == "m"
        start = self.subject_start(aux, self.floor)
        self._mark(aux, i + 1, CUE)
        if tags[i] == "q" and tags[i + 1] in "dtmyki" and not (self.is_passive(i + 1) and tags[i + 2] not in "kF"):
            return self._deny_list(i + 1, attached=True)
        if any(tags[m] in "kicVgF" for m in range(start, aux)):
            return self._deny_subject(start, aux, i + 1)
        return self._deny_inverted(i + 1)

    def _is_out_of_view(self, i: int) -> bool:
        """Whether "out of frame" says where something is ("with a dog out of frame"), not where a man walks or looks."""
        if self.words[i - 1] in ("partially", "partly", "half", "slightly", "mostly"):
            return False
        if self.tags[i - 1] in "RaA,.":
            return True
        link = next((m for m in range(i - 1, max(self.floor, i - 8), -1) if self.tags[m] not in "kdtmc"), 0)
        return self.words[link] == "with"

    def _nobody(self, i: int) -> int:
        """Nobody, nothing."""
        first = len(self.phrases)
        self._deny_pronoun(i)
        k = i + 1
        if self.words[k] == "else":
            k = self._mark(k, k + 1, DROPPED)
        return self._deny_predicate(k, first)

    def _less(self, i: int) -> int:
        """Hatless, car-free, car - free, person free."""
        word, start = self.words[i], i
        if word == "free":
            stop = i - 1 if self.words[i - 1] == "-" else i
            start = stop - 1
            copula = self.copula(start + 1)
            start = copula + 1 if copula else start  # "is dining table-free"
            self.phrases.append([(start, stop)])
        else:
            copula = self.copula(i)
            start = copula + 1 if copula and "-" in word else i
            self.spoken[i] = LESS_NOUNS.get(word) or word.removesuffix("-less").removesuffix("-free")
            self.phrases.append([(start, i), (i, i + 1)])
        return self._mark(start, i + 1, NEGATED)

    def _untrue(self, i: int) -> int:
        """It is not true that there is X; that there is no X."""
        self._mark(i, i + 1, CUE)
        j = i + 1
        while self.tags[j] not in ".nxNwvpqu":
            j += 1
        if self.tags[j] != ".":
            self.changed = True
            return self._mark(j, j + 1, CUE)
        j = i + 1
        while self.tags[j] in "TaAr":
            j = self._mark(j, j + 1, DROPPED)
        first = len(self.phrases)
        j = self._deny_list(j, attached=False)
        return self._deny_predicate(j, first) if len(self.phrases) > first else j

    # ---- denying --------------------------------------------------------------------------------------------------

    def _deny(self, start: int, end: int) -> int:
        self.phrases.append([(start, min(end, self.size))])
        return self._mark(start, end, NEGATED)

    def _deny_pronoun(self, i: int) -> None:
        self.spoken[i] = "anything" if self.words[i] in ("nothing", "not anything") else "people"
        if self.words[i].endswith((" them", " these", " which", " whom")):
            self.spoken[i] = ""
        self._deny(i, i + 1)

    def _drop_frames(self, j: int) -> int:
        return self._mark(j, self.frames_end(j), DROPPED) if j < self.size else j

    def _deny_list(self, j: int, attached: bool, verbal: bool = False, joined: str = "kFg") -> int:
        """Denies "X, Y or Z" from j on; returns where it ends."""
        tags = self.tags
        while True:
            start = self.determiners_end(j)
            determiners = "".join(tag for tag in tags[j:start] if tag in "dt")
            if tags[start] == "u":
                self._deny_pronoun(start)
                return self._drop_frames(start + 1)
            end = self.phrase_end(start, attached=attached, verbal=verbal)
            if end == start:
                return j
            self._mark(j, start, DROPPED)
            gerund = "i" if tags[start] == "i" else ""
            self._deny(start, end)
            j = self._drop_frames(end)
            if tags[j] == "i" and any(tags[m] in "fj" for m in range(end, j)):  # "no dog seen running"
                stop = self.phrase_end(j, attached=attached, verbal=True)
                self.phrases[-1].append((j, stop))
                self._mark(j, stop, NEGATED)
                j = self._drop_frames(stop)
            following = self.list_next(j, joined + determiners + gerund, bare=j == end)
            if following == j:
                return j
            j = self._mark(j, following, DROPPED)

    def _deny_predicate(self, j: int, first: int) -> int:
        """Reads on from absent subjects: "(no man) is riding a horse", "(no cat) can be seen"."""
        words, tags = self.words, self.tags
        head, vague = self.phrases[-1][0][0], self._phrase_text(self.phrases[-1]) in VAGUE
        pronoun = head in self.spoken
        start = j
        if vague:  # "nothing that looks like", "nothing in this image is"
            j = self._drop_frames(j)
            j += tags[j] == "S"
            if words[j] == "like":
                j += 1
        while tags[j] in "aAR" or (words[j] in _HAVE and tags[j + 1] == "a"):
            j += 1
        self._mark(start, j, DROPPED)
        frames = j
        j = self._drop_frames(j)
        if (
            j >= self.size
            or tags[j] in ".,BS&"
            or (tags[j] == "P" and (tags[j + 1] == "t" or j > frames or j == start))
        ):
            return j
        if j == start and tags[j] not in "iVh" and not (pronoun and tags[j] == "k"):
            return j
        noun = self.determiners_end(j)
        if start < j and ((pronoun and j < noun) or (vague and tags[noun] in "kicFg")):  # "no one is an actor"
            self.phrases.pop()
            self._mark(j, noun, DROPPED)
            return self._deny_list(noun, attached=False)
        stop = self.phrase_end(j, attached=False, verbal=True)
        if stop == j and tags[j] == "h":
            stop = self.phrase_end(j + 1, attached=False, verbal=True)
        if pronoun and j == start and words[j].endswith("s"):  # "no one sleeps": a person sleeps
            self.spoken[head] = "person"
        for phrase in self.phrases[first:]:
            phrase.append((j, stop))
        self._mark(j, stop, NEGATED)
        return self._drop_frames(stop)

    def _deny_subject(self, start: int, end: int, k: int) -> int:
        """The subject start..end is absent; drops the frames from k on."""
        item = start
        for j in range(start, end + 1):
            if j == end or self.tags[j] in "&|,":
                noun = self.determiners_end(item) if item < j else j
                self._mark(item, j, DROPPED)
                if noun < j:
                    self._deny(noun, j)
                if j < end:
                    self._mark(j, j + 1, DROPPED)
                item = j + 1
        return self._drop_frames(k)

    def _deny_inverted(self, k: int) -> int:
        """Absent from this image is X."""
        j = self._drop_frames(k)
        if self.words[j] in (":", ","):
            j = self._mark(j, j + 1, DROPPED)
        while self.tags[j] in "TaAr" or (self.tags[j] == "h" and j > k and self.tags[j + 1] in NOUN_START):
            j = self._mark(j, j + 1, DROPPED)
        return self._deny_list(j, attached=False, joined="kFgdtcVi")

    def _deny_twice(self, aux: int, k: int) -> int:
        """Not without X is with X."""
        follows = self.tags[k + 1] in NOUN_START
        self._mark(aux, k + 1, CUE)
        self.swaps[k] = "with" if self.tags[k] == "w" else "has" if follows and self.tags[k] in "vq" else "is present"
        self.changed = True
        return k + 1

    def _is_foreign(self) -> bool:
        if self._foreign is None:
            self._foreign = len(FOREIGN.intersection(self.words)) > 1
        return self._foreign

    # ---- results --------------------------------------------------------------------------------------------------

    def _phrase_text(self, slices: list[tuple[int, int]]) -> str:
        parts = []
        for start, end in slices:
            if start >= end:
                continue
            part = self.spoken.get(start)
            if part is None:
                part = self.text[self.starts[start] : self.ends[end - 1]]
                if (start == 0 or self.tags[start - 1] == ".") and part[1:] == part[1:].lower():
                    part = part[:1].lower() + part[1:]
                first, _, others = part.partition(" ")
                part = f"{_ANYBODY.get(first, first)} {others}"
            parts.append(part)
        return " ".join(" ".join(parts).split()).strip("\"'“”‘’ ")

    def _spans(self, fate: int) -> tuple[tuple[int, int], ...]:
        spans: list[tuple[int, int]] = []
        i = 0
        while i < self.size:
            try:
                start = i = self.fates.index(fate, i)
            except ValueError:
                break
            while i < self.size and self.fates[i] == fate:
                i += 1
            spans.append((self.starts[start], self.ends[i - 1]))
        return tuple(spans)


_READERS: dict[str, Callable[[_Reading, int], int]] = {
    "n": _Reading._no,
    "~": _Reading._no,
    "w": _Reading._without,
    "v": _Reading._without,
    "e": _Reading._without,
    "x": _Reading._not,
    "N": _Reading._not,
    "p": _Reading._absent,
    "q": _Reading._absent,
    "u": _Reading._nobody,
    "L": _Reading._less,
    "!": _Reading._untrue,
}
