"""What training reads of a built dataset, memory-mapped: captions by image, counterbalanced groups, negated queries.

The texts of a split are copied once from Parquet to Arrow, with the position of each row's image beside them; what is
asked for is read from there. So memory does not grow with the data, and several processes share what is read.
"""

import hashlib
import itertools
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar, overload

import numpy as np
import pyarrow as pa
from datasets import Dataset

from notclip.dataset.files import split_files
from notclip.dataset.photos import PhotoColumn
from notclip.dataset.reader import read_rows
from notclip.dataset.rows import ROWS, QuestionRow, RetrievalRow
from notclip.errors import BadInputError, shortened
from notclip.files.array_files import open_array
from notclip.files.derived import derived_key
from notclip.files.parquet_files import open_parquet, opened_parquet
from notclip.files.whole_files import clear_partials, whole_folder

CONFIGS = ("captions", "questions", "retrieval")
_AT_ONCE = 1000  # rows
_COLUMNS = {
    "captions": ("caption", "negated_captions"),
    "questions": ("choices", "answer", "kind"),
    "retrieval": ("captions",),
}
_ARRAYS = (*CONFIGS, "group_order", "group_starts", "places", "digests")
_TEXTS = pa.list_(pa.string())
_SCHEMAS = {
    "captions": pa.schema({"caption": pa.string(), "negated_captions": _TEXTS}),
    "questions": pa.schema({"choices": _TEXTS, "answer": pa.int32(), "kind": pa.string()}),
    "retrieval": pa.schema({"captions": pa.string()}),  # one row a query
}

T = TypeVar("T")


@dataclass(frozen=True)
class Caption:
    """A source caption, its negated versions, and the position of its image."""

    image: int
    text: str
    negated: tuple[str, ...]


@dataclass(frozen=True)
class TrainingQuestion:
    """Choices of which one is true of the image; `kind` is the kind of the true one."""

    image: int
    choices: tuple[str, ...]
    answer: int
    kind: str


class Rows(Sequence[T], Generic[T]):
    """Rows of an Arrow file, each made into an object when it is asked for.

    Args:
        file: the file.
        images: position of each row's image, shape (rows,).
        make: makes an object of a row and that position.
    """

    def __init__(self, file: Path, images: np.ndarray, make: Callable[[dict[str, Any], int], T]) -> None:
        try:
            self._table, self.images, self._make = Dataset.from_file(str(file)), images, make
        except (OSError, pa.ArrowException) as error:
            reason = shortened(str(error))
            raise BadInputError(f"{file} in the cache cannot be read ({reason}): delete its folder.") from error

    def __len__(self) -> int:
        return len(self.images)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        if isinstance(index, slice):
            return self.take(np.arange(*index.indices(len(self))))
        return self.take(np.array([range(len(self))[index]]))[0]

    def __iter__(self) -> Iterator[T]:
        for start in range(0, len(self), _AT_ONCE):
            yield from self.take(np.arange(start, min(start + _AT_ONCE, len(self))))

    def take(self, rows: np.ndarray) -> list[T]:
        """Several rows at once."""
        if len(rows) == 0:
            return []
        columns = self._table[rows.tolist()]
        values = zip(*columns.values(), strict=True)
        return [
            self._make(dict(zip(columns, own, strict=True)), image)
            for own, image in zip(values, self.images[rows].tolist(), strict=True)
        ]


class Grouped(Sequence[list[T]], Generic[T]):
    """Rows that belong together, by an index that lies beside them.

    Args:
        rows: the rows.
        order: positions of rows, group after group.
        starts: where each group starts in `order`, and its end.
    """

    def __init__(self, rows: Rows[T], order: np.ndarray, starts: np.ndarray) -> None:
        self.rows, self.order, self.starts = rows, order, starts

    def __len__(self) -> int:
        return len(self.starts) - 1

    @overload
    def __getitem__(self, index: int) -> list[T]: ...
    @overload
    def __getitem__(self, index: slice) -> list[list[T]]: ...
    def __getitem__(self, index: int | slice) -> list[T] | list[list[T]]:
        if isinstance(index, slice):
            return [self[position] for position in range(len(self))[index]]
        index = range(len(self))[index]
        return self.rows.take(self.order[self.starts[index] : self.starts[index + 1]])

    @property
    def sizes(self) -> np.ndarray:
        """How many rows each group has."""
        return np.diff(self.starts)


