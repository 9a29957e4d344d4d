"""Photos of any source and what their labels and captions say that they show, read without building a data set."""

import logging
from collections.abc import Iterator
from pathlib import Path

from notclip.errors import BadInputError
from notclip.recaption.concepts.lexicon import Lexicon, load_lexicon
from notclip.recaption.sources.labels import things_of
from notclip.recaption.sources.opening import list_parts
from notclip.recaption.sources.parts import RowContent

LOGGER = logging.getLogger("notclip")


def known_photos(source: str, *, cache: Path) -> tuple[Lexicon, bool, Iterator[tuple[RowContent, frozenset[str]]]]:
    """Read whatever `list_parts` reads.

    Args:
        source: as `list_parts` takes it.
        cache: folder for what is drawn.

    Returns:
        the lexicon with the source's labels; whether there are labels, else the captions alone tell; and each photo
        with the concepts that a label or a caption of it affirms, hypernyms included.

    Raises:
        BadInputError: there is no such source, or its labels make no English.
    """
    parts = list_parts(source, cache=cache)
    things = things_of(dict.fromkeys(label for part in parts for label in part.vocabulary() or ()))
    lexicon = load_lexicon().extended(things.values())
    concept_of = {label: lexicon.resolve(words) for label, words in things.items()}

    def rows() -> Iterator[tuple[RowContent, frozenset[str]]]:
        for part in parts:
            for row in part.rows():
                try:
                    content = row.content()
                except BadInputError as error:
                    LOGGER.warning("%s, row %d is left out: %s", row.file, row.number, error)
                    continue
                shown = {name for caption in content.captions for name in lexicon.find(caption)}
                shown |= {name for label in content.present or () if (name := concept_of.get(label)) is not None}
                yield content, lexicon.closure(shown)

    return lexicon, bool(things), rows()
