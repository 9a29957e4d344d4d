"""COCO's JSON files: instances (what each photo shows), captions, or both, with the photos beside them; LVIS too."""

import codecs
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from notclip.dataset.splits import split_of, split_of_folder
from notclip.errors import BadInputError
from notclip.files.json_files import read_json
from notclip.files.tables import clean_caption
from notclip.files.text_files import start_of, whole_number
from notclip.recaption.sources.karpathy import is_karpathy
from notclip.recaption.sources.kept_reading import kept_while_unchanged
from notclip.recaption.sources.parts import Exhaustive, Part, RowContent, SourceRow
from notclip.recaption.sources.photo_paths import below, inside, is_there
from notclip.recaption.sources.photos import read_photo

_LARGEST = 2**34  # bytes; COCO's own instances have 450 MB, LVIS' over one GB
_IMAGE_FOLDERS = (
    *("", "images", "train2017", "val2017", "train2014", "val2014", "train", "val", "valid", "test", "test2017"),
    *("data", "images/default", "images/train", "images/val", "images/test"),
)
# As COCO, CVAT, LVIS, Objects365 and Roboflow call what they write;
_PATTERNS = ("instances_*.json", "captions_*.json", "lvis_v*_*.json", "zhiyuan_objv2_*.json", "_annotations.coco.json")
# FiftyOne, Label Studio and others use names that other files have as well.
_COMMON = ("labels.json", "result.json", "annotations.json", "coco.json")
_BEGINS = 2**16
_LISTED = ("neg_category_ids", "not_exhaustive_category_ids")  # LVIS' own fields of an image.


def coco_parts(file: Path, *, exhaustive: Exhaustive | None = None) -> list[Part]:
    """The one part of a COCO file; of a folder's instances and captions of one split see `coco_folder_parts`.

    Args:
        file: the file.
        exhaustive: `yes` takes each class that an image lacks for absent, `listed` those of LVIS' `neg_category_ids`
            alone; by default what the file's own fields say.
    """
    split = split_of(file.stem) or split_of_folder(file.parent) or "train"
    return [Part(split, partial(_read, (file,), exhaustive))]


def coco_folder_parts(folder: Path, *, exhaustive: Exhaustive | None = None) -> list[Part]:
    """Instances and captions of each split of a folder laid out as COCO's own or Roboflow's; empty for others.

    Args:
        folder: holds `instances_*.json` and `captions_*.json`, `annotations/` with them, or a folder of each split
            with `_annotations.coco.json` beside its photos.
        exhaustive: see `coco_parts`.
    """
    splits = sorted(own for own in folder.iterdir() if own.is_dir() and split_of(own.name))
    files: dict[str, list[Path]] = defaultdict(list)
    for pattern in (*_PATTERNS, *_COMMON):
        for file in sorted([*folder.glob(pattern), *folder.glob(f"annotations/{pattern}")]):
            if pattern in _PATTERNS or _begins_like_coco(file):
                files[file.stem.partition("_")[2] or file.stem].append(file)
        for own in splits:
            found = next(own.glob(pattern), None)
            if found is not None and (pattern in _PATTERNS or _begins_like_coco(found)):
                files[own.name].append(found)
    if not files:  # By a name of their own.
        for file in sorted([*folder.glob("*.json"), *folder.glob("annotations/*.json")]):
            if _begins_like_coco(file) and not is_karpathy(file):
                files[file.stem].append(file)
    return [
        Part(split_of(name) or "train", partial(_read, tuple(own), exhaustive)) for name, own in sorted(files.items())
    ]


def _begins_like_coco(file: Path) -> bool:
    start = start_of(file, _BEGINS).removeprefix(codecs.BOM_UTF8).lstrip()
    return start.startswith(b"{") and any(key in start for key in (b'"images"', b'"annotations"'))


@dataclass
class _Image:
    """What the files say of one image."""

    name: str
    url: str | None
    present: set[str] = field(default_factory=set)
    listed: frozenset[str] | None = None  # Verified absences, where the file lists them.
    uncertain: frozenset[str] = frozenset()
    captions: list[str] = field(default_factory=list)


