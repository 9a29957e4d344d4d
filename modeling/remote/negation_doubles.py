"""Two negations that cancel, and "no" before words that are there all the same: what such cues affirm."""

from .negation_classes import ATTITUDES, CHANGES, COMPLETE, WISHES
from .negation_denials import HAVE, Denials
from .negation_phrases import NOUN_START
from .negation_rest import CUE, DROPPED, KEPT


class Doubles(Denials):
    """Takes back what a first cue denied where a second one follows."""

    def deny_twice(self, aux: int, k: int) -> int:
        """Not without X is with X."""
        follows = self.tags[k + 1] in NOUN_START
        self.mark(aux, k + 1, CUE)
        self.swaps[k] = "with" if self.tags[k] == "w" else "has" if follows and self.tags[k] in "vq" else "is present"
        self.changed = True
        return k + 1

    def take_back(self, first: int, j: int, *, attached: bool) -> int:
        """Affirms what was denied where a cue of absence follows it: "no beach (is complete) without sand".

        Args:
            first: the first phrase that the cue denied.
            j: the token after its phrases.
            attached: the cue hangs on an affirmed noun, as in "a dog with no collar without a leash".

        Returns:
            Where reading goes on, 0 where no such cue follows.
        """
        tags, words = self.tags, self.words
        k = j
        if tags[k] in "Po":  # "no house in the village"
            while tags[k] in "PodtmyckgF" and k - j < 12:
                k += 1
        verb = k
        while tags[k] in "aAR" or words[k] in HAVE:
            k += 1
        if k > verb and (words[k] in COMPLETE or tags[k] == "f"):
            k += 1
        direct = k == j and words[k].startswith("without") and not attached and len(self.phrases) == first + 1
        if not direct and not (tags[k] == "v" and not attached) and not (k > verb and tags[k] in "wq"):
            return 0
        for slices in self.phrases[first:]:
            for start, end in slices:
                self.mark(start, end, KEPT)
                if start in self.spoken:
                    self.swaps[start] = self.spoken.pop(start)
        del self.phrases[first:]
        return self.deny_twice(verb, k)

    def keep_changed(self, i: int) -> int:
        """No change in X affirms X; returns where X starts, 0 where no such word follows."""
        k = i + 1
        while self.tags[k] in "kRy" and self.words[k] not in CHANGES and k - i < 4:
            k += 1
        if self.words[k] not in CHANGES or not (self.tags[k + 1] == "o" or self.words[k + 1] in ("in", "from")):
            return 0
        self.changed = True
        return self.mark(i, k + 2, CUE)

    def deny_of_each(self, i: int) -> int:
        """Neither man wears a hat, none of the men wear hats: the men are there, the hats are not.

        Returns:
            Where reading goes on, 0 where the subject itself is denied ("neither dog is shown").
        """
        tags = self.tags
        start = k = i + 1
        while tags[k] in "t" or (tags[k] in "kc" and k - start < 5):
            k += 1
        aux = k
        while tags[k] in "aAR":
            k += 1
        worn = tags[k] == "h" and self.words[k].startswith("wear")
        if k == start or not (worn or (aux < k and tags[k] == "i")) or "~" in tags[k : k + 8]:
            return 0
        self.mark(i, start, CUE)
        self.mark(aux, k + worn, DROPPED)
        return self.deny_list(k + worn, attached=True, verbal=not worn)

    def keeps(self, aux: int, i: int, k: int) -> bool:
        """Whether a "not" from aux to k, with its word at i, leaves what follows where it is."""
        words, tags = self.words, self.tags
        if words[k] in ATTITUDES and tags[aux] in "Ax":  # "the boy doesn't want his broccoli"
            return not (words[k] in WISHES and (aux == 0 or words[aux - 1] in ("i", "we", "you")))
        if words[k] == "your" and words[k + 1] in ("typical", "average", "usual", "everyday", "ordinary"):
            return True
        if tags[k] == "h" and "every day" in words[k : k + 12]:  # "you don't see a horse like this every day"
            return True
        litotes = words[k].startswith("un") and not words[k].startswith(("uni", "uncle")) and len(words[k]) > 5
        return litotes and tags[k] == "k" and words[i] == "not" and tags[k + 1] == "k"  # "a not unattractive house"

    def surpass(self, i: int, k: int) -> int:
        """Nobody can miss the dog, nothing could be cuter than a panda: where reading goes on, 0 for what denies."""
        words = self.words
        if words[k] not in ("can", "could"):
            return 0
        better = words[k + 1] == "be" and words[k + 2].endswith("er")
        if not better and words[k + 1] not in ("miss", "resist"):
            return 0
        self.phrases.pop()
        self.changed = True
        return self.mark(i, k + 2, CUE)
