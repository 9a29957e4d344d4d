"""Captioned images from a folder of Parquet, the drawn world or any data set of the Hub, row by row, checked."""

import hashlib
import io
import warnings
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PIL import Image
from tqdm import tqdm

from notclip.errors import BadInputError
from notclip.recaption.columns import Columns
from notclip.recaption.rows import SPLITS

DRAWN_WORLD = "drawn-world"
_SPLIT_NAMES = {"train": "train", "validation": "validation", "valid": "validation", "val": "validation",
                "dev": "validation", "test": "test", "eval": "test"}  # fmt: skip
_BATCH = 256
_WINDOW = 1024
# Earlier splits keep an image that later ones repeat, so that what is measured on never depends on what is trained on.
_KEEPING_ORDER = ("test", "validation", "train")


@dataclass(frozen=True)
class SourceImage:
    """One image with its captions.

    Args:
        image_id: identifier in its source.
        image: encoded bytes.
        captions: all that are not empty.
        objects: names of what an annotation says is there; None without annotation.
        digest: SHA-256 of the bytes.
        place: file and row that it comes from, for messages.
    """

    image_id: str
    image: bytes
    captions: tuple[str, ...]
    objects: frozenset[str] | None
    digest: str
    place: str


@dataclass(frozen=True)
class Skipped:
    """A row, or one caption of it, that was left out."""

    file: str
    row: int
    reason: str


@dataclass(frozen=True)
class Source:
    """What a source holds.

    Args:
        name: what the user called it.
        splits: images by split.
        vocabulary: names over which `objects` is exhaustive; None without annotation.
        skipped: what was left out, with file, row and reason.
        revision: hash over the content and order of all images and captions.
    """

    name: str
    splits: Mapping[str, list[SourceImage]]
    vocabulary: tuple[str, ...] | None
    skipped: list[Skipped] = field(default_factory=list)
    revision: str = ""


def open_source(
    name: str, *, cache: Path, limit: int | None = None, seed: int = 0, workers: int = 2, progress: bool = True
) -> Source:
    """Read a source of captioned images.

    Args:
        name: a folder of Parquet files, `drawn-world`, or what `datasets.load_dataset` can load.
        cache: folder in which the drawn world is drawn.
        limit: at most so many rows of each split; None takes all.
        seed: seed of the drawn world and of the split of a source that has only one.
        workers: threads that check photos, and processes that draw.
        progress: whether to show progress bars.

    Raises:
        BadInputError: there is no such source, its columns cannot be told, or no row of it is sound.
    """
    folder = Path(name)
    if name == DRAWN_WORLD:
        folder = _drawn_world(cache, limit=limit, seed=seed, workers=workers, progress=progress)
    has_parquet = folder.is_dir() and any(folder.rglob("*.parquet"))
    tables = _parquet_tables(folder) if has_parquet else _loaded_tables(name)
    skipped: list[Skipped] = []
    splits: dict[str, list[SourceImage]] = {}
    vocabulary: tuple[str, ...] | None = None
    for split, columns, rows in tables:
        vocabulary = columns.vocabulary or vocabulary
        read = _read(split, columns, rows, skipped, limit=limit, workers=workers, progress=progress)
        splits.setdefault(split, []).extend(read)
    if not any(splits.values()):
        first = f" The first: {skipped[0].file} row {skipped[0].row}: {skipped[0].reason}." if skipped else ""
        raise BadInputError(f"`source` {name!r} has no sound row; {len(skipped)} were skipped.{first}")
    splits = _in_three(splits, seed)
    splits = _without_repetition(splits, skipped)
    digest = hashlib.sha256()
    for split in SPLITS:
        for image in splits[split]:
            digest.update("\0".join((split, image.image_id, image.digest, *image.captions, "\n")).encode())
    return Source(name, splits, vocabulary, skipped, digest.hexdigest())


def _drawn_world(cache: Path, *, limit: int | None, seed: int, workers: int, progress: bool) -> Path:
    from notclip.recaption.drawn_world.write import write_drawn_world

    sizes = {"train": 6000, "validation": 1000, "test": 1000}
    sizes = {split: min(size, limit or size) for split, size in sizes.items()}
    folder = cache / f"drawn-world-{seed}-{'-'.join(map(str, sizes.values()))}"
    if not folder.is_dir():
        write_drawn_world(folder, **sizes, seed=seed, workers=workers, progress=progress)
    return folder


Table = tuple[str, Columns, Iterable[tuple[str, int, Mapping[str, Any]]]]


def _split_of(name: str) -> str | None:
    """Split that a file or split name stands for: "val-00000-of-00001" is validation."""
    words = name.lower().replace(".", "-").replace("_", "-").split("-")
    return next((_SPLIT_NAMES[word] for word in words if word in _SPLIT_NAMES), None)


def _parquet_tables(folder: Path) -> Iterator[Table]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    for file in sorted(folder.rglob("*.parquet")):
        try:
            parquet = pq.ParquetFile(file)
        except (pa.ArrowInvalid, OSError) as error:
            raise BadInputError(f"{file} is no Parquet file that can be read: {error}") from error
        columns = Columns.of_schema(parquet.schema_arrow, str(file), root=folder)
        split = _split_of(file.stem) or _split_of(file.parent.name) or "train"

        def rows(
            file: Path = file, parquet: Any = parquet, columns: Columns = columns
        ) -> Iterator[tuple[str, int, Mapping[str, Any]]]:
            number = 0
            try:
                for batch in parquet.iter_batches(_BATCH, columns=columns.names):
                    for row in batch.to_pylist():
                        yield str(file), number, row
                        number += 1
            except (pa.ArrowInvalid, OSError) as error:
                raise BadInputError(f"{file} is damaged after row {number}: {error}") from error

        yield split, columns, rows()


