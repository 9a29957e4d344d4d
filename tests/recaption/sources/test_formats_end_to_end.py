"""The same photos in every form that the builder reads, each built to a dataset that loads and says the same."""

import csv
import json
import shutil
import tarfile
from pathlib import Path
from random import Random

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from notclip.command_line import main

NAMES = ("dog", "cat", "car", "chair")
IMAGES = 240


def shown(number: int) -> list[str]:
    """What photo `number` shows: any subset of the names."""
    return [name for place, name in enumerate(NAMES) if Random(number).getrandbits(4) >> place & 1]


def caption(number: int) -> str:
    return f"A photo with {' and '.join(f'a {name}' for name in shown(number)) or 'grass'} ."


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for number in range(IMAGES):
        image = Image.new("L", (8, 8), 90)
        image.putdata([255 * (number >> bit & 1) for bit in range(10)] + [90] * 54)
        image.save(folder / f"{number}.png")
    return folder


def coco(folder: Path, photos: Path) -> None:
    images = [{"id": number, "file_name": f"{number}.png"} for number in range(IMAGES)]
    objects = [
        {"image_id": number, "category_id": 10 + NAMES.index(name)}
        for number in range(IMAGES)
        for name in shown(number)
    ]
    categories = [{"id": 10 + place, "name": name} for place, name in enumerate(NAMES)]
    captions = [{"image_id": number, "caption": caption(number)} for number in range(IMAGES)]
    (folder / "annotations").mkdir(parents=True)
    for name, content in (
        ("instances", {"images": images, "categories": categories, "annotations": objects}),
        ("captions", {"images": images, "annotations": captions}),
    ):
        (folder / "annotations" / f"{name}_train2017.json").write_text(json.dumps(content))
    shutil.copytree(photos, folder / "train2017")


def voc(folder: Path, photos: Path) -> None:
    (folder / "Annotations").mkdir(parents=True)
    for number in range(IMAGES):
        objects = "".join(f"<object><name>{name}</name></object>" for name in shown(number))
        (folder / "Annotations" / f"{number}.xml").write_text(f"<annotation>{objects}</annotation>")
    shutil.copytree(photos, folder / "JPEGImages")


def yolo(folder: Path, photos: Path) -> None:
    (folder / "labels").mkdir(parents=True)
    (folder / "data.yaml").write_text(f"names: [{', '.join(NAMES)}]\ntrain: images\n")
    for number in range(IMAGES):
        lines = [f"{NAMES.index(name)} 0.5 0.5 0.1 0.1" for name in shown(number)]
        (folder / "labels" / f"{number}.txt").write_text("\n".join(lines))
    shutil.copytree(photos, folder / "images")


def table(folder: Path, photos: Path) -> None:
    folder.mkdir()
    with (folder / "train.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["path", "caption", *NAMES])
        for number in range(IMAGES):
            labels = [int(name in shown(number)) for name in NAMES]
            rows.writerow([f"photos/{number}.png", caption(number), *labels])
    shutil.copytree(photos, folder / "photos")


def captioned_folder(folder: Path, photos: Path) -> None:
    shutil.copytree(photos, folder / "train")
    lines = [json.dumps({"file_name": f"{number}.png", "text": caption(number)}) for number in range(IMAGES)]
    (folder / "train" / "metadata.jsonl").write_text("\n".join(lines))


def webdataset(folder: Path, photos: Path) -> None:
    folder.mkdir()
    with tarfile.open(folder / "train-000000.tar", "w") as archive:
        for number in range(IMAGES):
            (folder / "caption.txt").write_text(caption(number))
            archive.add(photos / f"{number}.png", f"{number}.png")
            archive.add(folder / "caption.txt", f"{number}.txt")
    (folder / "caption.txt").unlink()


def parquet(folder: Path, photos: Path) -> None:
    folder.mkdir()
    features = datasets.Features(
        {
            "image": datasets.Image(),
            "captions": datasets.List(datasets.Value("string")),
            "objects": datasets.List(datasets.ClassLabel(names=list(NAMES))),
        }
    )
    rows = [
        {
            "image": {"bytes": (photos / f"{number}.png").read_bytes(), "path": f"{number}.png"},
            "captions": [caption(number)],
            "objects": [NAMES.index(name) for name in shown(number)],
        }
        for number in range(IMAGES)
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=features.arrow_schema), folder / "train.parquet")


