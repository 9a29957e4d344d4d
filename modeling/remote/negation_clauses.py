"""What the tagger, which knows no clauses, sometimes labels wrongly, mended by the clauses that English marks.

Words are compared in lower case; labels are those of reading_tagger. A rule leaves alone a text that it is not about.
"""

from collections.abc import Sequence

from .reading_tagger import may_deny, without_end

AFFIRMED, BEGIN, INSIDE, SHARED, CUE, DROPPED = "ABISCD"
LINKS = frozenset(
    "a an the any some of to by with in on at for and or nor that which who whom whose is are was were be".split()
)
COPULAS = frozenset("is are was were".split())
_ABBREVIATIONS = frozenset("st dr mr mrs ms no vs jr sr mt ft prof gen sgt lt col capt rev".split())
_SIGNS = frozenset("finding findings evidence sign signs trace indication suggestion".split())
_OMITTING = frozenset("free devoid excludes omits leaves missing".split())
_OPENINGS = frozenset("although though while with without instead devoid".split())


def sentences(words: Sequence[str]) -> list[tuple[int, int]]:
    """Where sentences start and end: a full stop before a capital letter, or "no dogs here: a cat"."""
    ends = [0]
    for at, word in enumerate(words[:-1]):
        before = words[at - 1].lower() if at else ""
        stops = word in (".", "!") and words[at + 1][:1].isupper()
        stops = stops and len(before) > 1 and before not in _ABBREVIATIONS
        opens = word == ":" and words[ends[-1]].lower() == "no" and at - ends[-1] > 1
        if stops or opens:
            ends.append(at + 1)
    return list(zip(ends, [*ends[1:], len(words)], strict=True))


def mended(words: Sequence[str], labels: str) -> list[str]:
    """The labels of one sentence's words, with what clauses say."""
    lower, found = [word.lower() for word in words], list(labels)
    _mend_both(lower, found)
    _mend_other_clause(lower, found)
    _mend_list(lower, found)
    _mend_nobody(lower, found)
    for at in range(1, len(found)):
        if lower[at - 1 : at + 1] == ["-", "free"] and at > 1 and found[at - 2] in (BEGIN, INSIDE):
            found[at - 1 : at + 1] = [CUE, CUE]
        if found[at] == BEGIN and found[at - 1] in (BEGIN, INSIDE):  # "potted" and "plant" are one thing
            found[at] = INSIDE
    return found


def _mend_both(words: list[str], labels: list[str]) -> None:
    """What is "both" absent: "X and Y are both absent" denies X as it denies Y."""
    for at in range(len(words) - 1):
        if words[at] in COPULAS and words[at + 1] == "both" and CUE in labels[at : at + 6]:
            start = at
            while start and words[start - 1] not in (",", ".", ";", "but", "while", "whereas", "though", "although"):
                start -= 1
            begins = True
            for place in range(start, at):
                joins = words[place] in LINKS
                labels[place] = DROPPED if joins else BEGIN if begins else INSIDE
                begins = joins


def _mend_other_clause(words: list[str], labels: list[str]) -> None:
    """What follows ", but", or a clause that opens with "although" or "without", affirms if it has no cue itself."""
    commas = [at for at, word in enumerate(words) if word in (",", ";")]
    starts = [at + 2 for at in commas if words[at + 1 : at + 2] == ["but"]]
    if commas and words[0] in _OPENINGS:
        starts.append(commas[-1] + 1)
    for start in starts:
        if CUE in labels[:start] and CUE not in labels[start:] and not may_deny(words[start:]):
            labels[start:] = [AFFIRMED] * (len(words) - start)


def _mend_nobody(words: list[str], labels: list[str]) -> None:
    """What "no one" and signs deny: people, also beside what they do not do; of "no findings to suggest X" X alone."""
    for at in range(1, len(words)):
        of_or_but = words[at + 1 : at + 2] in (["of"], ["but"])
        if (
            words[at - 1 : at + 1] == ["no", "one"]
            and not of_or_but
            and labels[at] in (CUE, DROPPED)
            and CUE in labels
        ):
            labels[at - 1 : at + 1] = [CUE, BEGIN]
        elif labels[at] == BEGIN and words[at] in _SIGNS and words[at + 1 : at + 2] in (["to"], ["of"], ["for"]):
            labels[at] = DROPPED


def _mend_list(words: list[str], labels: list[str]) -> None:
    """The end of a list: "free of X and Y." denies Y as it denies X, where nothing but Y follows."""
    end = len(without_end(words))
    joins = next((at for at in range(end - 2, max(0, end - 5), -1) if words[at] == "and"), 0)
    if joins and labels[joins - 1] in (BEGIN, INSIDE) and labels[joins + 1 : end] == [AFFIRMED] * (end - joins - 1):
        start = joins + 1 + (words[joins + 1] in ("a", "an", "the", "any"))
        if not _OMITTING.isdisjoint(words[:joins]) and start < end <= start + 2:
            labels[joins:end] = [DROPPED] * (start - joins) + [BEGIN] + [INSIDE] * (end - start - 1)
