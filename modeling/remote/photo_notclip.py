"""Every photo is opened here, by the builder, by scoring, by the Space and by the model's calls: to the same pixels.

- turned upright, as EXIF says;
- transparent parts white, as browsers and paper have them;
- 16-bit and floating-point pictures scaled by the range of their own values, since X-rays of 12 bits are stored in 16
  and `convert("RGB")` makes them white or black;
- of an animation, or a file of several pictures, the first;
- photos of more than 16 megapixels at a fraction of their size (1/2, 1/3, …), which no encoder sees;
- what is no photo, is cut off or would take too much memory is refused in one sentence, before it is decoded.
"""

import math
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image, ImageFile

PHOTO_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"}
    | {".avif", ".heic", ".heif", ".pgm", ".ppm"}
)
# Pillow's own names. Its other decoders serve no photos: EPS runs Ghostscript, and DDS, PSD or ICNS claim any size.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF", "PPM")
_ANIMATED = ("PNG", "WEBP", "GIF", "AVIF")
_LOSSY = ("JPEG", "MPO", "AVIF", "HEIF")
MAX_BYTES = 256 * 2**20  # of a file
# A decoded pixel takes four bytes, and twice that while it is converted: 0.5 GB at most.
MAX_PIXELS = 64_000_000
# A JPEG is decoded at a fraction; one that is progressive keeps its coefficients meanwhile, six bytes a pixel.
MAX_PIXELS_OF_A_JPEG = 256_000_000
MAX_PIXELS_OF_A_PROGRESSIVE_JPEG = 128_000_000
MAX_SCANS = 100  # of a progressive JPEG, each of which passes over all pixels; encoders make ten
KEPT_PIXELS = 2**24
_ORIENTATION = 0x0112  # in EXIF
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class PhotoError(ValueError):
    """A photo that cannot be used; the message begins with "the photo" and says why."""


class PhotoTooLargeError(PhotoError):
    """A photo that would take too much memory."""


@dataclass(frozen=True)
class PhotoHeader:
    """What an encoded photo says of itself before it is decoded.

    Args:
        form: Pillow's name of its format.
        is_plain: whether whoever decodes it gets the pixels of `open_photo`: upright, of 8 bits, without transparency,
            and of a size and form that every Pillow reads.
        is_animated: whether it has pictures after the first, which is the one that counts.
    """

    form: str
    is_plain: bool
    is_animated: bool


def open_photo(source: Any, *, shortest: int | None = None) -> Image.Image:
    """Decode a photo to upright RGB.

    Args:
        source: a path, bytes or a binary file; a PIL image of any mode, which is left as it is; or an array of pixels,
            uint8 of shape (H, W), (H, W, 3) or (H, W, 4), or uint16 of shape (H, W).
        shortest: for thumbnails, a JPEG may be decoded at a fraction at which no side is shorter than this.

    Returns:
        The picture in mode RGB, of at most 16.8 megapixels.

    Raises:
        PhotoError: it is missing, no regular file, no photo, too large, cut off or broken.
    """
    if isinstance(source, np.ndarray):
        source = _of_array(source)
    if isinstance(source, Image.Image):
        with _one_sentence():
            return as_rgb(source)
    with opened(source) as image:
        _draft(image, shortest)
        return as_rgb(image)


@contextmanager
def opened(source: Any) -> Iterator[ImageFile.ImageFile]:
    """A photo that is identified and of a bearable size, but not decoded, as Pillow's own picture.

    Args:
        source: a path, bytes or a binary file.

    Raises:
        PhotoError: as `open_photo`; whatever Pillow raises inside the context becomes one too.
    """
    encoded = read_photo_file(source)
    with _one_sentence(), _identified(encoded) as image:
        check_size(image)
        if image.info.get("progressive") and encoded.count(b"\xff\xda") > MAX_SCANS:
            raise PhotoError(f"the photo is refused: a progressive JPEG may have {MAX_SCANS} scans, this has more")
        yield image


