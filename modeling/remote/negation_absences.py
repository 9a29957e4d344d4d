"""Cues of absence that are no "not": without, lacks, except, absent, missing."""

from .negation_classes import AGENTS, SIGN_WORDS, STAYS, UNIVERSAL, VAGUE
from .negation_denials import HAVE
from .negation_doubles import Doubles
from .negation_phrases import NOUN_START
from .negation_rest import CONTENT, CUE, DROPPED, KEPT

_LONELY = ("empty", "bare", "alone", "naked", "topless", "vacant", "deserted")


class Absences(Doubles):
    """Reads such a cue at a token: marks what it denies, and returns where reading goes on."""

    def read_without(self, i: int) -> int:
        """Without X, instead of X, lacks X."""
        if self.tags[i] == "v" and i and self.tags[i - 1] in "dtm":  # "a lack"
            return i + 1
        attached = self.is_attached(i)
        if self.words[i] in ("absence of", "lack of"):
            self._drop_epithets(i)
        elif self.tags[i] == "v" and (end := self.read_what(i, i + 1)):
            return end
        k = i + 1 + (self.tags[i + 1] == "n")
        first = len(self.phrases)
        joined = "kFgi" if self.tags[i] == "v" or self.words[i].endswith(" of") else "kFg"
        verbal = self.words[i].startswith("without") and (self.tags[k] == "i" or self.words[i].endswith("ing"))
        j = self.deny_list(k, True, verbal, joined)
        if len(self.phrases) == first:
            if self.tags[k] in "fF" and self.tags[k + 1] in ".,B":  # "without video"
                self.mark(i, k, CUE)
                return self.deny(k, k + 1)
            return k
        self.mark(i, k, CUE)
        if self.words[i] in ("absence of", "lack of") and self.tags[j] == "a" and not attached:
            while self.tags[j] not in ".,B":  # "the absence of a dog is easy to see"
                j = self.mark(j, j + 1, DROPPED)
        return j

    def _drop_epithets(self, i: int) -> None:
        """What describes an absence describes nothing that is there: "a distinct lack of"."""
        start = i
        while start > self.floor and i - start < 3 and self.tags[start - 1] in "kR":
            start -= 1
        if start > self.floor and self.tags[start - 1] in "dt":
            self.mark(start - 1, i, DROPPED)

    def read_what(self, aux: int, end: int) -> int:
        """What this image lacks is X, X is what this image lacks: the end of it, 0 where the cue stands in neither."""
        start = self.subject_start(aux, self.floor)
        if start == 0 or self.words[start - 1] != "what":
            return 0
        named = any(self.tags[m] in CONTENT for m in range(start, aux))
        if named and self.tags[end] == "a" and (start == 1 or self.tags[start - 2] in ".,B"):
            self.mark(start - 1, start, CUE)  # "what this kitchen lacks is a window"
            self.mark(aux, end, CUE)
            return self.deny_inverted(end)
        if named:
            return 0
        if start > 1 and self.tags[start - 2] == "a":
            self.mark(start - 2, end, CUE)
            floor = 0 if self.floor == end else self.floor
            return self.deny_subject(self.subject_start(start - 2, floor), start - 2, end)
        if self.tags[self.frames_end(end)] == "a":
            self.mark(start - 1, end, CUE)
            return self.deny_inverted(end)
        return 0

    def read_except(self, i: int) -> int:
        """Everything except X denies X; nobody except X, and empty except for X, affirm it."""
        words, tags = self.words, self.tags
        opening = i
        while opening > max(0, i - 12) and tags[opening - 1] not in ".,B" and self.fates[opening - 1] == KEPT:
            opening -= 1
        nobody = self.phrases and tags[self.phrases[-1][0][0]] == "u"  # "nobody on the platform except a guard"
        if i and (self.fates[i - 1] != KEPT or (nobody and opening and self.fates[opening - 1] != KEPT)):
            if self.phrases and self.phrase_text(self.phrases[-1]) == "anything":
                self.phrases.pop()
            self.changed = True
            if self.affirms_before(i):
                self.swaps[i] = "with"  # "a pizza with no toppings except cheese" is one with cheese
            return self.mark(i, i + 1, CUE)
        start = i
        while start > max(self.floor, i - 40) and tags[start - 1] not in ".B":
            start -= 1
        before = range(start, i)
        verb = max((m for m in before if tags[m] in "Vaijhx"), default=start - 1)
        every = words[i].split()[0] in UNIVERSAL or any(words[m] in UNIVERSAL for m in range(verb + 1, i))
        shows = any(tags[m] == "F" and tags[m + 1] == "h" for m in before)  # "this image shows X, except for Y"
        bare = verb < start < i and not any(words[m] in _LONELY for m in before)
        anything = words[i + 1] == "any"  # which is said of what is not there
        if not (every or shows or bare or anything):
            return i + 1
        first = len(self.phrases)
        j = self.deny_list(i + 1, attached=False)
        end = j
        while tags[end] in "aAR":
            end += 1
        follows = (
            tags[end] in "kiVh" and self.frames_end(end) == end
        )  # "all but the dog are running": the dog is there
        if follows or (not every and not shows and not anything and tags[j] != "."):
            del self.phrases[first:]
            return i + 1
        self.mark(i, i + 1, CUE)
        return j

    def read_absent(self, i: int) -> int:
        """X is absent, is missing X, absent from this image is X."""
        tags = self.tags
        if tags[i] == "q" and i and tags[i - 1] in "dtmycP" and self.words[i - 1] not in ("both", "all"):
            if self.words[i] != "missing" or not self._is_missing_part(i):  # "a missing poster"
                return i + 1
            self.mark(i - 1, i + 1, CUE)
            return self.deny_list(i + 1, attached=True)
        if tags[i] == "q" and i and tags[i - 1] == "&" and tags[i + 1] in "rt":
            return i + 1  # "swinging at the ball and missing it"
        if i and self.words[i].startswith(("out ", "off ")) and not self._is_out_of_view(i):
            return i + 1
        if self.words[i].startswith("un") and not (i and (tags[i - 1] in "aR" or self.words[i - 1] in STAYS)):
            return i + 1  # "swung around by an unseen hand"
        aux = i
        while aux > self.floor and (tags[aux - 1] in "RaAdt" or self.words[aux - 1] in STAYS.union(HAVE)):
            aux -= 1
        aux -= aux > self.floor and (tags[aux - 1] == "m" or self.words[aux - 1] == ":")
        if tags[i] == "q" and (end := self.read_what(aux, i + 1)):
            return end
        start = self.subject_start(aux, self.floor)
        self.mark(aux, i + 1, CUE)
        end = self.frames_end(i + 1)
        if (
            tags[end] == "a" and tags[end + 1] in NOUN_START and self.is_vague(start, aux)
        ):  # "one thing missing is a tie"
            self.mark(start, aux, DROPPED)
            return self.deny_inverted(i + 1)
        if tags[i] == "q" and tags[i + 1] in "dtmyki" and not (self.is_passive(i + 1) and tags[i + 2] not in "kF"):
            return self.deny_list(i + 1, attached=True)
        if self.words[i] == "lacking" and self.words[i + 1] == "in":  # "the scene is lacking in trees"
            if not any(tags[m] in "kicVg" for m in range(start, aux)):
                return self.deny_list(i + 2, attached=True)
        if any(tags[m] in "kicVgF" for m in range(start, aux)):
            return self.deny_subject(start, aux, i + 1)
        return self.deny_inverted(i + 1)

    def _is_missing_part(self, i: int) -> bool:
        """Whether what is missing is a part of something there: "a bear with a missing ear"."""
        whole = i > 1 and self.tags[i - 1] in "dmc" and self.words[i - 2] in ("with", "has", "have")
        after = self.words[i + 1 : i + 4]
        return whole and SIGN_WORDS.isdisjoint(after) and after[0] not in AGENTS

    def is_vague(self, start: int, end: int) -> bool:
        """Whether a subject names nothing: "the only thing" (that is missing is a tie), "what" (is missing)."""
        content = [m for m in range(start, end) if self.tags[m] in CONTENT]
        named = [m for m in content if self.words[m] not in VAGUE]
        return not named and (bool(content) or self.words[start - 1] == "what")

    def _is_out_of_view(self, i: int) -> bool:
        """Whether "out of frame" says where something is ("with a dog out of frame"), not where a man walks."""
        if self.words[i - 1] in ("partially", "partly", "half", "slightly", "mostly"):
            return False
        if self.words[i] in ("out of it", "out of them") and self.tags[i - 1] not in "RaA":
            return self.words[i - 1] in ("left", "kept", "stays", "stay")
        if self.tags[i - 1] in "RaA,." or self.words[i - 1] in STAYS:
            return True
        link = next((m for m in range(i - 1, max(self.floor, i - 8), -1) if self.tags[m] not in "kdtmc"), 0)
        return self.words[link] == "with"

    def affirms_before(self, i: int) -> bool:
        """Whether anything before token i is affirmed."""
        return any(fate == KEPT and tag in CONTENT for fate, tag in zip(self.fates[:i], self.tags, strict=False))
