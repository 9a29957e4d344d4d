"""Photos as files: read from inside their folder alone, and decoded once to see that they are sound."""

from collections.abc import Sequence
from pathlib import Path

from notclip.dataset.clips import VIDEO_SUFFIXES, pack_clip, photos_in, spread_frames, unpack_clip
from notclip.errors import BadInputError
from notclip.recaption.sources.photo_paths import photo_below
from notclip.remote.photo_notclip import PhotoError, open_photo, read_photo_file


def read_photo(root: Path, path: str) -> bytes:
    """Read a photo that a table names, or a video: video7.mp4 stands as a folder of its frames, video7.

    Args:
        root: folder that it must lie in.
        path: its path, relative to `root`, or as another machine wrote it, see `photo_paths`.

    Returns:
        The encoded photo; of a video a clip of four frames at even distances, see `clips`.

    Raises:
        BadInputError: the path leaves the folder, or the file cannot be read.
    """
    file = photo_below(root, path)
    if file.suffix.lower() in VIDEO_SUFFIXES:
        frames = photos_in(file.with_suffix(""))
        if not frames:
            raise BadInputError(
                f"the video {path!r} needs the folder {path.rpartition('.')[0]!r} of its frames beside it, as photos"
            )
        return clip_of([read_photo(root, str(frames[number])) for number in spread_frames(len(frames))])
    return photo_bytes(file, path)


def photo_bytes(file: Path, named: str) -> bytes:
    """Bytes of a photo that was found.

    Raises:
        BadInputError: it cannot be read.
    """
    try:
        return read_photo_file(file, name=named)
    except PhotoError as error:
        raise BadInputError(str(error)) from error


def clip_of(frames: Sequence[bytes]) -> bytes:
    """A clip of all these frames.

    Raises:
        BadInputError: one of them is unsound, see `check_photo`, or there is none.
    """
    if not frames:
        raise BadInputError("the clip has no frame")
    for number, frame in enumerate(frames):
        try:
            check_photo(frame)
        except BadInputError as error:
            raise BadInputError(f"frame {number} of the clip: {error}") from error
    return pack_clip(frames)


def check_photo(image: bytes) -> None:
    """Decode a photo, or the frames of a clip, once.

    Raises:
        BadInputError: it is no image, is cut off, or would take far more memory than any photo (a decompression bomb).
    """
    try:
        if not unpack_clip(image):
            open_photo(image)
    except PhotoError as error:
        raise BadInputError(str(error)) from error
