"""A visitor's own photos: read with care, kept in memory as small copies, their files deleted at once."""

import contextlib
import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

from notclip.errors import BadInputError
from notclip.space.engine import Embedded

MAX_PHOTOS = 200
MAX_PIXELS = 40_000_000
MAX_BYTES = 20 * 2**20
SIDE = 448  # of the copy that is embedded and shown
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")


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
        The copy, longer side at most 448 pixels, upright; and a note where only a part of the file was read.

    Raises:
        BadInputError: it is no picture, too large, or broken.
    """
    if path.stat().st_size > MAX_BYTES:
        raise BadInputError(f"{name}: the file has {path.stat().st_size / 2**20:.0f} MB; the limit is 20 MB.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # The limit below is stricter.
            image = Image.open(io.BytesIO(path.read_bytes()), formats=FORMATS)
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise BadInputError(
                f"{name}: {width:,} × {height:,} is {width * height / 1e6:.0f} megapixels; the limit is 40."
            )
        frames = getattr(image, "n_frames", 1)
        image.draft("RGB", (2 * SIDE, 2 * SIDE))  # JPEG decodes at a fraction of its size.
        image.thumbnail((SIDE, SIDE))
        upright = ImageOps.exif_transpose(image)
        small = upright.convert("RGBA") if "transparency" in upright.info or upright.mode == "LA" else upright
        if small.mode == "RGBA":  # Transparent parts are white, as browsers show them.
            ground = Image.new("RGBA", small.size, "white")
            small = Image.alpha_composite(ground, small)
        note = f"{name} is animated: only its first picture is used." if frames > 1 else None
        return small.convert("RGB"), note
    except BadInputError:
        raise
    except Image.DecompressionBombError as error:
        raise BadInputError(f"{name}: the picture is too large; the limit is 40 megapixels.") from error
    # Pillow's decoders raise half a dozen unrelated classes on corrupt input.
    except (OSError, ValueError, SyntaxError, EOFError, TypeError, IndexError, OverflowError, MemoryError) as error:
        raise BadInputError(
            f"{name} is not a picture that can be read. Use a JPEG, PNG, WebP or GIF file that opens on your device."
        ) from error
