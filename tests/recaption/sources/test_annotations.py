"""COCO's JSON and Pascal VOC's XML; YOLO's text has its own file."""

import io
import json
import os
from pathlib import Path

import pytest
from PIL import Image

from notclip.errors import BadInputError


def photo(file: Path, shade: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), (shade, 0, 90)).save(buffer, "PNG")
    file.write_bytes(buffer.getvalue())


def coco(folder: Path, *, instances: dict | None = None) -> Path:
    images = [{"id": n, "file_name": f"{n}.png", "coco_url": f"http://images.cocodataset.org/{n}"} for n in range(3)]
    for n in range(3):
        photo(folder / "val2017" / f"{n}.png", n)
    own = {
        "images": images,
        "categories": [{"id": 18, "name": "dog"}, {"id": 17, "name": "cat"}],
        "annotations": [{"image_id": 0, "category_id": 18}, {"image_id": 0, "category_id": 18, "iscrowd": 1}],
    }
    captions = {"images": images, "annotations": [{"image_id": 0, "caption": "A dog .\n"}]}
    (folder / "annotations").mkdir()
    (folder / "annotations" / "instances_train2017.json").write_text(json.dumps(instances or own))
    (folder / "annotations" / "captions_train2017.json").write_text(json.dumps(captions))
    return folder


def test_instances_and_captions_of_coco_are_one_source(tmp_path: Path, read_source):
    source = read_source(coco(tmp_path / "coco"))
    assert source.vocabulary == ("dog", "cat")
    image = source.images["0.png"]
    assert (image.labels, image.captions, image.location) == (
        {"dog"},
        ("A dog .",),
        "http://images.cocodataset.org/0",
    )
    assert source.images["1.png"].labels == frozenset()  # annotated, and nothing of the classes is there


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"images": [\n{"id": 1,}]}', r"instances_train2017\.json line 2: not valid JSON"),
        ('{"pictures": []}', "object with a list `images`"),
        ('{"images": [{"id": 1}]}', r"images\[0\] lacks `file_name`"),
        ('{"images": [], "annotations": [{"image_id": 4}]}', r"annotations\[0\]: `image_id` 4 is no image"),
        ('{"images": null, "annotations": []}', "object with a list `images`"),
        ('{"images": [], "annotations": null}', "list `annotations`, got None"),
        ('{"images": [], "categories": [{"id": 1, "name": "dog"}]}', "must hold a list `annotations`, got None"),
        ('{"images": [], "annotations": [], "categories": {"1": "dog"}}', "must hold a list `categories`, got dict"),
        ('{"images": [{"id": [1], "file_name": "a"}], "annotations": []}', r"images\[0\]: `id` .*number or a"),
        (
            '{"images": [{"id": 1, "file_name": "a"}, {"id": "1", "file_name": "b"}], "annotations": []}',
            r"images\[1\]: the id 1 is that of 'a' and of 'b'",
        ),
        (
            '{"images": [], "annotations": [], "categories": [{"id": 1, "name": "dog"}, {"id": 1, "name": "cat"}]}',
            r"categories\[1\]: .*share the id 1",
        ),
        (
            '{"images": [], "annotations": [], "categories": [{"id": 1, "name": "dog"}, {"id": 2, "name": "dog"}]}',
            r"categories\[1\]: .*share the name 'dog'",
        ),
        (
            '{"images": [{"id": 1, "file_name": "a"}], "annotations": [{"image_id": 1, "category_id": null}]}',
            "`category_id` .*of `categories`, got None",
        ),
        (
            '{"images": [{"id": 1, "file_name": "a"}], "annotations": [{"image_id": 1, "category_id": 9}]}',
            "`category_id` must be one of `categories`, got 9",
        ),
    ],
)
def test_malformed_coco_is_refused_by_file_and_place(tmp_path: Path, read_source, text: str, message: str):
    folder = coco(tmp_path / "coco")
    (folder / "annotations" / "instances_train2017.json").write_text(text)
    with pytest.raises(BadInputError, match=message):
        read_source(folder)


def coco_file(folder: Path, content: dict, *, photos: tuple[str, ...] = ("a.png", "b.png"), encoding="utf-8") -> Path:
    for shade, name in enumerate(photos):
        photo(folder / name, shade)
    file = folder / "set.json"
    file.write_text(json.dumps(content), encoding=encoding)
    return file


TWO = [{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "b.png"}]
DOG_AND_CAT = [{"id": 7, "name": "dog"}, {"id": 8, "name": "cat"}]


def labels(source) -> dict[str, set[str]]:
    return {name: set(image.labels) for name, image in source.images.items()}


