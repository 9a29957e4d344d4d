"""Example queries: one thing wanted, one that often stands beside it not; those on which the models differ most."""

from collections import Counter
from itertools import permutations

from notclip.recaption.concepts.lexicon import Lexicon, load_lexicon
from notclip.space.engine import Engine, Found
from notclip.space.photo_set import PhotoSet

SHOWN = 5
CANDIDATES = 48
MIN_TOGETHER = 3
PLACES = ("beach", "street", "kitchen", "lake", "park", "field", "room", "forest", "city", "mountain")
# For photos about which nothing is known.
PLAIN = (
    "a beach with no people",
    "a street without cars",
    "a dog, but no ball",
    "people indoors, nobody sitting",
    "a red car",
)


def label_lexicon(photos: PhotoSet) -> Lexicon:
    """The lexicon, with a concept for each label of the photos that it lacks."""
    known = frozenset().union(*(photos.present or {}).values())
    return load_lexicon().extended(sorted(known))


def excluded_concepts(phrases: tuple[str, ...], photos: PhotoSet, lexicon: Lexicon) -> dict[str, str | None]:
    """Each negated phrase -> the label of the photos that it means; None where they have no such label."""
    known = frozenset().union(*(photos.present or {}).values())
    found: dict[str, str | None] = {}
    for phrase in phrases:
        names = [name for mention in lexicon.mentions(phrase) for name in mention.names if name in known]
        # "apples" are apples before they are fruit.
        found[phrase] = min(names, key=lambda name: (len(lexicon.hyponyms(name)), name), default=None)
    return found


def violations(found: Found, excluded: set[str], photos: PhotoSet) -> int:
    """How many of the photos found are labelled with something that the query excludes."""
    labels = photos.present or {}
    return sum(bool(labels.get(photos.ids[position], frozenset()) & excluded) for position in found.positions)


def example_queries(engine: Engine) -> tuple[list[str], int]:
    """Queries to begin with, and among how many they were chosen; those on which base and NotCLIP differ most."""
    photos = engine.photos
    if not photos.present:
        return list(PLAIN), len(PLAIN)
    candidates = _candidates(photos, label_lexicon(photos))
    gains: list[tuple[int, int, str, str]] = []
    found = engine.search_many(engine.embedded, [text for text, _, _ in candidates], strength=1.0)
    for order, ((text, wanted, excluded), (base, notclip)) in enumerate(zip(candidates, found, strict=True)):
        fewer = violations(base, {excluded}, photos) - violations(notclip, {excluded}, photos)
        gains.append((-fewer, order, text, f"{wanted} {excluded}"))
    chosen: list[str] = []
    used: set[str] = set()
    for _, _, text, words in sorted(gains):
        if not used & set(words.split()):
            chosen.append(text)
            used |= set(words.split())
        if len(chosen) == SHOWN:
            break
    return chosen or list(PLAIN), len(candidates)


def _candidates(photos: PhotoSet, lexicon: Lexicon) -> list[tuple[str, str, str]]:
    """Query, wanted concept and excluded concept, those first that stand together most often."""
    together: Counter[tuple[str, str]] = Counter()
    for present in (photos.present or {}).values():
        named = sorted(name for name in present if not lexicon.hyponyms(name))
        places = sorted(name for name in present if name in PLACES)
        together.update(permutations([*dict.fromkeys(named + places)], 2))
    found = []
    for (wanted, excluded), count in sorted(together.items(), key=lambda item: (-item[1], item[0])):
        if count < MIN_TOGETHER or excluded not in photos.labels or not lexicon.compatible(wanted, excluded):
            continue
        if wanted not in photos.labels and wanted not in PLACES:
            continue
        first, second = lexicon[wanted], lexicon[excluded]
        link = "with no" if wanted in PLACES else "and no"
        found.append((f"{first.indefinite} {link} {second.plural}", wanted, excluded))
        if len(found) == CANDIDATES:
            break
    return found