def labels_alone(folder: Path, photos: Path) -> None:
    parquet(folder, photos)
    file = folder / "train.parquet"
    schema = pq.read_schema(file)
    metadata = json.loads(schema.metadata[b"huggingface"])
    del metadata["info"]["features"]["captions"]
    kept = pq.read_table(file).drop_columns("captions")
    pq.write_table(kept.replace_schema_metadata({b"huggingface": json.dumps(metadata)}), file)


SPLITS = ("train", "train", "train", "valid", "test")  # Of photos in turn, as Roboflow calls its folders.
BOX = "0.5 0.5 0.1 0.1"


def box_lines(number: int) -> str:
    return "".join(f"{NAMES.index(name)} {BOX}\n" for name in shown(number))


def roboflow_coco(folder: Path, photos: Path) -> None:
    """With its heading of all classes, which is category 0, and ids that begin anew in each split."""
    heading = {"id": 0, "name": "street-things", "supercategory": "none"}
    classes = [{"id": n + 1, "name": name, "supercategory": "street-things"} for n, name in enumerate(NAMES)]
    for split in ("train", "valid", "test"):
        own = [number for number in range(IMAGES) if SPLITS[number % 5] == split]
        (folder / split).mkdir(parents=True)
        images = [
            {"id": n, "license": 1, "file_name": f"{number}.png", "height": 8, "width": 8}
            for n, number in enumerate(own)
        ]
        boxes = [(n, NAMES.index(name) + 1) for n, number in enumerate(own) for name in shown(number)]
        annotations = [
            {"id": n, "image_id": image, "category_id": category, "bbox": [0, 0, 1, 1], "area": 1, "segmentation": [],
             "iscrowd": 0}
            for n, (image, category) in enumerate(boxes)
        ]  # fmt: skip
        content = {"info": {}, "licenses": [], "categories": [heading, *classes], "images": images}
        (folder / split / "_annotations.coco.json").write_text(json.dumps(content | {"annotations": annotations}))
        for number in own:
            shutil.copy(photos / f"{number}.png", folder / split / f"{number}.png")


def roboflow_classes(folder: Path, photos: Path) -> None:
    for split in ("train", "valid", "test"):
        own = [number for number in range(IMAGES) if SPLITS[number % 5] == split]
        (folder / split).mkdir(parents=True)
        lines = [f"filename, {', '.join(NAMES)}"]
        lines += [f"{n}.png, " + ", ".join(str(int(name in shown(n))) for name in NAMES) for n in own]
        (folder / split / "_classes.csv").write_text("\n".join(lines))
        for number in own:
            shutil.copy(photos / f"{number}.png", folder / split / f"{number}.png")


def roboflow_yolo(folder: Path, photos: Path) -> None:
    for number in range(IMAGES):
        split = SPLITS[number % 5]
        for kind in ("images", "labels"):
            (folder / split / kind).mkdir(parents=True, exist_ok=True)
        shutil.copy(photos / f"{number}.png", folder / split / "images" / f"{number}.png")
        (folder / split / "labels" / f"{number}.txt").write_text(box_lines(number))
    paths = "train: ../train/images\nval: ../valid/images\ntest: ../test/images\n"
    (folder / "data.yaml").write_text(f"{paths}\nnc: 4\nnames: {list(NAMES)}\n\nroboflow:\n  version: 1\n")


def cvat_yolo(folder: Path, photos: Path) -> None:
    """CVAT's YOLO 1.1: darknet's obj.data, whose lists begin with darknet's own folder `data`."""
    shutil.copytree(photos, folder / "obj_train_data")
    for number in range(IMAGES):
        (folder / "obj_train_data" / f"{number}.txt").write_text(box_lines(number))
    (folder / "obj.names").write_text("\n".join(NAMES))
    (folder / "obj.data").write_text("classes = 4\ntrain = data/train.txt\nnames = data/obj.names\nbackup = backup/\n")
    (folder / "train.txt").write_text("".join(f"data/obj_train_data/{number}.png\n" for number in range(IMAGES)))


def ultralytics_list(folder: Path, photos: Path) -> None:
    shutil.copytree(photos, folder / "images" / "train")
    (folder / "labels" / "train").mkdir(parents=True)
    for number in range(IMAGES):
        (folder / "labels" / "train" / f"{number}.txt").write_text(box_lines(number))
    names = "".join(f"  '{number}': {name}\n" for number, name in enumerate(NAMES))
    (folder / "data.yaml").write_text(f"path: ./\ntrain: train.txt\nnames:\n{names}")
    (folder / "train.txt").write_text("".join(f"./images/train/{number}.png\n" for number in range(IMAGES)))


