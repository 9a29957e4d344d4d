"""Reads what a caption affirms and what it denies: "A man in a kitchen, but no chair" affirms the man, denies a chair.

One pass over the tokens; no model, no dependency, linear time. The idea is that of NegEx (Chapman et al. 2001), cues
with a direction and words that end their reach, carried from clinical reports to captions, with the affirmed rest as
text. The files: negation_cues and negation_classes (words), negation_tokens (their letters), negation_phrases (where
phrases end), negation_denials (what becomes of each token), negation_doubles (what cancels), negation_absences and
this one (cue by cue), negation_rest (the rest).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from .negation_absences import Absences
from .negation_classes import (
    ARRIVALS,
    FIRST_WORDS,
    FOREIGN,
    LESS_NOUNS,
    MEETINGS,
    PERCEPTIONS,
    PERMISSIONS,
    ROLES,
    SIGN_WORDS,
    VAGUE,
    WISHES,
)
from .negation_cues import HINTS
from .negation_denials import HAVE
from .negation_phrases import NOUN_START
from .negation_rest import CUE, DROPPED, KEPT, NEGATED, affirmed_part

_WORD = re.compile(r"\w+")


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
        affirmed_spans: character spans of the words that `affirmed` is made of; empty where it is the caption itself.
    """

    text: str
    affirmed: str
    negated: tuple[str, ...] = ()
    spans: tuple[tuple[int, int], ...] = ()
    cue_spans: tuple[tuple[int, int], ...] = ()
    affirmed_spans: tuple[tuple[int, int], ...] = ()

    @property
    def kind(self) -> str:
        """`affirmation`, `negation` or `hybrid`, as NegBench sorts captions."""
        if not self.negated:
            return "affirmation"
        return "hybrid" if self.affirmed else "negation"


@lru_cache(maxsize=16384)
def read_scope(text: str) -> NegationScope:
    """Split a caption into its affirmed text and its negated phrases; defined for every string."""
    if HINTS.isdisjoint(_WORD.findall(text.lower())) and " -" not in text:
        return NegationScope(text, text)
    return _Reading(text).scope()


