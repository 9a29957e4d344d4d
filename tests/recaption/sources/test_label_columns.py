"""The columns of annotations in detection and classification sets of the Hub."""

from dataclasses import replace

import pytest
from datasets import ClassLabel, Features, Image, List, Value

from notclip.errors import BadInputError
from notclip.recaption.sources.columns import Columns
from notclip.recaption.sources.label_columns import label_column

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
    assert found.classes_of(cell) == {"dog"}
    assert found.names == ("cat", "dog")


def test_classes_may_be_written_as_names():
    found = column(annotations={"bbox": List(BOX), "label": List(Value("string"))})
    cells = [{"bbox": [], "label": ["dog", "ant"]}, {"bbox": [], "label": []}, None]
    assert found.names_in(cells) == ("ant", "dog")
    assert [found.classes_of(cell) for cell in cells] == [{"ant", "dog"}, frozenset(), None]


def test_a_list_of_labels_of_the_whole_image_and_one_label_are_told_apart():
    assert not column(labels=List(PETS)).single
    assert column(label=PETS).single
    # Class -1 is that of test sets whose answers are kept back.
    assert column(label=PETS).classes_of(-1) is None


def test_labels_beside_captions_are_left_alone_but_for_objects():
    assert column(caption=Value("string"), label=PETS) is None
    assert column(caption=Value("string"), objects=List(PETS)) == replace(column(labels=List(PETS)), column="objects")


def test_numbers_without_names_are_refused():
    with pytest.raises(BadInputError, match=r"objects\.category are numbers without names"):
        column(objects={"bbox": List(BOX), "category": List(Value("int64"))})


def test_the_column_of_classes_is_told_by_its_own_name():
    features = Features({"image": Image(), "label": List(PETS)})
    columns = Columns.of_features(features, "pets", root=None, exhaustive=None, names_in=None, loaded=True)
    assert columns.taken_for == {"image": "photo", "label": "labels"}
