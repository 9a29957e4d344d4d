"""Draws many scenes: to disk, as the folder of Parquet files that every captioned source is, or into arrays."""

import hashlib
import io
import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from datasets import ClassLabel, Features, Image, List, Value
from PIL.Image import Resampling
from tqdm import tqdm

from notclip.errors import BadInputError
from notclip.files.only_writer import only_writer
from notclip.files.whole_files import whole_folder
from notclip.recaption.drawn_world.samples import make_sample
from notclip.recaption.drawn_world.vocabulary import OBJECTS, SETTINGS

PICTURE_SIZE = 128
DRAWN_WITH = ("datasets", "numpy", "pillow", "pyarrow")  # whose version may change what is drawn or written
FEATURES = Features(
    {
        "image": Image(),
        "image_id": Value("string"),
        "captions": List(Value("string")),
        # Exhaustive: an object of the vocabulary that is not listed is not in the picture.
        "objects": List(ClassLabel(names=list(OBJECTS))),
        "setting": ClassLabel(names=list(SETTINGS)),
    }
)

Row = dict[str, Any]


def write_drawn_world(
    out: Path,
    *,
    train: int = 6000,
    validation: int = 1000,
    test: int = 1000,
    size: int = PICTURE_SIZE,
    seed: int = 0,
    workers: int = 2,
    progress: bool = True,
) -> None:
    """Draw the three splits and write `{train,validation,test}.parquet`, pictures embedded, all or nothing.

    Args:
        out: folder to make; it must not exist, or be empty.
        train: scenes of the train split.
        validation: scenes of the validation split.
        test: scenes of the test split.
        size: side of the pictures in pixels.
        seed: seed of the world; the bytes written follow from it, whatever the number of workers.
        workers: processes that draw.
        progress: whether to show a progress bar.

    Raises:
        BadInputError: if `out` holds something already, or a number is too small.
    """
    counts = {"train": train, "validation": validation, "test": test}
    for name, value in {**counts, "workers": workers}.items():
        if value < 1:
            raise BadInputError(f"`{name}` must be at least 1, got {value}.")
    if size < 32:
        raise BadInputError(f"`size` must be at least 32 pixels, or the objects cannot be told apart, got {size}.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BadInputError(
            f"`out` must be a new or empty folder, but {out} holds something: remove it or name another."
        )
    with only_writer(out), whole_folder(out) as unfinished:
        _write_splits(unfinished, counts, size=size, seed=seed, workers=workers, progress=progress)


def _write_splits(folder: Path, counts: dict[str, int], *, size: int, seed: int, workers: int, progress: bool) -> None:
    seen: set[bytes] = set()
    # Spawned, since a fork of a process in which torch has started threads can hang.
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        bar = tqdm(total=sum(counts.values()), desc="drawing scenes", unit="scene", disable=not progress)
        for split, count in counts.items():
            rows: list[Row] = []
            # A few indices more than asked for replace scenes that look like an earlier one, should there be any.
            drawn = pool.imap(partial(draw_row, seed, split, size), range(count + count // 100 + 10), chunksize=32)
            for row in without_repetition(drawn, seen):
                rows.append(row)
                bar.update()
                if len(rows) == count:
                    break
            table = pa.Table.from_pylist(rows, schema=FEATURES.arrow_schema)
            pq.write_table(table, folder / f"{split}.parquet", compression="zstd", row_group_size=1000)
        bar.close()


def draw_row(seed: int, split: str, size: int, index: int) -> Row:
    """The row of one scene, its picture encoded as PNG."""
    sample = make_sample(seed, split, index)
    encoded = io.BytesIO()
    sample.picture(size).save(encoded, "PNG", compress_level=6)
    return {
        "image": {"bytes": encoded.getvalue(), "path": f"{sample.image_id}.png"},
        "image_id": sample.image_id,
        "captions": list(sample.captions),
        "objects": [OBJECTS.index(name) for name in sample.scene.objects],
        "setting": SETTINGS.index(sample.scene.setting),
    }


def without_repetition(rows: Iterator[Row], seen: set[bytes]) -> Iterator[Row]:
    """Leave out a picture that is already in this or another split."""
    for row in rows:
        digest = hashlib.sha256(row["image"]["bytes"]).digest()
        if digest not in seen:
            seen.add(digest)
            yield row


@dataclass(frozen=True)
class Drawn:
    """Scenes as arrays: pixels (I, H, W, 3) in 0..255, five captions each, presence (I, K)."""

    pixels: np.ndarray
    captions: list[tuple[str, ...]]
    present: np.ndarray


def draw_small(
    split: str, size: int, object_count: int | None, index: int
) -> tuple[np.ndarray, tuple[str, ...], list[str]]:
    """One scene at the encoder's size, drawn large and reduced exactly as its processor reduces it."""
    sample = make_sample(0, split, index, object_count=object_count)
    picture = sample.picture(PICTURE_SIZE).resize((size, size), Resampling.BILINEAR)
    return np.asarray(picture), sample.captions, list(sample.scene.objects)


def draw_many(split: str, count: int, *, size: int, object_count: int | None = None, workers: int) -> Drawn:
    """Draw the first scenes of a split, as pictures of `size` pixels."""
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        drawing = pool.imap(partial(draw_small, split, size, object_count), range(count), chunksize=64)
        drawn = list(tqdm(drawing, total=count, desc=f"drawing {split} at {size} pixels", unit="scene", mininterval=5))
    pixels, captions, objects = zip(*drawn, strict=True)
    present = np.array([[name in shown for name in OBJECTS] for shown in objects])
    return Drawn(np.stack(pixels), list(captions), present)
