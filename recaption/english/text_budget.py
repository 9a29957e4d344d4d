"""Captions longer than a text tower sees: what stands behind its last token does not exist, negation above all."""

import re
from collections.abc import Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING

from notclip.recaption.english.caption_text import says_something
from notclip.recaption.english.phrasing import Phrase, Phrasebook

if TYPE_CHECKING:
    from notclip.recaption.concepts.lexicon import Concept

_PIECE = re.compile(r"[^\W\d_]+|\d|[^\w\s]+|_")
_SURE = 15 / 16  # Of the tower's tokens a text may be estimated to take so many, since the estimate is a few short.
_NEGATION_TOKENS = 34  # The longest frame with its two nouns.
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
# Words that a caption does not end with.
_OPEN_ENDED = frozenset(
    """
    a an the of in on at with and or but to by from into onto over under near beside behind between through along
    while as that which who whose where when is are was were be being been has have its his her their this these
    those some very
    """.split()
)


def estimated_tokens(text: str) -> int:
    """About how many tokens a text tower reads of a text; CLIP's tokenizer takes fewer of most texts, few take more.

    >>> estimated_tokens("A dog runs on grass.")
    8
    """
    return 2 + sum(map(_tokens_of_piece, _PIECE.findall(text)))


def _tokens_of_piece(piece: str) -> int:
    length = len(piece) if piece.isascii() else len(piece.encode())
    return 1 + (length - 1) // (7 if length <= 12 else 4)


def shortened_caption(caption: str, tokens: int) -> str:
    """The beginning of a caption that takes about so many tokens: whole sentences, else up to a comma, else words.

    >>> shortened_caption("A dog runs on grass. It is brown, old and happy.", 9)
    'A dog runs on grass.'
    >>> shortened_caption("A brown dog runs on the grass of a park", 10)
    'A brown dog runs on the grass'
    """
    kept = ""
    for sentence in _SENTENCE_END.split(caption):
        longer = f"{kept} {sentence}".strip()
        if estimated_tokens(longer) > tokens:
            break
        kept = longer
    if says_something(kept):
        return kept
    words: list[str] = []
    for word in caption.split():
        if estimated_tokens(" ".join([*words, word])) > tokens:
            break
        words.append(word)
    ends = [place for place, word in enumerate(words, start=1) if word.endswith((",", ";", ":"))]
    if ends and 2 * ends[-1] >= len(words):
        words = words[: ends[-1]]
    while len(words) > 1 and words[-1].strip(",;:.").lower() in _OPEN_ENDED:
        words.pop()
    return " ".join(words).rstrip(",;: ") or caption.split()[0]


def negate_within(
    book: Phrasebook,
    caption: str,
    absent: Sequence[str],
    lexicon: Mapping[str, "Concept"],
    rng: Random,
    *,
    tokens: int,
) -> tuple[Phrase, str]:
    """Negate a caption, see `negate_caption`, so that a text tower sees the negation.

    Args:
        book: the English.
        caption: the caption.
        absent: what is not there.
        lexicon: concepts by name.
        rng: source of every choice; of a caption that fits it is drawn from as without a limit.
        tokens: how many the text tower sees.

    Returns:
        The phrase, and as much of the caption as it was made of: all, where that fits.
    """
    phrase = book.negate_caption(caption, absent, lexicon, rng)
    kept, room = caption, max(tokens // 2, tokens - _NEGATION_TOKENS)
    while estimated_tokens(phrase.text) > _SURE * tokens and room > 2:
        kept = shortened_caption(caption, room)
        phrase = book.negate_caption(kept, absent, lexicon, rng)
        room = room * 3 // 4
    return phrase, kept
