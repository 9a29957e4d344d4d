"""Photos with one annotation file each: Pascal VOC's XML and YOLO's text."""

from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

from notclip.errors import BadInputError
from notclip.photo_notclip import PHOTO_SUFFIXES
from notclip.recaption.sources.listed_part import ListedPart
from notclip.recaption.sources.parts import RowContent, SourceRow
from notclip.recaption.sources.photos import read_photo
from notclip.recaption.sources.splits import split_of

VOC_CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog",
    "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip


def voc_parts(folder: Path, *, limit: int | None = None) -> list[ListedPart]:
    """Parts of a folder laid out as Pascal VOC's: `Annotations/*.xml`, `JPEGImages/`, `ImageSets/Main/`.

    Args:
        folder: the folder, such as VOCdevkit/VOC2007.
        limit: at most so many images of each split.

    Returns:
        A part for each of train, val and test in ImageSets/Main, else one of all annotations.
    """
    lists = [file for name in ("train", "val", "test") if (file := folder / f"ImageSets/Main/{name}.txt").is_file()]
    if not lists:
        names = tuple(sorted(file.stem for file in (folder / "Annotations").glob("*.xml")))
        return [ListedPart("train", partial(_read_voc, folder, names), limit)]
    return [
        ListedPart(split_of(file.stem) or "train", partial(_read_voc, folder, tuple(_lines(file))), limit)
        for file in lists
    ]


def _lines(file: Path) -> list[str]:
    return [line.split()[0] for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def _read_voc(folder: Path, names: tuple[str, ...]) -> tuple[Iterator[SourceRow], tuple[str, ...] | None]:
    return (
        SourceRow(str(folder / "Annotations" / f"{name}.xml"), 0, partial(_voc_content, folder, name))
        for name in names
    ), _voc_vocabulary(folder)


@cache
def _voc_vocabulary(folder: Path) -> tuple[str, ...]:
    """VOC's 20 classes, or those that the annotations of another set in its form name."""
    found: set[str] = set()
    for file in sorted((folder / "Annotations").glob("*.xml")):
        try:
            found |= _voc_objects(file)
        except BadInputError:
            continue  # Named with its reason when its row is read.
    return VOC_CLASSES if found <= set(VOC_CLASSES) else tuple(sorted(found))


def _voc_objects(file: Path) -> frozenset[str]:
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import parse

    try:
        root: Any = parse(file).getroot()
    except ParseError as error:
        raise BadInputError(f"not valid XML, line {error.position[0]} ({error})") from error
    except DefusedXmlException as error:
        raise BadInputError(f"XML with entities of its own is refused ({type(error).__name__})") from error
    except OSError as error:
        raise BadInputError(f"the annotation cannot be read ({error.strerror})") from error
    names = [(entry.findtext("name") or "").strip() for entry in root.iter("object")]
    if not all(names):
        raise BadInputError("an `object` of the annotation has no `name`")
    return frozenset(names)


def _voc_content(folder: Path, name: str) -> RowContent:
    if Path(name).name != name:
        raise BadInputError(f"the image's name {name!r} leaves the folder {folder / 'Annotations'}")
    present = _voc_objects(folder / "Annotations" / f"{name}.xml")
    photo = _photo_beside(folder / "JPEGImages", name)
    return RowContent(
        image=read_photo(folder / "JPEGImages", photo), captions=(), image_id=name, present=present, location=photo
    )


def _photo_beside(folder: Path, name: str) -> str:
    for ending in sorted(PHOTO_SUFFIXES):
        if (folder / f"{name}{ending}").is_file():
            return f"{name}{ending}"
    return f"{name}.jpg"


def yolo_parts(table: Path, *, limit: int | None = None) -> list[ListedPart]:
    """Parts of a YOLO data set: `data.yaml` names classes and the folders of photos; labels lie in `labels/`.

    Args:
        table: the YAML file.
        limit: at most so many images of each split.

    Raises:
        BadInputError: it names no classes, or no folder of photos that is there.
    """
    import yaml

    try:
        content = yaml.safe_load(table.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInputError(f"{table} is not valid YAML: {' '.join(str(error).split())}") from error
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, dict):
        names = [names[key] for key in sorted(names)]
    if not isinstance(names, list) or not names:
        raise BadInputError(f"{table} must name its classes in `names`.")
    parts = []
    for key in ("train", "val", "test"):
        if not content.get(key):
            continue
        folder = (table.parent / str(content.get("path") or "") / str(content[key])).resolve()
        if not folder.is_relative_to(table.parent.resolve()):
            raise BadInputError(f"{table}: `{key}` {content[key]!r} leaves the folder {table.parent}.")
        if not folder.is_dir():
            raise BadInputError(f"{table}: `{key}` must name a folder of photos, got {content[key]!r}.")
        parts.append(ListedPart(split_of(key) or "train", partial(_read_yolo, folder, tuple(map(str, names))), limit))
    if not parts:
        raise BadInputError(f"{table} must name a folder of photos in `train`, `val` or `test`.")
    return parts


def _read_yolo(folder: Path, names: tuple[str, ...]) -> tuple[Iterator[SourceRow], tuple[str, ...] | None]:
    photos = sorted(file for file in folder.rglob("*") if file.suffix.lower() in PHOTO_SUFFIXES)
    return (
        SourceRow(str(_yolo_labels(photo)), 0, partial(_yolo_content, folder, photo, names)) for photo in photos
    ), names


def _yolo_labels(photo: Path) -> Path:
    """`…/labels/train/a.txt` for `…/images/train/a.jpg`: the last folder `images` is exchanged."""
    parts = list(photo.with_suffix(".txt").parts)
    for place in range(len(parts) - 2, -1, -1):
        if parts[place] == "images":
            parts[place] = "labels"
            break
    return Path(*parts)


def _yolo_content(folder: Path, photo: Path, names: tuple[str, ...]) -> RowContent:
    file = _yolo_labels(photo)
    present: set[str] = set()
    # YOLO writes no file for a photo without objects.
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines() if file.is_file() else []
    for number, line in enumerate(lines, start=1):
        cells = line.split()
        if not cells:
            continue
        if not cells[0].isdecimal() or int(cells[0]) >= len(names):
            raise BadInputError(f"line {number}: the class must be a number under {len(names)}, got {cells[0][:40]!r}")
        present.add(names[int(cells[0])])
    inside = str(photo.relative_to(folder))
    return RowContent(
        image=read_photo(folder, inside), captions=(), image_id=inside, present=frozenset(present), location=inside
    )
