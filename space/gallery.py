"""Galleries as HTML: two columns of pictures, those that show what was excluded marked by frame and words."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape

from PIL import Image

from notclip.scoring.suites.suite import open_photo
from notclip.space.photo_set import PhotoSet

THUMBNAIL = 240


@dataclass(frozen=True)
class Shown:
    """One picture of a gallery.

    Args:
        source: a data URI.
        alt: what a screen reader says.
        violates: the excluded things that it is known to show.
    """

    source: str
    alt: str
    violates: tuple[str, ...] = ()


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
        return data_uri(open_photo(self._photos.photo(image_id)), side)


def galleries_html(columns: Sequence[tuple[str, str, Sequence[Shown]]], *, excluded: Sequence[str]) -> str:
    """Galleries side by side.

    Args:
        columns: title, name of the model and pictures of each; the last is NotCLIP's.
        excluded: what the query excludes, in the plural; empty where nothing is known or excluded.
    """
    sides = []
    for number, (title, model, pictures) in enumerate(columns):
        count = ""
        if excluded:
            wrong = sum(bool(picture.violates) for picture in pictures)
            verdict = "nc-bad" if wrong else "nc-good"
            thing = " or ".join(map(escape, excluded))
            count = (
                f'<p class="nc-count {verdict}"><b>{wrong} of {len(pictures)}</b> '
                f"show{'s' if wrong == 1 else ''} {thing}</p>"
            )
        role = "nc-ours" if number == len(columns) - 1 else "nc-base"
        items = "".join(map(_figure, pictures))
        sides.append(
            f'<section class="nc-side {role}" aria-label="{escape(title)}"><header><h3>{escape(title)}</h3>'
            f'<span class="nc-model">{escape(model)}</span></header>{count}<ol class="nc-grid">{items}</ol></section>'
        )
    return f'<div class="nc-sides">{"".join(sides)}</div>'


def _figure(picture: Shown) -> str:
    badge = ""
    alt = picture.alt
    if picture.violates:
        shows = ", ".join(picture.violates)
        badge = f'<span class="nc-badge"><span aria-hidden="true">✕ </span>{escape(shows)}</span>'
        alt = f"{alt} (shows what was excluded: {shows})"
    mark = ' class="nc-violates"' if picture.violates else ""
    return f'<li{mark}><figure><img src="{picture.source}" alt="{escape(alt)}" loading="lazy">{badge}</figure></li>'


def message_html(text: str) -> str:
    """A plain message to the visitor, announced by screen readers; shown as text, whatever it holds."""
    return f'<div class="nc-message" role="alert">{escape(text)}</div>'