@dataclass(frozen=True)
class TrainingSplit:
    """One split, with each distinct image once.

    Args:
        image_bytes: encoded images, I in all.
        digests: SHA-256 of each image's bytes, the key of its cached embedding.
        captions: captions in file order.
        question_groups: questions that share their set of choices, which a batch keeps together.
        negated_queries: (query, position of its image).
    """

    image_bytes: Sequence[bytes]
    digests: Sequence[bytes]
    captions: Sequence[Caption]
    question_groups: Sequence[list[TrainingQuestion]]
    negated_queries: Sequence[tuple[str, int]]

    def place(self, image: int) -> str:
        """Where a photo stands, for messages."""
        return self.image_bytes.place(image) if isinstance(self.image_bytes, _Photos) else f"photo {image + 1}"

    @property
    def questions(self) -> list[TrainingQuestion]:
        """All questions, group after group."""
        return [question for group in self.question_groups for question in group]

    @property
    def group_sizes(self) -> np.ndarray:
        """How many questions each group has."""
        groups = self.question_groups
        return groups.sizes if isinstance(groups, Grouped) else np.array([len(group) for group in groups], dtype=int)

    @property
    def captioned_images(self) -> np.ndarray:
        """Positions of the images that have captions, ascending."""
        captions = self.captions
        return np.unique(captions.images if isinstance(captions, Rows) else [c.image for c in captions]).astype(int)

    def captions_by_image(self) -> Sequence[list[Caption]]:
        """Captions of each image that has any."""
        if isinstance(self.captions, Rows):
            return Grouped(self.captions, *_together(self.captions.images))
        by_image: dict[int, list[Caption]] = {}
        for caption in self.captions:
            by_image.setdefault(caption.image, []).append(caption)
        return [by_image[image] for image in sorted(by_image)]

    def queries_of(self, images: Sequence[int]) -> list[tuple[str, int]]:
        """The first negated query of each of some images that has any."""
        queries = self.negated_queries
        own = queries.images if isinstance(queries, Rows) else np.array([image for _, image in queries], dtype=int)
        rows = np.flatnonzero(np.isin(own, images))
        rows = rows[np.sort(np.unique(own[rows], return_index=True)[1])]
        return queries.take(rows) if isinstance(queries, Rows) else [queries[row] for row in rows.tolist()]


def read_training_split(
    data: Path, split: str, *, images: Path | None = None, cache: Path | None = None
) -> TrainingSplit:
    """Read one split of a folder that `notclip build-dataset` wrote.

    Args:
        data: the dataset.
        split: train or validation.
        images: the folder of the photos, for a dataset that only refers to them.
        cache: where the memory-mapped copy of the texts is kept; among the temporary files, until this process ends,
            when absent.

    Raises:
        BadInputError: a config's file, or one of its parts, is missing, lacks a column, or breaks a rule.
    """
    files = [(config, file) for config in CONFIGS for file in split_files(data, config, split)]
    temporary = None if cache is not None else Path(tempfile.mkdtemp(prefix="notclip-texts-"))
    seen = [[config, str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns] for config, file in files]
    folder = (cache or temporary or Path()) / f"texts-{split}-{derived_key('notclip.training.data', of=seen)}"
    try:
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            clear_partials(folder.parent, folder.name)
            with whole_folder(folder) as partial:
                _index(files, partial)
        arrays = {name: open_array(folder / f"{name}.npy", advice="delete its folder") for name in _ARRAYS}
        captions = Rows(folder / "captions.arrow", arrays["captions"], _caption)
        questions = Rows(folder / "questions.arrow", arrays["questions"], _question)
        opened = TrainingSplit(
            image_bytes=_Photos([file for _, file in files], arrays["places"], images),
            digests=_Digests(arrays["digests"]),
            captions=captions,
            question_groups=Grouped(questions, arrays["group_order"], arrays["group_starts"]),
            negated_queries=Rows(folder / "retrieval.arrow", arrays["retrieval"], _query),
        )
    except BaseException:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
        raise
    if temporary is not None:
        weakref.finalize(captions, shutil.rmtree, temporary, ignore_errors=True)
    return opened


def pick_one_of_each(groups: Sequence[list[T]], which: np.ndarray, chances: np.ndarray) -> list[T]:
    """One row of each of some groups, by a number in [0, 1) for each."""
    if isinstance(groups, Grouped):
        return groups.rows.take(groups.order[groups.starts[which] + (chances * groups.sizes[which]).astype(int)])
    return [groups[own][int(chance * len(groups[own]))] for own, chance in zip(which, chances, strict=True)]


def all_of(groups: Sequence[list[T]], which: np.ndarray) -> list[T]:
    """All rows of some groups, group after group."""
    if isinstance(groups, Grouped):
        ranges = [groups.order[groups.starts[own] : groups.starts[own + 1]] for own in which]
        return groups.rows.take(np.concatenate(ranges))
    return [row for own in which for row in groups[own]]


def _caption(row: dict[str, Any], image: int) -> Caption:
    return Caption(image, row["caption"], tuple(row["negated_captions"]))


def _question(row: dict[str, Any], image: int) -> TrainingQuestion:
    return TrainingQuestion(image, tuple(row["choices"]), row["answer"], row["kind"])


def _query(row: dict[str, Any], image: int) -> tuple[str, int]:
    return row["captions"], image


class _Digests(Sequence[bytes]):
    def __init__(self, digests: np.ndarray) -> None:
        self._digests = digests  # (I, 32)

    def __len__(self) -> int:
        return len(self._digests)

    def __getitem__(self, index: Any) -> Any:
        found = self._digests[index]
        return found.tobytes() if found.ndim == 1 else [digest.tobytes() for digest in found]


