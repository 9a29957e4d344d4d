"""The photos of a Space: what is searched, what is known about each, and the suite of questions about them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from notclip.dataset.files import split_files
from notclip.errors import BadInputError
from notclip.remote.photo_notclip import PHOTO_SUFFIXES
from notclip.scoring.suites.suite import Photo, PhotoFile, Suite, frames_of

DRAWN_WORLD = "drawn-world"


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
        present: id -> all concepts that the photo is known to show; None where nothing is labelled.
        labels: concepts that were looked for in the photos, so that their absence is known too.
    """

    source: str
    name: str
    suite: Suite
    captions: Mapping[str, str]
    present: Mapping[str, frozenset[str]] | None
    labels: frozenset[str] = frozenset()

    @property
    def ids(self) -> Sequence[str]:
        """Ids of the photos that are searched, in the order of their embeddings."""
        return self.suite.gallery

    def photo(self, name: str) -> Photo:
        """A photo by its id; a video's first frame."""
        return frames_of(self.suite.photos[name])[0]

    def fingerprint(self) -> str:
        """Hash of the photos, their names and their order."""
        digest = hashlib.sha256()
        for name in self.ids:
            digest.update(f"{name} {hashlib.sha256(self.photo(name).read_bytes()).hexdigest()}\n".encode())
        return digest.hexdigest()


@lru_cache(maxsize=1)
def read_photo_set(source: str, *, limit: int | None = None) -> PhotoSet:
    """Read photos from what a setting names.

    Args:
        source: `drawn-world`, a folder that `notclip build-dataset` wrote, a folder of Parquet files with the columns
            `image`, `image_id` and perhaps `captions`, or a folder of pictures.
        limit: at most so many photos.

    Raises:
        BadInputError: there are no photos.
    """
    folder = Path(source)
    if source == DRAWN_WORLD:
        from notclip.space.drawn_photos import draw_photos

        return draw_photos(limit or 240)
    if not folder.is_dir():
        raise BadInputError(f"`photos` must be `drawn-world` or a folder, got {source}, which is neither.")
    if (folder / "questions").is_dir():
        return _read_dataset(folder)
    if files := sorted(folder.glob("*.parquet")):
        return _read_parquet(files, limit)
    pictures = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PHOTO_SUFFIXES)[:limit]
    if not pictures:
        raise BadInputError(
            f"`photos` {folder} holds no dataset, no Parquet file and no picture (.jpg, .png, .webp, .heic, …)."
        )
    photos: dict[str, Photo] = {str(p.relative_to(folder)): PhotoFile(p, str(p)) for p in pictures}
    suite = Suite(f"photos of {folder.name}", photos, gallery=list(photos))
    return PhotoSet(str(folder), f"{len(photos):,} photos of {folder.resolve().name}", suite, {}, None)


def _read_dataset(folder: Path) -> PhotoSet:
    from notclip.files.parquet_files import read_columns
    from notclip.scoring.suites.read import read_suite

    suite = read_suite(folder)

    def rows_of(config: str, *columns: str) -> list[dict[str, Any]]:
        files = split_files(folder, config, "test")
        return [row for file in files for row in read_columns(file, columns).to_pylist()]

    rows = rows_of("retrieval", "image_id", "present", "absent")
    present = {row["image_id"]: frozenset(row["present"]) for row in rows}
    labels = frozenset(name for row in rows for absent in row["absent"] for name in absent)
    for row in rows_of("captions", "image_id", "affirmed"):
        present[row["image_id"]] = present.get(row["image_id"], frozenset()) | frozenset(row["affirmed"])
    captions: dict[str, str] = {}
    for query in suite.ordinary_queries:
        captions.setdefault(query.image_id, query.text)
    photos: dict[str, Photo] = {}
    for name, shown in suite.photos.items():  # In order, since a Parquet file is read group by group.
        photo = frames_of(shown)[0]
        photos[name] = MemoryPhoto(photo.read_bytes(), photo.where)
    kept = replace(suite, photos=photos, gallery=list(photos))
    drawn = "drawn" in next(iter(photos))
    return PhotoSet(
        str(folder), f"{len(photos):,} {'drawn scenes' if drawn else 'photos'}", kept, captions, present, labels
    )


def _read_parquet(files: Sequence[Path], limit: int | None) -> PhotoSet:
    from notclip.files.parquet_files import open_parquet

    photos: dict[str, Photo] = {}
    captions: dict[str, str] = {}
    for file in files:
        with open_parquet(file) as parquet:
            if missing := {"image", "image_id"} - set(parquet.schema_arrow.names):
                raise BadInputError(f"{file} lacks the column {min(missing)!r} of the photos to search.")
            columns = [name for name in ("image", "image_id", "captions") if name in parquet.schema_arrow.names]
            for batch in parquet.iter_batches(256, columns=columns):
                for row in batch.to_pylist():
                    if limit is not None and len(photos) >= limit:
                        break
                    name, picture = row["image_id"], row["image"]
                    if not isinstance(name, str) or not isinstance(picture, dict) or not picture.get("bytes"):
                        raise BadInputError(f"{file}: each row needs an `image_id` and the bytes of its `image`.")
                    photos[name] = MemoryPhoto(picture["bytes"], f"{file}, {name}")
                    if row.get("captions"):
                        captions[name] = row["captions"][0]
    suite = Suite(f"photos of {files[0].parent.name}", photos, gallery=list(photos))
    folder = files[0].parent
    return PhotoSet(str(folder), f"{len(photos):,} photos of {folder.resolve().name}", suite, captions, None)
