"""Suites from CSV files: NegBench's as released, and a user's own `image, correct, wrong_1, …`."""

import ast
import csv
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from notclip.errors import BadInputError
from notclip.negation_scope import read_scope
from notclip.recaption.suite import Photo, PhotoFile, Query, Question, Suite, file_sha256

# NegBench calls kinds of caption by other names, which collide with those of contrastive pairs.
KIND_OF_TEMPLATE = {"positive": "affirmation", "negative": "negation", "hybrid": "hybrid"}
VIDEO_SUFFIXES = {".mp4", ".avi", ".webm", ".mkv", ".mov"}


@dataclass(frozen=True)
class Row:
    """A row of a CSV file, with the words that name it in messages."""

    where: str
    cells: dict[str, str]

    def text(self, column: str) -> str:
        """A cell that must not be empty."""
        value = (self.cells.get(column) or "").strip()
        if not value:
            raise BadInputError(f"{self.where}: `{column}` must not be empty.")
        return value

    def texts(self, column: str) -> list[str]:
        """A cell that holds a Python list of strings, as NegBench writes them; read as a literal, never evaluated."""
        try:
            values = ast.literal_eval(self.text(column))
        except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
            raise BadInputError(f"{self.where}: `{column}` must be a list of strings, got {error}.") from None
        if not isinstance(values, list) or not all(isinstance(value, str) and value.strip() for value in values):
            raise BadInputError(f"{self.where}: `{column}` must be a list of strings that are not empty.")
        return values


