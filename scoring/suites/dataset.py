"""A suite from a folder that `notclip build-dataset` wrote: one split of its configs."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from notclip.dataset.files import split_files
from notclip.dataset.reader import Place, read_rows
from notclip.dataset.rows import CONFIGS, ROWS, CaptionRow, PairRow, QuestionRow, RetrievalRow, Row
from notclip.errors import BadInputError
from notclip.files.parquet_files import opened_parquet, reading_parquet, require_columns
from notclip.scoring.suites.suite import Clip, ImagePair, Photo, Query, Question, Suite, file_sha256

_TEXT_COLUMNS = {
    "captions": ["caption", "affirmed"],
    "questions": ["choices", "answer", "choice_kinds", "choice_forms", "group"],
    "pairs": ["pair", "caption_0", "caption_1"],
    "retrieval": ["captions", "absent", "relevant", "present"],
}
# Endings of the columns of an image: a pair has two.
_IMAGES = {"pairs": ("_0", "_1")}


class PhotoInParquet:
    """A photo in a row of a Parquet file; photos of one row group that are read in turn read the group once."""

    def __init__(self, reader: "_RowGroupReader", group: int, row: int, where: str) -> None:
        self._reader, self._group, self._row = reader, group, row
        self.where = where

    def read_bytes(self) -> bytes:
        """Read the row group, unless it was the last one read."""
        encoded = self._reader.images(self._group)[self._row].as_py()
        if not isinstance(encoded, dict) or not isinstance(encoded.get("bytes"), bytes) or not encoded["bytes"]:
            raise BadInputError(
                f"{self.where}: `{self._reader.column}` holds no bytes; build the dataset with its photos embedded."
            )
        return encoded["bytes"]


class _RowGroupReader:
    def __init__(self, parquet: pq.ParquetFile, file: Path, column: str) -> None:
        self._parquet, self._file, self.column = parquet, file, column
        self._group: int | None = None
        self._images: pa.ChunkedArray | None = None

    def images(self, group: int) -> pa.ChunkedArray:
        if self._images is None or self._group != group:
            with reading_parquet(self._file):
                self._images = self._parquet.read_row_group(group, columns=[self.column]).column(self.column)
            self._group = group
        return self._images


def read_dataset_suite(folder: Path, *, split: str, name: str | None = None) -> Suite:
    """Read one split; images that show an excluded concept are those known to contain it.

    Args:
        folder: the dataset, each config a folder of `<split>.parquet`, or of parts as `push_to_hub` names them.
        split: train, validation or test.
        name: what results call the dataset; the folder's name when absent.

    Raises:
        BadInputError: a config has no such split, lacks a column, or a row breaks a rule.
    """
    photos: dict[str, Photo | Clip] = {}
    captions: list[CaptionRow] = []
    questions: list[QuestionRow] = []
    pairs: list[PairRow] = []
    retrieval: list[RetrievalRow] = []
    rows: dict[str, list[Any]] = dict(zip(CONFIGS, (captions, questions, pairs, retrieval), strict=True))
    files: dict[str, str] = {}
    # Captions first: they hold every image, and each image's photo is read where it is seen first.
    for config, found in rows.items():
        if not (folder / config).is_dir():
            continue
        for file in split_files(folder, config, split, name="suite"):
            found.extend(_read_file(file, config, photos))
            files[f"{config}/{file.name}"] = file_sha256(file)
    if not files:
        raise BadInputError(f"`suite` {folder} holds none of the folders {', '.join(CONFIGS)}.")

    showing: dict[str, set[str]] = defaultdict(set)  # concept -> images known to contain it
    for row in captions:
        for concept in row.affirmed:
            showing[concept].add(row.image_id)
    for searched in retrieval:
        for concept in searched.present:
            showing[concept].add(searched.image_id)
    excluding: dict[tuple[str, ...], frozenset[str]] = {}
    negated: list[Query] = []
    for searched in retrieval:
        # Without `relevant` a query's own image is the only right one.
        right = searched.relevant or [[]] * len(searched.captions)
        for caption, absent, relevant in zip(searched.captions, searched.absent, right, strict=True):
            concepts = tuple(sorted(absent))
            if concepts not in excluding:
                excluding[concepts] = frozenset().union(*(showing[concept] for concept in concepts))
            negated.append(Query(caption, searched.image_id, excluding[concepts], tuple(relevant)))
    # Captions made from labels are short and true of several images: whichever has that very caption is found rightly.
    captioned: dict[str, dict[str, None]] = defaultdict(dict)
    for row in captions:
        captioned[row.caption][row.image_id] = None
    ordinary = [Query(row.caption, row.image_id, relevant=tuple(captioned[row.caption])) for row in captions]
    return Suite(
        name=f"{name or folder.resolve().name} ({split})",
        photos=photos,
        questions=[_question(row) for row in questions],
        pairs=[ImagePair(row.pair, (row.image_id_0, row.image_id_1), (row.caption_0, row.caption_1)) for row in pairs],
        negated_queries=negated,
        ordinary_queries=ordinary,
        gallery=list(dict.fromkeys([*(row.image_id for row in captions), *(row.image_id for row in retrieval)])),
        files=files,
    )


def _question(row: QuestionRow) -> Question:
    form = row.choice_forms[row.answer] if row.choice_forms else None
    return Question(row.image_id, tuple(row.choices), row.answer, tuple(row.choice_kinds), form, row.group)


def _read_file(file: Path, config: str, photos: dict[str, Photo | Clip]) -> Iterator[Row]:
    """Rows without their images, which are entered in `photos` where they are seen first."""
    images = {f"image{ending}": f"image_id{ending}" for ending in _IMAGES.get(config, ("",))}
    parquet = opened_parquet(file)  # Kept open for its photos.
    require_columns(parquet, file, list(images))
    readers = {_RowGroupReader(parquet, file, image): image_id for image, image_id in images.items()}
    row: Row
    place: Place
    for row, place in read_rows(file, ROWS[config], [*images.values(), *_TEXT_COLUMNS[config]]):  # type: ignore[type-var]
        for reader, column in readers.items():
            image_id = getattr(row, column)
            if image_id not in photos:
                photos[image_id] = PhotoInParquet(reader, place.group, place.position, str(place))
        yield row
