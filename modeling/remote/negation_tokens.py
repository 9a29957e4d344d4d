"""A caption's tokens with their letters: words of two readings get the one that their neighbours ask for."""

import re
from itertools import pairwise

from .negation_classes import (
    AGENTS,
    FREE_KINDS,
    LESS_NOUNS,
    LINKED_ABSENCES,
    NOT_PARTICIPLES,
    NOUN_OR_VERB,
    OUT_STATES,
    SIGN_WORDS,
    UNSEEN_PARTS,
)
from .negation_cues import PHRASE_TAGS, WORD_TAGS

_TOKEN = re.compile(
    r"\bno\.? ?\#?\d+"  # No. 5
    r"|\b(?:is|are|was|were|do|does|did|has|have|had|ca|can|could|wo|would|should|must|ai) ?n ?['’] ?t\b"
    r"|['’] ?(?:s|re|ve|ll|d|m)\b"
    r"|w/o(?:ut)?\b"
    r"|[^\W_]+(?:-[^\W_]+)*"
    r"|[.!?;:\n]+|[,()\[\]…–—&/]|(?<!\S)-+(?!\S)|(?<=\s)-(?=[^\W\d_])",
    re.IGNORECASE,
)
_AMBIGUOUS = frozenset(
    "that 's free leaves leave leaving left can except rather only just but present hold skip off unlike avoid ignore "
    "remove".split()
) | LINKED_ABSENCES.union(f"{verb}out of" for verb in ("", "ran ", "runs ", "run ", "running ", "sold "))
_AFTER_NOUN = frozenset("is are was were has can anywhere nearby".split())
LOOK_BACK = 40  # tokens; bounds every search to the left, so that reading stays linear
NOUN_START = frozenset("dtmycRkicFgf")