class PhotoFolder:
    """The folder of a suite's photos: a path is sought as it is, then by its file name anywhere below."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise BadInputError(f"`images` must be a folder of photos, got {folder}.")
        self.folder = folder
        self._by_name: dict[str, list[Path]] | None = None

    def find(self, name: str, where: str) -> PhotoFile | None:
        """The photo that a row names, None where there is none.

        Raises:
            BadInputError: the name leaves the folder, is a video's, or fits several files.
        """
        path = PurePosixPath(name.replace("\\", "/"))
        if ".." in path.parts:
            raise BadInputError(f"{where}: the photo's path must stay inside {self.folder}, got {name!r}.")
        if path.suffix.lower() in VIDEO_SUFFIXES:
            raise BadInputError(f"{where}: {name!r} is a video; suites of photos are read, one image a question.")
        # An absolute path is one of another machine, and tells no more than the file's name.
        if not path.is_absolute() and (self.folder / path).is_file():
            return PhotoFile(self.folder / path, where)
        if self._by_name is None:
            self._by_name = defaultdict(list)
            for file in sorted(self.folder.rglob("*")):
                self._by_name[file.name].append(file)
        found = [file for file in self._by_name.get(path.name, []) if file.is_file()]
        if len(found) > 1:
            raise BadInputError(
                f"{where}: {name!r} is not in {self.folder}, and its file name fits several photos, {found[0]} and "
                f"{found[1]}. Name the folder from which the path starts as `images`."
            )
        return PhotoFile(found[0], where) if found else None


def read_csv_suite(file: Path, *, images: Path | None, skip_missing: bool = False) -> Suite:
    """Read a CSV file by its columns.

    Args:
        file: NegBench's questions or retrieval, or a user's own questions.
        images: the folder of the photos; the file's own folder when absent.
        skip_missing: leave out rows whose photo is missing, and list them, instead of stopping.

    Raises:
        BadInputError: unknown columns, or a row that breaks a rule.
    """
    rows = list(_read_rows(file))
    columns = set(rows[0].cells)
    folder = PhotoFolder(file.parent if images is None else images)
    if {"image_path", "correct_answer", "caption_0", "caption_1"} <= columns:
        image_column, suite = "image_path", Suite(file.name, {}, questions=_negbench_questions(rows))
    elif {"filepath", "captions"} <= columns:
        negated, ordinary = _negbench_queries(rows)
        suite = Suite(file.name, {}, negated_queries=negated, ordinary_queries=ordinary)
        image_column = "filepath"
    elif {"image", "correct", "wrong_1"} <= columns:
        image_column, suite = "image", Suite(file.name, {}, questions=_own_questions(rows))
    else:
        raise BadInputError(
            f"{file}: the columns must be `image, correct, wrong_1, …`, or those of NegBench (`image_path, "
            f"correct_answer, caption_0, …` or `filepath, captions, …`), got {', '.join(sorted(columns))}."
        )
    photos, missing = _find_photos(rows, image_column, folder, skip_missing=skip_missing)
    searched = list(photos) if image_column == "filepath" else []
    suite = Suite(
        suite.name,
        photos,
        suite.questions,
        suite.negated_queries,
        suite.ordinary_queries,
        searched,
        {file.name: file_sha256(file)},
    )
    return suite.without(missing)


def _read_rows(file: Path) -> Iterator[Row]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            reader = csv.DictReader(opened)
            empty = True
            for number, cells in enumerate(reader, start=1):
                if None in cells:
                    raise BadInputError(f"{file}, row {number}: it has more cells than the first line has names.")
                empty = False
                yield Row(f"{file}, row {number}", {name.strip(): text or "" for name, text in cells.items()})
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInputError(f"{file} is not CSV in UTF-8: {error}.") from error
    if empty:
        raise BadInputError(f"{file} must hold at least one row below the names of its columns.")


def _find_photos(
    rows: Sequence[Row], column: str, folder: PhotoFolder, *, skip_missing: bool
) -> tuple[dict[str, Photo], dict[str, str]]:
    photos: dict[str, Photo] = {}
    missing: dict[str, str] = {}
    for row in rows:
        name = row.text(column)
        if name in photos or name in missing:
            continue
        photo = folder.find(name, row.where)
        if photo is not None:
            photos[name] = photo
        elif skip_missing:
            missing[name] = f"{row.where}: no photo {name!r} in {folder.folder}"
        else:
            raise BadInputError(
                f"{row.where}: there is no photo {name!r} in {folder.folder}, by its path or by its file name. "
                "Give its folder as `images`, or skip what is missing."
            )
    return photos, missing


def _negbench_questions(rows: Sequence[Row]) -> list[Question]:
    names = [name for name in rows[0].cells if re.fullmatch(r"caption_\d+", name)]
    # The reference writes the true caption first and then a hybrid, an affirmation and a negation that are false, and
    # its scorer relies on it (`wrong_answer_to_type`). Rephrasing kept the kinds, though not always readably.
    templates = {row.cells.get("correct_answer_template", "") for row in rows}
    answers = {row.cells["correct_answer"].strip() for row in rows}
    in_reference_order = len(names) == 4 and answers == {"0"} and "negative" in templates
    questions = []
    for row in rows:
        choices = [row.text(name) for name in names]
        answer = row.text("correct_answer")
        if not answer.isdecimal() or int(answer) >= len(choices):
            raise BadInputError(
                f"{row.where}: `correct_answer` must be a whole number from 0 to {len(choices) - 1}, got {answer!r}."
            )
        kinds = ["", "hybrid", "affirmation", "negation"] if in_reference_order else [_kind(text) for text in choices]
        template = row.cells.get("correct_answer_template", "").strip()
        if template and template not in KIND_OF_TEMPLATE:
            raise BadInputError(
                f"{row.where}: `correct_answer_template` must be one of {', '.join(KIND_OF_TEMPLATE)}, "
                f"got {template!r}."
            )
        kinds[int(answer)] = KIND_OF_TEMPLATE[template] if template else _kind(choices[int(answer)])
        questions.append(Question(row.text("image_path"), tuple(choices), int(answer), tuple(kinds)))
    return questions


def _own_questions(rows: Sequence[Row]) -> list[Question]:
    wrong = [name for name in rows[0].cells if re.fullmatch(r"wrong_\d+", name)]
    questions = []
    for row in rows:
        choices = [row.text("correct"), *(text for name in wrong if (text := row.cells[name].strip()))]
        if len(choices) < 2:
            raise BadInputError(f"{row.where}: it must have at least one wrong caption, in `wrong_1`.")
        if choices[0] in choices[1:]:
            raise BadInputError(f"{row.where}: the correct caption {choices[0]!r} stands among the wrong ones.")
        questions.append(Question(row.text("image"), tuple(choices), 0, tuple(_kind(text) for text in choices)))
    return questions


def _negbench_queries(rows: Sequence[Row]) -> tuple[list[Query], list[Query]]:
    """Negated and ordinary queries: a file holds the one or the other, and MSR-VTT's both."""
    showing: dict[str, set[str]] = defaultdict(set)  # concept -> images annotated with it
    captions: list[tuple[Row, str, str]] = []
    ordinary: list[Query] = []
    for row in rows:
        image = row.text("filepath")
        for concept in _concepts(row, ("positive_objects",), ("positive_concept1", "positive_concept2")):
            showing[concept].add(image)
        captions += [(row, image, caption) for caption in row.texts("captions")]
        if "all_captions" in row.cells:
            ordinary += [Query(caption, image) for caption in row.texts("all_captions")]
    negating = sum(bool(read_scope(caption).negated) for _, _, caption in captions)
    if 2 * negating <= len(captions):
        return [], [Query(caption, image) for _, image, caption in captions]
    shared: dict[frozenset[str], frozenset[str]] = {}
    negated = []
    for row, image, caption in captions:
        absent = _concepts(row, ("negative_objects",), ("negative_concept",))
        if "negative_concept" not in row.cells:  # a list, of which each caption excludes some
            absent = frozenset(name for name in absent if re.search(rf"\b{re.escape(name)}", caption, re.IGNORECASE))
        if absent not in shared:
            shared[absent] = frozenset().union(*(showing.get(name, set()) for name in absent))
        negated.append(Query(caption, image, shared[absent]))
    return negated, ordinary


def _concepts(row: Row, lists: Sequence[str], single: Sequence[str]) -> frozenset[str]:
    named = [name for column in lists if row.cells.get(column) for name in row.texts(column)]
    named += [row.cells[column] for column in single if row.cells.get(column)]
    return frozenset(name.strip().lower() for name in named)


def _kind(caption: str) -> str:
    return read_scope(caption).kind
