"""Clips: short videos as pictures in their order, and how a dataset holds one where it holds a photo.

A clip of a dataset is one TIFF file whose pages are its frames, pixel for pixel, and so goes wherever a photo goes:
`load_dataset` shows its first frame, and what embeds it takes the mean over its pages.
"""

import contextlib
import io
import re
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageFile

from notclip.remote.photo_notclip import (
    PHOTO_SUFFIXES,
    PhotoError,
    as_rgb,
    check_size,
    is_plain,
    open_photo,
    opened,
    plain_photo,
)

FRAMES = 4  # of a video, as NegBench takes them
_MOST_PAGES = 1000
VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".webm", ".mkv", ".mov"})
_TIFF = (b"II*\0", b"MM\0*")


def photos_in(folder: Path) -> list[Path]:
    """The photos below a folder, in the order in which a person numbers them: 2 before 10."""

    def number_wise(file: Path) -> list[tuple[int, str]]:
        parts = re.split(r"(\d+)", str(file.relative_to(folder)))
        return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]

    return sorted((file for file in folder.rglob("*") if file.suffix.lower() in PHOTO_SUFFIXES), key=number_wise)


def spread_frames(count: int) -> list[int]:
    """Numbers of four of so many frames at even distances: the middles of four equal parts; all where there are fewer.

    >>> spread_frames(16), spread_frames(3)
    ([2, 6, 10, 14], [0, 1, 2])
    """
    if count <= FRAMES:
        return list(range(count))
    return [(2 * part + 1) * count // (2 * FRAMES) for part in range(FRAMES)]


def pack_clip(frames: Sequence[bytes]) -> bytes:
    """One file of the frames of a clip, without loss.

    Args:
        frames: encoded pictures in their order, at least one, each sound (see `check_photo`).

    Returns:
        A TIFF with a page for each frame; pages of one clip may differ in size.
    """
    return _packed([open_photo(frame) for frame in frames])


def _packed(pages: Sequence[Image.Image]) -> bytes:
    packed = io.BytesIO()
    pages[0].save(packed, "TIFF", save_all=True, append_images=pages[1:], compression="tiff_adobe_deflate")
    return packed.getvalue()


def frame_bytes(frame: Image.Image) -> bytes:
    """A frame as a picture file of its own, pixel for pixel."""
    encoded = io.BytesIO()
    frame.save(encoded, "BMP")
    return encoded.getvalue()


def unpack_clip(encoded: bytes) -> list[Image.Image]:
    """The frames of a clip as RGB pictures, four at most; none of a file that is a photo.

    Args:
        encoded: an encoded picture of any format. All but a TIFF of several pages are photos, animations too.

    Raises:
        PhotoError: a page cannot be decoded or is too large, or there are very many.
    """
    if not encoded.startswith(_TIFF):
        return []
    with opened(encoded) as pages:
        frames = []
        for number in _frame_numbers(pages):
            pages.seek(number)
            check_size(pages)
            frames.append(as_rgb(pages))
        return frames


def _frame_numbers(pages: ImageFile.ImageFile) -> list[int]:
    """Which pages of a TIFF are frames; none where there is but one page."""
    count = 1
    with contextlib.suppress(EOFError):
        while True:
            pages.seek(count)
            count += 1
            if count > _MOST_PAGES:
                raise PhotoError(f"the photo is refused: it has more than {_MOST_PAGES:,} pages")
    return spread_frames(count) if count > 1 else []


def plain_picture(encoded: bytes) -> bytes:
    """A photo or a clip in a form that looks the same to whoever decodes it, see `plain_photo`."""
    frames = unpack_clip(encoded)
    if not frames:
        return plain_photo(encoded)
    with opened(encoded) as pages:
        for number in _frame_numbers(pages):
            pages.seek(number)
            if not is_plain(pages, encoded):
                return _packed(frames)
    return encoded
