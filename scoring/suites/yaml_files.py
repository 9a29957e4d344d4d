"""A user's own suite in YAML: questions about photos and queries that search them, as `notclip init-suite` has it."""

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from notclip.dataset.negation_forms import form_of_answer
from notclip.errors import BadInputError, shortened
from notclip.files.derived import file_digest
from notclip.files.yaml_files import read_yaml
from notclip.remote.negation_scope import read_scope
from notclip.scoring.suites.photos import PhotoFolder
from notclip.scoring.suites.suite import Query, Suite, SuiteQuestion

_QUESTION = ("image", "correct", "wrong", "group")
_QUERY = ("text", "image", "excluded")


def read_yaml_suite(file: Path, *, images: Path | None, skip_missing: bool = False) -> Suite:
    """Read `questions` and `queries`; queries search all photos that the file names.

    Args:
        file: the YAML file.
        images: the folder of the photos; the file's own folder when absent.
        skip_missing: leave out examples whose photo is missing, and list them, instead of stopping.

    Raises:
        BadInputError: it is no YAML of this form, or an example breaks a rule.
    """
    content = _read(file)
    photos = PhotoFolder(file.parent if images is None else images, skip_missing=skip_missing)
    questions = [_question(entry, photos) for entry in _entries(content, "questions", _QUESTION, file)]
    queries = [_query(entry, photos) for entry in _entries(content, "queries", _QUERY, file)]
    if not questions and not queries:
        raise BadInputError(f"{file} must hold at least one example under `questions` or `queries`.")
    negated = [query for query in queries if query.excluded or read_scope(query.text).negated]
    return Suite(
        file.name,
        photos.found,
        questions,
        negated,
        [query for query in queries if query not in negated],
        list(photos.found) if queries else [],
        {file.name: file_digest(file)},
    ).without(photos.missing)


_QUOTE = "Put texts in quotes: YAML reads a bare no, yes or 12 as something else."


class _Entry:
    """One example, with the words that name it in messages."""

    def __init__(self, content: dict[str, Any], where: str) -> None:
        self.content, self.where = content, where

    def text(self, key: str, what: str) -> str:
        value = self.content.get(key)
        if not isinstance(value, str) or not value.strip():
            named = f" ({image})" if key != "image" and (image := self.content.get("image")) else ""
            advice = "Write one, or delete the example." if value in ("", None) else _QUOTE
            raise BadInputError(f"{self.where}{named}: `{key}` must be {what}, got {shortened(value)}. {advice}")
        return value.strip()

    def texts(self, key: str, what: str) -> list[str]:
        values = self.content.get(key)
        values = [values] if isinstance(values, str) else values
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise BadInputError(f"{self.where}: `{key}` must be a list of {what}, got {shortened(values)}. {_QUOTE}")
        return [value.strip() for value in values if value.strip()]


def _read(file: Path) -> dict[str, Any]:
    content = read_yaml(file, "The suite")
    if not isinstance(content, dict) or not set(content) & {"questions", "queries"}:
        raise BadInputError(f"{file} must hold `questions:` or `queries:`; `notclip init-suite DIR` shows how.")
    if unknown := sorted(str(key) for key in set(content) - {"questions", "queries"}):
        raise BadInputError(f"{file} may hold `questions` and `queries`, got {unknown[0]!r} as well.")
    return content


def _entries(content: dict[str, Any], what: str, keys: Sequence[str], file: Path) -> list[_Entry]:
    listed = content.get(what) or []
    if not isinstance(listed, list):
        raise BadInputError(f"{file}: `{what}` must be a list of examples, got {type(listed).__name__}.")
    entries = []
    for number, entry in enumerate(listed, start=1):
        where = f"{file}, {what} {number}"
        if not isinstance(entry, dict):
            raise BadInputError(f"{where}: it must have the keys {', '.join(keys)}, got {shortened(entry)}.")
        for key in entry:
            if key not in keys:
                near = difflib.get_close_matches(str(key), keys, n=1)
                hint = f"did you mean `{near[0]}`?" if near else f"the keys are {', '.join(keys)}."
                raise BadInputError(f"{where}: unknown key {shortened(key)}; {hint}")
        entries.append(_Entry(entry, where))
    return entries


def _question(entry: _Entry, photos: PhotoFolder) -> SuiteQuestion:
    image = photos.enter(entry.text("image", "the path of a photo"), entry.where)
    correct = entry.text("correct", "a caption that is true of the photo")
    wrong = entry.texts("wrong", "captions that are false of the photo")
    if not wrong:
        raise BadInputError(f"{entry.where} ({image}): `wrong` must hold at least one caption that is false.")
    if correct in wrong:
        raise BadInputError(f"{entry.where}: the correct caption {correct!r} stands among the wrong ones.")
    choices = (correct, *wrong)
    group = entry.content.get("group")
    kinds = tuple(read_scope(text).kind for text in choices)
    return SuiteQuestion(
        image, choices, 0, kinds, form_of_answer(correct, kinds[0]), None if group is None else str(group)
    )


def _query(entry: _Entry, photos: PhotoFolder) -> Query:
    text = entry.text("text", "what is searched for")
    image = photos.enter(entry.text("image", "the path of the photo that it shall find"), entry.where)
    listed = entry.texts("excluded", "photos that show what the query excludes") if "excluded" in entry.content else []
    excluded = frozenset(photos.enter(name, entry.where) for name in listed)
    if image in excluded:
        raise BadInputError(f"{entry.where}: {image!r} is what it shall find, and stands under `excluded` as well.")
    return Query(text, image, excluded)
