"""The photos of a Space: what is searched, what is known about each, and the suite of questions about them."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from notclip.dataset.clips import photos_in
from notclip.errors import BadInputError
from notclip.files.cache_folder import user_cache
from notclip.recaption.concepts.lexicon import Lexicon, load_lexicon
from notclip.recaption.sources.known_photos import known_photos
from notclip.recaption.sources.parts import RowContent
from notclip.recaption.sources.photo_paths import below
from notclip.scoring.suites.suite import Photo, PhotoFile, Suite, frames_to_encode

LOGGER = logging.getLogger("notclip.space")
DRAWN_WORLD = "drawn-world"
DRAWN = 240


@dataclass(frozen=True)
class MemoryPhoto:
    """An encoded photo in memory."""

    encoded: bytes
    where: str

    def read_bytes(self) -> bytes:
        """The encoded photo."""
        return self.encoded


@dataclass(frozen=True)
class PhotoSet:
    """Photos and what is known about them.

    Args:
        source: what a setting names, `drawn-world` or a folder.
        name: what the pages call it, such as "240 drawn scenes".
        suite: the photos by id, with the questions and queries about them, if any.
        captions: id -> a caption of the photo; photos without one are left out.
        present: id -> all concepts that the photo is known to show; None where nothing is known.
        labels: concepts that were looked for, so that their absence is known as well.
        lexicon: the concepts.
        known_by: what says so, `labels` or `captions`.
    """

    source: str
    name: str
    suite: Suite
    captions: Mapping[str, str]
    present: Mapping[str, frozenset[str]] | None = None
    labels: frozenset[str] = frozenset()
    lexicon: Lexicon = field(default_factory=load_lexicon)
    known_by: str = "labels"

    @property
    def ids(self) -> Sequence[str]:
        """Ids of the photos that are searched, in the order of their embeddings."""
        return self.suite.gallery

    def photo(self, name: str) -> Photo:
        """A photo by its id; a video's first frame."""
        return frames_to_encode(self.suite.photos[name])[0]

    def fingerprint(self) -> str:
        """Hash of the photos, their names and their order."""
        digest = hashlib.sha256()
        for name in self.ids:
            digest.update(f"{name} {hashlib.sha256(self.photo(name).read_bytes()).hexdigest()}\n".encode())
        return digest.hexdigest()


@lru_cache(maxsize=1)
def read_photo_set(source: str) -> PhotoSet:
    """Read photos from what a setting names.

    Args:
        source: `drawn-world`, a folder that `notclip build-dataset` wrote, any other folder or file of photos with
            captions or labels that it reads, or a folder of pictures.

    Raises:
        BadInputError: there are no photos.
    """
    folder = Path(source)
    if source == DRAWN_WORLD:
        from notclip.space.drawn_photos import draw_photos

        return draw_photos(DRAWN)
    if not folder.exists():
        raise BadInputError(f"`photos` must be `drawn-world`, a folder or a file, got {source}, which is neither.")
    if (folder / "questions").is_dir():
        return _read_dataset(folder)
    pictures = photos_in(folder) if folder.is_dir() else []
    if pictures and len(pictures) == len(list(folder.iterdir())):
        return _read_pictures(folder, pictures)
    try:
        return _read_known(folder)
    except BadInputError as error:
        if not pictures:
            raise BadInputError(f"`photos` {folder} holds no photos that can be read: {error}") from error
        LOGGER.warning("Nothing is known of the photos of %s, so that none is marked: %s", folder, error)
        return _read_pictures(folder, pictures)


def _read_pictures(folder: Path, pictures: Sequence[Path]) -> PhotoSet:
    photos: dict[str, Photo] = {str(file.relative_to(folder)): PhotoFile(file, str(file)) for file in pictures}
    return _photo_set(folder, photos, {})


def _photo_set(folder: Path, photos: dict[str, Photo], captions: dict[str, str], **known: Any) -> PhotoSet:
    named = folder.resolve().stem
    suite = Suite(f"photos of {named}", photos, gallery=list(photos))
    return PhotoSet(str(folder), f"{len(photos):,} photos of {named}", suite, captions, **known)


def _read_known(folder: Path) -> PhotoSet:
    """Photos with captions or labels, as the builder reads them."""
    lexicon, labelled, rows = known_photos(str(folder), cache=user_cache())
    photos: dict[str, Photo] = {}
    captions: dict[str, str] = {}
    present: dict[str, frozenset[str]] = {}
    for content, shown in rows:
        name = content.image_id or content.location or f"photo-{len(photos)}"
        file = _file_of(content, folder)
        photos[name] = MemoryPhoto(content.image, f"{folder}, {name}") if file is None else PhotoFile(file, str(file))
        present[name] = shown
        if content.captions:
            captions[name] = content.captions[0]
    if not photos:
        raise BadInputError("there is no row with a photo")
    looked_for = frozenset().union(*present.values()) if labelled else frozenset(lexicon)
    known_by = "labels" if labelled else "captions"
    return _photo_set(folder, photos, captions, present=present, labels=looked_for, lexicon=lexicon, known_by=known_by)


def _file_of(content: RowContent, folder: Path) -> Path | None:
    """The file below the folder that holds a row's photo; None where none does, whatever the row says."""
    file = below(folder, content.location or "")
    try:
        if file is None or not file.is_file() or file.stat().st_size != len(content.image):
            return None
        return file if file.read_bytes() == content.image else None
    except OSError:  # No file system takes such a name.
        return None


def _read_dataset(folder: Path) -> PhotoSet:
    from notclip.dataset.reader import read_split
    from notclip.dataset.rows import CaptionRow, RetrievalRow
    from notclip.scoring.suites.read import read_suite

    suite = read_suite(folder)
    rows = [row for row, _ in read_split(folder, RetrievalRow, "test", ("image_id", "present", "absent", "captions"))]
    present = {row.image_id: frozenset(row.present) for row in rows}
    labels = frozenset(name for row in rows for absent in row.absent for name in absent)
    for row, _ in read_split(folder, CaptionRow, "test", ("image_id", "affirmed")):
        present[row.image_id] = present.get(row.image_id, frozenset()) | frozenset(row.affirmed)
    captions: dict[str, str] = {}
    for query in suite.ordinary_queries:
        captions.setdefault(query.image_id, query.text)
    photos: dict[str, Photo] = {}
    for name, shown in suite.photos.items():  # In order, since a Parquet file is read group by group.
        photo = frames_to_encode(shown)[0]
        photos[name] = MemoryPhoto(photo.read_bytes(), photo.where)
    kept = replace(suite, photos=photos, gallery=list(photos))
    if not photos:
        raise BadInputError(f"`photos` {folder} has no photo in its test split: build it from more.")
    drawn = "drawn" in next(iter(photos))
    what = f"{len(photos):,} {'drawn scenes' if drawn else 'photos'}"
    lexicon = load_lexicon().extended(sorted(labels.union(*present.values())))
    return PhotoSet(str(folder), what, kept, captions, present, labels, lexicon)