class Tokens:
    """The tokens of a text: words (lower case), letters, character offsets; padded so that looking ahead is safe."""

    def __init__(self, text: str) -> None:
        self.text = text
        straight = text.replace("’", "'")
        if text.isascii():
            found = list(_TOKEN.finditer(straight.lower()))
            words = [match.group() for match in found]
        else:  # where lower case may change the length
            found = list(_TOKEN.finditer(straight))
            words = [match.group().lower() for match in found]
        pieces = _phrases(words)
        if pieces:
            found_at = [(found[i], found[i + length - 1]) for i, length, _ in pieces]
            self.words = [" ".join(words[i : i + length]) for i, length, _ in pieces]
            self.tags = [tag or WORD_TAGS.get(words[i]) or _letter(words[i]) for i, _, tag in pieces]
            self.starts = [first.start() for first, _ in found_at]
            self.ends = [last.end() for _, last in found_at]
        else:
            self.words = words
            self.tags = [WORD_TAGS.get(word) or _letter(word) for word in words]
            self.starts = [match.start() for match in found]
            self.ends = [match.end() for match in found]
        self.size = len(self.words)
        for i in range(1, self.size):
            if self.words[i] == "-" and self.starts[i + 1 : i + 2] == [self.ends[i]]:
                self.tags[i] = "M"
        self.words += ["", "", ""]
        self.tags += [".", ".", "."]
        for i in range(self.size - 2):
            if self.tags[i : i + 3] == [",", "R", ","] and self.tags[i + 3] in "aAxh":
                self.tags[i] = self.tags[i + 2] = "R"  # "a knife, however, is not present"
        for i in range(self.size):
            if self.tags[i] in "hFVn" or self.words[i] in _AMBIGUOUS:
                self._settle(i)

    def spans_of(self, tokens: list[int]) -> tuple[tuple[int, int], ...]:
        """The character spans of tokens, given in their order; one for those that follow one another."""
        firsts = [i for place, i in enumerate(tokens) if not place or tokens[place - 1] != i - 1]
        lasts = [i for place, i in enumerate(tokens) if tokens[place + 1 : place + 2] != [i + 1]]
        return tuple((self.starts[first], self.ends[last]) for first, last in zip(firsts, lasts, strict=True))

    def _settle(self, i: int) -> None:
        """Gives a word of two readings the one that its neighbours ask for."""
        word, tag, after = self.words[i], self.tags[i], self.tags[i + 1]
        before = self.tags[i - 1] if i else "."
        settled = tag
        if self._denies_here(i):
            settled = "w"
        elif word == "but":
            if self._excepts_here(i):
                settled = "e"
        elif word == "present":
            if after in "dtmyck" and (before == "x" or (before == "N" and i > 1 and self.tags[i - 2] == "A")):
                settled = "h"  # "does not present a dog"
        elif tag == "h":
            verb = word in ("has", "have", "had")
            if word.endswith("ing"):
                if before in ".,B&" and after == "a":
                    settled = "i"  # "showing is evident"
            elif not verb and (
                before in "ndcmy"
                or (before == "R" and i > 1 and self.tags[i - 2] == "n")
                or (after in "ap" and before not in "xN" and not word.endswith("ing"))
            ):
                settled = "k"  # "no presents", "displays are absent"
            elif word in NOUN_OR_VERB and (
                (before == "k" and (after in ".,&BSPfjx" or (after == "k" and not word.endswith("s"))))
                or (before in "Po" and after not in "ndt")
                or (before == "t" and self.words[i - 1] in ("the", "these", "those"))
            ):
                settled = "k"  # "a fashion show", "the display"
        elif tag == "F":
            if (before == "h" and after != "o") or (before in ".,B&" and after in "af" and " " not in word):
                settled = "k"  # "features photos", "video is displayed"
            elif (
                before == "d"
                and after != "o"
                and ((i > 1 and self.tags[i - 2] in "h&") or (after == "a" and self.tags[i + 2] == "f"))
            ):
                settled = "k"  # "has a picture", "a picture is in view"
        elif tag == "V":
            if (
                after in "axp"
                or (before in ".B" and after == "&")
                or (before in "ndcmytg|~oqwv" and after not in "dtm")
            ):
                settled = "k"  # "no watches"
        elif word in LINKED_ABSENCES:
            settled = "p" if self._is_linked(i) else tag
        elif word.endswith("out of"):
            if (
                (before == "a" or (word != "out of" and self.words[i - 1] not in AGENTS))
                and after in "kg"
                and not self._is_state(i + 1)
            ):
                settled = "v"  # "the shop is out of bread"
        elif word in ("rather", "only", "just"):
            if before in "dtmaP":
                settled = "R"  # "a rather large dog"
        elif word == "can":
            if before in "kdm" and (after in ".,&|~BSPfwxpT" or self.words[i + 1] in _AFTER_NOUN):
                settled = "k"  # "a trash can"
        elif word == "except":
            if after in "TS" or self.words[i + 1] == "that":
                settled = "B"  # "except that there is no"
        elif word == "that":
            if after in "aAxhVNjqvwp":
                settled = "S"
        elif word == "'s":
            settled = "a" if before in "TrSRt" else "k"
        elif word == "free":
            if i > 1 and self.words[i - 1] == "-":
                settled = "L"
            elif before == "k" and after in ".,B&" and self.copula(i) and self.tags[self.copula(i) - 1] in "Frt":
                settled = "L"  # "this image is person free"
            elif before == "k" and after == "k" and self._is_free_of(i):
                settled = "L"  # "a snow free mountain pass"
        elif tag == "n" and any(self.words[j] in SIGN_WORDS for j in range(i + 1, min(i + 5, self.size))):
            if before == "t" or (after == "i" and self.words[i + 2] in SIGN_WORDS) or self.words[i + 2] == "allowed":
                settled = "="  # "no smoking sign"
        elif tag == "n" and self.words[i + 1].endswith("er") and self.words[i + 2] == "than":
            settled = "="  # "no bigger than a cup"
        elif tag == "n" and (before == "d" or (i and self.words[i - 1] in ("says", "saying", "reads"))):
            settled = "="  # "a no hair dog"
        elif word in ("leaves", "leave", "leaving", "left") and after in NOUN_START:
            for out in range(i + 2, min(i + 6, self.size)):
                if self.tags[out] in ".,B":
                    break
                if self.words[out].startswith("out") and (self.tags[out] == "p" or self.tags[out + 1] in ".,BS"):
                    settled, self.tags[out] = "v", "f"  # "leaves the dog out"
                    break
        self.tags[i] = settled

    def _denies_here(self, i: int) -> bool:
        """Whether an everyday word denies where it stands: "off leash", "pizza, hold the olives", "unlike a cat"."""
        word, tags = self.words[i], self.tags
        if word == "off":
            return self.words[i + 1] == "leash" or (tags[i + 1] in "tm" and self.words[i + 2] == "leash")
        if word in ("avoid", "ignore", "remove"):  # what a search asks for
            return tags[i - 1 : i] in ([], [","], ["."]) and tags[i + 1] in "kcy"
        if word == "unlike":
            return i > 1 and tags[i - 1] == "," and tags[i - 2] in "fjFT"
        if word not in ("hold", "skip") or i < 2 or tags[i - 1] != "," or tags[i + 1] != "t":
            return False
        start = i - 1
        while start > 0 and i - start < LOOK_BACK and tags[start - 1] in "kdgL":
            start -= 1
        end = i + 2
        while tags[end] in "ki&|":
            end += 1
        alone = tags[end] in ".," and (start == 0 or tags[start - 1] in ".o")
        return alone and not self.words[i - 2].endswith("s")  # "two men, hold the rope"

    def _is_linked(self, i: int) -> bool:
        """Whether be or have leads to token i, which then says that its subject is not there."""
        j = i - 1
        while j > 0 and (self.tags[j] == "R" or self.words[j] == "all"):
            j -= 1
        if j < 1 or self.words[j] == "being" or self.words[i + 1] == "to":
            return False
        gone = self.words[i] == "gone"
        linked = self.tags[j] == "a" or (not gone and self.words[j] in ("has", "have", "had", "remain", "remains"))
        return linked and not (gone and self.tags[i + 1] in "ikP" and self.words[i + 1] != "from")

    def _is_state(self, i: int) -> bool:
        """Whether what something is out of is a state, such as "focus", and no goods, such as "order books"."""
        return self.words[i] in OUT_STATES and not (self.tags[i + 1] == "k" and self.words[i + 1].endswith("s"))

    def _is_free_of(self, i: int) -> bool:
        """Whether the noun before "free" is what the noun after it is free of."""
        noun = self.words[i - 1]
        opens = i == 1 or self.tags[i - 2] in "dtP.,mh"
        return (
            opens
            and noun not in UNSEEN_PARTS
            and self.words[i + 1] not in FREE_KINDS
            and noun not in ("says", "reads")
        )

    def _excepts_here(self, i: int) -> bool:
        """Whether "but" is an exception: "any fruit but bananas"."""
        start = i
        while start > 0 and i - start < 4 and self.tags[start - 1] == "k":
            start -= 1
        end = i + 1
        while self.tags[end] in "dtmyki&|":
            end += 1
        return 0 < start < i and self.words[start - 1] == "any" and i + 1 < end and self.tags[end] == "."

    def copula(self, i: int) -> int:
        """The "is" before the plain words that precede token i; 0 where there is none."""
        j = i - 1
        while j > 0 and i - j < LOOK_BACK and self.tags[j] in "ki":
            j -= 1
        return j if j > 0 and self.tags[j] == "a" else 0


