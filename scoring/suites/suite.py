"""What a model is scored on: questions, pairs, negated and ordinary queries, and the photos that they are about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from PIL import Image

from notclip.dataset.clips import frame_bytes, unpack_clip
from notclip.dataset.photos import decode_photo
from notclip.errors import BadInputError
from notclip.remote import photo_notclip
from notclip.remote.photo_notclip import PhotoError


class Photo(Protocol):
    """One photo of a suite, read when it is needed."""

    @property
    def where(self) -> str:
        """File and row that name the photo, for error messages."""
        ...

    def read_bytes(self) -> bytes:
        """Encoded image, or a BadInputError that says where it is missing."""
        ...


@dataclass(frozen=True)
class PhotoFile:
    """A photo in a file of its own."""

    path: Path
    where: str

    def read_bytes(self) -> bytes:
        """Read the file."""
        try:
            return photo_notclip.read_photo_file(self.path)
        except PhotoError as error:
            raise BadInputError(f"{self.where}: {error}.") from error


@dataclass(frozen=True)
class Clip:
    """A video, as photos of it in their order; its embedding is the mean of theirs, as in NegBench."""

    frames: tuple[Photo, ...]
    where: str


@dataclass(frozen=True)
class ClipPage:
    """One frame of a clip that a dataset holds as one file."""

    frame: Image.Image
    where: str

    def read_bytes(self) -> bytes:
        """The frame as a picture of its own."""
        return frame_bytes(self.frame)


def frames_to_encode(photo: Photo | Clip) -> tuple[Photo, ...]:
    """What is to be encoded: a photo itself, a video's frames.

    Raises:
        BadInputError: it cannot be read.
    """
    if isinstance(photo, Clip):
        return photo.frames
    try:
        pages = unpack_clip(photo.read_bytes())
    except PhotoError as error:
        raise BadInputError(f"{photo.where}: {error}.") from error
    return tuple(ClipPage(page, photo.where) for page in pages) or (photo,)


def open_suite_photo(photo: Photo) -> Image.Image:
    """Decode a photo to RGB, see `photo_notclip.open_photo`.

    Raises:
        BadInputError: it is missing or cannot be opened, with the file and row that name it.
    """
    return decode_photo(photo.read_bytes(), photo.where)


@dataclass(frozen=True)
class SuiteQuestion:
    """An image and captions, of which one is true.

    Args:
        image_id: key of the photo in the suite.
        choices: the captions.
        answer: position of the true one.
        choice_kinds: affirmation, negation or hybrid, one for each choice.
        form: how the true choice negates, where the suite says it.
        group: label of the questions that count only together, where there are such.
    """

    image_id: str
    choices: tuple[str, ...]
    answer: int
    choice_kinds: tuple[str, ...]
    form: str | None = None
    group: str | None = None

    @property
    def kind(self) -> str:
        """The kind of the true choice."""
        return self.choice_kinds[self.answer]


@dataclass(frozen=True)
class ImagePair:
    """Two images and two captions; each caption is true of the image of its place and false of the other.

    Args:
        name: its own in the suite.
        image_ids: keys of the photos in the suite.
        captions: what is true of each.
    """

    name: str
    image_ids: tuple[str, str]
    captions: tuple[str, str]


@dataclass(frozen=True)
class Query:
    """A caption by which its image shall be found.

    Args:
        text: the caption.
        image_id: the image that it was written for.
        relevant: all images that count as found, this one among them; it alone where none are given, as in NegBench.
        excluded: all images that show what the caption excludes, as far as is known; shared between queries.
    """

    text: str
    image_id: str
    excluded: frozenset[str] = frozenset()
    relevant: tuple[str, ...] = ()


@dataclass(frozen=True)
class Suite:
    """Questions and queries about photos.

    Args:
        name: what results and cards call it.
        photos: image id -> photo, or video as frames; the images that queries search are all of those in `gallery`.
        questions: multiple-choice questions.
        negated_queries: captions that exclude something.
        ordinary_queries: captions that do not, to see what was forgotten.
        gallery: ids of the images that are searched.
        files: name of each file that was read -> SHA-256 of its content.
        skipped: what was left out, one line each, with file and row.
        pairs: two images and two captions each.
    """

    name: str
    photos: Mapping[str, Photo | Clip]
    questions: Sequence[SuiteQuestion] = ()
    negated_queries: Sequence[Query] = ()
    ordinary_queries: Sequence[Query] = ()
    gallery: Sequence[str] = ()
    files: dict[str, str] = field(default_factory=dict)
    skipped: Sequence[str] = ()
    pairs: Sequence[ImagePair] = ()

    def without(self, images: dict[str, str]) -> "Suite":
        """Leave out images, with their questions, pairs and queries; a group that loses a question is a group no more.

        Args:
            images: image id -> why it is left out.
        """
        broken = {question.group for question in self.questions if question.image_id in images} - {None}
        kept = [question for question in self.questions if question.image_id not in images]
        # What is left out cannot be found; queries that share a set share the smaller one too.
        excluded = {id(query.excluded): query.excluded for query in self.negated_queries}
        smaller = {key: names - images.keys() for key, names in excluded.items()}
        negated = [query for query in self.negated_queries if query.image_id not in images]
        return replace(
            self,
            photos={name: photo for name, photo in self.photos.items() if name not in images},
            questions=[replace(one, group=None) if one.group in broken else one for one in kept],
            pairs=[pair for pair in self.pairs if not set(pair.image_ids) & set(images)],
            negated_queries=[replace(query, excluded=smaller[id(query.excluded)]) for query in negated],
            ordinary_queries=[query for query in self.ordinary_queries if query.image_id not in images],
            gallery=[name for name in self.gallery if name not in images],
            skipped=[*self.skipped, *images.values()],
        )

    def limited(self, images: int) -> "Suite":
        """Keep the first images, their questions and their queries, for a quick look."""
        kept = set(list(self.photos)[:images])
        return replace(
            self.without(dict.fromkeys(set(self.photos) - kept, "")),
            name=f"{self.name} (first {images} images)",
            skipped=self.skipped,
        )


def without_broken(suite: Suite) -> Suite:
    """Leave out the photos that cannot be decoded, and list them.

    Raises:
        BadInputError: none can be.
    """
    broken: dict[str, str] = {}
    for name, photo in suite.photos.items():
        try:
            for frame in frames_to_encode(photo):
                open_suite_photo(frame)
        except BadInputError as error:
            broken[name] = str(error)
    if len(broken) == len(suite.photos):
        first = next(iter(broken.values()), "there is none")
        raise BadInputError(f"`suite` {suite.name} has no photo that can be decoded; the first: {first}")
    return suite.without(broken) if broken else suite
