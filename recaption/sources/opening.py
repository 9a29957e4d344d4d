"""Which kind of source a name means, and the parts that it is read in."""

import re
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from notclip.dataset.splits import split_of_folder
from notclip.errors import BadInputError
from notclip.files.derived import derived_key
from notclip.files.tables import TABLE_ENDINGS, is_table
from notclip.recaption.sources.captioned_photos import captioned_photo_parts
from notclip.recaption.sources.coco import coco_folder_parts, coco_parts
from notclip.recaption.sources.karpathy import is_karpathy, karpathy_parts
from notclip.recaption.sources.loaded_dataset import loaded_parts
from notclip.recaption.sources.mimic_cxr import is_label_table, label_table_of, mimic_cxr_parts
from notclip.recaption.sources.parquet_folder import parquet_files, parquet_parts
from notclip.recaption.sources.parts import Exhaustive, Part
from notclip.recaption.sources.path_table import csv_parts
from notclip.recaption.sources.voc import voc_parts
from notclip.recaption.sources.yolo import yolo_parts, yolo_table

DRAWN_WORLD = "drawn-world"
# Kaggle's Flickr8k and the first one's, from its archives Flickr8k_text and Flickr8k_Dataset; Flickr30k's.
_TABLES_IN_TEXT = ("captions.txt", "Flickr8k.token.txt", "results_20130124.token")
_FOLDERS_OF_TEXT = ("", "Flickr8k_text")
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
    exhaustive: Exhaustive | None = None,
) -> list[Part]:
    """Find out what a source is, and cut it into parts, in an order that depends on the source alone.

    Args:
        name: `drawn-world`; a file: a table (CSV or TSV, packed with gzip or not), COCO's or Karpathy's JSON, YOLO's
            data.yaml or obj.data; a folder: of Parquet files, of tables called train, validation and test, of
            WebDataset archives (as img2dataset writes them, too), of photos with metadata, with a text file each or in
            a folder for each class, or laid out as COCO's, LVIS', Pascal VOC's or YOLO's, as Roboflow, CVAT and Label
            Studio export them, or as MIMIC-CXR-JPG; or a data set of the Hub.
        cache: folder in which the drawn world is drawn.
        part_rows: about how many rows a part should have, where the source can be cut anywhere.
        limit: at most so many rows of each split; None takes all.
        seed: seed of the drawn world.
        workers: processes that draw.
        progress: whether to show progress bars.
        labels: labels that the domain names, so that any column of a table may be called by them.
        exhaustive: which absences of an annotation count; None reads it from the source.

    Raises:
        BadInputError: there is no such source, its columns cannot be told, or it does not say what `exhaustive` needs.
    """
    place = Path(name)
    if name == DRAWN_WORLD and not place.is_file():
        place = _drawn_world(cache, limit=limit, seed=seed, workers=workers, progress=progress)
    if place.is_dir() and parquet_files(place):
        _refuse_listed(name, exhaustive)
        return parquet_parts(place, part_rows=part_rows, limit=limit, exhaustive=exhaustive)
    if place.is_file():
        return [replace(part, limit=limit) for part in _parts_of_file(place, labels, exhaustive)]
    if place.is_dir() and (parts := _parts_of_folder(place, labels, exhaustive)):
        return [replace(part, limit=limit) for part in parts]
    if not place.is_dir() and (not _HUB_ID.fullmatch(name) or name.lower().endswith(_FILE_ENDINGS)):
        # The Hub would be asked six times, for half a minute, about a slip of the pen.
        raise BadInputError(f"`source` {name!r} is neither a file nor a folder here, and no id of the Hub.")
    _refuse_listed(name, exhaustive)
    parts = loaded_parts(name, limit=limit, exhaustive=exhaustive)
    if not parts:
        raise BadInputError(f"`source` {name!r} has no split.")
    return parts


