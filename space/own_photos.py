"""A visitor's own photos: read with care, kept in memory as small copies, their files deleted at once."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True)
class Upload:
    """An uploaded file: its name on the visitor's machine, and where it lies here until it is read."""

    name: str
    path: Path


def read_uploads(
    uploads: Sequence[Upload], *, limit: int = MAX_PHOTOS
) -> tuple[list[tuple[str, Image.Image]], list[str]]:
    """Read uploaded photos and delete their files, whatever happens.

    Args:
        uploads: what was uploaded.
        limit: most that may be.

    Returns:
        Name and small copy of each photo, and a message about each file that was refused or read in part.

    Raises:
        BadInputError: there are more files than `limit`.
    """
    try:
        if len(uploads) > limit:
            raise BadInputError(
                f"These are {len(uploads):,} files; the limit is {limit}. Nothing was added: choose fewer."
            )
        photos: list[tuple[str, Image.Image]] = []
        messages: list[str] = []
        for upload in uploads:
            try:
                image, note = open_small(upload.path, name=upload.name)
            except BadInputError as error:
                messages.append(str(error))
                continue
            photos.append((upload.name, image))
            if note:
                messages.append(note)
            upload.path.unlink(missing_ok=True)
        return photos, messages
    finally:
        for upload in uploads:
            delete_upload(upload.path)


def delete_upload(path: Path) -> None:
    """Delete an uploaded file and the folder that was made for it."""
    path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # Another file of the same content may still lie there.
        path.parent.rmdir()


def open_small(path: Path, *, name: str) -> tuple[Image.Image, str | None]:
    """Decode a photo to a small RGB copy; its size is checked before any pixel is decoded.

    Args:
        path: the file.
        name: what messages call it.

    Returns:
        The copy, longer side at most 448 pixels, as `open_photo` sees it; and a note where only a part of the file was
        read.

    Raises:
        BadInputError: it is no picture, too large, or broken.
    """
    if path.stat().st_size > MAX_BYTES:
        raise BadInputError(f"{name}: the file has {path.stat().st_size / 2**20:.0f} MB; the limit is 20 MB.")
    encoded = path.read_bytes()
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
