"""Rows of a dataset from a stranger: what no build writes is refused with file, row and column."""

import pytest

from notclip.dataset.row_rules import check_row
from notclip.errors import BadInputError

QUESTION = {"image_id": "a", "choices": ["a dog", "no dog"], "answer": 1, "kind": 0, "choice_kinds": [0, 1]}
KINDS = {"kind": ["affirmation", "negation"], "choice_kinds": ["affirmation", "negation"]}


def test_a_row_as_builds_write_it_passes():
    check_row(QUESTION | {"choice_forms": [], "image": {"bytes": b"x", "path": "a"}}, "f, row 1", KINDS)
    check_row({"captions": ["no cat"], "absent": [["cat"]], "relevant": None, "present": []}, "f, row 1")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image_id": None}, "f, row 3: `image_id` must be text, got None"),
        ({"image": {"bytes": None, "path": "a"}}, "`image` must be a picture's bytes"),
        ({"choices": ["a dog", None]}, "`choices` must be a list of texts"),
        ({"choices": ["a dog"], "choice_kinds": [0]}, "`answer` must be one of 1 choices, got 1"),
        ({"answer": -1}, "`answer` must be one of 2 choices, got -1"),
        ({"choice_kinds": []}, "`choice_kinds` must have an entry for each of 2 choices, got 0"),
        ({"choice_kinds": [0, 2]}, "`choice_kinds` must be of 2 kinds, got 2"),
        ({"kind": None}, "`kind` must be of 2 kinds, got None"),
    ],
)
def test_a_row_that_no_build_writes_is_refused(changes, message):
    with pytest.raises(BadInputError, match=message):
        check_row(QUESTION | changes, "f, row 3", KINDS)