class _Reading(Absences):
    """One reading of one caption: what becomes of each token."""

    def scope(self) -> NegationScope:
        """Read the caption from left to right, cue by cue."""
        i = 0
        while i < self.size:
            reader = _READERS.get(self.tags[i])
            i = self._read_cue(reader, i) if reader and not self._opens_quotation(i) else i + 1
        negated = tuple(dict.fromkeys(filter(None, map(self.phrase_text, self.phrases))))
        if not negated and not self.changed:
            return NegationScope(self.text, self.text)
        spans, cue_spans = self.spans(NEGATED), self.spans(CUE)
        affirmed, affirmed_spans = affirmed_part(self)
        return NegationScope(self.text, affirmed, negated, spans, cue_spans, affirmed_spans)

    def _read_cue(self, reader: "Callable[[_Reading, int], int]", i: int) -> int:
        """Read one cue; one that turns out to deny nothing leaves no mark."""
        denied, floor, changed = len(self.phrases), self.floor, self.changed
        self.marks.clear()
        after = max(reader(self, i), i + 1)
        if len(self.phrases) == denied and self.changed == changed:
            for start, end in self.marks:
                self.fates[start:end] = [KEPT] * (end - start)
            self.floor = floor
        elif self.words[after] in ("besides", "beyond"):  # "no furniture besides a bed"
            if self.affirms_before(i):
                self.swaps[after] = "with"
            else:
                self.mark(after, after + 1, CUE)
        return after

    def _opens_quotation(self, i: int) -> bool:
        """Whether a quotation within a sentence opens here: a sign that reads "no diving"."""
        before = self.text[max(0, self.starts[i] - 2) : self.starts[i]].strip()
        if before not in ('"', "“", "``") or i == 0:
            return False
        return self.tags[i - 1] not in ".," or self.words[max(0, i - 2)] in ("says", "saying", "reads", "reading")

    # ---- cues -----------------------------------------------------------------------------------------------------

    def _no(self, i: int) -> int:
        """No X, neither X nor Y, none of the Xs."""
        words, tags = self.words, self.tags
        k = i + 1
        answers = words[i] == "none" or (words[i] == "no" and i > 0 and words[i - 1] in (":", ",", "?"))  # "edema: no"
        if answers and i and (tags[k] in ".,B" or (words[i] == "none" and self.frames_end(k) > k)):
            return self.deny_topic(i, self.mark(i, k, CUE))
        if tags[k] in ".,B=" or (words[i] == "no" and self._is_foreign()) or (words[i] == "zero" and tags[k] == "P"):
            return k
        if words[i] == "no" and (end := self.keep_changed(i)):
            return end
        if words[i] in ("neither", "none of", "neither of") and (end := self.deny_of_each(i)):
            return end
        attached, clause = self.is_attached(i), self.follows_verb(i)
        verbal = False
        if words[i] in ("neither", "nor", "none"):
            while tags[k] in "aATrR":  # "nor is there a cat"
                k += 1
            k += tags[k] == "h" and k > i + 1
            verbal = words[i] == "nor" and tags[i + 1] == "A" and tags[k - 1] == "r"  # "nor does she carry a bag"
            if words[i] == "nor" and tags[i + 1] == "A" and tags[k] in "tmd":  # "nor does the man have a bag"
                verb = next((m for m in range(k, min(k + 6, self.size)) if words[m] in HAVE or tags[m] == "h"), 0)
                if verb:
                    self.mark(i, k, CUE)
                    return self.deny_list(self.mark(k, verb + 1, DROPPED), attached=True)
        first = len(self.phrases)
        j = self.deny_list(k, attached, verbal)
        if len(self.phrases) == first:
            if tags[k] in "fF":  # "with no present"
                self.mark(i, k, CUE)
                return self.drop_frames(self.deny(k, k + 1))
            if words[i] in ("neither", "none"):  # "but none is visible"
                return self.deny_topic(i, self.mark(i, k, CUE))
            return k
        self.mark(i, k, CUE)
        if tags[j] in "wv" and all(tags[start] == "F" for start, _ in self.phrases[-1]):  # "no image without a dog"
            del self.phrases[first:]
            self.mark(i, j + 1, CUE)
            self.changed = True
            return j + 1
        if end := self.take_back(first, j, attached=attached):
            return end
        if attached and not (clause and tags[j] in "aA"):
            return j
        if words[j] in MEETINGS:  # "no dog joins the man": the man is there
            return self.mark(j, j + 1, DROPPED)
        return self.deny_predicate(j, first)

    def _not(self, i: int) -> int:
        """X is not shown, does not show X, is not riding X, not X but Y."""
        words, tags = self.words, self.tags
        aux = i
        while aux > self.floor and (tags[aux - 1] in "RaA" or words[aux - 1] in HAVE):
            aux -= 1
        k = i + 1
        while tags[k] in "RaA":
            k += 1
        if tags[k] in "wvpq":
            return self.deny_twice(aux, k)
        if tags[k] == "=" or words[k] == "far":  # "cannot help but", "isn't far"
            return i + 1
        if words[i + 1] in ("only", "just", "merely", "simply", "solely"):  # "don't just play, they sing"
            return i + 2
        if words[i] == "never" and words[k] in HAVE and (i == 0 or tags[i - 1] == "."):
            return i + 1  # "never has a dog been so happy"
        if words[aux] in ("do", "don't", "dont") and not SIGN_WORDS.isdisjoint(words[k : k + 4]):
            return k  # "a don't walk sign"
        better = words[k] in ("more", "better", "worse") or words[k].endswith("er")
        if better and words[i + 1] == "be" and words[i].startswith(("could", "can")):  # "couldn't be happier"
            return k + 1
        if better and words[i] == "not" and words[i - 1] in ("could", "can") and words[i + 1] == "be":
            return k + 1
        aux -= aux > self.floor and words[aux - 1] == ":"  # "pneumothorax: not seen"
        if self.keeps(aux, i, k):
            return k
        start = self.subject_start(aux, self.floor)
        noun = any(tags[m] in "kiVg" for m in range(start, aux)) and tags[aux - 1] != "r"  # "a man we cannot see"
        subject = noun or any(tags[m] == "F" for m in range(start, aux))
        if tags[k] == "h" and tags[k + 1] in ".a" and (after := self.read_what(aux, k + 1)):
            return after  # "a dog is what this image does not include"
        attached = self.is_attached(i)
        self.mark(aux, k, CUE)
        if tags[k] == "n":
            return self._no(k)
        if subject and (words[k] in PERMISSIONS or (words[k] in ARRIVALS and tags[self.frames_end(k + 1)] in ".,BS&")):
            return self.deny_subject(start, aux, self.mark(k, k + 1, DROPPED))
        k = self.mark(k, k + 1, DROPPED) if words[k] == "many" else k
        if words[k] == "interested" and words[k + 1] == "in" and not noun:
            return self.deny_list(self.mark(k, k + 2, DROPPED), attached=True)
        asks = tags[k] != "h" or tags[k + 1] == "r"  # "don't show me cats"; an image that does not show them is below
        if words[k] in WISHES and asks and (not noun or words[k].startswith(("allow", "permit"))):
            while (
                words[k] in WISHES or tags[k] == "r" or words[k] == "to" or (tags[k] == "h" and words[k - 1] == "to")
            ):
                k = self.mark(k, k + 1, DROPPED)  # "I don't want to see any cars"
            return self.deny_list(k, attached=True)
        if words[k] in ("accompanied", "joined", "paired") and words[k + 1] in ("by", "with"):
            return self.deny_list(self.mark(k, k + 2, DROPPED), attached=True)
        if not subject and words[i - 1] == "?" and (tags[k] == "T" or self.frames_end(k) > k):
            return self.deny_topic(i, k)  # "a cat? not in this image"
        if tags[aux - 1] == "T" and words[k] in ("one", "any", "some") and tags[k + 1] in ".,B":
            return self.deny_topic(aux, self.mark(k, k + 1, CUE))
        if tags[k] in ".,B&S|":  # "a girl is not"
            if subject and (aux < i or tags[i] == "x" or tags[start - 1] in "B,"):
                return self.deny_subject(start, aux, k)
            return k
        if words[k] == "one" and tags[k + 1] == "o" and not subject:  # "not one of the chairs is occupied"
            return self._no(self.mark(k, k + 2, CUE) - 1)
        if words[k] == "one" and tags[k + 1] == "o" and aux < i and subject:  # "is not one of the sports"
            return self.mark(k, self.phrase_end(k, attached=True), DROPPED) and self.deny_subject(start, aux, k)
        if tags[k] == "k" and (tags[aux] == "A" or words[i].startswith(("do", "did", "ca", "can", "wo"))):
            tags[k] = "V"  # "does not extend to the joint"
        seer = noun or (words[k] == "notice" and tags[aux - 1] != "r")
        if seer and words[k] in PERCEPTIONS and tags[k + 1] == "t":  # the cat that she does not notice is there
            return self.deny(k, k + 1)
        if noun and tags[aux] in "ax" and (words[k] in ("among", "amongst") or words[k] in VAGUE):
            stop = k + 1  # "is not among the objects in this image", "is not something you'll find"
            while tags[stop] in "tkoPFTrAahSfj":
                stop += 1
            if words[k] in VAGUE or not VAGUE.isdisjoint(words[k:stop]):
                return self.deny_subject(start, aux, self.mark(k, stop, DROPPED))
        end = self.frames_end(k + 1)
        if tags[k] == "h" and tags[end] == "a" and tags[end + 1] in NOUN_START and self.is_vague(start, aux - 1):
            self.mark(start - 1, end, DROPPED)  # "what you won't find in this image is an oven"
            self.mark(aux, k, CUE)
            return self.deny_inverted(end)
        if tags[k] == "t" and aux < i and subject and any(words[m] in ROLES for m in (k + 1, k + 2)):
            role = k + 1 + (words[k + 1] not in ROLES)
            return self.deny_subject(start, aux, self.mark(k, role + 1, DROPPED))
        shown = tags[k] in "fjT" or (tags[k] == "P" and tags[k + 1] != "m" and self.frame_end(k) > k)
        if tags[k] == "f" and tags[k + 1] in "iP" and not noun and self.frame_end(k + 1) == k + 1:
            shown, k = False, self.mark(k, k + 1, DROPPED)  # "the video is not presented in live-action"
        elif tags[k] == "f" and (
            tags[k + 1] == "i"
            or (aux == i and tags[i] == "N" and tags[k + 1] == "P" and self.frame_end(k + 1) == k + 1)
        ):
            shown, k = False, self.mark(k, k + 1, DROPPED)  # "not shown riding", "not found in America"
        if not shown and noun and self._is_activity(start, aux, k):
            self.mark(k, k + 1, DROPPED)
            return self.deny_subject(start, aux, k + 1)
        if shown:
            relative = aux > 0 and tags[aux - 1] == "S"  # "who has never seen snow looks out"
            return self.deny_subject(start, aux, k) if subject else self.deny_inverted(k, attached=relative)
        if tags[k] == "h":
            if tags[k + 1] in NOUN_START or tags[k + 1] == "u":
                first = len(self.phrases)
                j = self.deny_list(self.mark(k, k + 1, DROPPED), attached=True)
                return self.take_back(first, j, attached=tags[j] != "w") or j
            return self.deny_subject(start, aux, k + 1) if subject else k + 1
        first = len(self.phrases)
        alone = aux == i and tags[i] == "N"
        if alone or (aux and tags[aux - 1] == "T"):
            attached = alone and attached
            j = self.deny_list(k, attached, verbal=tags[k] in "iV")
            if not attached and len(self.phrases) > first:
                if end := self.take_back(first, j, attached=False):
                    return end
                j = self.deny_predicate(j, first)
        else:
            j = self.deny_list(k, attached=True, verbal=True)
            if len(self.phrases) > first and (end := self.take_back(first, j, attached=tags[j] != "w")):
                return end
            if noun and tags[aux] in "ax" and words[j] == "but" and tags[j + 1] in "kidcP":
                self.swaps[aux] = words[aux].split("n'")[0]  # "the bus is not red but blue" is blue
            elif tags[start] == "t" and start and tags[start - 1] == "B":  # "..., but the woman is not looking"
                self.mark(start, aux, DROPPED)
        return j

    def _is_activity(self, start: int, aux: int, k: int) -> bool:
        """Whether "not played" denies its whole subject, as in "tennis is not being played"."""
        return (
            self.is_passive(k)
            and self.words[k - 1] in ("not", "being", "isn't", "wasn't", "never")
            and self.tags[start] in "ki"
            and self.words[aux] in ("is", "isn't", "was", "wasn't")
            and self.tags[self.frames_end(k + 1)] in ".,BS&"
        )

    def _nobody(self, i: int) -> int:
        """Nobody, nothing."""
        first = len(self.phrases)
        k = i + 1
        if i and self.tags[i - 1] == "d":  # "a nobody"
            return k
        if self.tags[k] == "w" and self.words[i] != "nothing":  # "no one without an umbrella"
            self.swaps[i] = "people"
            return self.deny_twice(i, k)
        self.deny_pronoun(i)
        if self.words[k] == "else":
            k = self.mark(k, k + 1, DROPPED)
        if after := self.surpass(i, k):
            return after
        if i and self.words[i - 1] == "with":  # "with nothing in her hands walks": it is she who walks
            after = self.drop_frames(k)
            if after > k and self.tags[after] != "i":
                return after
        after = self.deny_predicate(k, first)
        return self.take_back(first, after, attached=False) or after

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
            if LESS_NOUNS.get(word) == "people" and copula != i - 1:  # "an unoccupied seat" among people
                return i + 1
            start = copula + 1 if copula and "-" in word else i
            if start == i and i and "-" in word and self.words[i - 1] in FIRST_WORDS:
                start = i - 1
            self.spoken[i] = LESS_NOUNS.get(word) or word.removesuffix("-less").removesuffix("-free")
            self.phrases.append([(start, i), (i, i + 1)])
        return self.mark(start, i + 1, NEGATED)

    def _minus(self, i: int) -> int:
        """Street -cars: the one word that the minus stands before."""
        self.mark(i, i + 1, CUE)
        return self.deny(i + 1, i + 2)

    def _untrue(self, i: int) -> int:
        """It is not true that there is X; that there is no X."""
        self.mark(i, i + 1, CUE)
        j = i + 1
        while self.tags[j] not in ".nxNwvpqu":
            j += 1
        if self.tags[j] != ".":
            self.changed = True
            return self.mark(j, j + 1, CUE)
        j = i + 1
        while self.tags[j] in "TaAr":
            j = self.mark(j, j + 1, DROPPED)
        first = len(self.phrases)
        j = self.deny_list(j, attached=False)
        return self.deny_predicate(j, first) if len(self.phrases) > first else j

    def _is_foreign(self) -> bool:
        """Whether "no" may be a word of another language; asked once a text."""
        if self._foreign is None:
            self._foreign = len(FOREIGN.intersection(self.words)) > 1
        return self._foreign


_READERS: dict[str, Callable[[_Reading, int], int]] = {
    "n": _Reading._no,
    "~": _Reading._no,
    "w": _Reading.read_without,
    "v": _Reading.read_without,
    "e": _Reading.read_except,
    "x": _Reading._not,
    "N": _Reading._not,
    "p": _Reading.read_absent,
    "q": _Reading.read_absent,
    "u": _Reading._nobody,
    "L": _Reading._less,
    "!": _Reading._untrue,
    "M": _Reading._minus,
}
