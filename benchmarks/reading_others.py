"""Negation taggers of the clinical field: negspacy and medspacy, told which phrases to judge.

Neither is a dependency; docs/reading.md says how both are installed. Where one is absent, its reader is None.
"""

from collections.abc import Sequence
from typing import Any

from reading_openi import Denies
from reading_set import Span


def negspacy_denies() -> Denies | None:
    """NegEx on spaCy (https://github.com/jenojp/negspacy) with its own English terms."""
    try:
        import spacy
        from negspacy.negation import Negex  # noqa: F401  (registers the "negex" pipe)
        from negspacy.termsets import termset
    except ImportError:
        return None
    pipeline = spacy.blank("en")
    pipeline.add_pipe("sentencizer")
    pipeline.add_pipe("negex", config={"neg_termset": termset("en").get_patterns()})
    return _of_entities(pipeline, "negex", "negex")


def medspacy_denies() -> Denies | None:
    """ConText (https://github.com/medspacy/medspacy) with its own rules."""
    try:
        import spacy
        from medspacy.context import ConText  # noqa: F401  (registers the "medspacy_context" pipe)
    except ImportError:
        return None
    pipeline = spacy.blank("en")
    pipeline.add_pipe("sentencizer")
    pipeline.add_pipe("medspacy_context")
    return _of_entities(pipeline, "medspacy_context", "is_negated")


def _of_entities(pipeline: Any, tagger: str, attribute: str) -> Denies:
    """A reader that makes one phrase after another the entity of a text, since entities may not share a token."""

    def denies(text: str, phrases: Sequence[Span]) -> list[bool]:
        document = pipeline(text)
        answers = []
        for phrase in phrases:
            document.ents = [document.char_span(*phrase, label="THING", alignment_mode="expand")]
            pipeline.get_pipe(tagger)(document)
            answers.append(bool(getattr(document.ents[0]._, attribute)))
        return answers

    return denies
