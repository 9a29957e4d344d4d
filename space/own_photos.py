"""A visitor's own photos: they come as text in a message, so that no file is ever made of them.

Her browser sends small copies of what it can decode itself; what it cannot (HEIC in most) it sends as it is.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from notclip.errors import BadInputError
from notclip.remote.photo_notclip import PhotoError, PhotoTooLargeError, open_photo, photo_header
from notclip.space.engine import Embedded

MAX_PHOTOS = 200
MAX_BYTES = 20 * 2**20
SIDE = 448  # of the copy that is embedded and shown


@dataclass(frozen=True)
class OwnPhotos:
    """Photos of one visitor, for the time of her visit.

    Args:
        names: file names.
        images: small copies.
        embedded: their embeddings by both models.
    """

    names: tuple[str, ...]
    images: tuple[Image.Image, ...]
    embedded: Embedded

    def joined(self, other: "OwnPhotos") -> "OwnPhotos":
        """These photos and others."""
        embedded = Embedded(
            np.concatenate([self.embedded.base, other.embedded.base]),
            np.concatenate([self.embedded.notclip, other.embedded.notclip]),
        )
        return OwnPhotos(self.names + other.names, self.images + other.images, embedded)

    def without(self, position: int) -> "OwnPhotos | None":
        """The others; None where there are none."""
        kept = [place for place in range(len(self.names)) if place != position]
        if not kept:
            return None
        embedded = Embedded(self.embedded.base[kept], self.embedded.notclip[kept])
        return OwnPhotos(
            tuple(self.names[place] for place in kept), tuple(self.images[place] for place in kept), embedded
        )


def read_photos(sent: Any, *, room: int = MAX_PHOTOS) -> tuple[list[tuple[str, Image.Image]], list[str]]:
    """Read photos that a browser sent.

    Args:
        sent: records with the `name` of a file and its content as base64 in `data`.
        room: how many more may be kept.

    Returns:
        Name and small copy of each photo, and a message about each that was refused or read in part.

    Raises:
        BadInputError: there are more than fit, or it is not what the page sends.
    """
    if not isinstance(sent, Sequence) or isinstance(sent, str):
        raise BadInputError("`photos` must be a list of records with `name` and `data`.")
    if len(sent) > room:
        raise BadInputError(
            f"These are {len(sent):,} files; the limit is {MAX_PHOTOS}, and there is room for {room}. Nothing was "
            "added: choose fewer."
        )
    photos: list[tuple[str, Image.Image]] = []
    messages: list[str] = []
    for record in sent:
        if not isinstance(record, dict) or not all(isinstance(record.get(key), str) for key in ("name", "data")):
            raise BadInputError("`photos` must be a list of records with `name` and `data`.")
        name = _short(record["name"])
        try:
            image, note = open_small(_decoded(record["data"], name), name=name)
        except BadInputError as error:
            messages.append(str(error))
            continue
        photos.append((name, image))
        if note:
            messages.append(note)
    return photos, messages


def open_small(encoded: bytes, *, name: str) -> tuple[Image.Image, str | None]:
    """Decode a photo to a small RGB copy; its size is checked before any pixel is decoded.

    Args:
        encoded: the file's content.
        name: what messages call it.

    Returns:
        The copy, longer side at most 448 pixels, as `open_photo` sees it; and a note where only a part of the file was
        read.

    Raises:
        BadInputError: it is no picture, too large, or broken.
    """
    if len(encoded) > MAX_BYTES:
        raise BadInputError(f"{name}: the file has {len(encoded) / 2**20:.0f} MB; the limit is 20 MB.")
    try:
        header = photo_header(encoded)
        small = open_photo(encoded, shortest=2 * SIDE)
    except PhotoTooLargeError as error:
        raise BadInputError(f"{name}: {error}.") from error
    except PhotoError as error:
        raise BadInputError(
            f"{name} is not a picture that can be read. Use a JPEG, PNG, WebP, AVIF, HEIC or GIF file that opens on "
            "your device."
        ) from error
    small.thumbnail((SIDE, SIDE))
    return small, f"{name} is animated: only its first picture is used." if header.is_animated else None


def _decoded(data: str, name: str) -> bytes:
    """The bytes of base64, with or without the beginning of a data URI."""
    try:
        return base64.b64decode(data.rpartition(",")[2], validate=True)
    except binascii.Error as error:
        raise BadInputError(f"{name} is not a picture that can be read: it arrived in part.") from error


def _short(name: str) -> str:
    name = name.replace("\\", "/").rpartition("/")[2]
    return name if len(name) <= 40 else f"{name[:24]}…{name[-12:]}"
