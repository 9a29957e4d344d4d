"""Which columns of a source hold the image, its captions, its identifier and its annotated objects."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from notclip.errors import BadInputError

_IMAGE_NAMES = ("image", "img", "photo", "picture", "jpg", "png", "image.jpg")
_CAPTION_NAMES = (
    "captions",
    "caption",
    "sentences",
    "sentence",
    "texts",
    "text",
    "description",
    "alt_text",
    "txt",
    "raw",
)
_ID_NAMES = ("image_id", "id", "img_id", "imgid", "filename", "file_name", "cocoid", "__key__")
_NUMBERED_CAPTION = re.compile(r"(?:caption|sentence|text)_?\d+")


@dataclass(frozen=True)
class Columns:
    """The columns of one table.

    Args:
        image: column of images: bytes, or a struct of bytes and path.
        captions: columns of captions, each a string or a list of strings.
        image_id: column of identifiers, if there is one.
        objects: column of annotated objects, if there is one.
        vocabulary: class names of `objects`, over which it is exhaustive.
        root: folder under which paths of images are found; None where `datasets` itself made the paths.
    """

    image: str
    captions: tuple[str, ...]
    image_id: str | None = None
    objects: str | None = None
    vocabulary: tuple[str, ...] | None = None
    root: Path | None = None

    @property
    def names(self) -> list[str]:
        """All columns to read."""
        return [name for name in (self.image, *self.captions, self.image_id, self.objects) if name is not None]

    @classmethod
    def of_schema(cls, schema: Any, where: str, *, root: Path | None = None) -> "Columns":
        """Tell the columns of an Arrow schema; class names come from the metadata that `datasets` writes."""
        names = list(schema.names)
        vocabulary = None
        stored = (schema.metadata or {}).get(b"huggingface")
        if "objects" in names and stored:
            features = json.loads(stored).get("info", {}).get("features", {})
            vocabulary = _class_names(features.get("objects"))
        return cls._of_names(names, vocabulary, where, root)

    @classmethod
    def of_features(cls, features: Mapping[str, Any], where: str) -> "Columns":
        """Tell the columns of a data set of the Hub."""
        inner = getattr(features.get("objects"), "feature", None)
        names = getattr(inner, "names", None)
        images = [name for name, feature in features.items() if type(feature).__name__ == "Image"]
        columns = cls._of_names(list(features), tuple(names) if names else None, where, None, images=images)
        return columns

    @classmethod
    def _of_names(
        cls,
        names: Sequence[str],
        vocabulary: tuple[str, ...] | None,
        where: str,
        root: Path | None,
        *,
        images: Sequence[str] = (),
    ) -> "Columns":
        image = next(iter(images), None) or next((name for name in _IMAGE_NAMES if name in names), None)
        captions = tuple(name for name in _CAPTION_NAMES if name in names)[:1]
        captions = captions or tuple(name for name in names if _NUMBERED_CAPTION.fullmatch(name))
        if image is None or not captions:
            lacking, known = ("image", _IMAGE_NAMES) if image is None else ("caption", _CAPTION_NAMES)
            raise BadInputError(
                f"{where} has no {lacking} column: it has {', '.join(map(repr, names))}, and one of "
                f"{', '.join(map(repr, known))} is needed; rename its column."
            )
        image_id = next((name for name in _ID_NAMES if name in names), None)
        return cls(image, captions, image_id, "objects" if vocabulary else None, vocabulary, root)

    def image_of(self, row: Mapping[str, Any]) -> bytes:
        """The encoded image of a row.

        Raises:
            BadInputError: there is none, or its path leaves the folder.
        """
        value = row[self.image]
        if isinstance(value, Mapping):
            value = value.get("bytes") or value.get("path")
        if isinstance(value, bytes) and value:
            return value
        if not value:
            raise BadInputError("the photo is missing")
        if self.root is None:
            return self._fetched(str(value))
        file = (self.root / str(value)).resolve()
        if not file.is_relative_to(self.root.resolve()):
            raise BadInputError(f"the photo's path {value!r} leaves the folder {self.root}")
        try:
            return file.read_bytes()
        except OSError as error:
            raise BadInputError(f"the photo {value!r} cannot be read ({error.strerror})") from error

    @staticmethod
    def _fetched(path: str) -> bytes:
        """Read what a loader of `datasets` points at: a local file, a member of an archive, a file of the Hub."""
        import fsspec

        try:
            with fsspec.open(path, "rb") as stream:
                return bytes(stream.read())
        except (OSError, ValueError) as error:
            raise BadInputError(f"the photo {path!r} cannot be read ({error})") from error

    def captions_of(self, row: Mapping[str, Any]) -> tuple[tuple[str, ...], list[int]]:
        """The captions of a row that are not empty, and the positions of those that are.

        Raises:
            BadInputError: a caption is no string.
        """
        values: list[Any] = []
        for name in self.captions:
            value = row[name]
            values += value if isinstance(value, list | tuple) else [value]
        for index, value in enumerate(values):
            if value is not None and not isinstance(value, str):
                raise BadInputError(f"caption {index} must be a string, got {type(value).__name__}")
        cleaned = [" ".join((value or "").split()) for value in values]
        return tuple(text for text in cleaned if text), [index for index, text in enumerate(cleaned) if not text]

    def image_id_of(self, row: Mapping[str, Any]) -> str | None:
        """The identifier of a row's image, if the table has one."""
        value = None if self.image_id is None else row[self.image_id]
        return None if value in (None, "") else Path(str(value)).name

    def objects_of(self, row: Mapping[str, Any]) -> frozenset[str] | None:
        """Names of the annotated objects of a row; None without annotation.

        Raises:
            BadInputError: a class number has no name.
        """
        if self.objects is None or self.vocabulary is None:
            return None
        values = row[self.objects]
        if values is None:
            return None
        for value in values:
            if not 0 <= value < len(self.vocabulary):
                raise BadInputError(f"object class {value} must be between 0 and {len(self.vocabulary) - 1}")
        return frozenset(self.vocabulary[value] for value in values)


def _class_names(feature: Any) -> tuple[str, ...] | None:
    """Names in the stored form of a list of ClassLabel."""
    inner = (
        feature.get("feature") if isinstance(feature, Mapping) else (feature[0] if isinstance(feature, list) else None)
    )
    names = inner.get("names") if isinstance(inner, Mapping) else None
    return tuple(names) if names else None
