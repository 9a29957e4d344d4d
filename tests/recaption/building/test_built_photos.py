"""Photos of every form in one table: what is built of them, scored and shown by `load_dataset` is the same picture."""

import csv
import json
import os
from pathlib import Path
from random import Random

import datasets
import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from notclip.command_line import main
from notclip.remote.photo_notclip import open_photo
from notclip.scoring.suites.read import read_suite
from notclip.scoring.suites.suite import open_suite_photo

NAMES = ("dog", "cat", "car", "chair")
IMAGES = 420
SUFFIXES = (".png", ".jpg", ".png", ".png", ".tif", ".avif", ".heic")


def shown(number: int) -> list[str]:
    return [name for place, name in enumerate(NAMES) if Random(number).getrandbits(4) >> place & 1]


def write_photo(folder: Path, number: int) -> str:
    """A picture 24 wide and 16 high, left half white and right half black, but for the number in the lower right."""
    form = number % len(SUFFIXES)
    values = np.zeros((16, 24), dtype=np.uint8)
    values[:, :12] = 255
    for place in range(10):  # the number in two rows of five squares
        top, left = 8 + 4 * (place // 5), 14 + 2 * (place % 5)
        values[top : top + 4, left : left + 2] = 255 * (number >> place & 1)
    grey, tags = Image.fromarray(values), Image.Exif()
    tags[274] = 6
    name = f"{number}{SUFFIXES[form]}"
    colour, file = grey.convert("RGB"), folder / name
    if form == 0:
        grey.save(file)
    elif form == 1:
        colour.transpose(Image.Transpose.ROTATE_90).save(file, quality=95, exif=tags)
    elif form == 2:
        Image.fromarray(values.astype(np.uint16) * 16).save(file)  # 12 bits in 16
    elif form == 3:
        Image.merge("LA", [Image.new("L", grey.size), Image.eval(grey, lambda value: 255 - value)]).save(file)
    elif form == 4:
        Image.fromarray(values.astype(np.float32) / 255).save(file)
    else:
        colour.save(file, quality=95)
    return name


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import pillow_heif

    pillow_heif.register_heif_opener()
    folder = tmp_path_factory.mktemp("source")
    (folder / "photos").mkdir()
    names = [write_photo(folder / "photos", number) for number in range(IMAGES)]
    os.mkfifo(folder / "photos" / "pipe.png")
    (folder / "photos" / "folder.png").mkdir()
    os.mkfifo(folder / "photos" / "device")
    (folder / "photos" / "device.png").symlink_to("device")
    (folder / "photos" / "cut.heic").write_bytes((folder / "photos" / "6.heic").read_bytes()[:200])
    names += ["pipe.png", "folder.png", "device.png", "cut.heic"]
    with (folder / "train.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["path", "caption", *NAMES])
        for number, name in enumerate(names):
            caption = f"A photo with {' and '.join(f'a {one}' for one in shown(number)) or 'grass'} ."
            rows.writerow([f"photos/{name}", caption, *(int(one in shown(number)) for one in NAMES)])
    out = folder / "built"
    assert main(["build-dataset", "--source", str(folder / "train.csv"), "--out", str(out), "--no-progress"]) == 0
    return out


def is_the_picture(image: Image.Image) -> bool:
    values = np.asarray(image.convert("RGB")).astype(int)
    return values.shape == (16, 24, 3) and values[:, :9].min() > 200 and values[:6, 15:].max() < 55


def test_load_dataset_and_scoring_show_every_form_alike(built: Path):
    seen = {}
    for split in ("train", "validation", "test"):
        for row in datasets.load_dataset(str(built), "captions", split=split, cache_dir=str(built.parent / "kept")):
            seen[row["image_id"]] = row["image"]
    assert len(seen) > 0.9 * IMAGES
    assert {Path(name).suffix for name in seen} == set(SUFFIXES)
    for name, image in seen.items():
        assert image.mode in ("RGB", "L") and is_the_picture(image), name
        assert np.array_equal(np.asarray(image.convert("RGB")), np.asarray(open_photo(image)))
    suite = read_suite(built)
    for name, photo in suite.photos.items():
        assert is_the_picture(open_suite_photo(photo)), name


def test_plain_photos_keep_their_bytes(built: Path):
    source = built.parent / "photos"
    rows = pq.read_table(built / "captions" / "train.parquet", columns=["image_id", "image"]).to_pylist()
    kept = {
        row["image_id"]: row["image"]["bytes"] == (source / Path(row["image_id"]).name).read_bytes() for row in rows
    }
    assert {name for name, same in kept.items() if same} == {
        name for name in kept if int(Path(name).stem) % len(SUFFIXES) == 0
    }


def test_what_is_no_photo_is_skipped_and_listed(built: Path):
    skipped = [json.loads(line) for line in (built / "skipped.jsonl").read_text().splitlines()]
    reasons = {entry["row"]: entry["reason"] for entry in skipped}
    assert reasons[422] == "the photo 'photos/pipe.png' is no regular file"
    assert reasons[423] == "the photo 'photos/folder.png' is no regular file"
    assert reasons[424] == "the photo 'photos/device.png' is no regular file"
    assert reasons[425].startswith("the photo cannot be decoded: ")