def read_photo_file(source: Any, *, name: str | None = None) -> bytes:
    """The bytes of a photo, never more than 256 MB, and never of what is no regular file (a pipe would never end).

    Args:
        source: a path, a binary file, or the bytes themselves.
        name: what messages call a path; the path itself when absent.

    Raises:
        PhotoError: it cannot be read, is no regular file or is too large.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        encoded = bytes(source)
    elif isinstance(source, (str, os.PathLike)):
        name = repr(str(source)[:200] if name is None else name[:200])
        try:
            path = Path(source)
            if not stat.S_ISREG(path.stat().st_mode):
                raise PhotoError(f"the photo {name} is no regular file")
            with path.open("rb") as file:
                encoded = file.read(MAX_BYTES + 1)
        except (OSError, ValueError) as error:  # ValueError: a path with NUL in it
            if isinstance(error, PhotoError):
                raise
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise PhotoError(f"the photo {name} cannot be read ({reason})") from error
    elif hasattr(source, "read"):
        encoded = _read_all(source)
    else:
        raise PhotoError(
            "the photo must be a path, bytes, a binary file, a PIL image or an array of pixels, "
            f"got {type(source).__name__}"
        )
    if len(encoded) > MAX_BYTES:
        raise PhotoTooLargeError(f"the photo is too large: its file has more than {MAX_BYTES // 2**20} MB")
    return encoded


def _read_all(file: IO[Any]) -> bytes:
    try:
        encoded = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise PhotoError(f"the photo cannot be read ({error})") from error
    if not isinstance(encoded, bytes):
        raise PhotoError(f"the photo must be a file opened in binary mode, got one of {type(encoded).__name__}")
    return encoded


def photo_header(encoded: bytes) -> PhotoHeader:
    """Look at an encoded photo without decoding it.

    Raises:
        PhotoError: it is no photo, or too large.
    """
    with opened(encoded) as image:
        animated = image.format in _ANIMATED and getattr(image, "is_animated", False)
        return PhotoHeader(str(image.format), is_plain(image, encoded), animated)


def is_plain(image: ImageFile.ImageFile, encoded: bytes) -> bool:
    """What `PhotoHeader.is_plain` says, of an opened picture of these bytes."""
    portable = image.format not in ("AVIF", "HEIF", "PPM") and math.prod(image.size) <= 89_000_000
    eight_bits = image.mode in ("1", "L", "P", "RGB") and not image.has_transparency_data
    # A PNG may say how it is turned after its pixels: Pillow would decode them all to see that it does not.
    silent = image.format == "PNG" and b"eXIf" not in encoded and b"XML:com.adobe.xmp" not in encoded
    return portable and eight_bits and (silent or _orientation(image) not in _TURNS)


def plain_photo(encoded: bytes) -> bytes:
    """The photo in a form that looks the same to whoever decodes it; its own bytes where they are so already.

    Args:
        encoded: an encoded photo.

    Returns:
        Where it is turned by EXIF, transparent, of 16 bits, of floating point, CMYK, HEIC, AVIF or beyond Pillow's
        limit of 89 megapixels, what `open_photo` sees: as JPEG of quality 95 if it was lossy, else as PNG.

    Raises:
        PhotoError: it cannot be decoded.
    """
    header = photo_header(encoded)
    if header.is_plain:
        return encoded
    again = BytesIO()
    if header.form in _LOSSY:
        open_photo(encoded).save(again, "JPEG", quality=95, subsampling=0)
    else:
        open_photo(encoded).save(again, "PNG")
    return again.getvalue()


def as_rgb(image: Image.Image) -> Image.Image:
    """A picture of any mode as upright RGB, as `open_photo` has it; `image` stays as it is.

    Raises:
        Exception: Pillow's, from decoding or from a mode that it cannot convert.
    """
    image.load()
    turn = _TURNS.get(_orientation(image))
    image = _shrunk(image)
    if image.mode.startswith(("I", "F")):
        image = scaled_by_its_range(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    rgb = image.convert("RGB")
    if turn is not None:
        rgb = rgb.transpose(turn)
    rgb.info.clear()  # Its EXIF would turn it again.
    return rgb


def scaled_by_its_range(image: Image.Image) -> Image.Image:
    """A picture of integers or floats of any range as 8-bit grey: its smallest value is black, its largest white.

    A dead pixel or a burnt-in mark far outside must not flatten the rest: where the values of all pixels but one in a
    thousand at each end span less than a quarter of the whole, they make the range. A constant picture is black.

    Args:
        image: mode I, F or one of I;16; what is not finite is black.

    >>> x_ray = Image.fromarray(np.array([[0, 1000], [3000, 4000]], dtype=np.uint16))  # 12 bits in 16
    >>> np.asarray(scaled_by_its_range(x_ray)).tolist()
    [[0, 64], [191, 255]]
    """
    values = np.asarray(image, dtype=np.float32)
    finite = np.isfinite(values)
    known = values if finite.all() else values[finite]
    if not known.size:
        return Image.new("L", image.size)
    low, high = float(known.min()), float(known.max())
    within = np.percentile(known, (0.1, 99.9))
    if 0 < within[1] - within[0] < (high - low) / 4:
        low, high = float(within[0]), float(within[1])
    if low == high:
        return Image.new("L", image.size)
    share = (np.where(finite, values, np.float32(low)) - low) / (high - low)  # (H, W), in [0, 1] but for outliers
    return Image.fromarray((share.clip(0, 1) * 255).round().astype(np.uint8))


def check_size(image: Image.Image) -> None:
    """Refuse a picture, before its pixels are decoded, that would take too much memory.

    Raises:
        PhotoError: it has too many pixels.
    """
    width, height = image.size
    most, what = MAX_PIXELS, f"a {image.format}"
    if image.format in ("JPEG", "MPO"):
        most, what = MAX_PIXELS_OF_A_JPEG, "a JPEG"
        if image.info.get("progressive"):
            most, what = MAX_PIXELS_OF_A_PROGRESSIVE_JPEG, "a progressive JPEG"
    if width * height > most:
        raise PhotoTooLargeError(
            f"the photo is too large: {width:,} × {height:,} is {width * height / 1e6:,.0f} megapixels, "
            f"and {what} may have {most // 1_000_000}"
        )
    if image.format == "TIFF":
        tags: Any = image.tag_v2  # type: ignore[attr-defined]
        across, down = tags.get(322, 0), tags.get(323, 0)  # of a tile, which may be larger than the picture
        if across * down > most:
            raise PhotoTooLargeError(
                f"the photo is too large: {width:,} × {height:,} in tiles of {across:,} × {down:,}"
            )


@contextmanager
def _one_sentence() -> Iterator[None]:
    """Whatever Pillow raises, as a PhotoError."""
    try:
        yield
    except PhotoError:
        raise
    except Exception as error:  # Its decoders raise whatever the damage triggers, half of Python's classes among them.
        reason = " ".join(str(error).split())[:200]
        kind = "" if isinstance(error, OSError) and reason else f"{type(error).__name__}: "
        raise PhotoError(f"the photo cannot be decoded: {kind}{reason}") from error


def _identified(encoded: bytes) -> ImageFile.ImageFile:
    """Pillow's picture of the first format that takes the file for its own.

    Not by `Image.open`: that warns of 89 megapixels and refuses 178, which a JPEG at a fraction of its size may have;
    `check_size` has our own limits.
    """
    Image.init()
    start = encoded[:64]
    for form in FORMATS:
        if form == "HEIF" and start[4:8] == b"ftyp" and start[8:11] in (b"hei", b"hev", b"mif", b"msf"):
            _learn_heif()
        factory, accepts = Image.OPEN.get(form, (None, None))
        if form == "AVIF" and start[8:11] in (b"mif", b"msf") and b"avi" not in start[11:]:
            continue  # Pillow's AVIF decoder takes every container of its family for its own.
        if factory is not None and accepts is not None and accepts(start) is True:
            return factory(BytesIO(encoded), "")
    raise PhotoError(
        "the photo cannot be decoded: it is no image of a form that is read here (JPEG, PNG, WebP, GIF, BMP, TIFF, "
        "AVIF, HEIC, PPM)"
    )


def _learn_heif() -> None:
    """Teach Pillow HEIC, the phones' format, by a package that not all who load a model need."""
    if "HEIF" not in Image.OPEN:
        try:
            from pillow_heif import register_heif_opener
        except ImportError as error:
            raise PhotoError(
                "the photo is in the form HEIC, for which the package pillow-heif is missing: "
                "`pip install pillow-heif`, or notclip's extra [build], [score] or [space]"
            ) from error
        register_heif_opener()


