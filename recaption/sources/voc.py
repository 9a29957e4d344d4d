"""Pascal VOC's XML: in its own layout, beside the photos (Roboflow), or in a folder of its own (Kaggle, LabelImg)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from notclip.dataset.clips import PHOTO_SUFFIXES, photos_in
from notclip.dataset.splits import split_of, split_of_folder
from notclip.errors import BadInputError
from notclip.files.text_files import read_bytes, read_text
from notclip.recaption.sources.kept_reading import kept_while_unchanged
from notclip.recaption.sources.parts import Part, RowContent, SourceRow, left_out
from notclip.recaption.sources.photo_paths import below, is_there
from notclip.recaption.sources.photos import photo_bytes

VOC_CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog",
    "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip
_FOLDERS = (("Annotations", "JPEGImages"), ("Annotations", "images"), ("annotations", "images"), ("xmls", "images"))
# In the order in which they are looked for: most photos cost one look.
_ENDINGS = (".jpg", *sorted(PHOTO_SUFFIXES - {".jpg"}))


_LARGEST = 16 * 2**20  # bytes of one photo's annotation
_TARGET = re.compile(r"\s+-?[01]$")  # Whether the photo shows the list's class, in VOC's lists of one class.


@dataclass(frozen=True)
class _Folders:
    """Where annotations and photos of a set lie.

    Args:
        root: the set; names that its annotations share with VOC's are looked for in all of them.
        annotations: folder of XML files.
        photos: folder of photos.
    """

    root: Path
    annotations: Path
    photos: Path


def voc_parts(folder: Path) -> list[Part]:
    """Parts of a folder of photos with an XML file each; none where it holds no such files.

    Args:
        folder: VOCdevkit, one year of it, a folder in its form, or folders train, valid and test of photos and XML.

    Returns:
        A part for each of train, val and test in ImageSets/Main, or for each folder, else one of all annotations.
    """
    parts: list[Part] = []
    for year in (*sorted(folder.glob("VOC20*")), folder):
        for annotations, photos in _FOLDERS:
            if (year / annotations).is_dir() and (year / photos).is_dir() and any((year / annotations).rglob("*.xml")):
                parts += _listed(_Folders(folder, year / annotations, year / photos), year / "ImageSets/Main")
                break
    if parts:
        return parts
    for own in (folder, *sorted(file for file in folder.iterdir() if file.is_dir() and split_of(file.name))):
        if any(own.glob("*.xml")):
            read = partial(_read, _Folders(folder, own, own), None)
            parts.append(Part(split_of_folder(own) or "train", read))
    return parts


def _listed(folders: _Folders, lists: Path) -> list[Part]:
    files = [file for name in ("train", "val", "test") if (file := lists / f"{name}.txt").is_file()]
    if (lists / "trainval.txt").is_file() and not {"train", "val"} & {file.stem for file in files}:
        files.insert(0, lists / "trainval.txt")
    if not files:
        return [Part("train", partial(_read, folders, None))]
    return [Part(split_of(file.stem) or "train", partial(_read, folders, file)) for file in files]


def _read(folders: _Folders, listed: Path | None) -> tuple[Iterator[SourceRow], tuple[str, ...] | None]:
    if listed is None:
        found = folders.annotations.rglob("*.xml")  # CVAT keeps the folders that its photos lay in.
        names = sorted(str(file.relative_to(folders.annotations).with_suffix("")) for file in found)
    else:
        lines = read_text(listed, "The list", largest=2**30).splitlines()
        names = [_TARGET.sub("", line.strip()) for line in lines if line.strip()]
    return _rows(folders, names, every=listed is None), _voc_vocabulary(folders.root)


def _rows(folders: _Folders, names: list[str], *, every: bool) -> Iterator[SourceRow]:
    used = set()
    for name in names:
        used.add(name)
        yield SourceRow(str(folders.annotations / f"{name}.xml"), 0, partial(_voc_content, folders, name))
    for file in photos_in(folders.photos) if every else ():
        if str(file.relative_to(folders.photos).with_suffix("")) not in used:
            yield left_out(str(file), 0, "the photo has no annotation")


@kept_while_unchanged(4)
def _voc_vocabulary(root: Path) -> tuple[str, ...]:
    """VOC's 20 classes where the set is VOC's, else those that the annotations name."""
    found: set[str] = set()
    for file in sorted(root.rglob("*.xml")):
        try:
            found |= _voc_objects(file)[0]
        except BadInputError:
            continue  # Named with its reason when its row is read.
    own = any(place.name.upper().startswith("VOC") for place in (root, *root.glob("VOC20*")))
    return VOC_CLASSES if own and found <= set(VOC_CLASSES) else tuple(sorted(found))


def _voc_objects(file: Path) -> tuple[frozenset[str], str]:
    """Names of the objects, and the name of the photo's file."""
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root: Any = fromstring(read_bytes(file, "the annotation", largest=_LARGEST))
    except ParseError as error:
        raise BadInputError(f"not valid XML, line {error.position[0]} ({error})") from error
    except DefusedXmlException as error:
        raise BadInputError(f"XML with entities of its own is refused ({type(error).__name__})") from error
    except (ValueError, LookupError) as error:  # An encoding that is none.
        if isinstance(error, BadInputError):
            raise
        raise BadInputError(f"not valid XML ({error})") from error
    names = [(entry.findtext("name") or "").strip() for entry in root.iter("object")]
    if not all(names):
        raise BadInputError("an `object` of the annotation has no `name`")
    return frozenset(names), (root.findtext("filename") or "").strip()


def _voc_content(folders: _Folders, name: str) -> RowContent:
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise BadInputError(f"the image's name {name!r} leaves the folder {folders.annotations}")
    present, written = _voc_objects(folders.annotations / f"{name}.xml")
    photo = _photo_of(folders.photos, name, written)
    inside = str(photo.relative_to(folders.photos))
    return RowContent(image=photo_bytes(photo, inside), captions=(), image_id=name, present=present, location=inside)


def _photo_of(folder: Path, name: str, written: str) -> Path:
    """The photo that is called as its annotation is; the name that stands inside is often that of an older file."""
    for ending in (*_ENDINGS, *map(str.upper, _ENDINGS)):
        if is_there(file := folder / f"{name}{ending}", as_file=True):
            return file
    older = below(folder, written) if written else None
    return older if older is not None and is_there(older, as_file=True) else folder / f"{name}.jpg"
