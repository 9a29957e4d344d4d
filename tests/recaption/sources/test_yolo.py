"""YOLO's text labels, in the layouts that people have."""

import io
import os
from pathlib import Path

import pytest
from PIL import Image

from notclip.errors import BadInputError
from notclip.recaption.sources.yolo import NO_LABEL_FILE


def photo(file: Path, shade: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), (shade, 0, 90)).save(buffer, "PNG")
    file.write_bytes(buffer.getvalue())


def yolo(folder: Path, *labels: str | None, table: str = "names: [scratch, dent]\ntrain: images/train\n") -> Path:
    (folder / "labels" / "train").mkdir(parents=True)
    (folder / "data.yaml").write_text(table)
    for number, text in enumerate(labels):
        photo(folder / "images" / "train" / f"{number}.png", number)
        if text is not None:
            (folder / "labels" / "train" / f"{number}.txt").write_text(text, encoding="utf-8-sig")
    return folder


def labels(source) -> dict[str, set[str]]:
    return {name: set(image.labels) for name, image in source.images.items()}


BOTH = "0 0.5 0.5 0.1 0.1\n1 0.5 0.5 0.1 0.1\n"


def test_an_empty_label_file_says_that_nothing_is_there_and_a_missing_one_says_nothing(tmp_path: Path, read_source):
    folder = yolo(tmp_path / "parts", BOTH, "", None)
    source = read_source(folder)
    assert source.vocabulary == ("scratch", "dent")
    assert labels(source) == {"0.png": {"scratch", "dent"}, "1.png": set()}
    assert [(Path(entry.file).name, entry.reason) for entry in source.skipped] == [("2.txt", NO_LABEL_FILE)]
    told = read_source(folder, exhaustive="yes")
    assert labels(told) == {"0.png": {"scratch", "dent"}, "1.png": set(), "2.png": set()}


NAMED_1_TO_9 = "'1': bus, '3': hat, '4': bed, '5': cup, '6': tie, '7': boat, '8': kite, '9': cake"


@pytest.mark.parametrize(
    ("names", "numbers", "right"),
    [
        (f"{{'0': car, '10': dog, '2': cat, {NAMED_1_TO_9}}}", (2, 10), {"cat", "dog"}),
        ("{1: dog, 2: cat}", (1, 2), {"dog", "cat"}),
        ("{1: cat, 0: dog}", (0,), {"dog"}),
        ("[dog, cat]", (1,), {"cat"}),
    ],
)  # fmt: skip
def test_the_key_of_a_name_is_the_number_of_the_class(tmp_path: Path, read_source, names, numbers, right):
    lines = "".join(f"{number} 0.5 0.5 0.1 0.1\n" for number in numbers)
    source = read_source(yolo(tmp_path / "parts", lines, table=f"names: {names}\ntrain: images/train\n"))
    assert labels(source) == {"0.png": right}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("train: images/train", "its classes in `names`"),
        ("names: {0: dog, 2: cat}\ntrain: images/train", "`names` lacks class 1, between 0 and 2"),
        ("names: {dog: 0}\ntrain: images/train", "keys of `names` .*numbers .*got 'dog'"),
        ("names: {0: dog, '0': cat}\ntrain: images/train", r"class 0 \('cat'\) stands in `names` twice"),
        ("names: {0: dog, 0: cat}\ntrain: images/train", "the key '0' stands there twice"),
        ("names: [dog, dog]\ntrain: images/train", r"class 1 \('dog'\) stands in `names` twice"),
        ("names: [no, dog]\ntrain: images/train", "class 0 .*got False; quote it"),
        ("names: [dog]\nnc: 2\ntrain: images/train", "`nc` says 2 classes, but `names` has 1"),
        ("names: [dog]\ntrain: ../other/photos", r"got '../other/photos', .*leaves the folder"),
        ("names: [dog]\ntrain: images/trian", "got 'images/trian', which is not there"),
        ("names: [dog]\ntrain: 3", "`train` .*photos, got 3"),
    ],
)
def test_names_and_folders_that_cannot_be_right_are_refused(tmp_path: Path, read_source, table: str, message: str):
    photo(tmp_path / "other" / "photos" / "1.png", 1)
    with pytest.raises(BadInputError, match=message):
        read_source(yolo(tmp_path / "parts", "0 0.5 0.5 0.1 0.1", table=table))


@pytest.mark.parametrize(("names", "number"), [("[a b, c d]", 2), ("{1: a b, 2: c d}", 0)])
def test_a_class_without_name_stops_the_build_since_no_other_label_can_be_trusted(
    tmp_path: Path, read_source, names, number
):
    folder = yolo(
        tmp_path / "parts", BOTH[-18:], f"\n{number} 0 0 1 1\n", table=f"names: {names}\ntrain: images/train"
    )
    with pytest.raises(BadInputError, match=rf"1\.txt: line 2: class {number} has no name; .*data\.yaml names"):
        read_source(folder)


def test_a_line_that_is_no_label_leaves_its_photo_out(tmp_path: Path, read_source):
    source = read_source(yolo(tmp_path / "parts", BOTH, "dent 0 0 1 1\n"))
    assert [entry.reason for entry in source.skipped] == ["line 1: the class must be a number, got 'dent'"]


