"""Rows of a dataset from a stranger: what no build writes is refused with file, row and column."""

import pytest

from notclip.dataset.reader import decoded
from notclip.dataset.rows import KINDS, QuestionRow, RetrievalRow
from notclip.errors import BadInputError

QUESTION = {"image_id": "a", "choices": ["a dog", "no dog"], "answer": 1, "kind": 0, "choice_kinds": [0, 1]}
LABELS = {"kind": list(KINDS), "choice_kinds": list(KINDS)}


def test_a_row_as_builds_write_it_is_given_as_its_dataclass():
    photo = {"bytes": b"x", "path": "a"}
    row = decoded(QuestionRow, QUESTION | {"choice_forms": [], "image": photo}, LABELS, "f, row 1")
    assert row == QuestionRow(
        photo, "a", ["a dog", "no dog"], 1, kind="affirmation", choice_kinds=["affirmation", "negation"]
    )
    old = {"captions": ["no cat"], "absent": [["cat"]], "relevant": None, "present": []}
    assert decoded(RetrievalRow, old, {}, "f, row 1").relevant == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image_id": None}, "f, row 3: `image_id` must be text, got None"),
        ({"image": {"bytes": None, "path": "a"}}, "`image` must be a picture's bytes"),
        ({"choices": ["a dog", None]}, "`choices` .*list of texts"),
        ({"choices": ["a dog"], "choice_kinds": [0]}, "`answer` must be one of 1 choices, got 1"),
        ({"answer": -1}, "`answer` must be one of 2 choices, got -1"),
        ({"choice_kinds": []}, "`choice_kinds` .*entry for each of 2 choices, got 0"),
        ({"choice_kinds": [0, 3]}, "`choice_kinds` must be of 3 kinds, got 3"),
        ({"kind": None}, "`kind` must be one of .*, got None"),
    ],
)
def test_a_row_that_no_build_writes_is_refused(changes, message):
    with pytest.raises(BadInputError, match=message):
        decoded(QuestionRow, QUESTION | changes, LABELS, "f, row 3")


@pytest.mark.parametrize("names", [["x", "y", "z"], ["affirmation"], []])
def test_kinds_that_a_file_names_otherwise_than_builds_do_are_refused(names):
    with pytest.raises(BadInputError, match=r"f, row 3: `(choice_)?kinds?`"):
        decoded(QuestionRow, QUESTION | {}, LABELS | {"kind": names, "choice_kinds": names}, "f, row 3")


def test_kinds_may_stand_in_another_order_or_as_names():
    turned = {"kind": ["negation", "affirmation"], "choice_kinds": ["negation", "affirmation"]}
    assert decoded(QuestionRow, QUESTION | {}, turned, "f, row 3").choice_kinds == ["negation", "affirmation"]
    named = {"kind": "hybrid", "choice_kinds": ["hybrid", "negation"]}
    assert decoded(QuestionRow, QUESTION | named, {}, "f, row 3").kind == "hybrid"
    with pytest.raises(BadInputError, match="`kind` must be one of"):
        decoded(QuestionRow, QUESTION | named | {"kind": "positive"}, {}, "f, row 3")
