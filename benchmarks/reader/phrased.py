"""Texts of the builder's own grammar (recaption/english), which knows what it denies and is to be read back."""

import difflib
import random
import re
from collections.abc import Mapping, Sequence

from fillers import Fillers, Labelled

from notclip.recaption.concepts.lexicon import Concept, load_lexicon
from notclip.recaption.english.domain import load_domain
from notclip.recaption.english.phrasing import Phrasebook, Statement, load_phrasebook
from notclip.remote.reading_words import split_words

_FRAME_NAMES = ("picture", "photograph", "video")


class Phrased:
    """Draws statements and captions with absences, general and of chest X-rays.

    Args:
        fillers: whose things stand for every other concept, and whose captions get absences.
    """

    def __init__(self, fillers: Fillers) -> None:
        self.fillers = fillers
        self.captions = [caption for caption in fillers.captions if len(caption.split()) > 3]
        domain = load_domain("chest-xray")
        general = load_lexicon()
        self.books: list[tuple[Phrasebook, Mapping[str, Concept], list[str]]] = [
            (load_phrasebook(), general, [name for name in general if name not in _FRAME_NAMES]),
            (domain.phrasebook, reports := domain.lexicon(tuple(domain.classes)), list(reports)),
        ]

    def draw(self, rng: random.Random) -> Labelled:
        """One text with the labels that its words may have."""
        while True:
            book, lexicon, names = self.books[rng.random() < 0.2]
            first, second, third = rng.sample(names, 3)
            negated = (first, second)[: rng.choice((1, 1, 2))]
            affirmed: tuple[str, ...] = ()
            caption = ""
            if rng.random() < 0.3 and names is self.books[0][2]:
                caption = rng.choice(self.captions)
                phrase = book.negate_caption(f"{caption}.", negated, lexicon, rng)
            else:
                affirmed = (third,) if rng.random() < 0.6 else ()
                phrase = book.phrase_statement(Statement(affirmed, negated), lexicon, rng)
            said = {name: _surfaces(lexicon[name]) for name in (*affirmed, *negated)}
            found = {name: list(re.finditer(pattern, phrase.text, re.IGNORECASE)) for name, pattern in said.items()}
            if phrase.form != "normal" and all(len(matches) == 1 for matches in found.values()):
                spans = {name: matches[0].span() for name, matches in found.items()}
                return self._labelled(phrase.text, spans, negated, caption, rng)

    def _labelled(
        self, text: str, spans: Mapping[str, tuple[int, int]], negated: Sequence[str], caption: str, rng: random.Random
    ) -> Labelled:
        words: Labelled = []
        at = 0
        for name, (start, end) in sorted(spans.items(), key=lambda item: item[1]):
            words += [(word, "ACD") for word in _words(text[at:start])]
            thing = _words(text[start:end])
            if rng.random() < 0.5:
                thing = [word for part in self.fillers.thing(rng) for word in _words(part)]
            first, further = ("B", "I") if name in negated else ("A", "A")
            words += [(word, further if place else first) for place, word in enumerate(thing)]
            at = end
        return _with_kept(words + [(word, "ACD") for word in _words(text[at:])], _words(caption))


def _with_kept(words: Labelled, caption: Sequence[str]) -> Labelled:
    """Words of the caption that an absence was added to are affirmed, articles and commas, too."""
    said = [word.lower() if allowed == "ACD" else "" for word, allowed in words]
    matcher = difflib.SequenceMatcher(None, [word.lower() for word in caption], said, autojunk=False)
    kept = list(words)
    for _, start, size in matcher.get_matching_blocks():
        for place in range(start, start + size):
            word = words[place][0]
            kept[place] = (word, "A" if word[0].isalnum() else "AD")
    return kept


def _surfaces(concept: Concept) -> str:
    names = sorted({concept.name, concept.plural}, key=len, reverse=True)
    return r"\b(?:" + "|".join(map(re.escape, names)) + r")\b(?!-)"


def _words(text: str) -> list[str]:
    return [text[start:end] for start, end in split_words(text)]
