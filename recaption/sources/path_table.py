"""A table that names photos: with captions, with a label table in the form of CheXpert's or NIH's, or with several.

A label column holds 1 or True (there), 0 or False (not there), -1 (uncertain) or nothing (not said). NIH's `Finding
Labels` lists those that are there, divided by bars.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from pathlib import Path

from notclip.dataset.splits import SPLITS, split_of
from notclip.errors import BadInputError, shortened
from notclip.files.tables import TableRow, clean_caption, read_csv, texts_of_cell
from notclip.files.text_files import read_text
from notclip.recaption.sources.column_names import (
    GROUP_NAMES,
    ID_NAMES,
    LOCATION_NAMES,
    PATH_NAMES,
    caption_columns,
    find_column,
    may_be_label,
)
from notclip.recaption.sources.kept_reading import kept_while_unchanged
from notclip.recaption.sources.parts import Part, RowContent, SourceRow
from notclip.recaption.sources.photo_paths import inside, photo_place
from notclip.recaption.sources.photos import read_photo

_PATIENT = re.compile(r"(?:^|/)(patient\w+)/")  # As CheXpert's folders are called.
_LABELS = {
    **dict.fromkeys(("1", "1.0", "true"), "present"),
    **dict.fromkeys(("0", "0.0", "false"), "absent"),
    **dict.fromkeys(("-1", "-1.0"), "uncertain"),
}
_LOOKED_AT = 1000  # Rows by which label columns are told from others.
# A finding of its own in such tables, which says that there is none of the others.
_NO_FINDING = "no finding"
_LISTED_LABELS = ("finding_labels",)
# Names of the photos of a split, beside NIH's table and Flickr8k's.
_SPLIT_LISTS = {
    "test_list.txt": "test",
    "Flickr_8k.devImages.txt": "validation",
    "Flickr_8k.testImages.txt": "test",
}
_LARGEST_LIST = 2**30  # bytes


@dataclass(frozen=True)
class PathTable:
    """What each column of a table was taken for.

    Args:
        file: the table.
        root: the folder that photos lie below.
        paths: column of the photos' paths.
        captions: columns of captions.
        labels: columns of labels.
        listed: column of the labels that are there, divided by bars.
        image_id: column of identifiers, if there is one.
        location: column of addresses, if there is one.
        group: column of what photos of one kind share, such as a patient.
        split: column of splits, if there is one.
        taken_for: what each column was taken for, in words.
    """

    file: Path
    root: Path
    paths: str
    captions: tuple[str, ...]
    labels: tuple[str, ...]
    listed: str | None
    image_id: str | None
    location: str | None
    group: str | None
    split: str | None
    taken_for: Mapping[str, str]

    @classmethod
    def of_file(cls, file: Path, *, named: Collection[str] = (), root: Path | None = None) -> "PathTable":
        """Tell the columns by their names and the first thousand rows.

        Args:
            file: the table.
            named: labels that the domain names, which may be called as they will.
            root: the folder that photos lie below; the table's by default.

        Raises:
            BadInputError: it has no sound row, no column of photos, or neither captions nor labels.
        """
        looked_at = list(islice(read_csv(file), _LOOKED_AT))
        rows = [row.cells for row in looked_at if not row.fault]
        if not rows:
            first = f" line {looked_at[0].line}: {looked_at[0].fault}" if looked_at else " has no rows"
            raise BadInputError(f"{file}{first}.")
        header = list(rows[0])
        paths = find_column(header, PATH_NAMES)
        if paths is None:
            raise BadInputError(
                f"{file} has no column of photos: it has {', '.join(map(shortened, header))}, and one of "
                f"{', '.join(map(repr, PATH_NAMES))} is needed; rename its column."
            )
        captions = caption_columns([name for name in header if name != paths])
        listed = find_column(header, _LISTED_LABELS)
        image_id, location = find_column(header, ID_NAMES), find_column(header, LOCATION_NAMES)
        group, split = find_column(header, GROUP_NAMES), find_column(header, ("split",))
        known = {paths, *captions, listed, image_id, location, group, split}
        binary = [name for name in header if name not in known and _holds_labels(name, rows)]
        labels = tuple(name for name in binary if name in named or may_be_label(name))
        unlikely = tuple(name for name in binary if name not in labels)
        if not captions and not labels and listed is None:
            hint = f" {shortened(unlikely[0])} is not called as a label is: name it in `--domain`." if unlikely else ""
            raise BadInputError(
                f"{file} has neither captions nor labels: name a column 'caption', or fill label columns with 1 "
                f"(there), 0 (not there), -1 (uncertain) or nothing (not said).{hint}"
            )
        single = {
            paths: "photo", listed: "labels", image_id: "identifier", location: "address",
            group: "group that stays in one split", split: "split",
        }  # fmt: skip
        taken_for = {
            **dict.fromkeys((name for name in header if name not in known and name not in binary), "nothing"),
            **dict.fromkeys(unlikely, "nothing: zeros and ones, but not called as a label; --domain can name it"),
            **{name: what for name, what in reversed(single.items()) if name is not None},
            **dict.fromkeys(captions, "caption"),
            **dict.fromkeys(labels, "label"),
        }
        return cls(
            file, root or file.parent, paths, captions, labels, listed, image_id, location, group, split, taken_for
        )

    def part(self, split: str, *, filtered: bool) -> Part:
        """The rows of one split; all rows where it is not `filtered`."""
        return Part(split, partial(self._read, split if filtered else None), self.taken_for)

    def _read(self, split: str | None) -> tuple[Iterator[SourceRow], tuple[str, ...] | None]:
        listed = () if self.listed is None else _listed_labels(self.file, self.listed)
        vocabulary = tuple(name for name in (*self.labels, *listed) if name.lower() != _NO_FINDING)
        return self._rows(split, listed), vocabulary or None

    def _rows(self, split: str | None, listed: tuple[str, ...]) -> Iterator[SourceRow]:
        for row in read_csv(self.file):
            if split is None or self._split_of(row) == split:
                yield SourceRow(str(self.file), row.line, partial(self._content, row, listed))

    def _split_of(self, row: TableRow) -> str:
        if self.split is not None:
            return (None if row.fault else split_of(row.cells[self.split])) or "train"
        listed = None if row.fault else _split_lists(self.file.parent).get(row.cells[self.paths])
        return listed or _split_of_name(self.file)

    def _content(self, row: TableRow, listed: tuple[str, ...]) -> RowContent:
        if row.fault:
            raise BadInputError(row.fault)
        cells = row.cells
        present, uncertain, unsaid = labels_of_row(cells, self.labels)
        if self.listed is not None:
            present |= listed_labels(cells[self.listed])
        texts = [clean_caption(text) for name in self.captions for text in texts_of_cell(cells[name])]
        path = cells[self.paths]
        patient = _PATIENT.search(path)
        return RowContent(
            image=read_photo(self.root, photo_place(self.root, path)),
            captions=tuple(text for text in texts if text),
            image_id=self._cell(cells, self.image_id) or inside(self.root, path),
            present=present if self.labels or listed else None,
            uncertain=uncertain,
            unsaid=unsaid,
            group=self._cell(cells, self.group) or (patient.group(1) if patient else None),
            location=self._cell(cells, self.location) or inside(self.root, path),
        )

    @staticmethod
    def _cell(cells: Mapping[str, str], column: str | None) -> str:
        return "" if column is None else cells[column]


def csv_parts(file: Path, *, named: Collection[str] = (), root: Path | None = None) -> list[Part]:
    """The parts of a table: one for each split of its column `split`, else one for the split of its name.

    Raises:
        BadInputError: it has no rows, no column of photos, or neither captions nor labels.
    """
    table = PathTable.of_file(file, named=named, root=root)
    if table.split is None and not _split_lists(file.parent):
        return [table.part(_split_of_name(file), filtered=False)]
    return [table.part(split, filtered=True) for split in SPLITS]


def _split_of_name(file: Path) -> str:
    return split_of(file.name.partition(".")[0]) or "train"


def _holds_labels(name: str, rows: list[dict[str, str]]) -> bool:
    """Whether most of a column's cells are labels: what is not is a mistake, and named when it is read."""
    filled = [cell for row in rows if (cell := clean_caption(row[name]))]
    # 0 to 100 may also be an age: labels are never anything else in half of the cells.
    return bool(filled) and sum(cell.lower() in _LABELS for cell in filled) > 0.5 * len(filled)