def _draft(image: ImageFile.ImageFile, shortest: int | None) -> None:
    """Let a JPEG decode at a half, a quarter or an eighth of its size, where that is enough."""
    if image.format not in ("JPEG", "MPO"):
        return
    width, height = image.size
    for part in (8, 4, 2):
        enough = shortest is not None and min(width, height) // part >= shortest
        if enough or width * height * 4 > KEPT_PIXELS * part * part:
            image.draft(None, (width // part, height // part))
            return


def _shrunk(image: Image.Image) -> Image.Image:
    """A decoded picture at the largest of 1, 1/2, 1/3, … of its size that has at most 16.8 megapixels."""
    part = math.ceil(math.sqrt(image.width * image.height / KEPT_PIXELS))
    if part == 1:
        return image
    if image.mode in ("1", "P", "PA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif image.mode.startswith("I;"):
        image = image.convert("I")
    return image.reduce(part)


def _orientation(image: Image.Image) -> int:
    """How EXIF says that a picture is turned, a key of `_TURNS`; 1 or any other number where it stands upright."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # Broken EXIF raises anything, and costs nobody the photo.
        return 1


def _of_array(pixels: np.ndarray) -> Image.Image:
    coloured = pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] in (3, 4)
    grey = pixels.dtype in (np.uint8, np.uint16) and pixels.ndim == 2
    if not (coloured or grey) or not pixels.size:
        raise PhotoError(
            "the photo as an array must be uint8 of shape (height, width, 3), (height, width, 4) or (height, width), "
            f"or uint16 of shape (height, width), got {pixels.dtype} of shape {pixels.shape}"
        )
    return Image.fromarray(np.ascontiguousarray(pixels))
