"""Denying: marks tokens as cue, dropped or negated, and reads how far each cue's denial reaches."""

from .negation_classes import VAGUE
from .negation_phrases import NOUN_START, Phrases
from .negation_rest import CONTENT, DROPPED, KEPT, NEGATED

HAVE = ("has", "have", "had")
_ANYBODY = {"anyone": "people", "anybody": "people", "someone": "people"}


class Denials(Phrases):
    """The tokens of a caption with what became of each, and the phrases that it denies."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.fates = [KEPT] * self.size
        self.floor = 0  # the end of the last tokens that were read as cue or negated
        self.phrases: list[list[tuple[int, int]]] = []  # each phrase by its slices of tokens
        self.spoken: dict[int, str] = {}  # token -> what to call it in a phrase
        self.swaps: dict[int, str] = {}  # token -> what stands in its place in the affirmed text
        self.changed = False
        self._foreign: bool | None = None
        self.marks: list[tuple[int, int]] = []  # of the cue being read

    def mark(self, start: int, end: int, fate: int) -> int:
        """Give tokens their fate; returns their end."""
        end = min(end, self.size)
        self.marks.append((start, end))
        for i in range(start, end):
            self.fates[i] = fate
        if fate != KEPT:
            self.floor = max(self.floor, end)
        return end

    def is_attached(self, i: int) -> bool:
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
        return j >= 0 and self.words[j] == "but" and self._is_verbless(j)

    def _is_verbless(self, end: int) -> bool:
        """Whether the clause before "but" lacks its verb: "a man in jeans but no hat" (stands by a truck)."""
        start = end
        while start > max(self.floor, end - 60) and self.tags[start - 1] not in ".BS":
            start -= 1
        clause = range(start, end)
        if any(self.tags[m] in "VahjA" and not self.words[m].endswith("ing") for m in clause):
            return False
        return any(self.tags[m] in CONTENT for m in clause)

    def follows_verb(self, i: int) -> bool:
        """Whether the clause already has its verb before token i: "a man sits and no dog" (is running)."""
        j = i - 1
        while j >= max(self.floor, i - 60) and self.tags[j] not in ".,BS":
            if self.tags[j] in "Vahj" and not self.words[j].endswith("ing"):
                return True
            j -= 1
        return False

    def deny(self, start: int, end: int) -> int:
        """Deny one phrase."""
        self.phrases.append([(start, min(end, self.size))])
        return self.mark(start, end, NEGATED)

    def deny_pronoun(self, i: int) -> None:
        """Deny "nobody", in whose place people are absent."""
        self.spoken[i] = "anything" if self.words[i] in ("nothing", "not anything") else "people"
        if self.words[i].endswith((" them", " these", " which", " whom")):
            self.spoken[i] = ""
        self.deny(i, i + 1)

    def drop_frames(self, j: int) -> int:
        """Drop "present in this image" from j on; returns where it ends."""
        return self.mark(j, self.frames_end(j), DROPPED) if j < self.size else j

    def deny_list(self, j: int, attached: bool, verbal: bool = False, joined: str = "kFg") -> int:
        """Denies "X, Y or Z" from j on; returns where it ends."""
        tags = self.tags
        while True:
            start = self.determiners_end(j)
            determiners = "".join(tag for tag in tags[j:start] if tag in "dt")
            if tags[start] == "u":
                self.deny_pronoun(start)
                return self.drop_frames(start + 1)
            end = self.phrase_end(start, attached=attached, verbal=verbal)
            if end == start:
                return j
            self.mark(j, start, DROPPED)
            gerund = "i" if tags[start] == "i" else ""
            self.deny(start, end)
            j = self.drop_frames(end)
            if tags[j] == "i" and any(tags[m] in "fj" for m in range(end, j)):  # "no dog seen running"
                stop = self.phrase_end(j, attached=attached, verbal=True)
                self.phrases[-1].append((j, stop))
                self.mark(j, stop, NEGATED)
                j = self.drop_frames(stop)
            following = self.list_next(j, joined + determiners + gerund, bare=j == end)
            if following == j:
                return j
            j = self.mark(j, following, DROPPED)

    def deny_predicate(self, j: int, first: int) -> int:
        """Reads on from absent subjects: "(no man) is riding a horse", "(no cat) can be seen"."""
        words, tags = self.words, self.tags
        head, vague = self.phrases[-1][0][0], self.phrase_text(self.phrases[-1]) in VAGUE
        pronoun = head in self.spoken
        start = j
        if vague:  # "nothing that looks like", "nothing in this image is"
            j = self.drop_frames(j)
            j += tags[j] == "S"
            if words[j] == "like":
                j += 1
        while tags[j] in "aAR" or (words[j] in HAVE and tags[j + 1] == "a"):
            j += 1
        self.mark(start, j, DROPPED)
        frames = j
        j = self.drop_frames(j)
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
            self.mark(j, noun, DROPPED)
            return self.deny_list(noun, attached=False)
        stop = self.phrase_end(j, attached=False, verbal=True)
        if stop == j and tags[j] == "h":
            stop = self.phrase_end(j + 1, attached=False, verbal=True)
        if pronoun and j == start and words[j].endswith("s"):  # "no one sleeps": a person sleeps
            self.spoken[head] = "person"
        for phrase in self.phrases[first:]:
            phrase.append((j, stop))
        self.mark(j, stop, NEGATED)
        return self.drop_frames(stop)

    def deny_subject(self, start: int, end: int, k: int) -> int:
        """The subject start..end is absent; drops the frames from k on."""
        item = start
        for j in range(start, end + 1):
            if j == end or self.tags[j] in "&|,":
                noun = self.determiners_end(item) if item < j else j
                self.mark(item, j, DROPPED)
                if noun < j:
                    self.deny(noun, j)
                if j < end:
                    self.mark(j, j + 1, DROPPED)
                item = j + 1
        return self.drop_frames(k)

    def deny_inverted(self, k: int, *, attached: bool = False) -> int:
        """Absent from this image is X."""
        j = self.drop_frames(k)
        if self.words[j] in (":", ","):
            j = self.mark(j, j + 1, DROPPED)
        while self.tags[j] in "TaAr" or (self.tags[j] == "h" and j > k and self.tags[j + 1] in NOUN_START):
            j = self.mark(j, j + 1, DROPPED)
        return self.deny_list(j, attached, joined="kFgdtcVi")

    def deny_topic(self, i: int, end: int) -> int:
        """As for X, there is none; you might expect X, but there isn't one."""
        tags = self.tags
        stop = i
        while stop > 0 and (tags[stop - 1] in "aAT,RBr" or self.words[stop - 1] in (":", "?", *HAVE)):
            stop -= 1
        frames = [j for j in range(max(0, stop - 6), stop) if tags[j] in "Po" and self.frames_end(j) == stop]
        start = stop = min(frames, default=stop)  # "look for dogs in this image, but there are none"
        while start > 0 and stop - start < 40 and tags[start - 1] in "kicFgdty&|,V":
            start -= 1
        if start < stop and (
            start == 0 or tags[start - 1] in "PoT." or self.words[start - 1].split()[-1] in ("expect", "see", "find")
        ):
            opening = start
            while opening > 0 and tags[opening - 1] not in ".,B":
                opening -= 1
            self.mark(opening if tags[opening] == "r" else max(0, start - 1), start, DROPPED)
            self.deny_subject(start, stop, end)
        return self.drop_frames(end)

    def phrase_text(self, slices: list[tuple[int, int]]) -> str:
        """A denied phrase in the words of the text; not capitalised because it began a sentence."""
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

    def spans(self, fate: int) -> tuple[tuple[int, int], ...]:
        """The character spans of the tokens of one fate."""
        return self.spans_of([i for i in range(self.size) if self.fates[i] == fate])
