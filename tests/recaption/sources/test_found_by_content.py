"""Layouts that are told by what lies in a folder and not by what its files are called, and paths of other machines."""

import base64
import io
import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from notclip.errors import BadInputError
from notclip.recaption.sources.opening import list_parts


def photo(file: Path, shade: int = 0) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (6, 6), (shade, 90, 7)).save(buffer, "PNG")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(buffer.getvalue())
    return buffer.getvalue()


def coco(file: Path, *names: str, captions: tuple[str, ...] = ()) -> Path:
    """A COCO file in which the first image shows a kettle; all have the captions."""
    said = [{"image_id": number, "caption": text} for number in range(len(names)) for text in captions]
    content = {
        "images": [{"id": number, "file_name": name} for number, name in enumerate(names)],
        "annotations": said or [{"image_id": 0, "category_id": 5, "bbox": [0, 0, 3, 3]}],
        "categories": [] if said else [{"id": 5, "name": "kettle"}, {"id": 9, "name": "lamp"}],
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))
    return file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "a set"
    made.mkdir()
    return made


@pytest.fixture
def labels_of(read_source):
    return lambda source: {name: image.labels for name, image in read_source(source).images.items()}


def test_a_yolo_table_may_be_called_by_its_data_set(folder: Path, labels_of):
    (folder / "kitchen8.yaml").write_text(
        "path: kitchen8\ntrain: images/a b\nval: images/a b\nnames: [kettle, lamp]\n"
    )
    (folder / "LICENSE.yml").write_text("licence: none\n")
    photo(folder / "kitchen8/images/a b/é 1.png")
    label = folder / "kitchen8/labels/a b/é 1.txt"
    label.parent.mkdir(parents=True)
    label.write_bytes(b"1 .5 .5 .1 .1\r\n")
    assert labels_of(folder) == {"é 1.png": frozenset({"lamp"})}
    (folder / "other.yaml").write_text("train: images\nnames: [cup]\n")
    with pytest.raises(BadInputError, match=r"kitchen8\.yaml and other\.yaml .*name one"):
        labels_of(folder)


def test_a_coco_file_may_have_any_name_and_name_photos_by_where_a_server_kept_them(folder: Path, labels_of):
    coco(
        folder / "Küche (v2).json",
        "../../label-studio/data/upload/7/k.png",
        "../../label-studio/data/upload/7/n.png",
    )
    for number, name in enumerate("kn"):
        photo(folder / f"images/{name}.png", number)
    assert labels_of(folder) == {"k.png": frozenset({"kettle"}), "n.png": frozenset()}


def test_a_caption_of_coco_that_says_that_there_is_none_is_none(folder: Path, read_source):
    photo(folder / "train2014/a.png")
    coco(folder / "annotations/captions_train2014.json", "a.png", captions=("NaN", "A  lamp is lit .", " None "))
    assert read_source(folder).images["a.png"].captions == ("A lamp is lit .",)


def test_annotations_of_voc_may_lie_in_the_folders_of_their_photos(folder: Path, labels_of):
    for day in ("Mon day", "Tue"):
        photo(folder / f"JPEGImages/{day}/1.png", len(day))
        annotation = folder / f"Annotations/{day}/1.xml"
        annotation.parent.mkdir(parents=True)
        annotation.write_text(f"<annotation><object><name>{day.split()[0]}lamp</name></object></annotation>")
    found = {"Mon day/1": frozenset({"Monlamp"}), "Tue/1": frozenset({"Tuelamp"})}
    assert labels_of(folder) == found
    listed = folder / "ImageSets/Main/train.txt"
    listed.parent.mkdir(parents=True)
    listed.write_text("Mon day/1\n")
    assert labels_of(folder) == {"Mon day/1": found["Mon day/1"]}