def _phrases(words: list[str]) -> list[tuple[int, int, str]]:
    """Words grouped by the phrases of the table: (first, length, letter); empty where none occurs."""
    pairs = list(pairwise(words))
    if PHRASE_TAGS.keys().isdisjoint(pairs):
        return []
    pieces = []
    i = 0
    while i < len(words):
        length, letter = 1, ""
        for phrase, phrase_letter in PHRASE_TAGS.get(pairs[i], ()) if i < len(pairs) else ():
            if words[i : i + len(phrase)] == phrase:
                length, letter = len(phrase), phrase_letter
                break
        pieces.append((i, length, letter))
        i += length
    return pieces


def _letter(word: str) -> str:
    """The letter of a word that no table holds."""
    if not word[0].isalnum():
        return {",": ",", "'": "A"}.get(word[0], "," if word[0] in "()[]…–—-" else ".")
    if word in LESS_NOUNS or word.endswith(("-free", "-less")):
        return "k" if word.endswith("-free") and word[:-5] in UNSEEN_PARTS else "L"
    if word.endswith(("'t", "' t")) or (word[-2:] == " t" and "'" in word):
        return "x"
    if len(word) > 6 and word.endswith(("ably", "ibly", "antly", "ently", "ally", "edly")):
        return "R"
    if word.endswith("ing") and (len(word) > 5 or word in ("going", "lying", "doing")) and word not in NOT_PARTICIPLES:
        return "i"
    return "k"
