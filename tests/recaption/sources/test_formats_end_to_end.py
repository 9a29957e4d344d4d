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

from notclip.scripts.command_line import main

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
