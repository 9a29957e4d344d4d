"""MIMIC-CXR-JPG as PhysioNet gives it: a table of labels a study, a table of photos with their splits, and the photos.

mimic-cxr-2.0.0-chexpert.csv.gz    subject_id, study_id, and a column a finding: 1, 0, -1 or nothing
mimic-cxr-2.0.0-split.csv.gz       dicom_id, study_id, subject_id, split
files/p10/p10000032/s50414267/02aa804e-bde0afdd-112c0b34-7bc16630-4e384014.jpg
"""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from notclip.dataset.splits import SPLITS, split_of
from notclip.errors import BadInputError, shortened
from notclip.files.tables import is_table, read_csv
from notclip.recaption.sources.kept_reading import kept_while_unchanged
from notclip.recaption.sources.parts import Part, RowContent, SourceRow
from notclip.recaption.sources.path_table import labels_of_row
from notclip.recaption.sources.photos import read_photo

_LABELLERS = ("chexpert", "negbio")  # The first that there is.
_KEYS = ("subject_id", "study_id")
_NO_FINDING = "no finding"


def label_table_of(folder: Path) -> Path | None:
    """The table of labels of a folder laid out as MIMIC-CXR-JPG; None for other folders."""
    return next((file for name in _LABELLERS if (file := _table(folder, name)) is not None), None)


def is_label_table(file: Path) -> bool:
    """Whether a file is called as one of MIMIC-CXR-JPG's tables of labels."""
    return file.name.startswith("mimic-cxr-") and is_table(file) and any(name in file.name for name in _LABELLERS)


def mimic_cxr_parts(file: Path) -> list[Part]:
    """A part for each split of a table of labels; the table of splits lies beside it.

    Raises:
        BadInputError: a table is missing, or lacks a column.
    """
    splits = _table(file.parent, "split")
    if splits is None:
        raise BadInputError(f"{file} needs mimic-cxr-2.0.0-split.csv.gz beside it, which says where its photos are.")
    for table, needed in ((file, _KEYS), (splits, ("dicom_id", *_KEYS, "split"))):
        header = next((row.cells for row in read_csv(table) if not row.fault), {})
        if lacking := [name for name in needed if name not in header]:
            raise BadInputError(f"{table} lacks the column {lacking[0]!r}, or has no rows.")
    labels = _labels(file)
    taken_for = {
        **dict.fromkeys(labels, "label"),
        "dicom_id": "photo",
        "study_id": "photo",
        "subject_id": "group that stays in one split",
        "split": "split",
    }
    return [Part(split, partial(_read, file, splits, split), taken_for) for split in SPLITS]


def _table(folder: Path, name: str) -> Path | None:
    return next((file for file in sorted(folder.glob(f"mimic-cxr-*-{name}.csv*")) if is_table(file)), None)


@kept_while_unchanged(2)
def _labels(file: Path) -> tuple[str, ...]:
    header = next((row.cells for row in read_csv(file) if not row.fault), {})
    return tuple(name for name in header if name not in _KEYS)


@kept_while_unchanged(1)
def _studies(file: Path) -> dict[str, tuple[str, ...]]:
    """The labels of each study, as the cells of its row."""
    names = _labels(file)
    return {row.cells["study_id"]: tuple(row.cells[name] for name in names) for row in read_csv(file) if row.cells}


def _read(file: Path, splits: Path, split: str) -> tuple[Iterator[SourceRow], tuple[str, ...]]:
    vocabulary = tuple(name for name in _labels(file) if name.lower() != _NO_FINDING)
    _studies(file)  # Once, before several threads ask.
    return _rows(file, splits, split), vocabulary


def _rows(file: Path, splits: Path, split: str) -> Iterator[SourceRow]:
    for row in read_csv(splits):
        named = "train" if row.fault else split_of(row.cells["split"]) or "train"
        if named == split:
            yield SourceRow(str(splits), row.line, partial(_content, file, row.cells, row.fault))


def _content(file: Path, cells: Mapping[str, str], fault: str) -> RowContent:
    if fault:
        raise BadInputError(fault)
    patient, study, photo = cells["subject_id"], cells["study_id"], cells["dicom_id"]
    if not (patient.isdecimal() and study.isdecimal()):
        raise BadInputError(f"`subject_id` and `study_id` must be numbers, got {shortened((patient, study))}")
    names = _labels(file)
    said = _studies(file).get(study)
    if said is None:
        raise BadInputError(f"the study {study} has no row in {file.name}")
    present, uncertain, unsaid = labels_of_row(dict(zip(names, said, strict=True)), names)
    path = f"files/p{patient[:2]}/p{patient}/s{study}/{photo}.jpg"
    return RowContent(
        image=read_photo(file.parent, path),
        captions=(),
        image_id=photo,
        present=present,
        uncertain=uncertain,
        unsaid=unsaid,
        group=patient,
        location=path,
    )