def test_photos_of_any_ending_are_read_and_all_else_is_listed(tmp_path: Path, read_source):
    folder = yolo(tmp_path / "parts", BOTH)
    for name in ("a.tif", "b.TIFF", "c.webp", "d.JPG", "e.bmp"):
        photo(folder / "images" / "train" / name, ord(name[0]))
        (folder / "labels" / "train" / f"{name[0]}.txt").write_text("0 0 0 1 1")
    (folder / "images" / "train" / "f.psd").write_bytes(b"8BPS")
    (folder / "images" / "train" / ".DS_Store").write_bytes(b"")
    (folder / "labels" / "train" / "lost.txt").write_text("0 0 0 1 1")
    source = read_source(folder)
    assert sorted(source.images) == ["0.png", "a.tif", "b.TIFF", "c.webp", "d.JPG", "e.bmp"]
    assert {Path(entry.file).name: entry.reason for entry in source.skipped} == {
        "f.psd": ".psd is no photo's ending",
        "lost.txt": "the labels have no photo",
    }


@pytest.mark.parametrize(
    "table",
    [
        "train: ../train/images\nval: ../valid/images\ntest: ../test/images\n",  # as Roboflow writes it
        "path: ../datasets/SET\ntrain: train/images\nval: valid/images\n",
        "path: /content/SET\ntrain: train/images\nval: valid/images\n",
        "path: C:\\data\\SET\ntrain: train\\images\nval: valid\\images\n",
        "train: /home/ann/SET/train/images\nval: D:/SET/valid/images\n",
        "path: SET\ntrain: [train/images]\nval: [valid/images]\n",
    ],
)
def test_folders_are_found_as_other_machines_and_roboflow_name_them(tmp_path: Path, read_source, table: str):
    folder = tmp_path / "SET"
    for shade, split in enumerate(("train", "valid")):
        photo(folder / split / "images" / f"{split}.png", shade)
        (folder / split / "labels").mkdir()
        (folder / split / "labels" / f"{split}.txt").write_text(f"{shade} 0 0 1 1")
    (folder / "data.yaml").write_text(f"names: [dog, cat]\n{table}")
    source = read_source(folder)
    assert {split: [(i.image_id, set(i.labels)) for i in images] for split, images in source.splits.items()} == {
        "train": [("train.png", {"dog"})],
        "validation": [("valid.png", {"cat"})],
        "test": [],
    }
    missing = [entry.reason for entry in source.skipped]
    assert missing == (["`test` names '../test/images', which is not there"] if "../test" in table else [])


def test_a_snapshot_of_the_hub_whose_files_are_links_is_read(tmp_path: Path, read_source):
    folder = yolo(tmp_path / "made", BOTH, "1 0 0 1 1")
    snapshot = tmp_path / "hub" / "snapshots" / "abc"
    (tmp_path / "hub" / "blobs").mkdir(parents=True)
    for number, file in enumerate(sorted(file for file in folder.rglob("*") if file.is_file())):
        blob = file.rename(tmp_path / "hub" / "blobs" / f"{number}")
        link = snapshot / file.relative_to(folder)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(blob)
    assert labels(read_source(snapshot)) == {"0.png": {"scratch", "dent"}, "1.png": {"dent"}}


def test_what_is_trained_and_validated_on_alike_is_one_set_that_is_split_by_content(tmp_path: Path, read_source):
    texts = ["0 0 0 1 1"] * 60
    table = "names: [dog, cat]\npath: .\ntrain: images/train\nval: images/train\ntest:\n"
    source = read_source(yolo(tmp_path / "coco8", *texts, table=table))
    assert source.skipped == []
    assert all(images for images in source.splits.values())
    assert sum(map(len, source.splits.values())) == 60


def test_a_list_may_name_a_photo_that_is_gone_or_outside_and_both_are_listed(tmp_path: Path, read_source):
    folder = yolo(tmp_path / "parts", BOTH, table="names: [a b, c d]\ntrain: train.txt\n")
    photo(tmp_path / "secret" / "s.png", 9)
    (folder / "train.txt").write_text("./images/train/0.png\nimages/train/9.png\n../secret/s.png\n")
    source = read_source(folder)
    assert list(source.images) == ["images/train/0.png"]
    assert [(entry.row, entry.reason) for entry in source.skipped] == [
        (2, "the photo 'images/train/9.png' is not there, or leaves the folder"),
        (3, "the photo '../secret/s.png' is not there, or leaves the folder"),
    ]


@pytest.mark.parametrize("line", [f"{'9' * 5000} 0.5 0.5 0.1 0.1", "² 0.5 0.5 0.1 0.1"])
def test_digits_that_are_no_number_leave_their_photo_out(tmp_path: Path, read_source, line: str):
    source = read_source(yolo(tmp_path, "0 0.5 0.5 0.1 0.1", line))
    assert [entry.reason[:40] for entry in source.skipped] == ["line 1: the class must be a number, got "]


def test_labels_that_are_a_pipe_are_skipped_by_name_and_not_waited_for(tmp_path: Path, read_source):
    table = yolo(tmp_path, "0 0.5 0.5 0.1 0.1", "0 0.5 0.5 0.1 0.1")
    file = sorted(tmp_path.rglob("labels/**/*.txt"))[-1]
    file.unlink()
    os.mkfifo(file)
    (entry,) = read_source(table).skipped
    assert "it is no file" in entry.reason


def test_a_line_or_folder_that_no_file_system_takes_ends_no_build(tmp_path: Path, read_source):
    folder = yolo(tmp_path / "parts", BOTH, table="names: [scratch, dent]\ntrain: list.txt\n")
    (folder / "list.txt").write_text(f"images/train/0.png\n{'9' * 300}.png\n")
    source = read_source(folder)
    assert len(source.images) == 1
    (folder / "data.yaml").write_text(f"names: [scratch, dent]\ntrain: {'x' * 300}\n")
    with pytest.raises(BadInputError, match=r"`train` .*folder of photos"):
        read_source(folder)
