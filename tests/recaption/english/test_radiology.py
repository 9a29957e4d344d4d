"""The English of radiology: as people write it, and as the reader of negation reads it."""

from random import Random

import pytest

from notclip.recaption.absences.facts import Evidence, ImageFacts
from notclip.recaption.building.descriptions import describe_image
from notclip.recaption.english.domain import load_domain
from notclip.recaption.english.phrasing import Statement
from notclip.remote.negation_scope import read_scope

DOMAIN = load_domain("chest-xray")
LEXICON = DOMAIN.lexicon(tuple(DOMAIN.classes))
BOOK = DOMAIN.phrasebook


def said(name: str, text: str) -> bool:
    concept = LEXICON[name]
    return any(noun.split()[-1] in text.lower() for noun in (concept.name, concept.plural))


def phrases(count: int):
    rng = Random(0)
    for _ in range(count):
        names = rng.sample(list(LEXICON), 4)
        negated = tuple(names[: rng.choice([1, 1, 2])])
        shown = names[2 : rng.choice([3, 4])]
        affirmed = tuple(name for name in shown if LEXICON.hyponyms(name).isdisjoint(shown))
        kind = rng.choice(["negation", "hybrid", "caption"])
        if kind == "caption":
            caption = f"{describe_image(shows(affirmed), LEXICON, BOOK, rng, subject=DOMAIN.subject)}"
            yield BOOK.negate_caption(caption, negated, LEXICON, rng), affirmed, negated
        else:
            own = affirmed if kind == "hybrid" else ()
            yield BOOK.phrase_statement(Statement(own, negated), LEXICON, rng), own, negated


def shows(names: tuple[str, ...], **absent: Evidence) -> ImageFacts:
    return ImageFacts("x-ray", (), frozenset(names), absent)


def test_the_reader_reads_what_is_denied_and_what_is_affirmed():
    wrong, found = [], list(phrases(1500))
    scopes = read_scope([phrase.text for phrase, _, _ in found])
    for (phrase, affirmed, negated), scope in zip(found, scopes, strict=True):
        if phrase.form == "normal":
            right = not scope.negated
        else:
            right = all(any(said(name, part) for part in scope.negated) for name in negated)
        right = right and all(said(name, scope.affirmed) for name in affirmed)
        wrong += [] if right else [phrase.text]
    assert len(wrong) <= 15, wrong[:10]


def test_every_pattern_can_be_drawn_and_none_is_read_as_what_it_is_not():
    drawn = {phrase.pattern for phrase, _, _ in phrases(6000)}
    rng = Random(1)
    for _ in range(300):
        drawn.add(BOOK.phrase_statement(Statement(tuple(rng.sample(list(LEXICON), 2))), LEXICON, rng).pattern)
    assert {pattern.template for pattern in BOOK.patterns} == drawn


@pytest.mark.parametrize(
    ("absent", "text"),
    [
        ("cardiomegaly", "Heart size is normal."),
        ("pleural effusion", "No pleural effusion."),
        ("pneumothorax", "There is no evidence of pneumothorax."),
        ("fracture", "No fractures."),
        ("support devices", "There are no support devices."),
    ],
)
def test_findings_are_denied_as_radiologists_deny_them(absent: str, text: str):
    rng = Random(0)
    assert text in {BOOK.phrase_statement(Statement((), (absent,)), LEXICON, rng).text for _ in range(600)}


def test_an_x_ray_is_described_by_its_most_special_findings_or_as_what_it_is():
    rng = Random(0)
    texts = {
        describe_image(
            shows(("pneumonia", "consolidation", "lung opacity")), LEXICON, BOOK, rng, subject="a chest X-ray"
        )
        for _ in range(200)
    }
    assert "A chest X-ray with pneumonia." in texts
    assert not any("opacity" in text or "consolidation" in text for text in texts)
    assert describe_image(shows(()), LEXICON, BOOK, rng, subject="a chest X-ray") == "A chest X-ray."
    assert describe_image(shows(()), LEXICON, BOOK, rng) is None
