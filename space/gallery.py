"""What was found, as HTML: one grid that changes from the ordinary model to NotCLIP, or both side by side.

`page.js` plays the change, lets a visitor tap what is wrong, and opens a picture; without it all of this still reads.
"""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape

from PIL import Image

from notclip.scoring.suites.suite import open_suite_photo
from notclip.space.photo_set import PhotoSet

THUMBNAIL, LARGE = 240, 900
VIEWS = (("base", "Ordinary model"), ("ours", "NotCLIP"), ("both", "Side by side"))
SIDES = VIEWS[:2]


@dataclass(frozen=True)
class Tile:
    """One picture of a gallery.

    Args:
        position: which of the photos that are searched; what the page names it by.
        source: a data URI.
        alt: its caption, or its file's name.
        violates: the excluded things that it is known to show.
    """

    position: int
    source: str
    alt: str
    violates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tally:
    """How many of the photos that each model found show something, as labels or captions say.

    Args:
        things: what, in the plural.
        base: of those that the ordinary model found.
        ours: of NotCLIP's.
        of: how many each found.
        known_by: `labels`, or `captions` where these alone tell.
    """

    things: str
    base: int
    ours: int
    of: int
    known_by: str = "labels"

    @property
    def rest(self) -> str:
        """What follows the number of photos: `of 12 show dogs`."""
        return f"of {self.of} {'show' if self.known_by == 'labels' else 'captions mention'} {self.things}"


def data_uri(image: Image.Image, side: int = THUMBNAIL) -> str:
    """A picture as a data URI: no file is written, and no request made for it."""
    small = image if max(image.size) <= side else image.copy()
    small.thumbnail((side, side))
    encoded = io.BytesIO()
    small.save(encoded, "WEBP", quality=82, method=2)
    return f"data:image/webp;base64,{base64.b64encode(encoded.getvalue()).decode()}"


class Thumbnails:
    """The Space's photos as data URIs; the most wanted are kept."""

    def __init__(self, photos: PhotoSet) -> None:
        self._photos = photos
        self.of = lru_cache(maxsize=2048)(self._of)

    def _of(self, image_id: str, side: int = THUMBNAIL) -> str:
        return data_uri(open_suite_photo(self._photos.photo(image_id)), side)


def galleries_html(
    columns: Sequence[Sequence[Tile]],
    *,
    models: tuple[str, str],
    wrong: Tally | None,
    asked: Tally | None,
    excluded: str,
    own: bool = False,
) -> str:
    """What both models found.

    Args:
        columns: pictures of the ordinary model and of NotCLIP.
        models: what the models are called.
        wrong: how many show what was excluded, where that is known.
        asked: how many show what was asked, where that is known.
        excluded: what the query excludes, in its own words; empty where nothing is.
        own: whether the photos are the visitor's own, which she may take away again.
    """
    tapped = bool(excluded) and wrong is None
    switch = "".join(
        f'<label><input type="radio" name="nc-view" value="{view}"{" checked" * (view == "ours")}>{title}</label>'
        for view, title in VIEWS
    )
    sides = "".join(
        _side(role, title, model, pictures, wrong, tapped)
        for (role, title), model, pictures in zip(SIDES, models, columns, strict=True)
    )
    return (
        f'<div class="nc-board"><div class="nc-switch" role="radiogroup" aria-label="Whose photos are shown">{switch}'
        f'</div><div class="nc-tallies" role="status">{_tallies(wrong, asked, excluded, len(columns[1]))}</div></div>'
        f'<div class="nc-sides">{sides}</div>{_dialog(own)}'
    )


def _tallies(wrong: Tally | None, asked: Tally | None, excluded: str, of: int) -> str:
    said = ""
    if wrong is None and excluded:
        said = (
            f'<p class="nc-wrong" data-base="0" data-ours="0"><span class="nc-big" aria-hidden="true"></span>'
            f"<span>of {of} marked by you. Tap each photo that shows {escape(excluded)}.</span></p>"
        )
    for kind, tally in (("wrong", wrong), ("asked", asked)):
        if tally is not None:
            rest = tally.rest
            why = "which you excluded" if kind == "wrong" else "which you asked for"
            said += (
                f'<p class="nc-{kind}" data-base="{tally.base}" data-ours="{tally.ours}">'
                f'<span class="nc-big" aria-hidden="true">{tally.base} → {tally.ours}</span>'
                f'<span class="nc-hidden">Ordinary model {tally.base}, NotCLIP {tally.ours}</span> '
                f"<span>{escape(rest)}<i>, {why}</i></span></p>"
            )
    return said


def _side(role: str, title: str, model: str, pictures: Sequence[Tile], wrong: Tally | None, tapped: bool) -> str:
    count = ""
    if wrong is not None:
        verdict = "nc-bad" if getattr(wrong, role) else "nc-good"
        count = f'<p class="nc-count {verdict}"><b>{getattr(wrong, role)}</b> {escape(wrong.rest)}</p>'
    items = "".join(_figure(picture, tapped) for picture in pictures)
    return (
        f'<section class="nc-side nc-{role}" aria-label="{title}"><header><h2>{title}</h2>'
        f'<span class="nc-model">{escape(model)}</span></header>{count}<ol class="nc-grid">{items}</ol></section>'
    )


def _figure(picture: Tile, tapped: bool) -> str:
    """A picture: a button that opens it, or that marks it as wrong, beside a smaller one that opens it."""
    badge, alt = "", escape(picture.alt)
    if picture.violates:
        shows = escape(", ".join(picture.violates))
        badge = f'<span class="nc-badge"><span aria-hidden="true">✕ </span>{shows}</span>'
        alt = f"{alt} (shows what was excluded: {shows})"
    mark = ' class="nc-violates"' if picture.violates else ""
    image = f'<img src="{picture.source}" alt="{alt}" loading="lazy">'
    if tapped:
        button = (
            f'<button type="button" data-do="wrong" aria-pressed="false">{image}</button><button type="button" '
            f'class="nc-open" data-do="open" aria-label="Enlarge {escape(picture.alt)}">⤢</button>'
        )
    else:
        button = f'<button type="button" data-do="open">{image}</button>'
    return (
        f'<li{mark} data-photo="{picture.position}" style="--photo:photo-{picture.position}"><figure>{button}{badge}'
        "</figure></li>"
    )


def _dialog(own: bool) -> str:
    """What an enlarged picture is shown in."""
    buttons = [("like", "More like this"), ("unlike", "Not like this")]
    buttons += [("drop", "Remove this photo")] * own
    made = "".join(f'<button type="button" data-do="{name}">{label}</button>' for name, label in buttons)
    return (
        '<dialog class="nc-large" aria-label="Enlarged photo"><figure><img alt=""><figcaption></figcaption></figure>'
        f'<div class="nc-actions">{made}<button type="button" data-do="close">Close</button></div></dialog>'
    )


def message_html(text: str) -> str:
    """A plain message to the visitor, announced by screen readers; shown as text, whatever it holds."""
    return f'<div class="nc-message" role="alert">{escape(text)}</div>'
