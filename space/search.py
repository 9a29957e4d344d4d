"""Search by base and NotCLIP: as data for programs, and as HTML for the page."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any, TypedDict

from PIL import Image

from notclip.errors import BadInputError
from notclip.remote.negation_scope import read_scope
from notclip.scoring.suites.suite import open_suite_photo
from notclip.space.engine import MOST, TOP, Engine, Hits
from notclip.space.gallery import Tally, Thumbnails, Tile, data_uri, galleries_html
from notclip.space.opening import excluded_concepts, shows
from notclip.space.own_photos import SIDE, OwnPhotos
from notclip.space.reading import check_text

MAX_STRENGTH = 3.0


class Hit(TypedDict):
    """One photo found: `shows_excluded` names what it shows although the query excludes it."""

    image_id: str
    caption: str
    score: float
    shows_excluded: list[str]


class Counts(TypedDict):
    """Of how many photos found by each model labels or captions say that they show something."""

    base: int
    notclip: int


class SearchResult(TypedDict):
    """What both models find, how the query was read, and how many photos show what was asked and what was excluded.

    The counts are null where nothing is known of it.
    """

    query: str
    affirmed: str
    negated: list[str]
    base: list[Hit]
    notclip: list[Hit]
    show_asked: Counts | None
    show_excluded: Counts | None


@dataclass(frozen=True)
class Ask:
    """What a visitor asks for.

    Args:
        query: in words.
        strength: the dial.
        count: how many photos are shown.
        like: position of a photo that she wants more of.
        unlike: positions of those that she wants none of.
    """

    query: str
    strength: float = 1.0
    count: int = TOP
    like: int | None = None
    unlike: tuple[int, ...] = ()

    def after(self, action: str, position: int) -> "Ask":
        """What she asks for after tapping a button of the page."""
        if action == "more":
            return replace(self, count=min(self.count + TOP, MOST))
        if action == "like":
            return replace(self, like=position, unlike=tuple(one for one in self.unlike if one != position))
        if action == "unlike":
            like = None if self.like == position else self.like
            return replace(
                self, like=like, unlike=(*self.unlike, position) if position not in self.unlike else self.unlike
            )
        return Ask(self.query, self.strength)  # "forget"


@dataclass
class SearchPage:
    """Search by base and NotCLIP.

    Args:
        engine: the models and the photos.
        labels: what the models are called.
        thumbnails: the photos as data URIs.
    """

    engine: Engine
    labels: tuple[str, str]
    thumbnails: Thumbnails
    _position: dict[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Number the photos."""
        self._position = {name: position for position, name in enumerate(self.engine.photos.ids)}

    def position(self, image_id: str) -> int:
        """Which of the photos this is.

        Raises:
            BadInputError: there is none of that name.
        """
        if not isinstance(image_id, str) or image_id not in self._position:
            photos = self.engine.photos
            raise BadInputError(
                f"`image_id` must be one of {photos.name}, such as {photos.ids[0]}, got {str(image_id)[:80]!r}."
            )
        return self._position[image_id]

    def search(self, query: str, strength: float = 1.0, count: int = TOP) -> SearchResult:
        """Search the Space's photos by the ordinary model and by NotCLIP.

        Args:
            query: what a photo should show and what not, in English, at most 500 characters.
            strength: from 0 to 3: how much excluded things count; 1 is as calibrated.
            count: photos wanted of each model, 1 to 48.

        Raises:
            BadInputError: the query is empty, too long or only a word of negation; a number is out of range.
        """
        text = check_text(query, what="The query")
        if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= MOST:
            raise BadInputError(f"`count` must be a whole number from 1 to {MOST}, got {count!r}.")
        scope = read_scope(text)
        pair = self.engine.search(text, check_strength(strength))
        excluded, wanted = self._excluded(scope.negated), self._asked(scope.affirmed)
        base, notclip = (self._hits(found, excluded, count) for found in pair)
        wrong, asked = self._tally(excluded, pair, count), self._tally(wanted, pair, count, every=True)
        return SearchResult(
            query=text,
            affirmed=scope.affirmed,
            negated=list(scope.negated),
            base=base,
            notclip=notclip,
            show_asked=None if asked is None else Counts(base=asked.base, notclip=asked.ours),
            show_excluded=None if wrong is None else Counts(base=wrong.base, notclip=wrong.ours),
        )

    def html(self, ask: Ask, own: OwnPhotos | None) -> str:
        """The galleries of a query that `check_text` let pass."""
        scope = read_scope(ask.query)
        embedded = self.engine.embedded if own is None else own.embedded
        if ask.like is not None or ask.unlike:
            unlike = {position: self.image(position, own) for position in ask.unlike}
            pair = self.engine.search_like(embedded, ask.query, strength=ask.strength, like=ask.like, unlike=unlike)
        elif own is None:
            pair = self.engine.search(ask.query, ask.strength)
        else:
            pair = self.engine.search_many(embedded, [ask.query], strength=ask.strength)[0]
        excluded = [] if own else self._excluded(scope.negated)
        wanted = [] if own or ask.like is not None else self._asked(scope.affirmed)
        columns = [
            [self._shown(position, excluded, own) for position in found.positions[: ask.count]] for found in pair
        ]
        board = galleries_html(
            columns,
            models=self.labels,
            wrong=self._tally(excluded, pair, ask.count),
            asked=self._tally(wanted, pair, ask.count, every=True),
            excluded=" or ".join(scope.negated),
            own=own is not None,
        )
        total = len(embedded.base)
        return (
            f'<div class="nc-found" data-query="{escape(ask.query)}" data-dial="{ask.strength:g}">{self._refined(ask)}'
            f'{board}<div class="nc-under">{_more(ask, total)}<button type="button" class="nc-share" data-do="share">'
            "Copy a link to this</button></div></div>"
        )

    def _refined(self, ask: Ask) -> str:
        """Which photos the search goes by, and how to go back to the words alone."""
        if ask.like is None and not ask.unlike:
            return ""
        said = ["like the one that you chose"] * (ask.like is not None)
        count = f"the {len(ask.unlike)}" if len(ask.unlike) > 1 else "the one"
        said += [f"unlike {count} that you ruled out"] * bool(ask.unlike)
        note = " An ordinary model cannot rule a photo out." if ask.unlike else ""
        return (
            f'<p class="nc-note nc-refined">Photos {" and ".join(said)}.{note} '
            '<button type="button" class="nc-plain" data-do="forget">By words alone</button></p>'
        )

    def _asked(self, affirmed: str) -> list[str]:
        """Concepts that the photos are asked to show, if some photo is known to show each."""
        photos = self.engine.photos
        names = sorted(photos.lexicon.find(affirmed))
        known = frozenset().union(*(photos.present or {}).values())
        return names if known.issuperset(names) else []

    def _excluded(self, phrases: Sequence[str]) -> list[str]:
        if self.engine.photos.present is None:
            return []
        found = excluded_concepts(phrases, self.engine.photos).values()
        return list(dict.fromkeys(name for name in found if name is not None))

    def _tally(self, names: Sequence[str], pair: Sequence[Hits], count: int, *, every: bool = False) -> Tally | None:
        if not names:
            return None
        photos = self.engine.photos
        judge = all if every else any
        counts = [
            sum(judge(shows(photos, position, name) for name in names) for position in found.positions[:count])
            for found in pair
        ]
        things = (" and " if every else " or ").join(photos.lexicon[name].plural for name in names)
        return Tally(things, counts[0], counts[1], min(count, len(pair[0].positions)), photos.known_by)

    def _hits(self, found: Hits, excluded: Sequence[str], count: int) -> list[Hit]:
        photos = self.engine.photos
        return [
            Hit(
                image_id=photos.ids[position],
                caption=photos.captions.get(photos.ids[position], photos.ids[position]),
                score=round(score, 4),
                shows_excluded=[name for name in excluded if shows(photos, position, name)],
            )
            for position, score in zip(found.positions[:count], found.scores[:count], strict=True)
        ]

    def _shown(self, position: int, excluded: Sequence[str], own: OwnPhotos | None) -> Tile:
        if own is not None:
            return Tile(position, data_uri(own.images[position], SIDE), own.names[position])
        photos = self.engine.photos
        name = photos.ids[position]
        wrong = tuple(label for label in excluded if shows(photos, position, label))
        return Tile(position, self.thumbnails.of(name), photos.captions.get(name, name), wrong)

    def image(self, position: int, own: OwnPhotos | None) -> Image.Image:
        """A photo of the set, or of a visitor's own, by its position."""
        photos = self.engine.photos
        return own.images[position] if own else open_suite_photo(photos.photo(photos.ids[position]))


def _more(ask: Ask, total: int) -> str:
    if ask.count >= min(MOST, total):
        return ""
    return f'<button type="button" class="nc-more" data-do="more">Show {min(TOP, total - ask.count)} more</button>'


def check_strength(strength: Any) -> float:
    """The dial as a number from 0 to 3.

    Raises:
        BadInputError: it is something else.
    """
    if isinstance(strength, bool) or not isinstance(strength, int | float) or not 0 <= strength <= MAX_STRENGTH:
        raise BadInputError(f"`strength` must be a number from 0 to {MAX_STRENGTH:.0f}, got {strength!r}.")
    return round(float(strength), 2)


def clamped(strength: Any) -> float:
    """What stands on the dial, brought into its range; 1, as calibrated, where nothing stands there."""
    if isinstance(strength, bool) or not isinstance(strength, int | float) or strength != strength:
        return 1.0
    return round(min(max(float(strength), 0.0), MAX_STRENGTH), 2)