@kept_while_unchanged(4)
def _listed_labels(file: Path, column: str) -> tuple[str, ...]:
    """All labels that a column lists, of the whole table."""
    return tuple(sorted(set[str]().union(*(listed_labels(row.cells[column]) for row in read_csv(file) if row.cells))))


@kept_while_unchanged(4)
def _split_lists(folder: Path) -> Mapping[str, str]:
    """The split of each photo that a list beside the table names; of none where there is no list."""
    lists = ((folder / name, split) for name, split in _SPLIT_LISTS.items())
    return {
        name: split
        for file, split in lists
        if file.is_file()
        for name in read_text(file, "the list", largest=_LARGEST_LIST).split()
    }


def listed_labels(cell: str) -> frozenset[str]:
    """The labels of a cell such as "Cardiomegaly|Pleural_Thickening"; none of "No Finding"."""
    return frozenset(name for part in cell.split("|") if (name := part.strip()) and name.lower() != _NO_FINDING)


def labels_of_row(
    row: Mapping[str, str], labels: tuple[str, ...]
) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Labels that a row says are there, those that may be, and those of which it says nothing.

    Raises:
        BadInputError: a cell is no label, or a row without any finding has one.
    """
    said: dict[str, str] = {}
    for name in labels:
        cell = clean_caption(row[name]).lower()
        if cell and cell not in _LABELS:
            raise BadInputError(f"label {name!r} must be 1, 0, -1 or empty, got {shortened(row[name])}")
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