class _Photos(Sequence[bytes]):
    """Photos by the place where each stands first: file, row group, row of the group, row of the file."""

    def __init__(self, files: list[Path], places: np.ndarray, folder: Path | None) -> None:
        self._files, self._places, self._folder = files, places, folder
        self._open: tuple[int, PhotoColumn] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_open": None}  # A loader's worker opens its own.

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[position] for position in range(len(self))[index]]
        number, group, row, _ = self._places[index].tolist()
        if self._open is None or self._open[0] != number:
            file = self._files[number]
            self._open = number, PhotoColumn(opened_parquet(file), file, folder=self._folder)
        return self._open[1].read(group, row, self.place(index))

    def place(self, index: int) -> str:
        """File and row of a photo, for messages."""
        number, _, _, row = self._places[index].tolist()
        return f"{self._files[number]}, row {row + 1}"


def _index(files: list[tuple[str, Path]], folder: Path) -> None:
    """Copy the texts of all files to Arrow, and find out which rows share an image or a group."""
    identifiers: list[np.ndarray] = []  # hash of the image's id, one array a file
    entries: dict[str, list[np.ndarray]] = {config: [] for config in CONFIGS}  # rows written for each row read
    groups: list[np.ndarray] = []
    for config in CONFIGS:
        with pa.OSFile(str(folder / f"{config}.arrow"), "wb") as sink, pa.ipc.new_stream(sink, _SCHEMAS[config]) as to:
            for file in (path for own, path in files if own == config):
                with open_parquet(file) as parquet:
                    PhotoColumn(parquet, file)  # which says what a file without photos lacks
                hashes, asked, written = bytearray(), bytearray(), bytearray()
                wanted = ["image_id", *_COLUMNS[config]]
                rows: Iterator[Any] = (row for row, _ in read_rows(file, ROWS[config], wanted))  # type: ignore[type-var]
                while some := list(itertools.islice(rows, _AT_ONCE)):
                    texts: list[dict[str, Any]] = []
                    for row in some:
                        hashes += _hash(row.image_id)
                        if isinstance(row, RetrievalRow):
                            texts += [{"captions": query} for query in row.captions]
                        else:
                            texts.append({name: getattr(row, name) for name in _COLUMNS[config]})
                        if isinstance(row, QuestionRow):
                            asked += _hash("\0".join(sorted(row.choices)))
                        written += (len(row.captions) if isinstance(row, RetrievalRow) else 1).to_bytes(4, "little")
                    to.write_batch(pa.RecordBatch.from_pylist(texts, schema=_SCHEMAS[config]))
                identifiers.append(np.frombuffer(hashes, dtype="<u8"))
                entries[config].append(np.frombuffer(written, dtype="<u4"))
                if config == "questions":
                    groups.append(np.frombuffer(asked, dtype="<u8"))
    image_of_row, first = _by_first_appearance(np.concatenate(identifiers))
    starts = np.cumsum([0, *map(len, identifiers)])
    for config in CONFIGS:
        own = [number for number, (name, _) in enumerate(files) if name == config]
        images = image_of_row[starts[own[0]] : starts[own[-1] + 1]]
        np.save(folder / f"{config}.npy", np.repeat(images, np.concatenate(entries[config])))
    order, group_starts = _together(_by_first_appearance(np.concatenate(groups))[0])
    np.save(folder / "group_order.npy", order)
    np.save(folder / "group_starts.npy", group_starts)
    places = np.zeros((len(first), 4), dtype=np.int64)
    digests = np.zeros((len(first), 32), dtype=np.uint8)
    for number, (_, file) in enumerate(files):
        here = np.flatnonzero((starts[number] <= first) & (first < starts[number + 1]))
        with open_parquet(file) as parquet:
            photos = PhotoColumn(parquet, file)
            ends = np.cumsum(
                [0, *(parquet.metadata.row_group(group).num_rows for group in range(parquet.num_row_groups))]
            )
            for image in here.tolist():
                place = int(first[image] - starts[number])
                group = int(np.searchsorted(ends, place, side="right")) - 1
                position = place - int(ends[group])
                places[image] = number, group, position, place
                digest = photos.digest(group, position, f"{file}, row {place + 1}")
                digests[image] = np.frombuffer(digest, dtype=np.uint8)
    np.save(folder / "places.npy", places)
    np.save(folder / "digests.npy", digests)


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _by_first_appearance(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number equal keys by when they appear first: the number of each key, and where each number appears first."""
    _, first, of_key = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first)
    number = np.empty(len(first), dtype=np.int64)
    number[order] = np.arange(len(first))
    return number[of_key], first[order]


def _together(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions of equal numbers side by side, and where each number starts among them, with the end."""
    order = np.argsort(numbers, kind="stable")
    ordered = numbers[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1)) if len(ordered) else np.zeros(0, dtype=np.int64)
    return order, np.append(starts, len(ordered))
