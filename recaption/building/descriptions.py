"""Captions for images that have labels and no caption: what an annotation says is there, as a sentence."""

from collections.abc import Mapping
from random import Random

from notclip.recaption.absences.facts import ImageFacts
from notclip.recaption.concepts.lexicon import Concept, Lexicon
from notclip.recaption.english.noun_phrases import as_written
from notclip.recaption.english.phrasing import Phrasebook, Statement

_NAMED = 3  # Of more things a caption names so many, as people do.
_PLAIN_SHARE = 0.5


def describe_image(
    fact: ImageFacts, lexicon: Lexicon, phrasebook: Phrasebook, rng: Random, *, subject: str | None = None
) -> str | None:
    """Say what an image shows.

    Args:
        fact: what is known of it.
        lexicon: concepts by name; of a dog that is an animal the dog is named.
        phrasebook: the English of the caption.
        rng: source of chance.
        subject: what every image of the source is a picture of, "a chest X-ray"; None for everyday photos.

    Returns:
        An affirmative caption of up to three concepts: "A chest X-ray with edema." Of an image that shows none of
        them the subject alone, which is true of it, or None where there is no subject.
    """
    names = sorted(fact.present.intersection(lexicon))
    special = [name for name in names if lexicon.hyponyms(name).isdisjoint(names)]
    if not special:
        return None if subject is None else _sentence(subject)
    named = tuple(rng.sample(special, min(len(special), _NAMED)))
    if rng.random() < _PLAIN_SHARE:
        return _sentence(f"{subject or 'a photo'} {'with' if subject else 'of'} {_listed(named, lexicon)}")
    return phrasebook.phrase_statement(Statement(named), lexicon, rng).text


def _listed(names: tuple[str, ...], lexicon: Mapping[str, Concept]) -> str:
    nouns = [as_written(lexicon[name], lexicon[name].indefinite) for name in names]
    return nouns[0] if len(nouns) == 1 else f"{', '.join(nouns[:-1])} and {nouns[-1]}"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
