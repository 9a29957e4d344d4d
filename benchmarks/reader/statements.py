"""Texts of the builder's own English (notclip.recaption.english), with what they deny and affirm, for the tagger.

What the builder writes it must also read back: photos and chest X-rays, statements and captions with an absence added.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1]))
from reading_set import LabelledText, Span

from notclip.recaption.concepts.lexicon import Lexicon, load_lexicon
from notclip.recaption.english.domain import load_domain
from notclip.recaption.english.phrasing import Phrasebook, Statement, load_phrasebook

_PEOPLE = ("nobody", "someone", "somebody", "anyone", "anybody", "one")


def statements(count: int, captions: Sequence[str], seed: int = 0) -> Iterator[LabelledText]:
    """Texts in equal shares: statements about photos, captions with an absence added, statements of chest X-rays."""
    rng = Random(seed)
    photos, domain = load_lexicon(), load_domain("chest-xray")
    findings = domain.lexicon(tuple(domain.classes))
    for number in range(count):
        kind = number % 3
        lexicon, book = (findings, domain.phrasebook) if kind == 2 else (photos, load_phrasebook())
        names = _unrelated(lexicon, rng)
        affirmed = tuple(names[: rng.choice([0, 1, 1, 2])])
        negated = tuple(names[2 : 2 + rng.choice([1, 1, 2])])
        if kind == 1:
            labelled = _caption(rng.choice(captions), negated, lexicon, book, rng)
        else:
            text = book.phrase_statement(Statement(affirmed, negated), lexicon, rng).text
            labelled = _labelled(text, negated, [_surfaces(lexicon, name) for name in affirmed], lexicon)
        if labelled:
            yield labelled


def _unrelated(lexicon: Lexicon, rng: Random) -> list[str]:
    """Four concepts that share no word."""
    while True:
        names = rng.sample([name for name in lexicon if name != "picture"], 4)
        if len({word for name in names for word in name.split()}) == len(" ".join(names).split()):
            return names


def _caption(
    caption: str, negated: tuple[str, ...], lexicon: Lexicon, book: Phrasebook, rng: Random
) -> LabelledText | None:
    if any(re.search(_surfaces(lexicon, name), caption, re.IGNORECASE) for name in negated):
        return None
    text = book.negate_caption(caption, negated, lexicon, rng).text
    words = re.findall(r"\w+", caption)
    return _labelled(text, negated, [rf"{re.escape(word)}" for word in dict.fromkeys(words) if len(word) > 2], lexicon)


def _surfaces(lexicon: Lexicon, name: str) -> str:
    concept = lexicon[name]
    words = [concept.name, concept.plural, name, *(_PEOPLE if name == "person" else ())]
    return "|".join(re.escape(word) for word in sorted(set(words), key=len, reverse=True))


def _labelled(text: str, negated: Sequence[str], affirmed: Sequence[str], lexicon: Lexicon) -> LabelledText | None:
    """A text with the places of its concepts; None where one of those that it denies is said in other words."""
    denied: list[Span] = []
    for name in negated:
        found = [match.span() for match in re.finditer(rf"\b(?:{_surfaces(lexicon, name)})\b", text, re.IGNORECASE)]
        if not found:
            return None
        denied += found
    said = [match.span() for one in affirmed for match in re.finditer(rf"\b(?:{one})\b", text, re.IGNORECASE)]
    free = [(start, end) for start, end in said if all(end <= first or last <= start for first, last in denied)]
    return LabelledText("statement", "statements", text, tuple(sorted(denied)), tuple(sorted(set(free))), "train")
