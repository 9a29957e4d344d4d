"""Reads what a caption affirms and what it says is absent: "A man in a kitchen, but no chair" -> "A man in a kitchen", "chair".

One pass over the tokens, whose letters negation_cues.py defines; no model, no dependency, linear time.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from .negation_cues import LESS_NOUNS, NOUN_OR_VERB, PHRASE_TAGS, WORD_TAGS

_TOKEN = re.compile(
    r"\bno\.? ?\#?\d+"  # No. 5
    r"|\b(?:is|are|was|were|do|does|did|has|have|had|ca|can|could|wo|would|should|must|ai) ?n ?['’] ?t\b"
    r"|['’] ?(?:s|re|ve|ll|d|m)\b"
    r"|[^\W_]+(?:-[^\W_]+)*"
    r"|[.!?;:\n]+|[,()\[\]…–—&]|(?<!\S)-+(?!\S)",
    re.IGNORECASE,
)
# A caption without any of these says nothing of absence, and is returned as it came.
_HINT = re.compile(
    r"\b(?:no|not|non|cannot|never|nor|none|nobody|noone|nothing|nowhere|neither|nary|zero|without|w/o|w / o|sans|minus|lack\w*|"
    r"miss\w*|absen\w+|unseen|exclu\w+|omit\w*|except\w*|barring|instead|rather|other|apart|aside|free|devoid|void|"
    r"bereft|bare|barren|empty|clear|fail\w*|unable|hardly|barely|scarcely|little|next|out|off|rules?|ruled|negative|den\w+|"
    r"leav\w+|left|save|everything|anything|lieu|opposed|place|point|means|false|untrue|wrong|\w+less|cant|dont|doesnt|isnt|"
    r"arent|wasnt|short|steers|does|but|all|has|plays?|close)\b|n ?['’] ?t\b",
    re.IGNORECASE,
)
_LIST_OR = re.compile(r"(?:,[dyRt]{0,2}[kicFgo]{1,6}){0,9},?[|~][dyRt]{0,2}[kicFgf]")
_LIST_AND = re.compile(r"(?:,y?[kicFgo]{1,6}){1,9},?&y?[kcFg]{1,4}(?=[.,BSfPjx])")
_NOUN_START = frozenset("dtmycRkicFgf")
_CONTENT = frozenset("kicVLg=")
_KEPT, _CUE, _DROPPED, _NEGATED = range(4)
_LOCATIVE = frozenset(
    "in on near along across under beside behind around inside by at above outside over next to".split()
)
_SIGN_WORDS = frozenset("sign signs zone zones symbol area poster notice".split())
_FOREIGN = frozenset(
    "hay una un el los las está es con del que por para della il nel com não uma den und der ein eine het een".split()
)
_SPOKEN = {"anyone": "people", "anybody": "people", "someone": "people", "no one": "people", "nothing": "anything"}


@dataclass(frozen=True)
class NegationScope:
    """What a caption affirms and what it negates.

    Attributes:
        text: the caption as given.
        affirmed: the caption without its negated parts, fit to be embedded; "" when it affirms nothing, and the very
            same string where nothing is negated.
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
    """Split a caption into its affirmed text and its negated phrases; never raises on a string."""
    if not _HINT.search(text):
        return NegationScope(text, text)
    return _Reader(text).read()


