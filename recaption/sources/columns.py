"""Which columns of a source hold the image, its captions, its identifier and its annotation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from notclip.dataset.clips import spread_frames
from notclip.errors import BadInputError, shortened
from notclip.files.tables import clean_caption
from notclip.recaption.sources.column_names import (
    CAPTION_NAMES,
    ID_NAMES,
    LOCATION_NAMES,
    PATH_NAMES,
    caption_columns,
    find_column,
)
from notclip.recaption.sources.label_columns import LabelColumn, label_column
from notclip.recaption.sources.parts import Exhaustive, RowContent
from notclip.recaption.sources.photo_paths import inside, photo_place
from notclip.recaption.sources.photos import clip_of, read_photo
from notclip.remote.photo_notclip import PhotoError, read_photo_file

_IMAGE_NAMES = ("image", "img", "photo", "picture", "jpg", "png", "image.jpg", "video", "frames")


@dataclass(frozen=True)
class Columns:
    """The columns of one table.

    Args:
        image: column of images: bytes, a path, or a struct of both; a list of such holds the frames of a clip.
        captions: columns of captions, each a string or a list of strings; none where labels say what is there.
        image_id: column of identifiers, if there is one.
        labels: column of annotations, if there is one.
        vocabulary: the labels that the annotation knows; None without annotation.
        location: column of addresses of the images, if there is one.
        root: folder inside which paths of images must lie; None for a source that is not a folder here.
        image_is_feature: whether `datasets` itself made the paths of the images, which may then lead into archives.
        unused: columns that are not read.
    """

    image: str
    captions: tuple[str, ...]
    image_id: str | None = None
    labels: LabelColumn | None = None
    vocabulary: tuple[str, ...] | None = None
    location: str | None = None
    root: Path | None = None
    image_is_feature: bool = False
    unused: tuple[str, ...] = field(default=(), repr=False)

    @property
    def taken_for(self) -> dict[str, str]:
        """What each column was taken for, in words."""
        labels = None if self.labels is None else self.labels.column
        single = {self.location: "address", self.image_id: "identifier", labels: "labels", self.image: "photo"}
        return {
            **dict.fromkeys(self.unused, "nothing"),
            **{name: what for name, what in single.items() if name is not None},
            **dict.fromkeys(self.captions, "caption"),
        }

    @property
    def names(self) -> list[str]:
        """All columns to read."""
        optional = (self.image_id, self.labels.column if self.labels else None, self.location)
        return [self.image, *self.captions, *(name for name in optional if name is not None)]

    def content(self, row: Mapping[str, Any]) -> RowContent:
        """Understand a row.

        Raises:
            BadInputError: a value breaks a rule.
        """
        captions, empty = self.captions_of(row)
        image = self.image_of(row)
        location = None if self.location is None else row[self.location]
        if location is None and isinstance(path := _path_in(row[self.image]), str) and self.root is not None:
            location = inside(self.root, path)
        return RowContent(
            image=image,
            captions=captions,
            image_id=self.image_id_of(row),
            present=None if self.labels is None else self.labels.classes_of(row[self.labels.column]),
            location=location if isinstance(location, str) else None,
            remarks=tuple(f"caption {index} is empty; the others are kept" for index in empty if captions),
        )

    @classmethod
    def of_features(
        cls,
        features: Mapping[str, Any],
        where: str,
        *,
        root: Path | None,
        exhaustive: Exhaustive | None,
        names_in: Callable[[LabelColumn], tuple[str, ...]],
        loaded: bool,
    ) -> "Columns":
        """Tell the columns by their names and features.

        Args:
            features: as `datasets` has them; None for a type that it does not know.
            where: what they belong to, for messages.
            root: folder inside which paths of images must lie; None for a source that is not a folder here.
            exhaustive: whether a class that is not listed is not there, as the user said.
            names_in: reads the names of all classes that stand in a column, where it holds names.
            loaded: whether `datasets` loads the rows, and finds the images itself.

        Raises:
            BadInputError: the image is missing, or captions and annotation are, see also `label_column`.
        """
        names = list(features)
        labels = label_column(features, where, exhaustive=exhaustive)
        vocabulary = None if labels is None else labels.names or names_in(labels) or None
        images = [name for name, feature in features.items() if loaded and type(feature).__name__ == "Image"]
        # A path can only be followed where the source is a folder.
        image_names = _IMAGE_NAMES if root is None else tuple(dict.fromkeys((*_IMAGE_NAMES, *PATH_NAMES)))
        image = next(iter(images), None) or find_column(names, image_names)
        captions = caption_columns(names)
        if image is None or not (captions or vocabulary):
            lacking, known = ("image", image_names) if image is None else ("caption", CAPTION_NAMES)
            raise BadInputError(
                f"{where} has no {lacking} column: it has {', '.join(map(shortened, names))}, and one of "
                f"{', '.join(map(repr, known))} is needed; rename its column."
            )
        image_id, location = find_column(names, ID_NAMES), find_column(names, LOCATION_NAMES)
        labels = labels if vocabulary else None
        used = {image, *captions, image_id, location, labels.column if labels else None}
        return cls(
            image=image,
            captions=captions,
            image_id=image_id,
            labels=labels,
            vocabulary=vocabulary,
            location=location,
            root=root,
            image_is_feature=bool(images),
            unused=tuple(name for name in names if name not in used),
        )

    def image_of(self, row: Mapping[str, Any]) -> bytes:
        """The encoded image of a row, or its clip: four frames at even distances, see `clips`.

        Raises:
            BadInputError: there is none, or its path leaves the folder.
        """
        value = row[self.image]
        if isinstance(value, list):
            return clip_of([self._picture(value[number]) for number in spread_frames(len(value))])
        return self._picture(value)

    def _picture(self, value: Any) -> bytes:
        if isinstance(value, Mapping):
            value = value.get("bytes") or value.get("path")
        if isinstance(value, bytes) and value:
            return value
        if not value:
            raise BadInputError("the photo is missing")
        if not isinstance(value, str):
            raise BadInputError(f"the photo must be bytes or a path, got {shortened(value)}")
        if self.image_is_feature and (self.root is None or "://" in value):
            return self._fetched(value)
        if self.root is None:
            raise BadInputError(f"the photo is only named ({shortened(value)}), and the source is no folder here")
        return read_photo(self.root, photo_place(self.root, value))

    @staticmethod
    def _fetched(path: str) -> bytes:
        """Read what a loader of `datasets` points at: a local file, a member of an archive, a file of the Hub."""
        import fsspec

        try:
            with fsspec.open(path, "rb") as stream:
                return read_photo_file(stream)
        except PhotoError as error:
            raise BadInputError(str(error)) from error
        except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: a link that leads back to itself.
            raise BadInputError(f"the photo {shortened(path)} cannot be read ({shortened(error)})") from error

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
        cleaned = [clean_caption(value) for value in values]
        return tuple(text for text in cleaned if text), [index for index, text in enumerate(cleaned) if not text]

    def image_id_of(self, row: Mapping[str, Any]) -> str | None:
        """The identifier of a row's image, if the table has one.

        Raises:
            BadInputError: it is neither a text nor a whole number.
        """
        value = None if self.image_id is None else row[self.image_id]
        if value is not None and not isinstance(value, str | int):
            raise BadInputError(f"`{self.image_id}` must be a text or a number, got {shortened(value)}")
        return None if value in (None, "") else Path(str(value)).name


def _path_in(value: Any) -> Any:
    return value.get("path") if isinstance(value, Mapping) else value
