"""COCO's JSON files: instances (what each photo shows), captions, or both, with the photos beside them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from notclip.errors import BadInputError
from notclip.recaption.sources.listed_part import ListedPart
from notclip.recaption.sources.parts import RowContent, SourceRow
from notclip.recaption.sources.photos import read_photo
from notclip.recaption.sources.splits import split_of
from notclip.recaption.sources.tables import read_json_file

_IMAGE_FOLDERS = ("", "images", "train2017", "val2017", "train2014", "val2014", "train", "val")


def coco_parts(file: Path, *, limit: int | None = None) -> list[ListedPart]:
    """The one part of a COCO file; of a folder's instances and captions of one split see `coco_folder_parts`."""
    return [ListedPart(split_of(file.stem) or "train", partial(_read, (file,)), limit)]


def coco_folder_parts(folder: Path, *, limit: int | None = None) -> list[ListedPart]:
    """Instances and captions of each split of a folder laid out as COCO's own; empty where there are none.

    Args:
        folder: holds `instances_*.json` and `captions_*.json`, or `annotations/` with them.
        limit: at most so many images of each split.
    """
    files: dict[str, list[Path]] = defaultdict(list)
    for pattern in ("instances_*.json", "captions_*.json"):
        for file in sorted([*folder.glob(pattern), *folder.glob(f"annotations/{pattern}")]):
            files[file.stem.partition("_")[2]].append(file)
    return [
        ListedPart(split_of(name) or "train", partial(_read, tuple(own)), limit) for name, own in sorted(files.items())
    ]


def _read(files: tuple[Path, ...]) -> tuple[Iterator[SourceRow], tuple[str, ...] | None]:
    images, objects, captions, vocabulary = _parsed(files)
    return _rows(files[0], images, objects, captions, vocabulary), vocabulary


_Parsed = tuple[dict[Any, dict[str, Any]], dict[Any, set[str]], dict[Any, list[str]], tuple[str, ...] | None]


@lru_cache(maxsize=1)
def _parsed(files: tuple[Path, ...]) -> _Parsed:
    images: dict[Any, dict[str, Any]] = {}
    objects: dict[Any, set[str]] = defaultdict(set)
    captions: dict[Any, list[str]] = defaultdict(list)
    vocabulary: tuple[str, ...] | None = None
    for file in files:
        content = read_json_file(file)
        if not isinstance(content, dict) or not isinstance(content.get("images"), list):
            raise BadInputError(f"{file} must be an object with a list `images`, as COCO's files are.")
        names = _names(file, content)
        if names:
            vocabulary = tuple(names.values())
        for place, image in enumerate(content["images"]):
            _require(file, f"images[{place}]", image, ("id", "file_name"))
            images[image["id"]] = {**images.get(image["id"], {}), **image}
        for place, annotation in enumerate(content.get("annotations", [])):
            where = f"annotations[{place}]"
            _require(file, where, annotation, ("image_id",))
            if annotation["image_id"] not in images:
                raise BadInputError(f"{file} {where}: `image_id` {annotation['image_id']!r} is no image of the file.")
            if "caption" in annotation:
                captions[annotation["image_id"]].append(" ".join(str(annotation["caption"]).split()))
            elif annotation.get("category_id") in names:
                objects[annotation["image_id"]].add(names[annotation["category_id"]])
            else:
                got = annotation.get("category_id")
                raise BadInputError(f"{file} {where}: `category_id` must be one of `categories`, got {got!r}.")
    return images, objects, captions, vocabulary


def _names(file: Path, content: Mapping[str, Any]) -> dict[Any, str]:
    names = {}
    for place, category in enumerate(content.get("categories", [])):
        _require(file, f"categories[{place}]", category, ("id", "name"))
        names[category["id"]] = str(category["name"])
    return names


def _require(file: Path, where: str, value: Any, keys: tuple[str, ...]) -> None:
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            raise BadInputError(f"{file} {where} lacks `{key}`.")


def _rows(
    file: Path,
    images: Mapping[Any, Mapping[str, Any]],
    objects: Mapping[Any, set[str]],
    captions: Mapping[Any, list[str]],
    vocabulary: tuple[str, ...] | None,
) -> Iterator[SourceRow]:
    root = file.parent.parent if file.parent.name == "annotations" else file.parent
    folders = [root / name for name in _IMAGE_FOLDERS if (root / name).is_dir()]
    for number, (key, image) in enumerate(images.items()):
        present = None if vocabulary is None else frozenset(objects.get(key, ()))
        yield SourceRow(str(file), number, partial(_content, folders, image, present, tuple(captions.get(key, ()))))


def _content(
    folders: list[Path], image: Mapping[str, Any], present: frozenset[str] | None, captions: tuple[str, ...]
) -> RowContent:
    name = str(image["file_name"])
    folder = next((folder for folder in folders if (folder / name).is_file()), folders[0])
    url = image.get("coco_url") or image.get("flickr_url")
    return RowContent(
        image=read_photo(folder, name),
        captions=tuple(text for text in captions if text),
        image_id=Path(name).name,
        present=present,
        location=url if isinstance(url, str) else name,
    )