def test_ids_may_be_texts_in_one_list_and_numbers_in_another_and_boxes_may_be_missing(tmp_path: Path, read_source):
    objects = [{"image_id": "1", "category_id": "7"}, {"image_id": 2.0, "category_id": 8, "bbox": None}]
    content = {"images": TWO, "categories": DOG_AND_CAT, "annotations": objects}
    file = coco_file(tmp_path / "own", content, encoding="utf-8-sig")
    assert labels(read_source(file)) == {"a.png": {"dog"}, "b.png": {"cat"}}


def test_two_annotations_with_one_id_both_count(tmp_path: Path, read_source):
    objects = [{"id": 1, "image_id": 1, "category_id": 7}, {"id": 1, "image_id": 2, "category_id": 8}]
    file = coco_file(tmp_path / "own", {"images": TWO, "categories": DOG_AND_CAT, "annotations": objects})
    assert labels(read_source(file)) == {"a.png": {"dog"}, "b.png": {"cat"}}


def test_the_heading_that_roboflow_puts_above_its_classes_is_no_class(tmp_path: Path, read_source):
    heading = {"id": 0, "name": "pets", "supercategory": "none"}
    classes = [{**category, "supercategory": "pets"} for category in DOG_AND_CAT]
    own = [{"image_id": 1, "category_id": 7}]
    file = coco_file(tmp_path / "own", {"images": TWO, "categories": [heading, *classes], "annotations": own})
    assert read_source(file).vocabulary == ("dog", "cat")
    # The one class of a project may be called as the project.
    same = [{**heading, "name": "dog"}, {**classes[0], "supercategory": "dog"}]
    file = coco_file(tmp_path / "same", {"images": TWO, "categories": same, "annotations": own})
    assert read_source(file).vocabulary == ("dog",)


def test_a_photo_is_taken_from_the_folder_of_its_own_split(tmp_path: Path, read_source):
    for shade, split in enumerate(("train", "val")):
        photo(tmp_path / "set" / split / "1.png", shade)
        content = {
            "images": [{"id": 1, "file_name": "1.png"}],
            "categories": DOG_AND_CAT,
            "annotations": [{"image_id": 1, "category_id": 7 + shade}],
        }
        (tmp_path / "set" / f"instances_{split}.json").write_text(json.dumps(content))
    source = read_source(tmp_path / "set")
    found = {i.image: set(i.labels) for images in source.splits.values() for i in images}
    assert found == {
        (tmp_path / "set" / "train" / "1.png").read_bytes(): {"dog"},
        (tmp_path / "set" / "val" / "1.png").read_bytes(): {"cat"},
    }


def lvis(folder: Path) -> Path:
    images = [
        {"id": n, "coco_url": f"http://images.cocodataset.org/train2017/{n}.png", "neg_category_ids": negative,
         "not_exhaustive_category_ids": partly}
        for n, negative, partly in ((1, [8], []), (2, [], [8]))
    ]  # fmt: skip
    for n in (1, 2):
        photo(folder / "train2017" / f"{n}.png", n)
    categories = [*DOG_AND_CAT, {"id": 9, "name": "person"}]
    content = {"images": images, "categories": categories, "annotations": [{"image_id": 1, "category_id": 7}]}
    (folder / "lvis_v1_train.json").write_text(json.dumps(content))
    return folder


def test_of_lvis_only_the_absences_count_that_it_lists(tmp_path: Path, read_source):
    source = read_source(lvis(tmp_path / "lvis"))
    one, two = source.images["1.png"], source.images["2.png"]
    assert (set(one.labels), set(one.unsaid)) == ({"dog"}, {"person"})  # A cat is listed as absent.
    assert (set(two.labels), set(two.unsaid), set(two.uncertain)) == (set(), {"dog", "cat", "person"}, {"cat"})
    told = read_source(tmp_path / "lvis", exhaustive="yes")
    assert all(not image.unsaid for image in told.images.values())


def test_listed_absences_are_asked_only_of_sources_that_list_them(tmp_path: Path, read_source):
    with pytest.raises(BadInputError, match=r"`exhaustive` listed .*lists absences"):
        read_source(coco(tmp_path / "coco"), exhaustive="listed")
    with pytest.raises(BadInputError, match=r"`exhaustive` listed .*lists absences"):
        read_source(voc(tmp_path / "VOC", a=DOG, b=DOG, c=DOG), exhaustive="listed")


def voc(folder: Path, **annotations: str) -> Path:
    (folder / "Annotations").mkdir(parents=True)
    (folder / "ImageSets" / "Main").mkdir(parents=True)
    for shade, (name, text) in enumerate(annotations.items()):
        photo(folder / "JPEGImages" / f"{name}.jpg", shade)
        (folder / "Annotations" / f"{name}.xml").write_text(text)
    names = list(annotations)
    for split, own in (("train", names[2:]), ("val", names[:1]), ("test", names[1:2])):
        (folder / "ImageSets" / "Main" / f"{split}.txt").write_text("\n".join(own))
    return folder


