"""The affirmed text: what is left of a caption without its negated parts, mended so that it reads as a caption."""

from collections.abc import Iterable
from itertools import accumulate
from typing import Protocol

from .negation_classes import VAGUE

KEPT, CUE, DROPPED, NEGATED = range(4)  # the fates of a token
CONTENT = "kicVLg"
_PLACES = ("nearby", "elsewhere")


class ReadTokens(Protocol):
    """The tokens of a text with their fates."""

    text: str
    size: int
    words: list[str]
    tags: list[str]
    starts: list[int]
    ends: list[int]
    fates: list[int]
    swaps: dict[int, str]

    def frame_end(self, j: int) -> int:
        """The end of "in this image" from j on."""

    def spans_of(self, tokens: list[int]) -> tuple[tuple[int, int], ...]:
        """The character spans of tokens, one for those that follow one another."""


def affirmed_part(tokens: ReadTokens) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Join the kept tokens, without the connectives that led to what was taken out, and without bare frames.

    Gives the text, and the character spans that it is made of.

    Runs of kept tokens end at gaps, at sentence ends and at "but"; a run that says no more than "this image shows" or
    "there is" affirms nothing and goes.
    """
    fates, tags = tokens.fates, tokens.tags
    for i in tokens.swaps:
        fates[i] = KEPT
    # Where the last sentence before each token ended: looked back for anew, a long caption would take hours.
    ended = list(accumulate((i if tag == "." else -1 for i, tag in enumerate(tags)), max))
    kept: list[int] = []
    start = 0
    while start < tokens.size:
        if start == 0 or tags[start - 1] == ".":
            end = tags.index(".", start)
            if all(fate == KEPT for fate in fates[start:end]):  # a sentence without negation stays as it is
                if tokens.words[start] == "instead":
                    start += 1 + (tags[start + 1] == ",")
                if _has_content(tokens, range(start, end)):
                    kept += range(start, end)
                start = end + 1
                continue
        if fates[start] != KEPT or tags[start] in ".B":
            start += 1
            continue
        end = start
        while end < tokens.size and ((fates[end] == KEPT and tags[end] not in ".B") or _is_epithet(tokens, end)):
            end += 1
        kept += _mended(tokens, start, end, bool(kept) and (start == 0 or ended[start - 1] < kept[-1]))
        start = end
    return _joined(tokens, kept), tokens.spans_of(kept)


def _is_epithet(tokens: ReadTokens, i: int) -> bool:
    """Whether token i is part of a negated word before its noun: "a cloudless sky"."""
    while i < tokens.size and tokens.tags[i] != "L" and tokens.fates[i] == NEGATED:
        i += 1
    if i >= tokens.size or tokens.tags[i] != "L" or tokens.fates[i] != NEGATED:
        return False
    return tokens.tags[i + 1 + (tokens.tags[i + 1] == ",")] in "kicFgL"


def _mended(tokens: ReadTokens, start: int, end: int, continues: bool) -> list[int]:
    """The tokens of one run that stay.

    Args:
        tokens: the read tokens.
        start: first token of the run.
        end: the end of the run.
        continues: an earlier run of the same sentence stays.
    """
    tags, fates, first = tokens.tags, tokens.fates, start
    gap_before = start > 0 and fates[start - 1] != KEPT
    gap_after = end < tokens.size and fates[end] != KEPT
    if gap_after:
        last = _without_leading_to(tokens, start, end)
    else:
        last = end - 1
        while last >= start and tags[last] == "," and end < tokens.size and tags[end] == "B":
            last -= 1
    last = _without_frame(tokens, start, last, gap_after and not any(tags[i] in ",&" for i in range(last + 1, end)))
    if gap_before or not continues:
        leading = ",R" if continues else ",&|RSPoah" if gap_before else ",&|"
        while start <= last and tags[start] in leading and start not in tokens.swaps:
            if tags[start] == "h" and tokens.words[start].endswith("ing"):
                break
            if tags[start] == "P" and tokens.frame_end(start) > start + 1:
                break
            start += 1
            if not continues and tags[start - 1] in "SR" and tags[start] == "h":  # "which shows"
                start += 1
    run = [
        i
        for i in range(start, last + 1)
        if fates[i] == KEPT and not (tags[i] == "," and start < i < last and fates[i - 1] + fates[i + 1] > KEPT)
    ]
    if not _has_content(tokens, run) and (gap_before or gap_after or not continues):
        return []
    if run and start == first and first and tags[first - 1] == "B" and (first == 1 or tags[first - 2] == "."):
        if any(tags[i] == "," for i in run):  # "While doing tricks, a man ..."
            return [first - 1, *run]
    return run


def _has_content(tokens: ReadTokens, run: Iterable[int]) -> bool:
    return any((tokens.tags[i] in CONTENT and tokens.words[i] not in VAGUE) or i in tokens.swaps for i in run)


def _without_leading_to(tokens: ReadTokens, start: int, end: int) -> int:
    """The last token of a run that is not a mere lead to the gap behind it: ", and", "which has", "but there is"."""
    tags = tokens.tags
    last = end - 1
    while last >= start and (tags[last] in ",&S|" or (tags[last] == "R" and tokens.words[last] not in _PLACES)):
        last -= 1
    if last == end - 1:
        while last >= start and tags[last] in "aAhPTtdomSr" and last not in tokens.swaps:
            last -= 1
        while last >= start and (tags[last] in ",&S|" or (tags[last] == "R" and tokens.words[last] not in _PLACES)):
            last -= 1
    clause = last
    while clause >= start and tags[clause] == "F":
        clause -= 1
    if clause < last and clause > start and tags[clause] == "t" and tags[clause - 1] in ",&S":
        last = clause - 1
        while last >= start and tags[last] in ",&S":
            last -= 1
    return last


def _without_frame(tokens: ReadTokens, start: int, last: int, gap_follows: bool) -> int:
    """The last token before a closing "in a picture" (free of cars), or "in a car-free picture"."""
    tags = tokens.tags
    i = last
    while i > start and tags[i] == "F" and tokens.words[i] not in ("background", "foreground"):
        i -= 1
    noun = i
    while i > start and (tags[i] in "dt" or tokens.fates[i] != KEPT):
        i -= 1
    epithet = any(tokens.fates[m] != KEPT for m in range(i, noun + 1))
    if noun == last or tags[i] != "P" or i <= start or not (gap_follows or epithet):
        return last
    i -= 1
    while i > start and tags[i] == ",":
        i -= 1
    return i


def _joined(tokens: ReadTokens, kept: list[int]) -> str:
    text, starts, ends = tokens.text, tokens.starts, tokens.ends
    pieces: list[str] = []
    first = 0
    for place, i in enumerate(kept):
        following = kept[place + 1] if place + 1 < len(kept) else -1
        if following == i + 1 and i not in tokens.swaps and following not in tokens.swaps:
            continue
        run = text[starts[kept[first]] : ends[i]] if i not in tokens.swaps else tokens.swaps[i]
        if tokens.words[i] in ("a", "an") and following > 0:  # "an (umbrella-free) beach"
            run = run.removesuffix("n") + ("n" if tokens.words[following][0] in "aeiou" else "")
        pieces.append(run)
        first = place + 1
        if following < 0:
            break
        between = range(i + 1, following)
        if all(tokens.fates[m] == KEPT for m in between):
            pieces.append(text[ends[i] : starts[following]])
        else:
            stops = [m for m in between if tokens.tags[m] == "." and tokens.fates[m] == KEPT]
            clause = tokens.tags[following] in "Tdtrcmy" and any(tokens.tags[m] == "B" for m in between)
            pieces.append(f"{text[starts[stops[-1]] : ends[stops[-1]]]} " if stops else ", " if clause else " ")
    return " ".join("".join(pieces).split()).strip(' ,;:-–—."“”…')
