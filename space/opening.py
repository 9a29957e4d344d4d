"""What the page opens with: queries on which both models find what is asked, and differ most in what is excluded.

They are chosen from the photos in use when these are prepared, by what labels or captions say of them. Where nothing
is said the ordinary model guesses what each photo shows, well enough to choose by, and nothing is claimed of it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from notclip.recaption.concepts.lexicon import Lexicon
from notclip.remote.composition_notclip import GENERIC_TEXTS
from notclip.space.engine import TOP, Engine, Hits
from notclip.space.photo_set import PhotoSet

SHOWN = 5
CANDIDATES = 120
MIN_TOGETHER = 3
GUESSES = 3  # concepts that a photo of which nothing is known is guessed to show
SURE = 0.0  # spreads above the mean photo
ASKED_SHARE = 5 / 6  # of what both models find shows what was asked: ten of twelve
FORMS = ("{wanted} with no {many}", "{wanted} without {one}", "{wanted}, but no {many}")
# As something excluded these ask for another preposition than "with".
PLACES = frozenset(
    """
    beach city desert dirt field forest garden hill kitchen lake mountain ocean park path playground pool river road
    room sand sidewalk sky street trail yard
    """.split()
)
# Of what has kinds ("animal", "vehicle") only these are what people ask for.
EVERYDAY_KINDS = frozenset(("person", "child", "man", "woman", "water", "dog", "bird", "tree", "car", "boat"))
# For photos on which no query qualifies.
PLAIN = ("people indoors, nobody sitting", "a street without cars", "a dog, but no ball")


@dataclass(frozen=True)
class OpeningQuery:
    """One query and what was counted among the first twelve of base and NotCLIP.

    Args:
        query: the query.
        wanted: what it asks for, in the plural.
        excluded: what it excludes, in the plural.
        asked: how many show what is asked.
        wrong: how many show what is excluded.
    """

    query: str
    wanted: str
    excluded: str
    asked: tuple[int, int]
    wrong: tuple[int, int]

    @property
    def tells(self) -> bool:
        """Whether both models find what is asked."""
        return min(self.asked) >= ASKED_SHARE * TOP

    @property
    def fewer(self) -> int:
        """How many photos fewer NotCLIP finds that show what is excluded."""
        return self.wrong[0] - self.wrong[1]


@dataclass(frozen=True)
class Opening:
    """Queries to begin with, the first of which is shown, and among how many they were chosen."""

    queries: tuple[str, ...]
    among: int
    first: OpeningQuery | None = None


def shows(photos: PhotoSet, position: int, concept: str) -> bool:
    """Whether labels or captions say that a photo shows a concept."""
    return concept in (photos.present or {}).get(photos.ids[position], ())


def choose_opening(engine: Engine) -> Opening:
    """Try queries about what the photos often show together, and choose those that tell the story best."""
    photos = engine.photos
    present = photos.present or _guessed(engine)
    tried = _candidates(present, photos.lexicon, photos.labels or frozenset(photos.lexicon))
    texts = [text for text, *_ in tried]
    found = engine.search_many(engine.embedded, texts, strength=1.0) if texts else []
    examples = []
    for (text, wanted, excluded), pair in zip(tried, found, strict=True):
        asked, wrong = ([_count(one, concept, present, photos) for one in pair] for concept in (wanted, excluded))
        things, others = (photos.lexicon[name].plural for name in (wanted, excluded))
        examples.append(
            (OpeningQuery(text, things, others, (asked[0], asked[1]), (wrong[0], wrong[1])), {wanted, excluded})
        )
    examples.sort(
        key=lambda item: (not item[0].tells, -(item[0].fewer // 3))
    )  # stable: those most often together first
    chosen: list[OpeningQuery] = []
    used: set[str] = set()
    for example, concepts in examples:
        if example.fewer > 0 and used.isdisjoint(concepts) and len(chosen) < SHOWN:
            chosen.append(example)
            used |= concepts
    if not chosen:
        return Opening(PLAIN, len(tried))
    return Opening(tuple(example.query for example in chosen), len(tried), chosen[0])


def _count(found: Hits, concept: str, present: Mapping[str, frozenset[str]], photos: PhotoSet) -> int:
    return sum(concept in present.get(photos.ids[position], ()) for position in found.positions[:TOP])


def _candidates(
    present: Mapping[str, frozenset[str]], lexicon: Lexicon, labels: frozenset[str]
) -> list[tuple[str, str, str]]:
    """Query, wanted concept and excluded concept, those first that stand together most often."""
    alone = Counter(name for shown in present.values() for name in shown)
    together: Counter[tuple[str, str]] = Counter()
    for shown in present.values():
        together.update(permutations(sorted(shown), 2))
    kinds = {name for name in alone if any(kind in alone for kind in lexicon.hyponyms(name))}
    found: list[tuple[str, str, str]] = []
    for (wanted, excluded), count in sorted(together.items(), key=lambda item: (-item[1], item[0])):
        # Enough photos must be left that show the one without the other, or nothing right could be found.
        if count < MIN_TOGETHER or alone[wanted] - count < TOP or not lexicon.compatible(wanted, excluded):
            continue
        if excluded in PLACES | (kinds - EVERYDAY_KINDS) or excluded not in labels or wanted in kinds - EVERYDAY_KINDS:
            continue
        one, other = lexicon[wanted], lexicon[excluded]
        form = FORMS[len(found) % len(FORMS)]
        text = form.format(wanted=one.indefinite, many=other.plural, one=other.indefinite)
        found.append((text, wanted, excluded))
        if len(found) == CANDIDATES:
            break
    return found


def _guessed(engine: Engine) -> dict[str, frozenset[str]]:
    """Which everyday things each photo shows, as the ordinary model sees it: those that it is nearest to."""
    photos, lexicon = engine.photos, engine.photos.lexicon
    names = sorted({name for text in GENERIC_TEXTS for name in lexicon.find(text)})
    texts = engine.base.encode_texts([f"a photo of {lexicon[name].indefinite}" for name in names]).detach().numpy()
    scores = engine.embedded.base @ texts.T  # (N, K)
    sure = (scores - scores.mean(0)) / scores.std(0) > SURE
    nearest = np.argsort(-scores, axis=1)[:, :GUESSES]
    return {
        photo: lexicon.closure(names[column] for column in columns if sure[row, column])
        for row, (photo, columns) in enumerate(zip(photos.ids, nearest.tolist(), strict=True))
    }


def excluded_concepts(phrases: Sequence[str], photos: PhotoSet) -> dict[str, str | None]:
    """Each phrase -> the concept that it means, of those that were looked for in the photos; None for others."""
    lexicon = photos.lexicon
    found: dict[str, str | None] = {}
    for phrase in phrases:
        names = [name for mention in lexicon.mentions(phrase) for name in mention.names if name in photos.labels]
        # "apples" are apples before they are fruit.
        found[phrase] = min(names, key=lambda name: (len(lexicon.hyponyms(name)), name), default=None)
    return found