def test_the_first_flickr8k_is_read_with_its_lists_of_splits(folder: Path, read_source):
    texts = folder / "Flickr8k_text"
    texts.mkdir()
    names = ["10_a.jpg", "11_b.jpg", "12_c.jpg"]
    lines = [f'{name}#{place}\tA "lamp" , number {place} .' for name in names for place in range(2)]
    (texts / "Flickr8k.token.txt").write_bytes("\r\n".join(lines).encode())
    (texts / "Flickr_8k.devImages.txt").write_text("11_b.jpg\n")
    (texts / "Flickr_8k.testImages.txt").write_text("12_c.jpg\n")
    for number, name in enumerate(names):
        photo(folder / "Flicker8k_Dataset" / name, number)
    source = read_source(folder)
    assert {split: [image.image_id for image in images] for split, images in source.splits.items()} == {
        "train": ["10_a.jpg"], "validation": ["11_b.jpg"], "test": ["12_c.jpg"]
    }  # fmt: skip
    assert source.images["11_b.jpg"].captions == ('A "lamp" , number 0 .', 'A "lamp" , number 1 .')


def test_a_list_of_one_split_leaves_other_rows_in_the_split_of_the_tables_name(folder: Path):
    for number in range(2):
        photo(folder / f"{number}.png", number)
    (folder / "test_list.txt").write_text("1.png\n")
    (folder / "val.csv").write_text("image,caption\n0.png,A lamp.\n1.png,A cup.\n")
    parts = list_parts(str(folder / "val.csv"), cache=folder.parent)
    assert {part.split: len(list(part.rows())) for part in parts} == {"train": 0, "validation": 1, "test": 1}


def test_a_parquet_file_may_name_photos_as_a_csv_does(folder: Path, read_source):
    photo(folder / "shots/a.png")
    pq.write_table(pa.table({"Image Path": ["shots/a.png"], "Alt-Text": ["A lamp."]}), folder / "p.parquet")
    (image,) = read_source(folder).images.values()
    assert (image.captions, image.location) == (("A lamp.",), "shots/a.png")


@pytest.mark.parametrize("written", ["{root}/shots/a.png", "/home/eve/shots/a.png", "D:\\eve\\shots\\a.png"])
def test_what_is_published_of_a_photo_is_its_place_in_the_source(folder: Path, read_source, written: str):
    photo(folder / "shots/a.png")
    (folder / "t.csv").write_text(f"filepath,title\n{written.format(root=folder)},A lamp.\n")
    (image,) = read_source(folder / "t.csv").images.values()
    assert (image.image_id, image.location) == ("shots/a.png", "shots/a.png")


def test_what_is_published_of_a_photo_that_datasets_found_is_its_place_in_the_source(folder: Path, read_source):
    photo(folder / "train/a b/x.png")
    (folder / "train/metadata.jsonl").write_text('{"file_name": "a b/x.png", "text": "A lamp."}\n')
    (image,) = read_source(folder).images.values()
    assert image.location == "train/a b/x.png"


def test_a_photo_kept_as_text_is_refused_and_not_printed(folder: Path, read_source):
    text = base64.b64encode(photo(folder / "a.png") * 9).decode()
    (folder / "t.csv").write_text(f"image,caption\na.png,A cup.\n/9j/{text},A lamp.\n{text},A lamp.\n")
    reasons = [entry.reason for entry in read_source(folder / "t.csv").skipped]
    assert len(reasons) == 2
    assert all(len(reason) < 250 for reason in reasons)
    assert "write photos that are kept as text, as base64 is, to files" in reasons[0]


def test_corners_of_boxes_are_no_findings(folder: Path):
    photo(folder / "a.png")
    (folder / "_annotations.csv").write_text("filename,width,class,xmin,ymin\na.png,6,lamp,1,0\na.png,6,cup,0,0\n")
    with pytest.raises(BadInputError, match="neither captions nor labels"):
        list_parts(str(folder / "_annotations.csv"), cache=folder.parent)


def test_a_folder_without_any_known_layout_is_said_to_be_that(folder: Path):
    for number in range(3):
        photo(folder / f"{number}.png", number)
    with pytest.raises(BadInputError, match=r"`load_dataset` .*none of the other"):
        list_parts(str(folder), cache=folder.parent)


def test_an_annotation_file_that_was_edited_is_read_anew_in_the_same_process(folder: Path, labels_of):
    photo(folder / "a.png")
    file = coco(folder / "mine.json", "a.png")
    assert labels_of(file) == {"a.png": frozenset({"kettle"})}
    file.write_text(file.read_text().replace('"category_id": 5', '"category_id": 9'))
    os.utime(file, (1, 1))  # Its size is as before.
    assert labels_of(file) == {"a.png": frozenset({"lamp"})}
