"""Photos with a text file each beside them, `a.jpg` and `a.txt`, as trainers of text-to-image models keep them."""

import re
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path

from notclip.dataset.clips import photos_in
from notclip.dataset.splits import SPLITS, split_of
from notclip.files.tables import clean_caption
from notclip.files.text_files import read_text, start_of
from notclip.recaption.sources.parts import Part, RowContent, SourceRow
from notclip.recaption.sources.photos import read_photo

_TEXT_ENDINGS = (".txt", ".caption")
_LARGEST = 2**16  # bytes
_LOOKED_AT = 50  # photos
# A line of YOLO's labels, which may lie beside the photos as well.
_BOX = re.compile(r"\s*\d+(?:\s+[\d.eE+-]+){4,}\s*")


def captioned_photo_parts(folder: Path) -> list[Part]:
    """A part for each split that the folders directly below are called by, else one; empty for other folders."""
    photos = photos_in(folder)
    beside = [text for photo in islice(photos, _LOOKED_AT) if (text := _text_of(photo)) is not None]
    if not beside or 2 * len(beside) < min(len(photos), _LOOKED_AT) or all(map(_holds_boxes, beside)):
        return []
    of = {split: [photo for photo in photos if _split_of(folder, photo) == split] for split in SPLITS}
    return [Part(split, partial(_read, folder, tuple(own))) for split, own in of.items() if own]


def _text_of(photo: Path) -> Path | None:
    return next((file for ending in _TEXT_ENDINGS if (file := photo.with_suffix(ending)).is_file()), None)


def _holds_boxes(file: Path) -> bool:
    lines = start_of(file, _LARGEST).decode(errors="replace").splitlines()
    return all(_BOX.fullmatch(line) for line in lines if line.strip())


def _split_of(folder: Path, photo: Path) -> str:
    inside = photo.relative_to(folder).parts
    return (split_of(inside[0]) if len(inside) > 1 else None) or "train"


def _read(folder: Path, photos: tuple[Path, ...]) -> tuple[Iterator[SourceRow], None]:
    return (SourceRow(str(photo), 0, partial(_content, folder, photo)) for photo in photos), None


def _content(folder: Path, photo: Path) -> RowContent:
    text = _text_of(photo)
    lines = [] if text is None else read_text(text, "the caption", largest=_LARGEST).splitlines()
    inside = str(photo.relative_to(folder))
    return RowContent(
        image=read_photo(folder, inside),
        captions=tuple(caption for line in lines if (caption := clean_caption(line))),
        image_id=inside,
        location=inside,
    )
