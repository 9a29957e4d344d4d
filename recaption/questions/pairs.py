"""Pairs in the form of Winoground: two images and two captions, each caption true of one image and false of the other.

A pair is a group of two questions (see questions.py) seen whole. What looks at the texts alone prefers the same
caption for both images, and so has no pair right; what looks at the images alone prefers the same image for both
captions. The *group score* (Thrush et al. 2022, arXiv 2204.03162) is the share of pairs in which every image gets its
caption and every caption its image.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from notclip.dataset.rows import Kind
from notclip.recaption.english.phrasing import Phrasebook
from notclip.recaption.questions.blind import QuestionTexts
from notclip.recaption.questions.fact_table import FactTable
from notclip.recaption.questions.questions import Question, build_questions


@dataclass(frozen=True)
class Pair:
    """Two images and two captions; all fields but the name hold one value for each image.

    Args:
        name: its own in the dataset.
        image_ids: the images.
        captions: what is true of each image and false of the other.
        kinds: kind of each caption.
        forms: form of negation of each caption.
        patterns: pattern that each caption fills.
    """

    name: str
    image_ids: tuple[str, str]
    captions: tuple[str, str]
    kinds: tuple[Kind, Kind]
    forms: tuple[str, str]
    patterns: tuple[str, str]


def build_pairs(
    table: FactTable,
    *,
    count: int,
    phrasebook: Phrasebook | None = None,
    prefix: str = "",
    seed: int = 0,
) -> list[Pair]:
    """Build pairs until there are `count` or the facts allow no more.

    Args:
        table: what is known of each image.
        count: pairs wanted.
        phrasebook: the English of the captions; that of general captions when None.
        prefix: begins each pair's name, such as the split, so that names stay apart.
        seed: the same seed gives the same pairs.

    Raises:
        BadInputError: pairs are wanted, and the facts allow none at all.
        ValueError: `count` is negative.
    """
    if count < 0:
        raise ValueError(f"`count` must be at least 0, got {count}.")
    if count == 0:
        return []
    questions = build_questions(
        table, count=2 * count, choices=2, phrasebook=phrasebook, group_prefix=prefix, seed=seed
    )
    rng = Random(seed)  # Which of the two comes first tells nothing.
    return [_pair(*rng.sample(questions[start : start + 2], 2)) for start in range(0, len(questions), 2)]


def _pair(first: Question, second: Question) -> Pair:
    return Pair(
        name=first.group,
        image_ids=(first.image_id, second.image_id),
        captions=(first.choices[first.answer], second.choices[second.answer]),
        kinds=(first.kind, second.kind),
        forms=(first.choice_forms[first.answer], second.choice_forms[second.answer]),
        patterns=(first.choice_patterns[first.answer], second.choice_patterns[second.answer]),
    )


def texts_of_pairs(names: Sequence[str], captions: Sequence[tuple[str, str]], *, name: str) -> QuestionTexts:
    """The text side of pairs, as two questions each, for the test of what text alone gives away."""
    return QuestionTexts(
        choices=[both for both in captions for _ in range(2)],
        answers=[answer for _ in captions for answer in (0, 1)],
        units=[pair for pair in names for _ in range(2)],
        name=name,
    )
