"""YOLO's text labels: Ultralytics' data.yaml, darknet's and CVAT's obj.data, Label Studio's classes.txt."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from notclip.dataset.clips import PHOTO_SUFFIXES
from notclip.dataset.splits import split_of
from notclip.errors import BadInputError
from notclip.files.text_files import read_text, start_of, whole_number
from notclip.files.yaml_files import read_yaml
from notclip.recaption.sources.parts import Exhaustive, MisreadSourceError, Part, RowContent, SourceRow, left_out
from notclip.recaption.sources.photo_paths import below, is_there, longest_end
from notclip.recaption.sources.photos import photo_bytes

_KEYS = ("train", "val", "valid", "validation", "test")
_LARGEST = 2**30  # bytes of a list of photos
_LARGEST_LABELS = 16 * 2**20
_BEGINS = 2**16
# Files that lie beside photos and are none; all others are named as passed over.
_BESIDE = frozenset(".txt .xml .json .jsonl .csv .yaml .yml .cache .npy .md .db .ini".split())
NO_LABEL_FILE = "the photo has no label file: write an empty one if nothing is there, or say `exhaustive` yes"


@dataclass(frozen=True)
class _Labels:
    """What the labels of a set mean.

    Args:
        table: what names the classes, for messages.
        root: folder that nothing leads out of.
        names: number of each class -> its name.
        missing_is_empty: whether a photo without a label file shows nothing; else nothing is known of it.
    """

    table: Path
    root: Path
    names: dict[int, str]
    missing_is_empty: bool


def yolo_table(folder: Path) -> Path | None:
    """What names the classes of a folder in YOLO's form; None for other folders.

    Raises:
        BadInputError: several tables of a name of their own describe it.
    """
    named = [folder / name for name in ("data.yaml", "data.yml", "dataset.yaml", "obj.data")]
    found = next((file for file in named if file.is_file()), None)
    if found is None:  # Ultralytics calls it by the set: coco128.yaml.
        tables = [file for file in sorted(folder.glob("*.y*ml")) if _begins_like_yolo(file)]
        if len(tables) > 1:
            raise BadInputError(f"{tables[0]} and {tables[1].name} both describe a YOLO data set; name one of them.")
        found = next(iter(tables), None)
    classes = folder / "classes.txt"
    if found is None and classes.is_file() and ((folder / "labels").is_dir() or any(folder.glob("*.txt"))):
        return classes
    return found


def _begins_like_yolo(file: Path) -> bool:
    start = start_of(file, _BEGINS)
    return bool(re.search(rb"^names\s*:", start, re.M) and re.search(rb"^(train|val)\s*:", start, re.M))


def yolo_parts(table: Path, *, exhaustive: Exhaustive | None = None) -> list[Part]:
    """Parts of a YOLO data set.

    Args:
        table: data.yaml, obj.data, or classes.txt beside `images/` and `labels/`.
        exhaustive: `yes` takes a photo without a label file for one without objects.

    Raises:
        BadInputError: it names no classes, gives one number or name twice, leaves a gap between numbers, or names no
            folder or list of photos that is there.
    """
    prefix, names, named = _CONTENTS.get(table.suffix.lower(), _of_yaml)(table)
    labels = _Labels(table, table.parent, names, missing_is_empty=exhaustive == "yes")
    parts: list[Part] = []
    seen: list[tuple[Path, ...]] = []
    for key, texts in named.items():
        places = tuple(place for text in texts if (place := _place(table.parent, prefix, text)) is not None)
        if len(places) < len(texts) and key != "test":
            raise BadInputError(
                f"{table}: `{key}` must name a folder of photos or a list of them, got {texts[0]!r}, which is not "
                f"there or leaves the folder {table.parent}; put {table.name} beside the photos' folders."
            )
        if places in seen:
            continue  # coco128.yaml validates on what it trains on: one set, which is split by content.
        seen.append(places)
        if len(places) < len(texts):  # Roboflow names a test set whether there is one or not.
            read = partial(_missing, table, key, texts)
        else:
            read = partial(_read, labels, prefix, places)
        parts.append(Part(split_of(key) or "train", read))
    if not parts:
        raise BadInputError(f"{table} must name a folder of photos in `train`, `val` or `test`.")
    return parts


_Content = tuple[str, dict[int, str], dict[str, list[str]]]


def _of_yaml(table: Path) -> _Content:
    content = read_yaml(table, "YOLO's")
    if not isinstance(content, dict) or not isinstance(content.get("names"), list | dict) or not content["names"]:
        raise BadInputError(f"{table} must name its classes in `names`.")
    names = _numbered(table, content["names"])
    if isinstance(content.get("nc"), int) and content["nc"] != len(names):
        raise BadInputError(f"{table}: `nc` says {content['nc']} classes, but `names` has {len(names)}.")
    named = {}
    for key in _KEYS:
        value = content.get(key)
        texts = value if isinstance(value, list) else [value] if value else []
        if not all(isinstance(text, str) and text.strip() for text in texts):
            raise BadInputError(f"{table}: `{key}` must name folders or lists of photos, got {value!r}.")
        if texts:
            named[key] = texts
    return str(content.get("path") or ""), names, named


def _of_darknet(table: Path) -> _Content:
    """`obj.data` as darknet and CVAT write it: `train = data/train.txt`."""
    pairs = (line.partition("=") for line in read_text(table, "Darknet's", largest=_LARGEST).splitlines())
    fields = {key.strip(): value.strip() for key, equals, value in pairs if equals}
    names = _place(table.parent, "", fields.get("names", "obj.names"))
    if names is None or not names.is_file():
        raise BadInputError(f"{table}: `names` must name the file of its classes, got {fields.get('names')!r}.")
    return "", _numbered(names, _lines(names)), {key: [fields[key]] for key in _KEYS if fields.get(key)}


def _of_classes(table: Path) -> _Content:
    """Label Studio's `classes.txt`, `images/` and `labels/`, or all in one folder, as LabelImg leaves it."""
    images = table.parent / "images"
    if not images.is_dir():
        return "", _numbered(table, _lines(table)), {"train": ["."]}
    folders = sorted(file.name for file in images.iterdir() if file.is_dir() and split_of(file.name))
    named = {str(split_of(name)): [f"images/{name}"] for name in folders} or {"train": ["images"]}
    return "", _numbered(table, _lines(table)), named