def ultralytics_folders(folder: Path, photos: Path) -> None:
    """Lists of folders, a `path` of another machine, and validation on what is trained on, as coco128 has it."""
    for number in range(IMAGES):
        own = "ab"[number % 2]
        for kind in ("images", "labels"):
            (folder / kind / own).mkdir(parents=True, exist_ok=True)
        shutil.copy(photos / f"{number}.png", folder / "images" / own / f"{number}.png")
        (folder / "labels" / own / f"{number}.txt").write_text(box_lines(number))
    names = "".join(f"  {number}: {name}\n" for number, name in enumerate(NAMES))
    both = "[images/a, images/b]"
    (folder / "data.yaml").write_text(f"path: ../datasets/source\ntrain: {both}\nval: {both}\ntest:\nnames:\n{names}")


def label_studio(folder: Path, photos: Path) -> None:
    shutil.copytree(photos, folder / "images")
    (folder / "labels").mkdir()
    for number in range(IMAGES):
        (folder / "labels" / f"{number}.txt").write_text(box_lines(number))
    (folder / "classes.txt").write_text("".join(f"{name}\n" for name in NAMES))
    categories = [{"id": number, "name": name} for number, name in enumerate(NAMES)]
    (folder / "notes.json").write_text(json.dumps({"categories": categories, "info": {"contributor": "Label Studio"}}))


def voc_beside(folder: Path, photos: Path) -> None:
    """Roboflow's Pascal VOC: photos and XML side by side in a folder of each split."""
    for number in range(IMAGES):
        own = folder / SPLITS[number % 5]
        own.mkdir(parents=True, exist_ok=True)
        shutil.copy(photos / f"{number}.png", own / f"{number}.JPG")
        objects = "".join(f"<object><name>{name}</name></object>" for name in shown(number))
        (own / f"{number}.xml").write_text(f"<annotation><filename>{number}.JPG</filename>{objects}</annotation>")


def detection_set(folder: Path, photos: Path) -> None:
    """A detection set of the Hub as cppe-5 is: `objects` is a struct of lists."""
    objects = {"bbox": datasets.List(datasets.List(datasets.Value("float32"))),
               "category": datasets.List(datasets.ClassLabel(names=list(NAMES)))}  # fmt: skip
    features = datasets.Features({"image_id": datasets.Value("int64"), "image": datasets.Image(), "objects": objects})
    rows = [
        {
            "image_id": number,
            "image": {"bytes": (photos / f"{number}.png").read_bytes(), "path": None},
            "objects": {
                "bbox": [[0.0, 0.0, 1.0, 1.0]] * len(shown(number)),
                "category": [NAMES.index(name) for name in shown(number)],
            },
        }
        for number in range(IMAGES)
    ]
    (folder / "data").mkdir(parents=True)
    table = pa.Table.from_pylist(rows, schema=features.arrow_schema)
    pq.write_table(table, folder / "data" / "train-00000-of-00001.parquet")


def detection_folder(folder: Path, photos: Path) -> None:
    """What the documentation of `datasets` calls object detection: names of classes in metadata.jsonl."""
    shutil.copytree(photos, folder / "train")
    lines = [
        json.dumps(
            {
                "file_name": f"{number}.png",
                "objects": {"bbox": [[0, 0, 1, 1] for _ in shown(number)], "categories": shown(number)},
            }
        )
        for number in range(IMAGES)
    ]
    (folder / "train" / "metadata.jsonl").write_text("\n".join(lines))


