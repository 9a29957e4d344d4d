"""Which kind of source a name means, and the parts that it is read in."""

import re
from collections.abc import Collection, Sequence
from pathlib import Path

from notclip.errors import BadInputError
from notclip.recaption.sources.annotated_folders import voc_parts, yolo_parts
from notclip.recaption.sources.captioned_photos import captioned_photo_parts
from notclip.recaption.sources.coco import coco_folder_parts, coco_parts
from notclip.recaption.sources.karpathy import is_karpathy, karpathy_parts
from notclip.recaption.sources.loaded_dataset import loaded_parts
from notclip.recaption.sources.mimic_cxr import is_label_table, label_table_of, mimic_cxr_parts
from notclip.recaption.sources.parquet_folder import parquet_files, parquet_parts
from notclip.recaption.sources.parts import Part
from notclip.recaption.sources.path_table import csv_parts
from notclip.recaption.sources.tables import TABLE_ENDINGS, is_table

DRAWN_WORLD = "drawn-world"
_TABLES_IN_TEXT = ("captions.txt",)  # Kaggle's Flickr8k
_HUB_ID = re.compile(r"\w[\w.-]*(?:/[\w.-]+)?", re.ASCII)
_FILE_ENDINGS = (*TABLE_ENDINGS, ".json", ".jsonl", ".yaml", ".yml", ".parquet", ".tar", ".zip", ".xml", ".txt")


def list_parts(
    name: str,
    *,
    cache: Path,
    part_rows: int = 10_000,
    limit: int | None = None,
    seed: int = 0,
    workers: int = 2,
    progress: bool = True,
    labels: Collection[str] = (),
) -> Sequence[Part]:
    """Find out what a source is, and cut it into parts, in an order that depends on the source alone.

    Args:
        name: `drawn-world`; a file: a table (CSV, TSV, packed with gzip or not), COCO's or Karpathy's JSON, YOLO's
            YAML; a folder: of Parquet files, of tables called train, validation and test, of WebDataset archives (as
            img2dataset writes them, too), of photos with metadata or with a text file each, or laid out as COCO's,
            Pascal VOC's, YOLO's or MIMIC-CXR's; or a data set of the Hub.
        cache: folder in which the drawn world is drawn.
        part_rows: about how many rows a part should have, where the source can be cut anywhere.
        limit: at most so many rows of each split; None takes all.
        seed: seed of the drawn world.
        workers: processes that draw.
        progress: whether to show progress bars.
        labels: labels that the domain names, so that any column of a table may be called by them.

    Raises:
        BadInputError: there is no such source, or its columns cannot be told.
    """
    folder = Path(name)
    if folder.is_file():
        return _parts_of_file(folder, limit, labels)
    if name == DRAWN_WORLD:
        folder = _drawn_world(cache, limit=limit, seed=seed, workers=workers, progress=progress)
    if folder.is_dir() and parquet_files(folder):
        return parquet_parts(folder, part_rows=part_rows, limit=limit)
    if folder.is_dir() and (listed := _parts_of_folder(folder, limit, labels)):
        return listed
    if not folder.is_dir() and (not _HUB_ID.fullmatch(name) or name.lower().endswith(_FILE_ENDINGS)):
        # The Hub would be asked six times, for half a minute, about a slip of the pen.
        raise BadInputError(f"`source` {name!r} is neither a file nor a folder here, and no id of the Hub.")
    parts = loaded_parts(name, limit=limit)
    if not parts:
        raise BadInputError(f"`source` {name!r} has no split.")
    return parts


def _parts_of_file(file: Path, limit: int | None, labels: Collection[str]) -> Sequence[Part]:
    ending = file.suffix.lower()
    if is_label_table(file):
        return mimic_cxr_parts(file, limit=limit)
    if is_table(file) or ending == ".txt":
        return csv_parts(file, limit=limit, named=labels)
    if ending == ".json":
        return karpathy_parts(file, limit=limit) if is_karpathy(file) else coco_parts(file, limit=limit)
    if ending in (".yaml", ".yml"):
        return yolo_parts(file, limit=limit)
    raise BadInputError(
        f"`source` must be a folder, a table (CSV or TSV), a JSON file in COCO's or Karpathy's form or YOLO's "
        f"data.yaml, got {file}; of "
        "Parquet files and WebDataset archives name the folder."
    )


def _parts_of_folder(folder: Path, limit: int | None, labels: Collection[str]) -> Sequence[Part]:
    """Parts of a folder that `datasets` does not read; empty for others."""
    if (folder / "Annotations").is_dir() and (folder / "JPEGImages").is_dir():
        return voc_parts(folder, limit=limit)
    if (folder / "data.yaml").is_file():
        return yolo_parts(folder / "data.yaml", limit=limit)
    if parts := coco_folder_parts(folder, limit=limit):
        return parts
    if (table := label_table_of(folder)) is not None:
        return mimic_cxr_parts(table, limit=limit)
    if listed := [file for file in sorted(folder.glob("*.json")) if is_karpathy(file)]:
        return karpathy_parts(listed[0], limit=limit)
    return _parts_of_tables(folder, limit, labels) or captioned_photo_parts(folder, limit=limit)


def _parts_of_tables(folder: Path, limit: int | None, labels: Collection[str]) -> Sequence[Part]:
    """Parts of all tables of a folder that name photos with captions or labels; others may lie beside them."""
    tables = [file for file in sorted(folder.iterdir()) if is_table(file) or file.name in _TABLES_IN_TEXT]
    parts: list[Part] = []
    refused: list[BadInputError] = []
    for file in tables:
        if file.name != "metadata.csv":  # Of a folder of photos that `datasets` reads.
            try:
                parts += csv_parts(file, limit=limit, named=labels)
            except BadInputError as error:
                refused.append(error)
    if refused and not parts:
        raise refused[0]
    return parts


def _drawn_world(cache: Path, *, limit: int | None, seed: int, workers: int, progress: bool) -> Path:
    from notclip.recaption.drawn_world.write import write_drawn_world

    sizes = {"train": 6000, "validation": 1000, "test": 1000}
    sizes = {split: min(size, limit or size) for split, size in sizes.items()}
    folder = cache / f"drawn-world-{seed}-{'-'.join(map(str, sizes.values()))}"
    if not folder.is_dir():
        write_drawn_world(folder, **sizes, seed=seed, workers=workers, progress=progress)
    return folder
