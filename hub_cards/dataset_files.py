"""The built dataset as files: what `notclip build-dataset` recorded of it, its rows, and examples."""

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from notclip.errors import BadInputError

if TYPE_CHECKING:
    from PIL.Image import Image

CONFIGS = ("captions", "questions", "pairs", "retrieval")
SCORED = ("captions", "questions", "retrieval")  # What results are about; a dataset may have no pairs.
SPLITS = ("train", "validation", "test")
OWN_LICENSE = {"drawn-world": "apache-2.0"}


@dataclass(frozen=True)
class DatasetFiles:
    """A folder that `notclip build-dataset` wrote.

    Args:
        folder: where it is.
        build: its build.json.
        rows: config -> split -> number of rows.
        license: under which the source's pictures and sentences may be passed on; None where they may not.
    """

    folder: Path
    build: Mapping[str, Any]
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
        names = [f"{config}/{split}.parquet" for config, splits in self.rows.items() for split in splits]
        return {name: self.folder / name for name in names}

    def hashes(self, split: str) -> dict[str, str]:
        """Path inside a repository -> SHA-256 of each scored config's file of one split, as results record them."""
        found = {}
        for config in SCORED:
            with (self.folder / config / f"{split}.parquet").open("rb") as file:
                found[f"{config}/{split}.parquet"] = hashlib.file_digest(file, "sha256").hexdigest()
        return found

    def examples(self, count: int) -> list[tuple["Image", str, str]]:
        """Pictures of the test split, each with a caption and a negated caption of it."""
        import pyarrow.parquet as pq
        from PIL import Image

        found: dict[str, tuple[Image.Image, str, str]] = {}
        file = pq.ParquetFile(self.folder / "captions" / "test.parquet")
        for batch in file.iter_batches(batch_size=64, columns=["image", "image_id", "caption", "negated_captions"]):
            for row in batch.to_pylist():
                if row["negated_captions"] and row["image_id"] not in found:
                    image = Image.open(io.BytesIO(row["image"]["bytes"])).convert("RGB")
                    found[row["image_id"]] = (image, row["caption"], row["negated_captions"][0])
                if len(found) == count:
                    return list(found.values())
        return list(found.values())

    def example_texts(self) -> tuple[str, str]:
        """An affirmative text and one with negation, for examples of code: the shortest right choices."""
        import pyarrow.parquet as pq
        from datasets import Features

        file = self.folder / "questions" / "test.parquet"
        kinds = Features.from_arrow_schema(pq.read_schema(file))["kind"].names
        rows = pq.read_table(file, columns=["choices", "answer", "kind"]).to_pylist()
        right: dict[str, str] = {}
        for row in rows:
            kind, text = kinds[row["kind"]], row["choices"][row["answer"]]
            right[kind] = min(right.get(kind, text), text, key=len)
        return right["affirmation"], right["hybrid"]


def read_dataset_files(folder: Path, *, license: str | None) -> DatasetFiles:
    """Read a built dataset's record and count its rows.

    Args:
        folder: where it is.
        license: what its owner lets the pictures and captions be passed on under; None when nobody said.

    Raises:
        BadInputError: a part is missing or cannot be read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    record = folder / "build.json"
    if not record.is_file():
        raise BadInputError(f"`data` {folder} must hold build.json: a folder that `notclip build-dataset` wrote.")
    rows: dict[str, dict[str, int]] = {}
    for config in CONFIGS if (folder / "pairs").is_dir() else SCORED:
        for split in SPLITS:
            file = folder / config / f"{split}.parquet"
            if not file.is_file():
                raise BadInputError(
                    f"`data` {folder} lacks {config}/{split}.parquet; build it with `notclip build-dataset`."
                )
            try:
                rows.setdefault(config, {})[split] = pq.ParquetFile(file).metadata.num_rows
            except pa.ArrowInvalid as error:
                raise BadInputError(f"{file} is not a Parquet file: {error}.") from error
    try:
        build = json.loads(record.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadInputError(f"{record} is not JSON: {error}.") from error
    return DatasetFiles(folder, build, rows, license or OWN_LICENSE.get(build["source"]["name"]))
