"""A suite from a folder that `notclip build-dataset` wrote: one split of its configs."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from notclip.dataset.files import split_files
from notclip.dataset.photos import PhotoColumn
from notclip.dataset.reader import Place, read_rows
from notclip.dataset.rows import CONFIGS, ROWS, CaptionRow, PairRow, QuestionRow, RetrievalRow, Row
from notclip.errors import BadInputError
from notclip.files.derived import file_digest
from notclip.files.parquet_files import opened_parquet
from notclip.scoring.suites.suite import Clip, ImagePair, Photo, Query, Suite, SuiteQuestion

_TEXT_COLUMNS = {
    "captions": ["caption", "affirmed"],
    "questions": ["choices", "answer", "choice_kinds", "choice_forms", "group"],
    "pairs": ["pair", "caption_0", "caption_1"],
    "retrieval": ["captions", "absent", "relevant", "present"],
}
# Endings of the columns of an image: a pair has two.
_IMAGES = {"pairs": ("_0", "_1")}


class PhotoOfRow:
    """The photo of one row."""

    def __init__(self, photos: PhotoColumn, place: Place) -> None:
        self._photos, self._place = photos, place

    @property
    def where(self) -> str:
        """File and row."""
        return str(self._place)

    def read_bytes(self) -> bytes:
        """Read the row group, unless it was the last one read, or the file that the row refers to."""
        return self._photos.read(self._place.group, self._place.position, self.where)


def read_dataset_suite(folder: Path, *, split: str, name: str | None = None, images: Path | None = None) -> Suite:
    """Read one split; images that show an excluded concept are those known to contain it.

    Args:
        folder: the dataset, each config a folder of `<split>.parquet`, or of parts as `push_to_hub` names them.
        split: train, validation or test.
        name: what results call the dataset; the folder's name when absent.
        images: the folder of the photos, for a dataset that only refers to them.

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
            found.extend(_read_file(file, config, photos, images))
            files[f"{config}/{file.name}"] = file_digest(file)
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


def _question(row: QuestionRow) -> SuiteQuestion:
    form = row.choice_forms[row.answer] if row.choice_forms else None
    return SuiteQuestion(row.image_id, tuple(row.choices), row.answer, tuple(row.choice_kinds), form, row.group)


def _read_file(file: Path, config: str, photos: dict[str, Photo | Clip], folder: Path | None) -> Iterator[Row]:
    """Rows without their images, which are entered in `photos` where they are seen first."""
    parquet = opened_parquet(file)  # Kept open for its photos.
    endings = _IMAGES.get(config, ("",))
    readers = {PhotoColumn(parquet, file, ending=ending, folder=folder): f"image_id{ending}" for ending in endings}
    if folder is not None and all(reader.is_embedded for reader in readers):
        raise BadInputError(
            f"`images` is for CSV and YAML files, and for datasets that refer to their photos; {file} holds its own."
        )
    row: Row
    place: Place
    for row, place in read_rows(file, ROWS[config], [*readers.values(), *_TEXT_COLUMNS[config]]):  # type: ignore[type-var]
        for reader, column in readers.items():
            image_id = getattr(row, column)
            if image_id not in photos:
                photos[image_id] = PhotoOfRow(reader, place)
        yield row