def _read(
    files: tuple[Path, ...], exhaustive: Exhaustive | None
) -> tuple[Iterator[SourceRow], tuple[str, ...] | None]:
    images, vocabulary = _parsed(files)
    if exhaustive == "listed" and vocabulary and all(image.listed is None for image in images.values()):
        raise BadInputError(
            f"`exhaustive` listed needs a source that lists absences, as LVIS does; no image of {files[0]} has "
            "`neg_category_ids`."
        )
    silent = exhaustive == "yes"
    return _rows(files[0], images, frozenset(vocabulary or ()), silent, vocabulary is not None), vocabulary


_Key = int | str
_Parsed = tuple[dict[_Key, _Image], tuple[str, ...] | None]


@kept_while_unchanged(1)
def _parsed(files: tuple[Path, ...]) -> _Parsed:
    images: dict[_Key, _Image] = {}
    vocabulary: tuple[str, ...] | None = None
    for file in files:
        content = read_json(file, "COCO's", largest=_LARGEST)
        if not isinstance(content, dict) or not isinstance(content.get("images"), list):
            raise BadInputError(f"{file} must be an object with a list `images`, as COCO's files are.")
        annotations = content.get("annotations")
        names = _names(file, content.get("categories") or [], annotations if isinstance(annotations, list) else [])
        if names:
            vocabulary = tuple(dict.fromkeys(names.values()))
        _add_images(file, content["images"], names, images)
        if not isinstance(annotations, list):
            raise BadInputError(
                f"{file} must hold a list `annotations`, got {content.get('annotations')!r}: nothing is known of its "
                "images, as of COCO's test set."
            )
        for place, annotation in enumerate(annotations):
            _add_annotation(file, place, annotation, names, images)
    return images, vocabulary


def _names(file: Path, categories: Any, annotations: list[Any]) -> dict[_Key, str]:
    """Name of each category; Roboflow's heading of all others, which no object has, is none.

    Raises:
        BadInputError: two categories share an id or a name.
    """
    if not isinstance(categories, list):
        raise BadInputError(f"{file} must hold a list `categories`, got {type(categories).__name__}.")
    keys = []
    for place, category in enumerate(categories):
        _require(file, f"categories[{place}]", category, ("id", "name"))
        keys.append(_key(file, f"categories[{place}]", "id", category["id"]))
    ids = (entry.get("category_id") for entry in annotations if isinstance(entry, dict))
    used = {_plain(key) for key in ids if _is_id(key)}
    headings = {
        str(category.get("supercategory"))
        for key, category in zip(keys, categories, strict=True)
        if key in used or category.get("supercategory") != category["name"]
    }
    names: dict[_Key, str] = {}
    taken: set[str] = set()
    for place, (key, category) in enumerate(zip(keys, categories, strict=True)):
        name = str(category["name"]).strip()
        if key not in used and category.get("supercategory") in (None, "", "none") and name in headings:
            continue
        if key in names or name in taken:
            shared = f"the id {key!r}" if key in names else f"the name {name!r}"
            raise BadInputError(f"{file} categories[{place}]: two categories share {shared}; give each its own.")
        names[key] = name
        taken.add(name)
    return names


def _add_images(file: Path, entries: list[Any], names: Mapping[_Key, str], images: dict[_Key, _Image]) -> None:
    """Take the images of one file.

    Raises:
        BadInputError: one lacks a field, or two share an id and are different files.
    """
    for place, entry in enumerate(entries):
        where = f"images[{place}]"
        _require(file, where, entry, ("id",))
        urls = [entry[name] for name in ("coco_url", "flickr_url") if isinstance(entry.get(name), str)]
        if not entry.get("file_name") and entry.get("coco_url"):  # LVIS: the last two parts of its address.
            name = "/".join(str(entry["coco_url"]).split("/")[-2:])
        else:
            _require(file, where, entry, ("file_name",))
            name = str(entry["file_name"])
        image = _Image(name, urls[0] if urls else None)
        if any(field in entry for field in _LISTED):
            absent, partly = (_categories(file, where, field, entry.get(field), names) for field in _LISTED)
            image = replace(image, listed=absent, uncertain=partly - absent)
        key = _key(file, where, "id", entry["id"])
        known = images.setdefault(key, image)
        if known.name != name:
            raise BadInputError(
                f"{file} {where}: the id {key!r} is that of {known.name!r} and of {name!r}; annotations name images "
                "by their ids, so give each image its own."
            )
        if known.listed is None:
            known.listed, known.uncertain = image.listed, image.uncertain