# Form -> (writes it, what is the source, whether annotations decide, whether captions are the source's own).
FORMS = {
    "coco": (coco, "", True, True),
    "voc": (voc, "", True, False),
    "yolo": (yolo, "data.yaml", True, False),
    "csv": (table, "train.csv", True, True),
    "image folder": (captioned_folder, "", False, True),
    "webdataset": (webdataset, "", False, True),
    "parquet": (parquet, "", True, True),
    "labels in parquet": (labels_alone, "", True, False),
    "Roboflow COCO": (roboflow_coco, "", True, False),
    "Roboflow classes": (roboflow_classes, "", True, False),
    "Roboflow YOLO": (roboflow_yolo, "", True, False),
    "CVAT YOLO 1.1": (cvat_yolo, "", True, False),
    "list of Ultralytics": (ultralytics_list, "", True, False),
    "folders of Ultralytics": (ultralytics_folders, "data.yaml", True, False),
    "Label Studio YOLO": (label_studio, "", True, False),
    "VOC beside photos": (voc_beside, "", True, False),
    "detection set": (detection_set, "", True, False),
    "detection folder": (detection_folder, "", True, False),
}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_becomes_a_dataset_that_loads_and_contradicts_no_photo(tmp_path: Path, photos: Path, form: str):
    write, inside, annotated, captioned = FORMS[form]
    write(tmp_path / "source", photos)
    out = tmp_path / "out"
    arguments = ["--source", str(tmp_path / "source" / inside), "--out", str(out), "--risk", "0.99", "--no-progress"]
    assert main(["build-dataset", *arguments]) == 0
    loaded = {
        name: datasets.load_dataset(str(out), name, cache_dir=str(tmp_path / "kept"))
        for name in ("captions", "questions", "retrieval")
    }
    assert all(rows.num_rows for splits in loaded.values() for rows in splits.values())
    methods = loaded["captions"]["train"].features["evidence"].feature["method"].names
    found = {method: 0 for method in methods}
    for rows in loaded["captions"].values():
        for row in rows:
            pixels = list(row["image"].tobytes())
            assert row["image"].size == (8, 8)
            number = sum(1 << bit for bit in range(10) if pixels[bit] == 255)
            assert not set(row["absent"]) & set(shown(number))
            assert set(row["affirmed"]) & set(NAMES) == set(shown(number))
            assert (row["caption"] == caption(number)) == captioned
            for evidence in row["evidence"]:
                found[methods[evidence["method"]]] += 1
    assert set(found) - {method for method in found if not found[method]} == {"annotation" if annotated else "caption"}


def test_a_folder_for_each_class_needs_to_be_told_whether_a_photo_shows_no_other(tmp_path: Path, photos: Path, capsys):
    def name_of(number: int) -> str:
        return NAMES[number % 4]

    for number in range(IMAGES):
        own = tmp_path / "source" / name_of(number)
        own.mkdir(parents=True, exist_ok=True)
        shutil.copy(photos / f"{number}.png", own)
    arguments = [
        "build-dataset",
        "--source",
        str(tmp_path / "source"),
        "--out",
        str(tmp_path / "out"),
        "--no-progress",
    ]
    assert main(arguments) == 2
    assert "each image has one class (column 'label'), which does not say" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert main([*arguments, "--exhaustive", "yes"]) == 0
    for rows in datasets.load_dataset(str(tmp_path / "out"), "captions", cache_dir=str(tmp_path / "kept")).values():
        for row in rows:
            pixels = list(row["image"].tobytes())
            number = sum(1 << bit for bit in range(10) if pixels[bit] == 255)
            assert set(row["affirmed"]) & set(NAMES) == {name_of(number)}
            assert set(row["absent"]) <= set(NAMES) - {name_of(number)}


def test_what_an_annotation_does_not_say_is_counted_in_the_record_of_the_build(tmp_path: Path, photos: Path, capsys):
    yolo(tmp_path / "source", photos)
    for number in range(0, IMAGES, 4):
        (tmp_path / "source" / "labels" / f"{number}.txt").unlink()
    arguments = ["--source", str(tmp_path / "source"), "--out", str(tmp_path / "out"), "--no-progress"]
    assert main(["build-dataset", *arguments]) == 0
    assert "60  the photo has no label file" in capsys.readouterr().out
    record = json.loads((tmp_path / "out" / "build.json").read_text())
    assert record["verification"]["annotated_images"] == {"every class": 180}
    assert (record["skipped"], list(record["skipped_reasons"].values())) == (60, [60])
    listed = [json.loads(line) for line in (tmp_path / "out" / "skipped.jsonl").read_text().splitlines()]
    assert {int(Path(entry["file"]).stem) % 4 for entry in listed} == {0}


def test_where_no_absence_counts_none_is_written_however_much_is_annotated(tmp_path: Path, photos: Path, capsys):
    yolo(tmp_path / "source", photos)
    arguments = ["--source", str(tmp_path / "source"), "--out", str(tmp_path / "out"), "--no-progress"]
    assert main(["build-dataset", *arguments, "--exhaustive", "no"]) == 2
    assert "verified" in capsys.readouterr().err  # Nothing but a detector could verify one.
