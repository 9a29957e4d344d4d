"""Karpathy's JSON files of Flickr8k, Flickr30k and COCO: each photo with its sentences and its split."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from notclip.dataset.splits import SPLITS, split_of
from notclip.errors import BadInputError, shortened
from notclip.files.tables import clean_caption, read_json_file
from notclip.files.text_files import start_of
from notclip.recaption.sources.kept_reading import kept_while_unchanged
from notclip.recaption.sources.parts import Part, RowContent, SourceRow
from notclip.recaption.sources.photo_paths import photo_place
from notclip.recaption.sources.photos import read_photo

_LOOKED_AT = 2**16  # bytes


def is_karpathy(file: Path) -> bool:
    """Whether a JSON file begins as Karpathy's do; COCO's have no sentences."""
    start = start_of(file, _LOOKED_AT)
    return b'"sentences"' in start and b'"filename"' in start


def karpathy_parts(file: Path) -> list[Part]:
    """A part for each split; photos lie below the file's folder.

    Raises:
        BadInputError: it is no JSON of this form.
    """
    _images(file)  # Says at once what is wrong with it.
    return [Part(split, partial(_read, file, split)) for split in SPLITS]


@kept_while_unchanged(1)
def _images(file: Path) -> list[Any]:
    content = read_json_file(file)
    images = content.get("images") if isinstance(content, Mapping) else None
    if not isinstance(images, list):
        raise BadInputError(f"{file} must be an object with a list `images`, as Karpathy's files are.")
    return images


def _read(file: Path, split: str) -> tuple[Iterator[SourceRow], None]:
    return (
        SourceRow(str(file), number, partial(_content, file.parent, image))
        for number, image in enumerate(_images(file))
        if _split_of(image) == split
    ), None


def _split_of(image: Any) -> str:
    named = image.get("split") if isinstance(image, Mapping) else None
    return (split_of(named) if isinstance(named, str) else None) or "train"


def _content(root: Path, image: Any) -> RowContent:
    name = image.get("filename") if isinstance(image, Mapping) else None
    if not isinstance(name, str):
        raise BadInputError(f"it must name its photo in `filename`, got {shortened(name)}")
    folder = image.get("filepath")  # COCO's: train2014, val2014
    path = f"{folder}/{name}" if isinstance(folder, str) and folder else name
    sentences = image.get("sentences")
    texts = [one.get("raw") for one in sentences if isinstance(one, Mapping)] if isinstance(sentences, list) else []
    captions = tuple(text for one in texts if isinstance(one, str) and (text := clean_caption(one)))
    return RowContent(image=read_photo(root, photo_place(root, path)), captions=captions, image_id=name, location=path)