def _loaded_tables(name: str) -> Iterator[Table]:
    import datasets

    try:
        loaded = datasets.load_dataset(name, streaming=True)
        features = {str(split): rows.features or rows._resolve_features().features for split, rows in loaded.items()}
    except Exception as error:  # Its loaders and the network raise a wide range of classes.
        reason = " ".join(str(error).split())[:300]
        raise BadInputError(
            f"`source` must be a folder of Parquet files such as train.parquet, {DRAWN_WORLD!r} or a data set that "
            f"`load_dataset` loads, got {name!r}: {reason}"
        ) from error
    for split_name, split in loaded.items():
        columns = Columns.of_features(features[str(split_name)], f"{name} ({split_name})")
        decoded_later = split.cast_column(columns.image, datasets.Image(decode=False))

        def rows(
            where: str = f"{name} ({split_name})", split: Any = decoded_later
        ) -> Iterator[tuple[str, int, Mapping[str, Any]]]:
            for number, row in enumerate(split):
                yield where, number, row

        yield _split_of(str(split_name)) or "train", columns, rows()


def _read(
    split: str,
    columns: Columns,
    rows: Iterable[tuple[str, int, Mapping[str, Any]]],
    skipped: list[Skipped],
    *,
    limit: int | None,
    workers: int,
    progress: bool,
) -> Iterator[SourceImage]:
    """Sound rows in order; what is unsound goes to `skipped`."""
    with ThreadPoolExecutor(workers) as pool, tqdm(desc=f"reading {split}", unit="row", disable=not progress) as bar:
        taken = 0
        window: list[tuple[str, int, Mapping[str, Any]]] = []

        def flush() -> Iterator[SourceImage]:
            for found in pool.map(lambda item: _sound(columns, split, *item), window):
                skipped.extend(found[1])
                if found[0] is not None:
                    yield found[0]
            bar.update(len(window))
            window.clear()

        for item in rows:
            if limit is not None and taken >= limit:
                break
            taken += 1
            window.append(item)
            if len(window) == _WINDOW:
                yield from flush()
        yield from flush()


def _sound(
    columns: Columns, split: str, file: str, number: int, row: Mapping[str, Any]
) -> tuple[SourceImage | None, list[Skipped]]:
    """The image of a row, or None, and what is wrong with it."""
    try:
        image = columns.image_of(row)
        _check_photo(image)
        captions, empty = columns.captions_of(row)
        objects = columns.objects_of(row)
    except BadInputError as error:
        return None, [Skipped(file, number, str(error))]
    wrong = (
        [Skipped(file, number, f"caption {index} is empty; the others are kept") for index in empty]
        if captions
        else []
    )
    if not captions and not objects:
        return None, [Skipped(file, number, "no caption that is not empty")]
    digest = hashlib.sha256(image).hexdigest()
    image_id = columns.image_id_of(row) or f"{split}-{number:07d}"
    return SourceImage(image_id, image, captions, objects, digest, f"{file} row {number}"), wrong


def _check_photo(image: bytes) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(image)) as photo:
                photo.load()
    except Exception as error:  # Pillow's decoders raise whatever the damage triggers.
        raise BadInputError(f"the photo cannot be decoded ({type(error).__name__}: {error})") from error


def _in_three(splits: Mapping[str, list[SourceImage]], seed: int) -> dict[str, list[SourceImage]]:
    """All three splits: where some are missing, a hash of each training image's content decides where it goes."""
    missing = [split for split in SPLITS if not splits.get(split)]
    made: dict[str, list[SourceImage]] = {split: list(splits.get(split, ())) for split in SPLITS}
    if not missing:
        return made
    if "train" in missing:
        raise BadInputError(f"`source` needs a train split, got {sorted(splits)}; name its file train.parquet.")
    pool, made["train"] = made["train"], []
    for image in pool:
        share = int(hashlib.sha256(f"{seed}:{image.digest}".encode()).hexdigest()[:8], 16) / 16**8
        wanted = "test" if share < 0.1 else "validation" if share < 0.2 else "train"
        made[wanted if wanted in missing else "train"].append(image)
    return made


def _without_repetition(
    splits: Mapping[str, list[SourceImage]], skipped: list[Skipped]
) -> dict[str, list[SourceImage]]:
    """Merge the captions of an image repeated in a split, leave out one that stands in another; unique ids."""
    home: dict[str, str] = {}
    ids: set[str] = set()
    made: dict[str, list[SourceImage]] = {}
    for split in _KEEPING_ORDER:
        merged: dict[str, SourceImage] = {}
        for image in splits[split]:
            if home.setdefault(image.digest, split) != split:
                file, _, number = image.place.rpartition(" row ")
                skipped.append(Skipped(file, int(number), f"the same photo stands in the {home[image.digest]} split"))
            elif image.digest in merged:
                first = merged[image.digest]
                captions = tuple(dict.fromkeys((*first.captions, *image.captions)))
                objects = None if first.objects is None else first.objects | (image.objects or frozenset())
                merged[image.digest] = replace(first, captions=captions, objects=objects)
            else:
                merged[image.digest] = image
        made[split] = []
        for image in merged.values():
            image_id = image.image_id if image.image_id not in ids else f"{image.image_id}-{image.digest[:12]}"
            ids.add(image_id)
            made[split].append(replace(image, image_id=image_id))
    return {split: made[split] for split in SPLITS}
