"""Which files make up a split."""

import pytest

from notclip.dataset.files import split_files
from notclip.errors import BadInputError


@pytest.fixture
def dataset(tmp_path):
    (tmp_path / "questions").mkdir()

    def write(*names):
        for name in names:
            (tmp_path / "questions" / f"{name}.parquet").touch()
        return tmp_path

    return write


def test_a_split_is_one_file_or_its_parts_in_order(dataset):
    folder = dataset("test", "train-00001-of-00002", "train-00000-of-00002", "train-two-00000-of-00001")
    assert [file.name for file in split_files(folder, "questions", "test")] == ["test.parquet"]
    assert [file.stem[-14:] for file in split_files(folder, "questions", "train")] == [
        "00000-of-00002",
        "00001-of-00002",
    ]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["train"], r"no split 'test' of questions: .*; splits there: train\."),
        ([], r"splits there: none\. Build it"),
        (["test-00000-of-00003", "test-00002-of-00003"], r"lacks test-00001-of-00003\.parquet, one of 3 parts"),
        (["test", "test-00000-of-00001"], r"'test' 2 times, as test\.parquet and test-\*-of-00001\.parquet"),
        (["test-00000-of-00001", "test-00000-of-00002", "test-00001-of-00002"], r"2 times, as .*of-00001.*of-00002"),
    ],
)
def test_a_split_that_is_not_whole_is_refused_by_name(dataset, names, said):
    with pytest.raises(BadInputError, match=said):
        split_files(dataset(*names), "questions", "test")