_CONTENTS = {".data": _of_darknet, ".txt": _of_classes}


def _numbered(where: Path, names: dict[Any, Any] | list[Any]) -> dict[int, str]:
    """Number of each class -> its name.

    Raises:
        BadInputError: a key is no number, numbers or names stand twice or leave a gap, or a name is no text.
    """
    found: dict[int, str] = {}
    for key, name in names.items() if isinstance(names, dict) else enumerate(names):
        number = None if isinstance(key, bool) else whole_number(str(key).strip())
        if number is None:
            raise BadInputError(f"{where}: the keys of `names` must be the numbers of the classes, got {key!r}.")
        if isinstance(name, bool) or not isinstance(name, str | int | float) or not str(name).strip():
            raise BadInputError(f"{where}: the name of class {key} must be a word, got {name!r}; quote it.")
        word = str(name).strip()
        if number in found or word in found.values():
            raise BadInputError(f"{where}: class {key} ({word!r}) stands in `names` twice.")
        found[number] = word
    if not found:
        raise BadInputError(f"{where} must name its classes in `names`.")
    numbers = sorted(found)
    if gaps := sorted(set(range(numbers[0], numbers[-1])) - set(numbers)):
        raise BadInputError(f"{where}: `names` lacks class {gaps[0]}, between {numbers[0]} and {numbers[-1]}.")
    return {number: found[number] for number in numbers}


def _lines(file: Path) -> list[str]:
    return [line.strip() for line in read_text(file, "The list", largest=_LARGEST).splitlines() if line.strip()]