DOG = "<annotation><object><name>dog</name><difficult>1</difficult></object></annotation>"
BOMB = '<!DOCTYPE a [<!ENTITY b "bbbb">]><annotation><object><name>&b;</name></object></annotation>'


def test_pascal_voc_is_read_split_by_split(tmp_path: Path, read_source):
    source = read_source(voc(tmp_path / "VOC", a=DOG, b="<annotation></annotation>", c=DOG))
    assert {split: [(i.image_id, set(i.labels)) for i in images] for split, images in source.splits.items()} == {
        "train": [("c", {"dog"})],
        "validation": [("a", {"dog"})],
        "test": [("b", set())],
    }
    assert len(source.vocabulary) == 20


def test_malformed_and_malicious_xml_is_skipped_by_name(tmp_path: Path, read_source):
    source = read_source(voc(tmp_path / "VOC", a=DOG, b=DOG, c=DOG, d="<annotation>\n<object>", e=BOMB))
    reasons = {Path(entry.file).name: entry.reason for entry in source.skipped}
    assert set(reasons) == {"d.xml", "e.xml"}
    assert "not valid XML, line 2" in reasons["d.xml"]
    assert "entities of its own is refused" in reasons["e.xml"]


def test_a_name_in_a_list_of_voc_that_leaves_the_folder_is_refused(tmp_path: Path, read_source):
    folder = voc(tmp_path / "VOC", a=DOG, b=DOG, c=DOG)
    (tmp_path / "secret.xml").write_text(DOG)
    with (folder / "ImageSets" / "Main" / "train.txt").open("a") as names:
        names.write("\n../../secret\n")
    source = read_source(folder)
    assert ["leaves the folder" in entry.reason for entry in source.skipped] == [True]
    assert sorted(source.images) == ["a", "b", "c"]


def test_photos_of_voc_are_found_whatever_their_ending_and_those_without_annotation_are_listed(
    tmp_path: Path, read_source
):
    folder = tmp_path / "set"
    (folder / "annotations").mkdir(parents=True)
    for shade, name in enumerate(("a.JPG", "b.tif", "renamed.png", "alone.jpeg")):
        photo(folder / "images" / name, shade)
    for name, text in (
        ("a", DOG),
        ("b", DOG),
        ("c", DOG.replace("<object>", "<filename>renamed.png</filename><object>")),
    ):
        (folder / "annotations" / f"{name}.xml").write_text(text, encoding="utf-8-sig")
    source = read_source(folder)
    assert labels(source) == {"a": {"dog"}, "b": {"dog"}, "c": {"dog"}}
    assert source.vocabulary == ("dog",)  # This set is not VOC's: nothing is known of VOC's other 19 classes.
    assert ("alone.jpeg", "the photo has no annotation") in {(Path(e.file).name, e.reason) for e in source.skipped}


def test_webdataset_archives_are_read_through_load_dataset(tmp_path: Path, read_source):
    import tarfile

    (tmp_path / "shards").mkdir()
    with tarfile.open(tmp_path / "shards" / "train-000000.tar", "w") as archive:
        for n in range(3):
            photo(tmp_path / "one.png", n)
            for name, content in ((f"{n}.png", (tmp_path / "one.png").read_bytes()), (f"{n}.txt", b"A dog .")):
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    source = read_source(tmp_path / "shards")
    assert sorted(source.images) == ["0", "1", "2"]
    assert {image.captions for image in source.images.values()} == {("A dog .",)}


def test_an_id_of_more_digits_than_python_reads_is_a_text(tmp_path: Path, read_source):
    many = "9" * 5000
    content = {"images": [{"id": many, "file_name": "a.png"}], "categories": [{"id": 1, "name": "dog"}]}
    file = coco_file(tmp_path, content | {"annotations": [{"image_id": many, "category_id": 1}]})
    assert labels(read_source(file)) == {"a.png": {"dog"}}


def test_an_annotation_that_is_a_pipe_is_skipped_by_name_and_not_waited_for(tmp_path: Path, read_source):
    folder = voc(tmp_path / "VOC", a=DOG, b=DOG, c=DOG, d="")
    (folder / "Annotations" / "d.xml").unlink()
    os.mkfifo(folder / "Annotations" / "d.xml")
    (entry,) = read_source(folder).skipped
    assert entry.file.endswith("d.xml") and "it is no file" in entry.reason
