"""Suites from CSV files: NegBench's as released, pairs like CC-Neg's, and a user's `image, correct, wrong_1, …`."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from notclip.dataset.negation_forms import form_of_answer
from notclip.errors import BadInputError, shortened
from notclip.files.derived import file_digest
from notclip.files.tables import clean_caption, column_key, read_csv, texts_of_cell
from notclip.files.text_files import whole_number
from notclip.remote.negation_scope import read_scope
from notclip.scoring.suites.photos import PhotoFolder
from notclip.scoring.suites.suite import Query, Suite, SuiteQuestion

# NegBench calls kinds of caption by other names, which collide with those of contrastive pairs.
KIND_OF_TEMPLATE = {"positive": "affirmation", "negative": "negation", "hybrid": "hybrid"}
# Pairs of a true caption and its negation, which is false, by the names that such files give their columns.
PAIR_IMAGES = ("image", "image_path", "filepath", "filename")
PAIR_TRUE = ("caption", "true_caption", "positive_caption", "original_caption")
PAIR_FALSE = ("negated_caption", "negative_caption", "false_caption", "neg_caption")


@dataclass(frozen=True)
class CsvRow:
    """A row of a CSV file, with the words that name it in messages."""

    where: str
    cells: dict[str, str]

    def text(self, column: str) -> str:
        """A cell that must not be empty."""
        value = self.cells.get(column, "")
        if not clean_caption(value):
            raise BadInputError(f"{self.where}: `{column}` must not be empty{f', got {value!r}' if value else ''}.")
        return value

    def texts(self, column: str) -> list[str]:
        """A cell that holds a Python list of strings, as NegBench writes them; read as a literal, never evaluated."""
        text = self.text(column)
        try:
            values = texts_of_cell(text) if text.startswith("[") else []
        except BadInputError:
            values = []
        if not text.startswith("[") or (text != "[]" and not values) or not all(value.strip() for value in values):
            raise BadInputError(
                f"{self.where}: `{column}` must be a list of strings that are not empty, got {shortened(text)}."
            )
        return values


def read_csv_suite(file: Path, *, images: Path | None, skip_missing: bool = False) -> Suite:
    """Read a CSV file by its columns.

    Args:
        file: NegBench's questions or retrieval, pairs of a true and a negated caption, or a user's own questions.
        images: the folder of the photos; the file's own folder when absent.
        skip_missing: leave out rows whose photo is missing, and list them, instead of stopping.

    Raises:
        BadInputError: unknown columns, or a row that breaks a rule.
    """
    rows = list(_read_rows(file))
    columns = set(rows[0].cells)
    folder = PhotoFolder(file.parent if images is None else images, skip_missing=skip_missing)
    if {"image_path", "correct_answer", "caption_0", "caption_1"} <= columns:
        image_column, suite = "image_path", Suite(file.name, {}, questions=_negbench_questions(rows))
    elif {"filepath", "captions"} <= columns:
        negated, ordinary = _negbench_queries(rows)
        suite = Suite(file.name, {}, negated_queries=negated, ordinary_queries=ordinary)
        image_column = "filepath"
    elif {"image", "correct", "wrong_1"} <= columns:
        image_column, suite = "image", Suite(file.name, {}, questions=_own_questions(rows))
    elif pair := _pair_columns(columns):
        image_column, suite = pair[0], Suite(file.name, {}, questions=_pairs(rows, *pair))
    else:
        raise BadInputError(
            f"{file}: the columns must be `image, correct, wrong_1, …`, pairs `image, caption, negated_caption`, or "
            "those of NegBench (`image_path, correct_answer, caption_0, …` or `filepath, captions, …`), got "
            f"{', '.join(sorted(columns))}."
        )
    for row in rows:
        folder.enter(row.text(image_column), row.where)
    searched = list(folder.found) if image_column == "filepath" else []
    suite = replace(suite, photos=folder.found, gallery=searched, files={file.name: file_digest(file)})
    return suite.without(folder.missing)


def _read_rows(file: Path) -> Iterator[CsvRow]:
    number = 0
    for number, row in enumerate(read_csv(file), start=1):
        if row.fault:
            raise BadInputError(f"{file}, row {number}: {row.fault}.")
        yield CsvRow(f"{file}, row {number}", {column_key(name): cell for name, cell in row.cells.items()})
    if not number:
        raise BadInputError(f"{file} must hold at least one row below the names of its columns.")


def _negbench_questions(rows: Sequence[CsvRow]) -> list[SuiteQuestion]:
    names = [name for name in rows[0].cells if re.fullmatch(r"caption_\d+", name)]
    # The reference writes the true caption first and then a hybrid, an affirmation and a negation that are false, and
    # its scorer relies on it (`wrong_answer_to_type`). Rephrasing kept the kinds, though not always readably.
    templates = {row.cells.get("correct_answer_template", "") for row in rows}
    answers = {row.cells["correct_answer"].strip() for row in rows}
    in_reference_order = len(names) == 4 and answers == {"0"} and "negative" in templates
    questions = []
    for row in rows:
        choices = [row.text(name) for name in names]
        said = row.text("correct_answer")
        answer = whole_number(said)
        if answer is None or answer >= len(choices):
            raise BadInputError(
                f"{row.where}: `correct_answer` must be a whole number from 0 to {len(choices) - 1}, "
                f"got {shortened(said)}."
            )
        kinds = ["", "hybrid", "affirmation", "negation"] if in_reference_order else [_kind(text) for text in choices]
        template = row.cells.get("correct_answer_template", "").strip()
        if template and template not in KIND_OF_TEMPLATE:
            raise BadInputError(
                f"{row.where}: `correct_answer_template` must be one of {', '.join(KIND_OF_TEMPLATE)}, "
                f"got {template!r}."
            )
        kinds[answer] = KIND_OF_TEMPLATE[template] if template else _kind(choices[answer])
        form = form_of_answer(choices[answer], kinds[answer])
        questions.append(SuiteQuestion(row.text("image_path"), tuple(choices), answer, tuple(kinds), form))
    return questions


def _own_questions(rows: Sequence[CsvRow]) -> list[SuiteQuestion]:
    wrong = [name for name in rows[0].cells if re.fullmatch(r"wrong_\d+", name)]
    questions = []
    for row in rows:
        choices = [row.text("correct"), *(text for name in wrong if (text := row.cells[name].strip()))]
        if len(choices) < 2:
            raise BadInputError(f"{row.where}: it must have at least one wrong caption, in `wrong_1`.")
        if choices[0] in choices[1:]:
            raise BadInputError(f"{row.where}: the correct caption {choices[0]!r} stands among the wrong ones.")
        kinds = tuple(_kind(text) for text in choices)
        group = row.cells.get("group", "").strip() or None
        form = form_of_answer(choices[0], kinds[0])
        questions.append(SuiteQuestion(row.text("image"), tuple(choices), 0, kinds, form, group))
    return questions


def _pair_columns(columns: set[str]) -> tuple[str, str, str] | None:
    found = [next((name for name in names if name in columns), "") for names in (PAIR_IMAGES, PAIR_TRUE, PAIR_FALSE)]
    return (found[0], found[1], found[2]) if all(found) else None


def _pairs(rows: Sequence[CsvRow], image: str, true: str, false: str) -> list[SuiteQuestion]:
    """A caption against its negation, as in CC-Neg (Singh et al. 2024): the negated caption is false of the photo."""
    questions = []
    for row in rows:
        choices = row.text(true), row.text(false)
        if choices[0] == choices[1]:
            raise BadInputError(f"{row.where}: `{true}` and `{false}` must differ, got {choices[0]!r} twice.")
        questions.append(SuiteQuestion(row.text(image), choices, 0, (_kind(choices[0]), _kind(choices[1]))))
    return questions


def _negbench_queries(rows: Sequence[CsvRow]) -> tuple[list[Query], list[Query]]:
    """Negated and ordinary queries: a file holds the one or the other, and MSR-VTT's both."""
    showing: dict[str, set[str]] = defaultdict(set)  # concept -> images annotated with it
    captions: list[tuple[CsvRow, str, str]] = []
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


def _concepts(row: CsvRow, lists: Sequence[str], single: Sequence[str]) -> frozenset[str]:
    named = [name for column in lists if row.cells.get(column) for name in row.texts(column)]
    named += [row.cells[column] for column in single if row.cells.get(column)]
    return frozenset(name.strip().lower() for name in named)


def _kind(caption: str) -> str:
    return read_scope(caption).kind
