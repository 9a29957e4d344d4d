"""A CSV file that names photos: with captions, with a label table in the form of CheXpert, or with both.

A label column holds 1 (there), 0 (not there), -1 (uncertain) or nothing (not said).
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache, partial
from itertools import islice
from pathlib import Path

from notclip.errors import BadInputError
from notclip.recaption.sources.columns import ID_NAMES, LOCATION_NAMES, caption_columns
from notclip.recaption.sources.listed_part import ListedPart
from notclip.recaption.sources.parts import RowContent, SourceRow
from notclip.recaption.sources.photos import read_photo
from notclip.recaption.sources.splits import SPLITS, split_of
from notclip.recaption.sources.tables import read_csv, texts_of_cell

PATH_NAMES = ("image", "path", "image_path", "filepath", "file_name", "filename", "file", "photo", "video")
# Photos of one patient are alike in more than their findings.
GROUP_NAMES = ("patient", "patient_id", "patientid", "subject_id", "patient id", "group")
_PATIENT = re.compile(r"(?:^|/)(patient\w+)/")  # As CheXpert's folders are called.
_LABELS = {"1": "present", "1.0": "present", "0": "absent", "0.0": "absent", "-1": "uncertain", "-1.0": "uncertain"}
_LOOKED_AT = 1000  # Rows by which label columns are told from others.
# A finding of its own in such tables, which says that there is none of the others.
_NO_FINDING = "no finding"


def csv_parts(file: Path, *, limit: int | None = None) -> list[ListedPart]:
    """The parts of a CSV file: one for each split of its column `split`, else one for the split of its name.

    Args:
        file: the file; photos lie below its folder.
        limit: at most so many rows of each split.

    Raises:
        BadInputError: it has no rows, no column of photos, or neither captions nor labels.
    """
    rows = [row for _, row in islice(read_csv(file), _LOOKED_AT)]
    if not rows:
        raise BadInputError(f"{file} has no rows.")
    header = list(rows[0])
    paths = _column(header, PATH_NAMES)
    if paths is None:
        raise BadInputError(
            f"{file} has no column of photos: it has {', '.join(map(repr, header))}, and one of "
            f"{', '.join(map(repr, PATH_NAMES))} is needed; rename its column."
        )
    captions = caption_columns(header)
    labels = _label_columns(rows, (paths, *captions))
    if not captions and not labels:
        raise BadInputError(
            f"{file} has neither captions nor labels: name a column 'caption', or fill label columns with 1 (there), "
            "0 (not there), -1 (uncertain) or nothing (not said)."
        )
    if "split" not in header:
        split = split_of(file.stem) or "train"
        return [ListedPart(split, partial(_read, file, paths, captions, labels, None), limit)]
    return [ListedPart(split, partial(_read, file, paths, captions, labels, split), limit) for split in SPLITS]


def _column(header: list[str], names: tuple[str, ...]) -> str | None:
    lower = {name.lower(): name for name in header}
    return next((lower[name.lower()] for name in names if name.lower() in lower), None)


def _label_columns(rows: list[dict[str, str]], others: tuple[str, ...]) -> tuple[str, ...]:
    """Columns whose cells are labels, most of them: what is not is a mistake, and named when it is read."""
    known = {name.lower() for name in (*others, "split", *ID_NAMES, *LOCATION_NAMES, *GROUP_NAMES)}
    found = []
    for name in rows[0]:
        cells = [row[name].strip() for row in rows]
        filled = [cell for cell in cells if cell]
        right = sum(cell in _LABELS for cell in filled)
        # 0 to 100 may also be an age: labels are never anything else in half of the cells.
        if name.lower() not in known and filled and right > 0.5 * len(filled):
            found.append(name)
    return tuple(found)


def _read(
    file: Path, paths: str, captions: tuple[str, ...], labels: tuple[str, ...], split: str | None
) -> tuple[Iterator[SourceRow], tuple[str, ...] | None]:
    vocabulary = tuple(name for name in labels if name.lower() != _NO_FINDING)
    return _rows(file, paths, captions, labels, split), vocabulary or None


def _rows(
    file: Path, paths: str, captions: tuple[str, ...], labels: tuple[str, ...], split: str | None
) -> Iterator[SourceRow]:
    for line, row in read_csv(file):
        if split is None or (split_of(row["split"]) or "train") == split:
            yield SourceRow(str(file), line, partial(_content, file.parent, paths, captions, labels, row))


def _content(
    root: Path, paths: str, captions: tuple[str, ...], labels: tuple[str, ...], row: Mapping[str, str]
) -> RowContent:
    present, uncertain, unsaid = labels_of_row(row, labels)
    texts = [" ".join(text.split()) for name in captions for text in texts_of_cell(row[name])]
    image_id = _column(list(row), ID_NAMES)
    location = _column(list(row), LOCATION_NAMES)
    group = _column(list(row), GROUP_NAMES)
    patient = _PATIENT.search(row[paths])
    return RowContent(
        image=read_photo(root, path_below(root, row[paths])),
        captions=tuple(text for text in texts if text),
        image_id=(row[image_id] if image_id else "") or row[paths],
        present=present if labels else None,
        uncertain=uncertain,
        unsaid=unsaid,
        group=(row[group] if group else "") or (patient.group(1) if patient else None),
        location=(row[location] if location else "") or row[paths],
    )


def path_below(root: Path, path: str) -> str:
    """The path below the table's folder: CheXpert's begin with the name of that folder itself."""
    first, slash, rest = path.partition("/")
    return rest if slash and first == root.resolve().name and not (root / path).is_file() else path


def labels_of_row(
    row: Mapping[str, str], labels: tuple[str, ...]
) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Labels that a row says are there, those that may be, and those of which it says nothing.

    Raises:
        BadInputError: a cell is no label, or a row without any finding has one.
    """
    said: dict[str, str] = {}
    for name in labels:
        cell = row[name].strip()
        if cell and cell not in _LABELS:
            raise BadInputError(f"label {name!r} must be 1, 0, -1 or empty, got {cell[:40]!r}")
        said[name] = _LABELS.get(cell, "unsaid")
    present = frozenset(name for name, value in said.items() if value == "present")
    nothing = frozenset(name for name in present if name.lower() == _NO_FINDING)
    findings = _findings(labels)
    if nothing and present & findings:
        other = sorted(present & findings)[0]
        raise BadInputError(f"the row has {sorted(nothing)[0]!r} and {other!r}, which exclude each other")
    spoken = {name: value for name, value in said.items() if name.lower() != _NO_FINDING}
    return (
        present - nothing,
        frozenset(name for name, value in spoken.items() if value == "uncertain"),
        frozenset(name for name, value in spoken.items() if value == "unsaid"),
    )


@cache
def _findings(labels: tuple[str, ...]) -> frozenset[str]:
    """Labels that "no finding" excludes: devices in the chest are none."""
    return frozenset(name for name in labels if name.lower() not in (_NO_FINDING, "support devices"))
