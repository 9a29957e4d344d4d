"""The columns of annotations in detection and classification sets of the Hub."""

import pytest
from datasets import ClassLabel, Features, Image, List, Value

from notclip.errors import BadInputError
from notclip.recaption.sources.label_columns import label_column, names_in

PETS = ClassLabel(names=["cat", "dog"])
BOX = List(Value("float32"), length=4)


def column(**features):
    return label_column(Features({"image": Image(), **features}), "pets", exhaustive="yes")


@pytest.mark.parametrize(
    ("feature", "cell"),
    [
        ({"bbox": List(BOX), "category": List(PETS)}, {"bbox": [[0] * 4] * 2, "category": [1, 1]}),
        (List({"bbox": BOX, "category": PETS}), [{"bbox": [0] * 4, "category": 1}]),
        (List({"box": BOX, "label": PETS, "id": Value("int64")}), [{"box": [0] * 4, "label": 1, "id": 0}]),
    ],
)
def test_a_list_of_structs_and_a_struct_of_lists_name_the_same_classes(feature, cell):
    found = column(objects=feature)
    assert found.numbered({"objects": cell}, found.names)["objects"] in ([1], [1, 1])
    assert found.names == ("cat", "dog")


def test_classes_may_be_written_as_names():
    found = column(annotations={"bbox": List(BOX), "label": List(Value("string"))})
    cells = [{"bbox": [], "label": ["dog", "ant"]}, {"bbox": [], "label": []}, None]
    names = names_in(cells, found)
    assert names == ("ant", "dog")
    assert [found.numbered({"annotations": cell}, names)["objects"] for cell in cells] == [[1, 0], [], None]


def test_a_list_of_labels_of_the_whole_image_and_one_label_are_told_apart():
    assert not column(labels=List(PETS)).single
    assert column(label=PETS).single
    # Class -1 is that of test sets whose answers are kept back.
    assert column(label=PETS).numbered({"label": -1}, ("cat", "dog"))["objects"] is None


def test_labels_beside_captions_and_what_columns_reads_itself_are_left_alone():
    assert column(caption=Value("string"), label=PETS) is None
    assert column(objects=List(PETS)) is None


def test_numbers_without_names_are_refused():
    with pytest.raises(BadInputError, match=r"objects\.category are numbers without names"):
        column(objects={"bbox": List(BOX), "category": List(Value("int64"))})
