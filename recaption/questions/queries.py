"""Retrieval queries that exclude something: what the image shows, and what it must not show.

An exclusion is informative where other images match the affirmed part and do show the excluded concept: a model that
reads past the negation then finds them instead. Such exclusions are preferred.
"""

from dataclasses import dataclass
from functools import lru_cache, partial
from random import Random

import numpy as np

from notclip.errors import BadInputError
from notclip.recaption.absences.co_occurrence import related_matrix
from notclip.recaption.absences.facts import ImageFacts
from notclip.recaption.concepts.weighted_draw import place_of
from notclip.recaption.english.phrasing import Phrase, Phrasebook, Statement, load_phrasebook
from notclip.recaption.english.text_budget import negate_within
from notclip.recaption.questions.fact_table import FactTable

PER_IMAGE = (2, 4)  # fewest and most queries of an image; fewer where its facts allow no more
_STATEMENT_SHARE = 0.5  # Of the queries after an image's first, which always carries a source caption.
_TWO_ABSENCES_SHARE = 0.15
_MATCHES_READ = 400  # Images that match the affirmed part, of which the excluded concepts are counted.


@dataclass(frozen=True)
class Queries:
    """Queries that one image satisfies; the lists run over its queries.

    Args:
        image_id: the image.
        captions: query texts.
        forms: form of negation of each.
        patterns: pattern that each fills.
        affirmed: concepts that each query asks for.
        absent: concepts that each query excludes.
        relevant: ids of the images that each query finds rightly, this image first. A source caption tells more than
            its concepts, so that this image alone is right; a statement fits every image that shows all of `affirmed`
            and was verified to show none of `absent`.
        violating: ids of the images that show one of `absent`, whatever else they show.
    """

    image_id: str
    captions: tuple[str, ...]
    forms: tuple[str, ...]
    patterns: tuple[str, ...]
    affirmed: tuple[tuple[str, ...], ...]
    absent: tuple[tuple[str, ...], ...]
    relevant: tuple[tuple[str, ...], ...]
    violating: tuple[tuple[str, ...], ...]


_Names = tuple[str, ...]