class _Reader:
    """One reading of one caption: tokens, their letters, and what becomes of each."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words: list[str] = []
        self.tags: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self._tokenise()
        self.size = len(self.words)
        self.words += ["", "", ""]
        self.tags += [".", ".", "."]  # so that looking ahead needs no bounds check
        self._disambiguate()
        self.fates = [_KEPT] * self.size
        self.swaps: dict[int, str] = {}
        self.phrases: list[list[tuple[int, int]]] = []  # each phrase: its slices of tokens
        self.literals: dict[int, str] = {}
        self.cancelled = False

    # ---- tokens and letters -------------------------------------------------------------------------------------

    def _tokenise(self) -> None:
        words, starts, ends = [], [], []
        for match in _TOKEN.finditer(self.text):
            words.append(match.group().lower().replace("’", "'"))
            starts.append(match.start())
            ends.append(match.end())
        i, size = 0, len(words)
        while i < size:
            word, last = words[i], i
            tag = ""
            for phrase, phrase_tag in PHRASE_TAGS.get(word, ()):
                if tuple(words[i : i + len(phrase)]) == phrase:
                    word, tag, last = " ".join(phrase), phrase_tag, i + len(phrase) - 1
                    break
            self.words.append(word)
            self.tags.append(tag or _tag_of(word))
            self.starts.append(starts[i])
            self.ends.append(ends[last])
            i = last + 1

    def _disambiguate(self) -> None:
        words, tags = self.words, self.tags
        for i in range(self.size):
            tag, word, before = tags[i], words[i], tags[i - 1] if i else "."
            if word == "that" and tags[i + 1] in "aAxhVNjq":
                tags[i] = "S"
            elif word == "'s":
                tags[i] = "a" if before in "TrSRt" else "k"
            elif word in NOUN_OR_VERB and (
                before in "dmncPy"
                or (before == "k" and tags[i + 1] in ".,&BaSPfx")
                or (before == "t" and words[i - 1] in ("the", "these", "those"))
            ):
                tags[i] = "k"
            elif word == "free" and i >= 2 and words[i - 1] == "-":
                tags[i] = "L"
            elif word == "free" and before in "k" and tags[i + 1] in ".,B&":
                j = i - 1
                while j > 0 and tags[j] == "k":
                    j -= 1
                if tags[j] == "a" and tags[j - 1] in "Frt":
                    tags[i] = "L"
            elif tag == "n" and tags[i + 1] == "i" and words[i + 2] in _SIGN_WORDS:
                tags[i] = "="

    # ---- the pass -----------------------------------------------------------------------------------------------

    def read(self) -> NegationScope:
        handlers = {
            "n": self._no,
            "~": self._no,
            "w": self._without,
            "v": self._without,
            "e": self._without,
            "x": self._not,
            "N": self._not,
            "p": self._absent,
            "q": self._absent,
            "u": self._nobody,
            "L": self._less,
            "!": self._untrue,
        }
        i = 0
        while i < self.size:
            handler = handlers.get(self.tags[i])
            i = max(handler(i), i + 1) if handler and not self._quoted(i) else i + 1
        if not self.phrases and not self.swaps and not self.cancelled:
            return NegationScope(self.text, self.text)
        negated = tuple(dict.fromkeys(phrase for phrase in map(self._phrase_text, self.phrases) if phrase))
        if not negated and not self.swaps and not self.cancelled:
            return NegationScope(self.text, self.text)
        return NegationScope(self.text, self._affirmed(), negated, self._spans(_NEGATED), self._spans(_CUE))

    def _mark(self, start: int, end: int, fate: int) -> None:
        for i in range(start, min(end, self.size)):
            self.fates[i] = fate

    def _quoted(self, i: int) -> bool:
        """Whether a quotation that opens within a sentence starts here: a sign that reads "no diving"."""
        before = self.text[max(0, self.starts[i] - 2) : self.starts[i]].strip()
        return before in ('"', "“", "``") and i > 0 and self.tags[i - 1] not in ".,"

    def _has_content(self, start: int, end: int) -> bool:
        return any(self.tags[i] in _CONTENT and self.fates[i] == _KEPT for i in range(start, end))

    def _clause_start(self, i: int) -> int:
        j = i
        while j > 0 and i - j < 60 and self.tags[j - 1] not in ".,B" and self.fates[j - 1] == _KEPT:
            j -= 1
        return j

    # ---- cues ---------------------------------------------------------------------------------------------------

    def _no(self, i: int) -> int:
        words, tags = self.words, self.tags
        k = i + 1
        if tags[k] in ".,B=" or words[k] in _SIGN_WORDS:
            return k
        if words[i] == "no" and len(_FOREIGN.intersection(words)) >= 2:
            return k
        loose = self._has_content(self._clause_start(i), i)
        if words[i] in ("neither", "nor", "none"):
            while tags[k] in "aATrR":
                k += 1
            if tags[k] == "h" and k > i + 1:
                k += 1
        self._mark(i, k, _CUE)
        if tags[k] == "a" or (tags[k] == "f" and tags[k + 1] not in "kiF"):
            return k
        first = len(self.phrases)
        j = self._absent_list(k, loose)
        if len(self.phrases) == first:
            if tags[k] in "fF":  # "with no present"
                self._record(k, k + 1)
                return self._frames(k + 1)
            self._mark(i, k, _KEPT)
            return k
        if tags[j] == "w" and all(self.tags[a] == "F" for a, _ in self.phrases[-1]):  # "no image without a dog"
            del self.phrases[first:]
            self._mark(k, j, _DROPPED)
            self._mark(j, j + 1, _CUE)
            self.cancelled = True
            return j + 1
        return j if loose else self._predicate(j, first)

    def _without(self, i: int) -> int:
        if self.tags[i] == "e" and i and self.fates[i - 1] != _KEPT:  # "nobody except a girl" affirms her
            self._mark(i, i + 1, _CUE)
            return i + 1
        self._mark(i, i + 1, _CUE)
        before = len(self.phrases)
        if self.tags[i + 1] == "n":
            self._mark(i + 1, i + 2, _CUE)
        j = self._absent_list(i + 1 + (self.tags[i + 1] == "n"), True)
        if len(self.phrases) == before:
            if self.tags[i + 1] == "u" or (self.tags[i + 1] == "F"):
                return i + 1
            self._mark(i, j, _KEPT)
            return i + 1
        return j

    def _not(self, i: int) -> int:
        words, tags = self.words, self.tags
        aux = i
        while (
            aux
            and self.fates[aux - 1] == _KEPT
            and (tags[aux - 1] in "RaA" or (words[aux - 1] in ("has", "have", "had")))
        ):
            aux -= 1
        k = i + 1
        while tags[k] in "RaA":
            k += 1
        tag = tags[k]
        if tag in "wvpq":
            self._mark(aux, k + 1, _CUE)
            self.swaps[k] = {"w": "with", "p": "is present"}.get(
                tag, "has" if tags[k + 1] in _NOUN_START else "is present"
            )
            return k + 1
        self._mark(aux, k, _CUE)
        if tag == "n":
            return k
        start = self._subject(aux)
        subject = any(tags[m] in "kicVgF" for m in range(start, aux))
        frame_subject = subject and not any(tags[m] in "kicVg" for m in range(start, aux))
        there = aux > 0 and tags[aux - 1] == "T"
        frame = tag in "fjT" or (tag == "P" and self._frame_end(k) > k)
        if tag == "f" and (
            tags[k + 1] == "i" or (frame_subject and tags[k + 1] == "P" and not self._frame_end(k + 1) > k + 1)
        ):
            frame, k = False, k + 1
            self._mark(k - 1, k, _DROPPED)
            if tags[k] == "P":
                self._mark(k, k + 1, _DROPPED)
                k += 1
        if frame and subject:
            return self._backward(start, aux, k)
        if frame:
            return self._inverted(k)
        if tag == "h":
            if tags[k + 1] in _NOUN_START or tags[k + 1] == "u":
                self._mark(k, k + 1, _DROPPED)
                return self._absent_list(k + 1, True)
            return self._backward(start, aux, k + 1) if subject else k + 1
        if tag in ".,B&S|":
            if subject and aux < i + (tags[i] == "x"):
                return self._backward(start, aux, k)
            if subject and tags[i] == "x":
                return self._backward(start, aux, k)
            self._mark(aux, k, _KEPT)
            return k
        first = len(self.phrases)
        bare = aux == i and tags[i] == "N"
        if bare or there:
            loose = bare and self._has_content(self._clause_start(i), i)
            j = self._absent_list(k, loose, verbal=tags[k] in "iV")
            if not loose and len(self.phrases) > first:
                j = self._predicate(j, first)
        else:
            j = self._absent_list(k, True, verbal=True)
        if len(self.phrases) == first:
            self._mark(aux, k, _KEPT)
        return j

    def _absent(self, i: int) -> int:
        tags = self.tags
        if tags[i] == "q" and i and tags[i - 1] in "dtmyc":  # "a missing tooth"
            return i + 1
        aux = i
        while aux and tags[aux - 1] in "RaAd" and self.fates[aux - 1] == _KEPT:
            aux -= 1
        if aux and tags[aux - 1] == "m":
            aux -= 1
        self._mark(aux, i + 1, _CUE)
        if tags[i] == "q" and tags[i + 1] in "dtmyki":
            return self._absent_list(i + 1, True)
        start = self._subject(aux)
        if any(tags[m] in "kicVgF" for m in range(start, aux)):
            return self._backward(start, aux, i + 1)
        return self._inverted(i + 1)

    def _inverted(self, k: int) -> int:
        """Noticeably absent from this image is X."""
        j = self._frames(k)
        if self.tags[j] == "a" or self.words[j] in (":", ","):
            self._mark(j, j + 1, _DROPPED)
            j += 1
        while self.tags[j] in "TaA":
            self._mark(j, j + 1, _DROPPED)
            j += 1
        return self._absent_list(j, False)

    def _nobody(self, i: int) -> int:
        self._mark(i, i + 1, _NEGATED)
        first = len(self.phrases)
        self.literals[i] = "anything" if self.words[i] == "nothing" else "people"
        self.phrases.append([(i, i + 1)])
        k = i + 1
        if self.words[k] == "else":
            self._mark(k, k + 1, _DROPPED)
            k += 1
        return self._predicate(k, first)

    def _less(self, i: int) -> int:
        word = self.words[i]
        start = i
        if word == "free":
            start = i - 2 if self.words[i - 1] == "-" else i - 1
        while start > 1 and self.tags[start - 1] == "k" and self._copula_before(start):
            start -= 1
        self._mark(start, i + 1, _NEGATED)
        if word == "free":
            stem = range(start, i - 1 if self.words[i - 1] == "-" else i)
            self.phrases.append([(stem.start, stem.stop)])
        else:
            self.literals[i] = LESS_NOUNS.get(word) or word.removesuffix("-less").removesuffix("-free")
            self.phrases.append([(start, i + 1)])
        return i + 1

    def _copula_before(self, start: int) -> bool:
        j = start
        while j and self.tags[j - 1] == "k":
            j -= 1
        return j > 0 and self.tags[j - 1] == "a"

    def _untrue(self, i: int) -> int:
        self._mark(i, i + 1, _CUE)
        j = i + 1
        while j < self.size and self.tags[j] != "." and self.tags[j] not in "nxNwvpqu":
            j += 1
        if j < self.size and self.tags[j] != ".":
            self._mark(j, j + 1, _CUE)
            self.cancelled = True
            return j + 1
        j = i + 1
        while self.tags[j] in "TaAr":
            self._mark(j, j + 1, _DROPPED)
            j += 1
        first = len(self.phrases)
        j = self._absent_list(j, False)
        return self._predicate(j, first) if len(self.phrases) > first else j

    # ---- what a cue negates -------------------------------------------------------------------------------------

    def _absent_list(self, j: int, loose: bool, verbal: bool = False) -> int:
        """Reads "X, Y or Z" from j on as absent; returns where it ends.

        `loose`: the cue hangs on a noun that is affirmed ("a man with no hat in a park"), so that a place after the
        list belongs to that noun.
        """
        tags = self.tags
        while True:
            start = self._skip_determiners(j)
            gerund = tags[start] == "i"
            indefinite = any(tags[m] == "d" for m in range(j, start))
            if tags[start] == "u":
                self._nobody_item(start)
                return self._frames(start + 1)
            end = self._noun_phrase(start, loose, verbal)
            if end == start:
                self._mark(j, start, _KEPT)
                return j
            self._record(start, end)
            j = self._frames(end)
            if tags[j] == "i" and j > end:  # "no dog seen running"
                stop = self._noun_phrase(j, loose, True)
                self._mark(j, stop, _NEGATED)
                self.phrases[-1].append((j, stop))
                j = self._frames(stop)
            after = self._list_goes_on(j, gerund, indefinite)
            if after == j:
                return j
            self._mark(j, after, _DROPPED)
            j = after

    def _nobody_item(self, i: int) -> None:
        self._mark(i, i + 1, _NEGATED)
        self.literals[i] = "anything" if self.words[i] == "nothing" else "people"
        self.phrases.append([(i, i + 1)])

    def _skip_determiners(self, j: int) -> int:
        tags, start = self.tags, j
        while True:
            tag = tags[j]
            if tag in "dtymR" or (tag == "f" and tags[j + 1] in "kiF"):
                j += 1
            elif tag in "gF" and (tags[j + 1] == "o" or self.words[j + 1] in ("to", "from")):
                j += 2
            elif tag == "h" and j == start and self.words[j].endswith("ing") and tags[j + 1] in _NOUN_START:
                j += 1
            elif tag == "P" and j == start and tags[j + 1] in _NOUN_START:
                j += 1
            else:
                break
        self._mark(start, j, _DROPPED)
        return j

    def _noun_phrase(self, start: int, loose: bool, verbal: bool) -> int:
        words, tags = self.words, self.tags
        j, noun = start, False
        while j < self.size:
            tag = tags[j]
            if tag == "V" or (tag == "k" and j > start and tags[j + 1] in "dtm" and words[j].endswith(("s", "ed"))):
                if j > start and not verbal:
                    if loose:
                        break
                    verbal = True
                elif j > start and verbal and noun:
                    break
            elif tag in "kcFgL":
                noun = True
            elif tag == "=":
                pass
            elif tag == "i":
                if j > start and loose and not verbal and tags[j - 1] in "kF" and tags[j + 1] in "dtmPiR":
                    break  # "a man without a hat riding a horse"
                if j > start or tags[j + 1] in "dtm":
                    verbal = True
            elif tag in "dtmyr" and (verbal or tags[j - 1] in "oP") and j > start:
                noun = True
            elif tag == "R" and verbal and j > start:
                pass
            elif tag == "h" and verbal and words[j].endswith("ing"):
                pass
            elif tag == "o" and j > start and tags[j + 1] in _NOUN_START:
                if self._frame_end(j) > j:
                    break
            elif tag == "P" and j > start:
                if not self._takes_place(j, start, loose, verbal):
                    break
            elif tag == "P" and verbal and j == start:
                pass
            else:
                break
            j += 1
        return j

    def _takes_place(self, j: int, start: int, loose: bool, verbal: bool) -> bool:
        """Whether the preposition at j belongs to the negated phrase, and not to what is affirmed around it."""
        following, word = self.tags[j + 1], self.words[j]
        if self._frame_end(j) > j:
            return False
        if following in "mt" and verbal and self.tags[j - 1] in "iV" and (loose or word not in _LOCATIVE):
            return True
        if following == "m":
            return verbal
        if following == "t":
            return not loose and word not in _LOCATIVE
        return verbal or not loose

    def _frame_end(self, j: int) -> int:
        """The end of "in this image", "in it", "on his head" or of a dangling "on"; j itself where none starts there."""
        tags = self.tags
        k = j + 1
        while tags[k] in "dtR":
            k += 1
        if tags[k] in "kf" and tags[k + 1] == "F":
            k += 1
        if tags[k] == "F":
            while tags[k] == "F":
                k += 1
            return k if tags[k] not in "koi" else j
        if tags[k] in "rT":
            return k + 1
        if tags[j + 1] == "m":
            k = j + 2
            while tags[k] in "kicF":
                k += 1
            return k
        if tags[j + 1] in ".,B&SaVx" and tags[j] == "P":
            return j + 1
        return j

    def _frames(self, j: int) -> int:
        """Drops "present", "in sight", "in this image" and the like from j on; returns where they end."""
        tags, start = self.tags, j
        while j < self.size:
            tag = tags[j]
            if tag in "fjRT":
                j += 1
            elif tag == "a" and (tags[j + 1] == "f" or self.words[j] in ("being", "been", "be")):
                j += 1
            elif tag in "Po":
                end = self._frame_end(j)
                if end == j:
                    break
                j = end
            else:
                break
        self._mark(start, j, _DROPPED)
        return min(j, self.size)

    def _list_goes_on(self, j: int, gerund: bool, indefinite: bool) -> int:
        """Where the next absent item starts, or j itself after the last one."""
        tags = self.tags
        tag = tags[j]
        if tag in "|~":
            k = j + 1
            if tags[k] in "nN":
                k += 1
            return k if tags[k] in _NOUN_START else j
        if tag == "&":
            k = j + 1
            if tags[k] == "y":
                return k
            if tags[k] in "kFg" or (tags[k] == "i" and gerund) or (tags[k] == "d" and indefinite):
                stop = k + 1
                while tags[stop] in "kgF":
                    stop += 1
                return k if tags[stop] in ".,BfPjS&" else j
            return j
        if tag == ",":
            letters = "".join(tags[j : j + 48])
            if _LIST_OR.match(letters) or (_LIST_AND.match(letters)):
                k = j + 1
                if tags[k] in "|~&":
                    k += 1
                return k
        return j

    def _predicate(self, j: int, first: int) -> int:
        """Reads on from an absent subject: "(No man) is riding a horse", "(no cat) can be seen"."""
        tags = self.tags
        start = j
        while tags[j] in "aAR" or (self.words[j] in ("has", "have", "had") and tags[j + 1] == "a"):
            j += 1
        self._mark(start, j, _DROPPED)
        j = self._frames(j)
        if tags[j] in ".,BS&" or j >= self.size:
            return j
        if tags[j] == "P" and (tags[j + 1] == "t" or j == start):
            return j
        if j == start and tags[j] not in "iVh":
            return j
        stop = self._noun_phrase(j, False, True)
        if stop == j and tags[j] == "h":
            stop = self._noun_phrase(j + 1, False, True)
        if stop > j:
            self._mark(j, stop, _NEGATED)
            for phrase in self.phrases[first:]:
                phrase.append((j, stop))
        return self._frames(stop)

    def _subject(self, end: int) -> int:
        """Where the subject that ends before token `end` starts."""
        words, tags = self.words, self.tags
        j, conjunction = end - 1, -1
        while j >= 0 and end - j < 40:
            tag = tags[j]
            if self.fates[j] != _KEPT or tag in ".BS!":
                break
            if tag == "," and (conjunction < 0 or self._verb_between(j)):
                break
            if tag in "Vahj" and not words[j].endswith("ing") and not (j == end - 1 and tag in "Vh"):
                links = [k for k in range(j + 1, end) if tags[k] == "&" or words[k] in ("with", ",")]
                return self._trim(links[0] + 1 if links else j + 1, end)
            if tag == "&" and conjunction < 0:
                conjunction = j
            j -= 1
        start = j + 1
        singular = end < self.size and words[end] in (
            "is",
            "was",
            "has",
            "does",
            "isn't",
            "wasn't",
            "doesn't",
            "hasn't",
        )
        if conjunction > 0 and singular:
            start = max(start, conjunction + 1)
        if tags[end] not in "aAx":
            withs = [k for k in range(start, end) if words[k] == "with"]
            if withs:
                start = withs[-1] + 1
        return self._trim(start, end)

    def _verb_between(self, comma: int) -> bool:
        j = comma - 1
        while j >= 0 and comma - j < 12 and self.tags[j] not in ".,BS":
            if self.tags[j] in "VahjPi":
                return True
            j -= 1
        return False

    def _trim(self, start: int, end: int) -> int:
        tags = self.tags
        while start < end and tags[start] in "R&,|T":
            start += 1
        if start < end and tags[start] == "P":
            frame = self._frame_end(start)
            if start < frame < end:
                return frame
            for k in range(start + 2, end):
                if tags[k] in "dtm" and tags[k - 1] in "kF":
                    return k
            return start + 1
        return start

    def _backward(self, start: int, aux: int, k: int) -> int:
        """The subject start..aux is absent; drops what follows the cue as far as it is frame."""
        item = start
        for j in range(start, aux + 1):
            if j == aux or self.tags[j] in "&|,":
                if j < aux:
                    self._mark(j, j + 1, _DROPPED)
                item = self._skip_determiners(item) if item < j else item
                if item < j:
                    self._record(item, j)
                item = j + 1
        return self._frames(k)

    def _record(self, start: int, end: int) -> None:
        self._mark(start, end, _NEGATED)
        self.phrases.append([(start, min(end, self.size))])

    # ---- results ------------------------------------------------------------------------------------------------

    def _phrase_text(self, slices: list[tuple[int, int]]) -> str:
        parts = []
        for start, end in slices:
            if start >= end:
                continue
            if start in self.literals:
                parts.append(self.literals[start])
                continue
            part = self.text[self.starts[start] : self.ends[end - 1]]
            if (start == 0 or self.tags[start - 1] == ".") and part[1:] == part[1:].lower():
                part = part[:1].lower() + part[1:]
            parts.append(_SPOKEN.get(part.lower(), part))
        return " ".join(" ".join(parts).split()).strip("\"'“”‘’ ")

    def _spans(self, fate: int) -> tuple[tuple[int, int], ...]:
        spans: list[tuple[int, int]] = []
        previous = -2
        for i in range(self.size):
            if self.fates[i] == fate:
                if previous == i - 1:
                    spans[-1] = (spans[-1][0], self.ends[i])
                else:
                    spans.append((self.starts[i], self.ends[i]))
                previous = i
        return tuple(spans)

    def _affirmed(self) -> str:
        tags, fates = self.tags, self.fates
        for i in self.swaps:
            fates[i] = _KEPT
        self._strip_before_gaps()
        self._strip_after_gaps()
        self._drop_bare_frames()
        kept = [i for i in range(self.size) if fates[i] == _KEPT]
        if not any(tags[i] in _CONTENT or i in self.swaps for i in kept):
            return ""
        pieces: list[str] = []
        previous = -1
        for i in kept:
            word = self.swaps.get(i) or self.text[self.starts[i] : self.ends[i]]
            if previous < 0:
                pass
            elif previous == i - 1:
                pieces.append(self.text[self.ends[previous] : self.starts[i]])
            elif tags[i] not in ",." or tags[previous] in ",.":
                pieces.append(" ")
            pieces.append(word)
            previous = i
        affirmed = " ".join("".join(pieces).split())
        affirmed = re.sub(r"\b([Aa])n ([^aeiouAEIOU\W])", r"\1 \2", affirmed) if "L" in tags else affirmed
        return affirmed.strip(' ,;:-–—."“”…')

    def _strip_before_gaps(self) -> None:
        tags, fates = self.tags, self.fates
        for i in range(self.size):
            if fates[i] == _KEPT or i == 0 or fates[i - 1] != _KEPT:
                continue
            j = i - 1
            connected = False
            while j >= 0 and fates[j] == _KEPT and tags[j] in ",B&SR|":
                connected = True
                j -= 1
            if not connected:
                while (
                    j >= 0
                    and fates[j] == _KEPT
                    and tags[j] in "aAhPTtdomSR"
                    and not (tags[j] == "P" and tags[i] not in "" and fates[i] == _NEGATED and self._less_at(i))
                    and not (tags[j] in "dtmaP" and self._less_at(i))
                ):
                    j -= 1
                    if j >= 0 and tags[j] == "r" and fates[j] == _KEPT:
                        j -= 1
                while j >= 0 and fates[j] == _KEPT and tags[j] in ",B&S|R":
                    j -= 1
            self._mark(j + 1, i, _DROPPED)

    def _less_at(self, i: int) -> bool:
        while i < self.size and self.fates[i] == _NEGATED:
            if self.tags[i] == "L":
                return self.tags[i + 1] in "kicFg"
            i += 1
        return False

    def _strip_after_gaps(self) -> None:
        tags, fates = self.tags, self.fates
        content = False
        for i in range(self.size):
            if fates[i] == _KEPT:
                if i and fates[i - 1] != _KEPT:
                    j = i
                    while j < self.size and fates[j] == _KEPT and tags[j] in (",BR." if content else ",.B&|RSPoa"):
                        if tags[j] == "." and content:
                            break
                        if tags[j] == "," and content and not self._comma_before(i):
                            break
                        if tags[j] == "P" and not content and self._frame_end(j) > j:
                            break
                        fates[j] = _DROPPED
                        j += 1
                content = content or tags[i] in _CONTENT or tags[i] in "F"
                if tags[i] == ".":
                    content = False

    def _comma_before(self, i: int) -> bool:
        return False

    def _drop_bare_frames(self) -> None:
        """Drops segments such as "This image shows", of which nothing is left but the frame."""
        start = 0
        for i in range(self.size + 1):
            if i == self.size or self.fates[i] != _KEPT and self._hard_gap(i) or self.tags[i] in ".B":
                if not any(
                    self.fates[m] == _KEPT and (self.tags[m] in _CONTENT or m in self.swaps) for m in range(start, i)
                ):
                    self._mark(start, i + 1, _DROPPED) if i < self.size and self.fates[
                        i
                    ] == _KEPT else self._mark_kept(start, i)
                start = i + 1

    def _mark_kept(self, start: int, end: int) -> None:
        for m in range(start, end):
            if self.fates[m] == _KEPT:
                self.fates[m] = _DROPPED

    def _hard_gap(self, i: int) -> bool:
        return False


def _tag_of(word: str) -> str:
    tag = WORD_TAGS.get(word)
    if tag:
        return tag
    first = word[0]
    if not first.isalnum():
        return "," if first in ",()[]…–—-" else "." if first in ".!?;:\n" else "&" if first == "&" else "A"
    if word in LESS_NOUNS or word.endswith(("-free", "-less")):
        return "L"
    if word[-2:] in ("'t", " t"):
        return "x"
    if word.endswith("ing") and len(word) > 5 and word not in _NOT_PARTICIPLES:
        return "i"
    return "k"


_NOT_PARTICIPLES = frozenset(
    "building ceiling morning evening clothing string spring railing awning wedding pudding icing frosting earring "
    "duckling lightning something anything everything nothing painting drawing sibling seedling sterling".split()
)