def _place(root: Path, prefix: str, named: str) -> Path | None:
    """A folder or list that a table names, below `path` of the table or below its own folder."""
    for text in (f"{prefix}/{named}" if prefix else named, named):
        place = below(root, text)
        if place is not None and is_there(place):
            return place
    return longest_end(root, named.split("/")) if "/" in named else None


_Rows = tuple[Iterator[SourceRow], tuple[str, ...] | None]


def _missing(table: Path, key: str, texts: Sequence[str]) -> _Rows:
    return iter([left_out(str(table), 0, f"`{key}` names {texts[0]!r}, which is not there")]), None


def _read(labels: _Labels, prefix: str, places: Sequence[Path]) -> _Rows:
    rows = (row for place in places for row in _rows_of(labels, prefix, place))
    return rows, tuple(labels.names.values())


def _rows_of(labels: _Labels, prefix: str, place: Path) -> Iterator[SourceRow]:
    if place.is_dir():
        yield from _rows_of_folder(labels, place)
        return
    for number, line in enumerate(_lines(place), start=1):
        photo = below(place.parent, line)  # Else from the root: "data/obj_train_data/1.jpg" of darknet as well.
        if photo is None or not is_there(photo, as_file=True):
            photo = _place(labels.root, prefix, line.replace("\\", "/"))
        if photo is None:
            yield left_out(str(place), number, f"the photo {line[:200]!r} is not there, or leaves the folder")
        else:
            inside = str(photo.relative_to(labels.root))
            yield SourceRow(str(_label_file(labels.root, photo)), 0, partial(_content, labels, photo, inside))


def _rows_of_folder(labels: _Labels, folder: Path) -> Iterator[SourceRow]:
    used = set()
    for file in sorted(folder.rglob("*")):
        ending = file.suffix.lower()
        if ending in PHOTO_SUFFIXES:
            used.add(label := _label_file(labels.root, file))
            inside = str(file.relative_to(folder))
            yield SourceRow(str(label), 0, partial(_content, labels, file, inside))
        elif ending not in _BESIDE and not file.name.startswith(".") and file.is_file():
            yield left_out(str(file), 0, f"{ending or 'a file without an ending'} is no photo's ending")
    written = _label_file(labels.root, folder / "any").parent
    if written != folder and written.is_dir():
        for file in sorted(written.rglob("*.txt")):
            if file not in used and file.name != "classes.txt":
                yield left_out(str(file), 0, "the labels have no photo")


def _label_file(root: Path, photo: Path) -> Path:
    """`labels/train/a.txt` for `images/train/a.jpg`: the last folder `images` is exchanged; else beside the photo."""
    parts = list(photo.relative_to(root).with_suffix(".txt").parts)
    for place in range(len(parts) - 2, -1, -1):
        if parts[place] == "images":
            parts[place] = "labels"
            break
    return root.joinpath(*parts)


def _content(labels: _Labels, photo: Path, inside: str) -> RowContent:
    file = _label_file(labels.root, photo)
    if not file.exists() and not labels.missing_is_empty:
        raise BadInputError(NO_LABEL_FILE)
    lines = read_text(file, "the labels", largest=_LARGEST_LABELS).splitlines() if file.exists() else []
    present = frozenset(
        _class_of(labels, number, line.split()[0]) for number, line in enumerate(lines, start=1) if line.strip()
    )
    return RowContent(image=photo_bytes(photo, inside), captions=(), image_id=inside, present=present, location=inside)


def _class_of(labels: _Labels, line: int, cell: str) -> str:
    number = whole_number(cell.removesuffix(".0"))
    if number is None:
        raise BadInputError(f"line {line}: the class must be a number, got {cell[:40]!r}")
    if number not in labels.names:
        numbers = list(labels.names)
        raise MisreadSourceError(
            f"line {line}: class {number} has no name; {labels.table} names {numbers[0]} to {numbers[-1]}. If they "
            "begin with another number than the labels do, every label is another class: mend `names` or the line."
        )
    return labels.names[number]
