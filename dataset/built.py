"""The built dataset as files: what `notclip build-dataset` recorded of it, its rows, and examples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from notclip.dataset.files import split_files
from notclip.dataset.rows import CONFIGS
from notclip.dataset.splits import SPLITS
from notclip.errors import BadInputError, shortened
from notclip.files.derived import file_digest
from notclip.files.json_files import check_record, read_json_object

if TYPE_CHECKING:
    from PIL.Image import Image

NEEDED = ("captions", "questions", "retrieval")  # A dataset may have no pairs.
PLAIN_FORMS = ("affirmed", "no", "without")  # how most people say it
OWN_LICENSE = {"drawn-world": "apache-2.0"}
# What the cards read of a build.json.
_COUNTED = dict.fromkeys(SPLITS, dict)
_RECORD = {
    "source": {"name": str, "revision": str},
    "config": {"seed": int, "choices": int},
    "images": dict.fromkeys(SPLITS, int),
    "counts": dict.fromkeys(NEEDED, _COUNTED),
    "verification": dict,
    "blind": dict.fromkeys(SPLITS, list),
    "lexicon": {"concepts": int},
    "versions": dict,
}


@dataclass(frozen=True)
class DatasetFiles:
    """A folder that `notclip build-dataset` wrote.

    Args:
        folder: where it is.
        build: its build.json.
        parts: config -> split -> its files, in the order of their rows.
        rows: config -> split -> number of rows.
        license: under which the source's pictures and sentences may be passed on; None where they may not.
    """

    folder: Path
    build: Mapping[str, Any]
    parts: Mapping[str, Mapping[str, Sequence[Path]]]
    rows: Mapping[str, Mapping[str, int]]
    license: str | None

    @property
    def source_name(self) -> str:
        """The source as others may know it: a Hub id, or a folder's own name without where it lies."""
        return Path(self.source).name if Path(self.source).exists() else self.source

    @property
    def source(self) -> str:
        """What the dataset was built from."""
        return str(self.build["source"]["name"])

    def files(self) -> dict[str, Path]:
        """Path inside a repository -> file."""
        every = [part for splits in self.parts.values() for parts in splits.values() for part in parts]
        return {part.relative_to(self.folder).as_posix(): part for part in every}

    def data_files(self, config: str) -> list[dict[str, str]]:
        """What a card says of where a config's splits are; parts of one split by a pattern."""
        names = {
            split: f"{split}-*" if len(parts) > 1 else parts[0].stem for split, parts in self.parts[config].items()
        }
        return [{"split": split, "path": f"{config}/{name}.parquet"} for split, name in names.items()]

    def hashes(self, split: str) -> dict[str, str]:
        """Path inside a repository -> SHA-256 of each config's files of one split, as results record them."""
        parts = ((config, part) for config, own in self.parts.items() for part in own[split])
        return {f"{config}/{part.name}": file_digest(part) for config, part in parts}

    def examples(self, count: int) -> list[tuple["Image", str, str]]:
        """Pictures of the test split, each with a caption and a negated caption of it."""
        from notclip.dataset.photos import decode_photo
        from notclip.dataset.reader import read_split
        from notclip.dataset.rows import CaptionRow

        found: dict[str, tuple[Image, str, str]] = {}
        columns = ["image", "image_id", "caption", "negated_captions"]
        for row, place in read_split(self.folder, CaptionRow, "test", columns):
            if len(found) == count:
                break
            if row.negated_captions and row.image_id not in found:
                assert row.image is not None and row.image["bytes"], place  # noqa: S101  # as the reader checked
                found[row.image_id] = (
                    decode_photo(row.image["bytes"], str(place)),
                    row.caption,
                    row.negated_captions[0],
                )
        return list(found.values())

    def example_texts(self) -> tuple[str, str]:
        """An affirmative text and one with negation, for code: the shortest right choices, plainly worded."""
        from notclip.dataset.reader import read_split
        from notclip.dataset.rows import QuestionRow

        right: dict[str, tuple[bool, int, str]] = {}
        for row, _ in read_split(self.folder, QuestionRow, "test", ["choices", "choice_forms", "answer", "kind"]):
            text, form = row.choices[row.answer], row.choice_forms[row.answer] if row.choice_forms else ""
            candidate = (form not in PLAIN_FORMS, len(text), text)
            right[row.kind] = min(right.get(row.kind, candidate), candidate)
        if not right:
            raise BadInputError(f"`data` {self.folder} has no question in its test split: build it from more photos.")
        # A test split of a few questions may lack a kind.
        affirmative, excluding = ("affirmation", "hybrid", "negation"), ("hybrid", "negation", "affirmation")
        first, second = (next(right[kind] for kind in kinds if kind in right) for kinds in (affirmative, excluding))
        return first[-1], second[-1]


def _check_counts(counts: Any, where: str) -> None:
    if isinstance(counts, dict):
        for name, inside in counts.items():
            _check_counts(inside, f"{where}: {shortened(name)}")
    elif not isinstance(counts, int) or isinstance(counts, bool):
        raise BadInputError(f"{where} must be a whole number, got {shortened(counts)}; build the dataset again.")


def read_dataset_files(folder: Path, *, license: str | None) -> DatasetFiles:
    """Read a built dataset's record and count its rows.

    Args:
        folder: where it is.
        license: what its owner lets the pictures and captions be passed on under; None when nobody said.

    Raises:
        BadInputError: a part is missing or cannot be read.
    """
    from notclip.files.parquet_files import open_parquet

    record = folder / "build.json"
    if not record.is_file():
        raise BadInputError(f"`data` {folder} must hold build.json: a folder that `notclip build-dataset` wrote.")
    configs = [config for config in CONFIGS if config in NEEDED or (folder / config).is_dir()]
    parts = {config: {split: split_files(folder, config, split) for split in SPLITS} for config in configs}
    rows: dict[str, dict[str, int]] = {config: dict.fromkeys(SPLITS, 0) for config in configs}
    for config, splits in parts.items():
        for split, files in splits.items():
            for file in files:
                with open_parquet(file) as parquet:
                    rows[config][split] += parquet.metadata.num_rows
    build = read_json_object(record, "`data`")
    check_record(build, _RECORD, f"`data` {record}")
    _check_counts(build["counts"], f"`data` {record}: 'counts'")
    return DatasetFiles(folder, build, parts, rows, license or OWN_LICENSE.get(build["source"]["name"]))
