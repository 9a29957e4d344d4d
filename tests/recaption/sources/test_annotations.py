"""COCO's JSON, Pascal VOC's XML and YOLO's text."""

import io
import json
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
        ('{"pictures": []}', "must be an object with a list `images`"),
        ('{"images": [{"id": 1}]}', r"images\[0\] lacks `file_name`"),
        ('{"images": [], "annotations": [{"image_id": 4}]}', r"annotations\[0\]: `image_id` 4 is no image"),
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


def yolo(folder: Path, *labels: str | None, table: str = "names: [scratch, dent]\ntrain: images/train\n") -> Path:
    (folder / "labels" / "train").mkdir(parents=True)
    (folder / "data.yaml").write_text(table)
    for number, text in enumerate(labels):
        photo(folder / "images" / "train" / f"{number}.png", number)
        if text is not None:
            (folder / "labels" / "train" / f"{number}.txt").write_text(text)
    return folder


def test_yolo_labels_are_read_and_no_file_means_no_object(tmp_path: Path, read_source):
    source = read_source(yolo(tmp_path / "parts", "0 0.5 0.5 0.1 0.1\n1 0.5 0.5 0.1 0.1\n", "", None))
    assert source.vocabulary == ("scratch", "dent")
    assert {name: set(image.labels) for name, image in source.images.items()} == {
        "0.png": {"scratch", "dent"},
        "1.png": set(),
        "2.png": set(),
    }


def test_wrong_yolo_labels_and_folders_are_named(tmp_path: Path, read_source):
    source = read_source(yolo(tmp_path / "parts", "0 0 0 1 1\n7 0 0 1 1\n", "1 0 0 1 1"))
    assert source.skipped[0].reason == "line 2: the class must be a number under 2, got '7'"
    with pytest.raises(BadInputError, match="leaves the folder"):
        read_source(yolo(tmp_path / "outside", table="names: [a]\ntrain: ../parts/images\n"))
    with pytest.raises(BadInputError, match="must name its classes in `names`"):
        read_source(yolo(tmp_path / "nameless", table="train: images/train\n"))


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
