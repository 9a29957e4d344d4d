"""Statements about an image in natural English, and captions that say what their image does not show."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from notclip.dataset.negation_forms import AFFIRMED
from notclip.dataset.rows import Kind, kind_of
from notclip.files.yaml_files import read_yaml
from notclip.recaption.english.caption_text import CaptionText
from notclip.recaption.english.noun_phrases import Noun, noun_of
from notclip.recaption.english.patterns import (
    Filling,
    Pattern,
    Trait,
    compile_pattern,
    draw_pattern,
    read_caption,
    traits_of_affirmed,
    traits_of_negated,
)

if TYPE_CHECKING:
    from notclip.recaption.concepts.lexicon import Concept

PLURAL_SHARE = 0.35  # How often an absence is told in the plural ("no dogs") where both numbers can be.


@dataclass(frozen=True, slots=True)
class Statement:
    """What a caption says about an image: all of `affirmed` are there, none of `negated` is."""

    affirmed: tuple[str, ...]
    negated: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.affirmed and not self.negated:
            raise ValueError("A `Statement` must affirm or negate at least one concept, got none.")

    @property
    def kind(self) -> Kind:
        """`affirmation`, `negation` or `hybrid`."""
        return kind_of(self.affirmed, self.negated)


class Phrase(NamedTuple):
    """English for a statement.

    Args:
        text: one or two sentences.
        form: the form of negation that it uses, one of `FORMS`.
        pattern: the pattern of the table that it fills, as written there: "{caption}, with {no_N} {around}."
    """

    text: str
    form: str
    pattern: str


class Phrasebook:
    """Patterns of one language register, by section and form, each compiled once.

    The table of forms is that of phrasing_forms.yaml, which documents its own syntax.
    """

    def __init__(self, table: Mapping) -> None:
        sections = {**table["statements"], "captions": table["captions"]}
        self.patterns: tuple[Pattern, ...] = tuple(
            compile_pattern(section, form, template, table["words"])
            for section, forms in sections.items()
            for form, templates in forms.items()
            for template in templates
        )
        twice = [name for name, times in Counter(pattern.template for pattern in self.patterns).items() if times > 1]
        if twice:
            raise ValueError(
                f"A pattern names what it says, so it must stand in the table once; {twice[0]!r} is there twice."
            )
        self.forms = frozenset(pattern.form for pattern in self.patterns)
        self.held_out_forms = frozenset(table["held_out_forms"])
        if not self.held_out_forms < self.forms:
            raise ValueError(
                f"`held_out_forms` must name forms of the table, got {sorted(self.held_out_forms - self.forms)}."
            )
        self.fitting: dict[tuple[str, int], tuple[Pattern, ...]] = {}
        self._lexicon: Mapping[str, Concept] | None = None
        self._nouns: dict[str, Noun] = {}

    def only(self, forms: Collection[str]) -> "Phrasebook":
        """A book of the patterns of these forms of negation, and of those without negation."""
        book = copy(self)
        book.patterns = tuple(own for own in self.patterns if own.form in forms or own.form == AFFIRMED)
        book.forms, book.fitting = frozenset(forms), {}
        return book

    def of_split(self, split: str) -> "Phrasebook":
        """What may be said in a split: some forms stand in the test split alone, to tell understanding from habit."""
        return self if split == "test" else self.only(self.forms - self.held_out_forms)

    def phrase_statement(self, statement: Statement, lexicon: Mapping[str, "Concept"], rng: Random) -> Phrase:
        """Say a statement in English; the same seed gives the same text.

        Raises:
            ValueError: a concept is not in the lexicon, or no form of the book can say the statement.
        """
        affirmed = self._look_up(statement.affirmed, lexicon)
        negated = self._look_up(statement.negated, lexicon)
        pattern = self._draw(statement.kind, traits_of_affirmed(affirmed) | traits_of_negated(negated), rng)
        return Phrase(pattern.fill(_filling(affirmed, negated, None, rng)), pattern.form, pattern.template)

    def negate_caption(
        self, caption: str, absent: Sequence[str], lexicon: Mapping[str, "Concept"], rng: Random
    ) -> Phrase:
        """Add to a source caption that `absent` is not there: behind, in front of or inside it.

        Args:
            caption: as its source wrote it, "A dog runs on grass ."; spacing, capital and full stop are mended.
            absent: names of concepts that the image was verified not to show.
            lexicon: concepts by name.
            rng: source of every choice, so that the same seed gives the same text.

        Raises:
            ValueError: the caption holds no words, nothing is absent, or see `phrase_statement`.
        """
        if not absent:
            raise ValueError("`absent` must name at least one concept, got none.")
        text, traits = read_caption(caption)
        if not text.sentence:
            raise ValueError(f"`caption` must hold words, got {caption!r}.")
        negated = self._look_up(absent, lexicon)
        pattern = self._draw("captions", traits | traits_of_negated(negated), rng)
        return Phrase(pattern.fill(_filling((), negated, text, rng)), pattern.form, pattern.template)

    def _look_up(self, names: Sequence[str], lexicon: Mapping[str, "Concept"]) -> tuple[Noun, ...]:
        """Nouns of the concepts; kept for as long as the same lexicon is in use."""
        if lexicon is not self._lexicon:
            self._lexicon, self._nouns = lexicon, {name: noun_of(concept) for name, concept in lexicon.items()}
        try:
            return tuple([self._nouns[name] for name in names])
        except KeyError as error:
            raise ValueError(f"A statement's concepts must be in the lexicon, got {error.args[0]!r}.") from None

    def _draw(self, section: str, traits: int, rng: Random) -> Pattern:
        key = (section, traits)
        fitting = self.fitting.get(key)
        if fitting is None:
            fitting = tuple(own for own in self.patterns if own.section == section and own.fits(traits))
            if not fitting:
                raise ValueError(
                    f"No pattern of `forms` {sorted(self.forms)} fits a sentence of kind {section!r} with "
                    f"{Trait(traits)!r}; allow more forms."
                )
            self.fitting[key] = fitting
        return draw_pattern(fitting, rng)


def _filling(
    affirmed: tuple[Noun, ...], negated: tuple[Noun, ...], caption: CaptionText | None, rng: Random
) -> Filling:
    plural = rng.random() < PLURAL_SHARE
    if len(negated) == 1:
        plural = plural and negated[0].is_thing
    elif not all([noun.can_stand_bare for noun in negated]):
        plural = False  # "Any oceans or beaches" says little of one photo.
    elif not all([noun.counted for noun in negated]):
        # "No snow or dogs": what has no singular makes the list plural, and verbs agree with the nearest noun.
        plural = True
        negated = tuple(sorted(negated, key=attrgetter("counted")))
    return Filling(affirmed, negated, plural, caption, rng.random)


@cache
def load_phrasebook() -> Phrasebook:
    """The book of general English."""
    return Phrasebook(read_yaml(Path(__file__).with_name("phrasing_forms.yaml"), "The table of forms"))


FORMS = load_phrasebook().forms
HELD_OUT_FORMS = load_phrasebook().held_out_forms
TRAIN_FORMS = FORMS - HELD_OUT_FORMS
