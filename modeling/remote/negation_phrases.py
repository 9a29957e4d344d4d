"""Where the phrases of a caption start and end: frames, noun phrases, verb phrases, lists, subjects."""

import re

from .negation_classes import AGENTS, LOCATIVES, MEETINGS, PARTICIPLES, PLURAL_MODIFIERS, WEARABLES
from .negation_tokens import LOOK_BACK, NOUN_START, Tokens

# What may follow one absent item for the list to go on: ", Y, or Z" and ", y and z".
_LIST_OR = re.compile(r"(?:,[dyRt]{0,2}[kicFgo]{1,6}){0,9},?[|~][dyRt]{0,2}[kicFgf]")
_LIST_AND = re.compile(r"(?:,y?[kiFg][kiFgo]{0,3}){1,9},?&y?i?[kFg]{1,3}(?=[.,BSfPjx])")
_SINGULAR = frozenset("is was has does isn't wasn't hasn't doesn't".split())


class Phrases(Tokens):
    """Finds phrases by the letters of their tokens; every search is bounded or moves on, so that reading is linear."""

    def is_passive(self, i: int) -> bool:
        """Whether token i is a participle, such as "played"."""
        return self.tags[i] == "k" and (self.words[i].endswith("ed") or self.words[i] in PARTICIPLES)

    # ---- frames: "in this image", "in sight" ----------------------------------------------------------------------

    def frame_end(self, j: int) -> int:
        """The end of "in this image", "in it", "on his head" or a dangling "on" from j on; j where there is none."""
        tags, words = self.tags, self.words
        k = j + 1
        while tags[k] in "dtRy":
            k += 1
        if tags[k] in ".," and tags[k - 1] == "t":  # "part of this"
            return k
        if words[j] in ("part of", "a part of") and tags[k] in "kicFm":
            while tags[k] in "kicFm":
                k += 1
            return k
        if tags[k] in "kf" and tags[k + 1] == "F":
            k += 1
        if tags[k] == "F":
            while tags[k] == "F" or words[k] == "'s":
                k += 1
            if words[k - 1] == "'s":  # "the video's content"
                k += 1
            return k if tags[k] not in "koi" else j
        if tags[k] in "rT":
            return k + 1
        if tags[j + 1] == "m":
            k = j + 2
            while tags[k] in "kicF":
                k += 1
            return k
        if tags[j] == "P" and (tags[j + 1] in ".,B&SaVxh" or (words[j] == "on" and tags[j + 1] == "i")):
            return j + 1  # "with no shirt on"
        return j

    def frames_end(self, j: int) -> int:
        """The end of everything from j on that only says "there to be seen": "present in this image"."""
        tags = self.tags
        while j < self.size:
            tag = tags[j]
            if tag in "fjRT":
                j += 1
            elif tag == "a" and (tags[j + 1] == "f" or self.words[j] in ("being", "been", "be")):
                j += 2 if self.is_passive(j + 1) else 1
            elif tag in "Po":
                end = self.frame_end(j)
                if end == j:
                    break
                j = end
            else:
                break
        return min(j, self.size)

    # ---- noun phrases and verb phrases ----------------------------------------------------------------------------

    def determiners_end(self, j: int) -> int:
        """Where the words end that a phrase is named without: "any", "a single", "visible", "signs of"."""
        tags, start = self.tags, j
        while True:
            tag = tags[j]
            if tag in "dtymR" or (tag == "f" and tags[j + 1] in "kicF"):
                j += 1
            elif tag in "gF" and (tags[j + 1] == "o" or self.words[j + 1] in ("to", "from", "for")):
                j += 2
            elif tag == "k" and tags[j + 1] == "g" and (tags[j + 2] == "o" or self.words[j + 2] == "for"):
                j += 3  # "radiographic evidence of"
            elif self.words[j] == "being" or (tag == "o" and j and tags[j - 1] == "y"):  # "any of its players"
                j += 1
            elif (
                (j == start or tags[j - 1] == "a")
                and tags[j + 1] in NOUN_START
                and (tag in "Po" or (tag == "h" and self.words[j].endswith("ing")))
            ):
                j += 1
            elif self.words[j] == "one" and j and tags[j - 1] == "N":
                j += 1
            else:
                return j

    def phrase_end(self, start: int, *, attached: bool, verbal: bool = False) -> int:
        """The end of the phrase that starts at `start`, or `start` where none does.

        Args:
            start: the first token after the determiners.
            attached: the phrase hangs on an affirmed noun ("a man with no hat in a park"), so that a verb or a place
                after it belongs to that noun.
            verbal: it opens with a verb ("riding a horse"), whose objects belong to it.
        """
        words, tags = self.words, self.tags
        j = start
        while j < self.size:
            tag = tags[j]
            first = j == start
            if not first and (self._is_verb(j) if attached else self._is_meeting(j) or self._is_another_noun(j)):
                break
            if tag == "V" or (
                tag == "k"
                and not first
                and tags[j + 1] in "dtm"
                and (words[j].endswith(("s", "ed")) or words[j - 1].endswith("s"))
                and tags[j - 1] in "kF"
            ):
                if not first and (attached or verbal):
                    break
                verbal = True
            elif tag == "i":
                if not first and attached and not verbal and words[j - 1] not in AGENTS:
                    if tags[j + 1] in "dtmPiR" or tags[start - 1] == "d" or words[j - 1] in WEARABLES:
                        break  # "a man without a hat riding a horse"
                if not first or tags[j + 1] in "dtm":
                    verbal = True
            elif tag in "kcFgL=":
                pass
            elif tag in "dtmyr" and not first and (verbal or tags[j - 1] in "oP"):
                pass
            elif verbal and ((tag == "R" and not first) or (tag == "h" and words[j].endswith("ing"))):
                pass
            elif tag == "o" and not first and tags[j + 1] in NOUN_START:
                if self.frame_end(j) > j:
                    break
            elif tag == "P" and not first:
                if not self._keeps_place(j, attached, verbal):
                    break
            elif not (tag == "P" and verbal):
                break
            j += 1
        return j

    def _is_verb(self, j: int) -> bool:
        """Whether a word of no table is a verb: one noun, a word in -s, and another noun ("hat chops onions")."""
        words, tags = self.words, self.tags
        return (
            tags[j - 1 : j + 2] == ["k", "k", "k"]
            and words[j].endswith("s")
            and not words[j].endswith(("ss", "'s"))
            and words[j] not in PLURAL_MODIFIERS
            and not words[j - 1].endswith("s")
        )

    def _is_meeting(self, j: int) -> bool:
        return self.words[j] in MEETINGS and self.words[j - 1] != "to"

    def _is_another_noun(self, j: int) -> bool:
        """Whether token j begins what a search looks for after "no people": "no people beach sunset"."""
        end = j
        while self.tags[end] == "k" and end - j < 8:
            end += 1
        return self.words[j - 1] == "people" and end - j > 1 and self.tags[end] in ".," and not self.is_passive(j)

    def _keeps_place(self, j: int, attached: bool, verbal: bool) -> bool:
        """Whether the preposition at j belongs to the absent phrase, and not to what is affirmed around it."""
        following, place = self.tags[j + 1], self.words[j] in LOCATIVES
        if self.words[j] in ("besides", "beyond") or (self.frame_end(j) > j and following != "m"):
            return False
        if following in "mt" and verbal and self.tags[j - 1] in "iV" and (attached or not place):
            return True  # "not looking at the camera"
        if following == "m":
            return verbal
        if following == "t":
            return not attached and not place and self.words[j] != "with"  # "no dog with the man": he is there
        return verbal or not attached

    def list_next(self, j: int, joined: str, *, bare: bool) -> int:
        """Where the next item of a list of absent things starts, or j after the last one.

        Args:
            j: the token after an item.
            joined: the letters with which an item may start that "and" joins; others start something affirmed.
            bare: nothing stands between the item and j; "no dog in sight, ..." is no list.
        """
        tags = self.tags
        tag = tags[j]
        k = j + 1
        if tag in "|~":
            k += tags[k] in "nN"
            return k if tags[k] in NOUN_START else j
        if tag == "&":
            if tags[k] == "y":
                return k
            if tags[k] in joined:
                stop = k + 1
                while tags[stop] in "kigFo":
                    stop += 1
                ends = ".,Bfj" if tags[k] in "dt" else ".,BfPjS&"  # "without a coat and a woman with a bag"
                return k if tags[stop] in ends else j
        if tag == "," and bare:
            letters = "".join(tags[j : j + 48])
            if _LIST_OR.match(letters) or _LIST_AND.match(letters):
                return k + (tags[k] in "|~&")
        return j

    # ---- what stands before a cue ---------------------------------------------------------------------------------

    def subject_start(self, end: int, floor: int) -> int:
        """Where the subject starts that ends before token `end`; nothing before `floor` belongs to it."""
        words, tags = self.words, self.tags
        j, conjunction = end - 1, -1
        floor = max(floor, end - LOOK_BACK)
        while j >= floor:
            tag = tags[j]
            if tag in ".BS!" or (tag == "," and (conjunction < 0 or self._verb_before(j, floor))):
                break
            if tag in "Vahj" and not words[j].endswith("ing") and not (j == end - 1 and tag in "Vh"):
                links = [k for k in range(j + 1, end) if tags[k] in "&," or words[k] == "with"]
                return self._without_frames(links[0] + 1 if links else j + 1, end)
            if tag == "&" and conjunction < 0:
                conjunction = j
            j -= 1
        start = j + 1
        if conjunction > 0 and words[end] in _SINGULAR:
            start = max(start, conjunction + 1)
        if tags[end] not in "aAx":  # "a man on a horse with a dog nowhere in sight"
            start = max([start, *(k + 1 for k in range(start, end) if words[k] == "with")])
        return self._without_frames(start, end)

    def _verb_before(self, comma: int, floor: int) -> bool:
        j = comma - 1
        while j >= floor and self.tags[j] not in ".,BS":
            if self.tags[j] in "VahjPi":
                return True
            j -= 1
        return False

    def _without_frames(self, start: int, end: int) -> int:
        tags = self.tags
        while start < end and tags[start] in "R&,|T":
            start += 1
        if start < end and tags[start] == "P":
            frame = self.frame_end(start)
            if start < frame < end:
                return frame
            for k in range(start + 2, end):
                if tags[k] in "dtm" and tags[k - 1] in "kF":
                    return k  # "on the beach a dog"
            return start + 1
        return start