class _QueryWriter:
    def __init__(
        self, table: FactTable, phrasebook: Phrasebook, *, listed_images: int, text_tokens: int, seed: int
    ) -> None:
        self.table, self.phrasebook, self.text_tokens = table, phrasebook, text_tokens
        names, self.lexicon = table.names, table.lexicon
        self.row = {name: index for index, name in enumerate(names)}
        self.related = related_matrix(table.lexicon, names)
        self.counts = self.table.present.sum(1)
        self.rng = Random(seed)
        self.listed = np.array([fact.image_id for fact in table.facts[:listed_images]], dtype=object)
        self.listed_present = np.ascontiguousarray(self.table.present[:, :listed_images])
        self.listed_absent = np.ascontiguousarray(self.table.absent[:, :listed_images])
        self.absent_of = np.ascontiguousarray(self.table.absent.T)
        # Of the table, not of this writer: a cache of its own method keeps both until somebody looks for cycles.
        self._shown_with = lru_cache(maxsize=4096)(partial(_shown_with, self.table.present))
        self.violators: dict[tuple[str, ...], tuple[str, ...]] = {}

    def write(self, column: int, fact: ImageFacts) -> Queries | None:
        wanted = self.rng.randint(*PER_IMAGE)
        written: list[tuple[Phrase, _Names, _Names, _Names]] = []
        captions = [caption for caption in fact.captions if self.lexicon.find(caption) & fact.present]
        self.rng.shuffle(captions)
        excluded: set[str] = set()
        for _ in range(wanted):
            as_statement = not captions or (bool(written) and self.rng.random() < _STATEMENT_SHARE)
            caption = None if as_statement else captions.pop()
            affirmed = self._affirmed(fact, caption)
            if not affirmed:
                continue
            absent = self._exclusions(column, affirmed, excluded)
            if not absent:
                continue
            excluded.update(absent)
            if caption is None:
                statement = Statement(affirmed, absent)
                phrase = self.phrasebook.phrase_statement(statement, self.lexicon, self.rng)
            else:
                phrase, kept = negate_within(
                    self.phrasebook, caption, absent, self.lexicon, self.rng, tokens=self.text_tokens
                )
                if kept != caption:
                    affirmed = self._affirmed(fact, kept)
                    if not affirmed:
                        continue
            others = self._fitting(affirmed, absent, but=column) if caption is None else ()
            written.append((phrase, affirmed, absent, (fact.image_id, *others)))
        if not written:
            return None
        phrases, affirmed_lists, absent_lists, relevant_lists = zip(*written, strict=True)
        return Queries(
            image_id=fact.image_id,
            captions=tuple(phrase.text for phrase in phrases),
            forms=tuple(phrase.form for phrase in phrases),
            patterns=tuple(phrase.pattern for phrase in phrases),
            affirmed=affirmed_lists,
            absent=absent_lists,
            relevant=relevant_lists,
            violating=tuple(self._violating(absent) for absent in absent_lists),
        )

    def _fitting(self, affirmed: tuple[str, ...], absent: tuple[str, ...], *, but: int) -> tuple[str, ...]:
        """Listed images but one that show all of `affirmed` and were verified to show none of `absent`."""
        rows = [self.listed_present[self.row[name]] for name in affirmed]
        fitting = np.logical_and.reduce([*rows, *(self.listed_absent[self.row[name]] for name in absent)])
        fitting[but : but + 1] = False
        return tuple(self.listed[fitting].tolist())

    def _violating(self, absent: tuple[str, ...]) -> tuple[str, ...]:
        """Listed images that show one of `absent`; one tuple for all queries that exclude the same."""
        key = tuple(sorted(absent))
        if key not in self.violators:
            shown = np.logical_or.reduce([self.listed_present[self.row[name]] for name in key])
            self.violators[key] = tuple(self.listed[shown].tolist())
        return self.violators[key]

    def _affirmed(self, fact: ImageFacts, caption: str | None) -> tuple[str, ...]:
        """Concepts that the caption affirms, or one or two of the image that say different things."""
        if caption is not None:
            return tuple(sorted(self.lexicon.find(caption) & fact.present))
        names = sorted(name for name in fact.present if name in self.row)
        if not names:
            return ()
        first = self.rng.choice(names)
        others = [name for name in names if self.lexicon.compatible(first, name)]
        if others and self.rng.random() < 0.6:
            return (first, self.rng.choice(others))
        return (first,)

    def _exclusions(self, column: int, affirmed: tuple[str, ...], excluded: set[str]) -> tuple[str, ...]:
        """One or two verified absences, drawn by how many images with the affirmed concepts show them."""
        rows = [self.row[name] for name in affirmed if name in self.row]
        open_ = self.absent_of[column].copy()
        open_[[self.row[name] for name in excluded]] = False
        if rows:
            open_ &= ~self.related[rows].any(0)
        candidates = open_.nonzero()[0]
        if not len(candidates):
            return ()
        weights = self._shown_beside(rows, candidates)
        drawn = self._weighted(candidates, weights)
        absent = [drawn]
        if self.rng.random() < _TWO_ABSENCES_SHARE:
            weights = np.where(self.related[drawn][candidates] | (candidates == drawn), 0.0, weights)
            if weights.sum() > 0:
                absent.append(self._weighted(candidates, weights))
        return tuple(self.table.names[index] for index in absent)

    def _shown_beside(self, rows: list[int], candidates: np.ndarray) -> np.ndarray:
        """How often images with all of `rows` show each candidate; with none such, how often any image does."""
        if rows:
            shown = self._shown_with(tuple(sorted(rows)))[candidates]
            if shown.any():
                return np.sqrt(shown)
        return np.sqrt(self.counts[candidates]) * 1e-3

    def _weighted(self, candidates: np.ndarray, weights: np.ndarray) -> int:
        total = weights.cumsum()
        return int(candidates[place_of(total, self.rng.random() * total[-1])])


def _shown_with(present: np.ndarray, rows: tuple[int, ...]) -> np.ndarray:
    """How many images with all of `rows` show each concept, shape (K,)."""
    matches = np.flatnonzero(present[list(rows)].all(0))[:_MATCHES_READ]
    counted: np.ndarray = present[:, matches].sum(1)
    return counted


def build_queries(
    table: FactTable,
    *,
    phrasebook: Phrasebook | None = None,
    listed_images: int = 5000,
    text_tokens: int = 77,
    seed: int = 0,
) -> list[Queries]:
    """Write queries with exclusions that each image satisfies.

    Args:
        table: what is known of each image.
        phrasebook: the English of the queries; that of general captions when None.
        listed_images: `relevant` and `violating` name images of the first so many alone (and the query's own), since
            over all images the lists would grow with the square of their number. Search among as many.
        text_tokens: tokens that a text tower sees; longer captions are cut before they are negated.
        seed: the same seed gives the same queries.

    Returns:
        One record for each image that satisfies at least one query, in the order of the table. An image's first query
        is one of its captions with an absence, where one affirms a known concept; the others mix captions and
        statements. No concept is excluded twice for one image.

    Raises:
        BadInputError: no image has both a present and a verified absent concept.
        ValueError: `listed_images` is out of range.
    """
    if listed_images < 1:
        raise ValueError(f"`listed_images` must be at least 1, got {listed_images}.")
    writer = _QueryWriter(
        table, phrasebook or load_phrasebook(), listed_images=listed_images, text_tokens=text_tokens, seed=seed
    )
    written = [writer.write(column, fact) for column, fact in enumerate(table.facts)]
    queries = [record for record in written if record is not None]
    if table.facts and not queries:
        raise BadInputError(
            f"None of {len(table.facts)} images has both a concept known to be present and a verified absent one that "
            "some other image shows, so no query can exclude anything; use annotations or a detector to verify "
            "absences."
        )
    return queries