def _categories(file: Path, where: str, field: str, ids: Any, names: Mapping[_Key, str]) -> frozenset[str]:
    if not isinstance(ids or [], list) or not all(_is_id(key) and _plain(key) in names for key in ids or []):
        raise BadInputError(f"{file} {where}: `{field}` must list ids of `categories`, got {str(ids)[:80]}.")
    return frozenset(names[_plain(key)] for key in ids or [])


def _add_annotation(
    file: Path, place: int, annotation: Any, names: Mapping[_Key, str], images: Mapping[_Key, _Image]
) -> None:
    where = f"annotations[{place}]"
    _require(file, where, annotation, ("image_id",))
    image = images.get(_key(file, where, "image_id", annotation["image_id"]))
    if image is None:
        raise BadInputError(f"{file} {where}: `image_id` {annotation['image_id']!r} is no image of the file.")
    if "caption" in annotation:
        image.captions.append(clean_caption(str(annotation["caption"] or "")))
        return
    category = annotation.get("category_id")
    name = names.get(_plain(category)) if _is_id(category) else None
    if name is None:
        raise BadInputError(f"{file} {where}: `category_id` must be one of `categories`, got {category!r}.")
    image.present.add(name)


def _is_id(value: Any) -> bool:
    whole = isinstance(value, int | str) or (isinstance(value, float) and value.is_integer())
    return whole and not isinstance(value, bool)


def _plain(value: Any) -> _Key:
    """An id, which tools write as a number or as a text: "1", 1 and 1.0 are one."""
    if isinstance(value, str):
        number = whole_number(value)
        return number if number is not None and str(number) == value else value
    return int(value)


def _key(file: Path, where: str, name: str, value: Any) -> _Key:
    if not _is_id(value):
        raise BadInputError(f"{file} {where}: `{name}` must be a number or a text, got {str(value)[:80]}.")
    return _plain(value)


def _require(file: Path, where: str, value: Any, keys: tuple[str, ...]) -> None:
    for key in keys:
        if not isinstance(value, dict) or value.get(key) is None:
            raise BadInputError(f"{file} {where} lacks `{key}`.")


def _rows(
    file: Path, images: Mapping[_Key, _Image], vocabulary: frozenset[str], silent: bool, annotated: bool
) -> Iterator[SourceRow]:
    root = file.parent.parent if file.parent.name == "annotations" else file.parent
    own = file.stem.partition("_")[2]  # Two splits may each have a 1.jpg.
    named = dict.fromkeys((own, f"images/{own}", *_IMAGE_FOLDERS))
    folders = [root / name for name in named if (root / name).is_dir()]
    for number, image in enumerate(images.values()):
        unsaid = frozenset() if silent or image.listed is None else vocabulary - image.listed - image.present
        yield SourceRow(str(file), number, partial(_content, root, folders, image, unsaid, annotated))


def _content(root: Path, folders: list[Path], image: _Image, unsaid: frozenset[str], annotated: bool) -> RowContent:
    found = (place for folder in folders if (place := below(folder, image.name)) and is_there(place, as_file=True))
    photo = next(found, None)
    return RowContent(
        image=read_photo(root, image.name if photo is None else str(photo.relative_to(root))),
        captions=tuple(text for text in image.captions if text),
        image_id=Path(image.name.replace("\\", "/")).name,
        present=frozenset(image.present) if annotated else None,
        uncertain=(image.uncertain - image.present) if annotated and unsaid else frozenset(),
        unsaid=unsaid if annotated else frozenset(),
        location=image.url or inside(root, image.name),
    )