def _refuse_listed(name: str, exhaustive: Exhaustive | None) -> None:
    if exhaustive == "listed":
        raise BadInputError(
            f"`exhaustive` listed needs a source that lists absences, as LVIS and tables of 1 and 0 do; {name!r} does "
            "not. Say yes where a class that is not listed is not there, else no."
        )


def _parts_of_file(file: Path, labels: Collection[str], exhaustive: Exhaustive | None) -> list[Part]:
    ending = file.suffix.lower()
    if is_label_table(file):
        return mimic_cxr_parts(file)
    if is_table(file) or ending in (".txt", ".token"):
        return csv_parts(file, named=labels)
    if ending == ".json":
        if is_karpathy(file):
            return karpathy_parts(file)
        return coco_parts(file, exhaustive=exhaustive)
    if ending in (".yaml", ".yml", ".data"):
        _refuse_listed(str(file), exhaustive)
        return yolo_parts(file, exhaustive=exhaustive)
    raise BadInputError(
        f"`source` must be a folder, a table (CSV or TSV), a JSON file in COCO's or Karpathy's form or YOLO's "
        f"data.yaml, got {file}; of "
        "Parquet files and WebDataset archives name the folder."
    )


def _parts_of_folder(folder: Path, labels: Collection[str], exhaustive: Exhaustive | None) -> list[Part]:
    """Parts of a folder that `datasets` does not read; empty for others."""
    if table := yolo_table(folder):
        _refuse_listed(str(folder), exhaustive)
        return yolo_parts(table, exhaustive=exhaustive)
    if parts := voc_parts(folder):
        _refuse_listed(str(folder), exhaustive)
        return parts
    if parts := coco_folder_parts(folder, exhaustive=exhaustive):
        return parts
    if roboflow := _roboflow_classes(folder):
        return roboflow
    if (table := label_table_of(folder)) is not None:
        return mimic_cxr_parts(table)
    if listed := [file for file in sorted(folder.glob("*.json")) if is_karpathy(file)]:
        return karpathy_parts(listed[0])
    return _parts_of_tables(folder, labels) or captioned_photo_parts(folder)


def _parts_of_tables(folder: Path, labels: Collection[str]) -> list[Part]:
    """Parts of all tables of a folder that name photos with captions or labels; others may lie beside them."""
    tables = [file for file in sorted(folder.iterdir()) if is_table(file)]
    tables += [file for own in _FOLDERS_OF_TEXT for name in _TABLES_IN_TEXT if (file := folder / own / name).is_file()]
    parts: list[Part] = []
    refused: list[BadInputError] = []
    for file in tables:
        if file.name != "metadata.csv":  # Of a folder of photos that `datasets` reads.
            try:
                parts += csv_parts(file, named=labels, root=folder)
            except BadInputError as error:
                refused.append(error)
    if refused and not parts:
        raise refused[0]
    return parts


def _roboflow_classes(folder: Path) -> list[Part]:
    """Roboflow's `_classes.csv` beside the photos of each split: a column of 1 and 0 for each class."""
    files = [folder / "_classes.csv", *sorted(folder.glob("*/_classes.csv"))]
    return [
        replace(part, split=split_of_folder(file.parent) or "train")
        for file in files
        if file.is_file()
        for part in csv_parts(file)
    ]


def _drawn_world(cache: Path, *, limit: int | None, seed: int, workers: int, progress: bool) -> Path:
    from notclip.recaption.drawn_world.write import DRAWN_WITH, write_drawn_world

    sizes = {"train": 6000, "validation": 1000, "test": 1000}
    sizes = {split: min(size, limit or size) for split, size in sizes.items()}
    key = derived_key("notclip.recaption.drawn_world.write", of={"seed": seed, **sizes}, libraries=DRAWN_WITH)
    folder = cache / f"drawn-world-{seed}-{'-'.join(map(str, sizes.values()))}-{key}"
    if not folder.is_dir():
        write_drawn_world(folder, **sizes, seed=seed, workers=workers, progress=progress)
    return folder
