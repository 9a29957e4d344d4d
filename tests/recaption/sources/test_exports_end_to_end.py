"""Exports as their tools write them, each built to a dataset that says of every photo what is on it."""

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from random import Random

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from notclip.command_line import main

NAMES = ("dog", "cat", "car", "chair")
FINDINGS = ("Atelectasis", "Cardiomegaly", "Edema", "Pneumothorax")
IMAGES = 280


def shown(number: int, names: tuple[str, ...] = NAMES) -> list[str]:
    return [name for place, name in enumerate(names) if Random(number).getrandbits(4) >> place & 1]


def caption(number: int) -> str:
    return f"A photo, taken outside, with {' and '.join(f'a {name}' for name in shown(number)) or 'grass'} ."


def photo(number: int) -> bytes:
    image = Image.new("L", (8, 8), 90)
    image.putdata([255 * (number >> bit & 1) for bit in range(10)] + [90] * 54)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def put(file: Path, content: str | bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)


def number_of(row: dict) -> int:
    pixels = list(row["image"].convert("L").tobytes())
    return sum(1 << bit for bit in range(10) if pixels[bit] > 200)


def img2dataset(folder: Path) -> None:
    """Two shards of `--output_format webdataset`; one download in ten failed and stands in the table alone."""
    for shard in range(2):
        rows = []
        folder.mkdir(exist_ok=True)
        with tarfile.open(folder / f"{shard:05d}.tar", "w") as archive:
            for number in range(shard, IMAGES, 2):
                key = f"{shard:05d}{number:04d}"
                failed = number % 10 == 9
                row = {
                    "url": f"https://example.org/{number}.png", "caption": caption(number), "key": key,
                    "status": "failed_to_download" if failed else "success",
                    "error_message": "HTTP Error 404: Not Found" if failed else None,
                    "width": None if failed else 8, "height": None if failed else 8, "exif": None if failed else "{}",
                    "sha256": None if failed else "0" * 64,
                }  # fmt: skip
                rows.append(row)
                if not failed:
                    text, stored = caption(number).encode(), json.dumps(row, indent=4).encode()
                    for ending, content in (("jpg", photo(number)), ("txt", text), ("json", stored)):
                        entry = tarfile.TarInfo(f"{key}.{ending}")
                        entry.size = len(content)
                        archive.addfile(entry, io.BytesIO(content))
        pq.write_table(pa.Table.from_pylist(rows), folder / f"{shard:05d}.parquet")
        put(folder / f"{shard:05d}_stats.json", json.dumps({"count": 100, "successes": 90, "status_dict": {}}))


def img2dataset_files(folder: Path) -> None:
    rows = [{"url": "u", "caption": caption(number), "key": f"{number:09d}"} for number in range(IMAGES)]
    for number in range(IMAGES):
        place = folder / "00000" / f"{number:09d}"
        put(place.with_suffix(".jpg"), photo(number))
        put(place.with_suffix(".txt"), caption(number))
        put(place.with_suffix(".json"), json.dumps(rows[number], indent=4))
    pq.write_table(pa.Table.from_pylist(rows), folder / "00000.parquet")
    put(folder / "00000_stats.json", "{}")


def kaggle_flickr8k(folder: Path) -> None:
    lines = ["image,caption", *(f'{number}.jpg,"{caption(number)}"' for number in range(IMAGES))]
    put(folder / "captions.txt", "\n".join(lines))
    for number in range(IMAGES):
        put(folder / "Images" / f"{number}.jpg", photo(number))


def flickr30k(folder: Path) -> None:
    """With its one row that lacks a bar, and quotes that are not closed."""
    lines = ["image_name| comment_number| comment"]
    lines += [f"{number}.jpg| 0| {caption(number)}" for number in range(IMAGES)]
    lines += ["7.jpg| 4   A dog runs across the grass .", '8.jpg| 4| A sign says " stop .']
    put(folder / "results.csv", "\n".join(lines) + "\n")
    for number in range(IMAGES):
        put(folder / "flickr30k_images" / f"{number}.jpg", photo(number))


def kohya(folder: Path) -> None:
    for number in range(IMAGES):
        put(folder / "10_things" / f"{number}.png", photo(number))
        put(folder / "10_things" / f"{number}.txt", f"{caption(number)}\r\n")


def karpathy(folder: Path) -> None:
    images = [
        {
            "sentids": [number], "imgid": number, "filename": f"{number}.jpg",
            "sentences": [{"tokens": ["a"], "raw": caption(number), "imgid": number, "sentid": number}],
            "split": "test" if number % 5 == 0 else "val" if number % 5 == 1 else "train",
        }
        for number in range(IMAGES)
    ]  # fmt: skip
    put(folder / "dataset_flickr8k.json", json.dumps({"images": images, "dataset": "flickr8k"}))
    for number in range(IMAGES):
        put(folder / "Flicker8k_Dataset" / f"{number}.jpg", photo(number))


def open_clip(folder: Path) -> None:
    """Paths are those of the machine on which the table was made."""
    lines = ["filepath\ttitle", *(f"/mnt/data/shots/{number}.jpg\t{caption(number)}" for number in range(IMAGES))]
    put(folder / "train.csv", "\n".join(lines))
    for number in range(IMAGES):
        put(folder / "shots" / f"{number}.jpg", photo(number))


def windows(folder: Path) -> None:
    """A spreadsheet's "Unicode text": UTF-16, tabs, Windows line ends and paths."""
    lines = ["IMAGE\tCaption", *(f"D:\\shots\\{number}.jpg\t{caption(number)}" for number in range(IMAGES))]
    put(folder / "photos.tsv", "\r\n".join(lines).encode("utf-16"))
    for number in range(IMAGES):
        put(folder / "shots" / f"{number}.jpg", photo(number))


def one_hot(folder: Path) -> None:
    """As pandas writes booleans with its index, in a packed file."""
    lines = [",".join(["", "File Name", "Caption", *NAMES])]
    for number in range(IMAGES):
        lines.append(
            ",".join([str(number), f"{number}.png", f'"{caption(number)}"', *(str(n in shown(number)) for n in NAMES)])
        )
        put(folder / "photos" / f"{number}.png", photo(number))
    put(folder / "table.csv.gz", gzip.compress("\n".join(lines).encode()))


def chestxray14(folder: Path) -> None:
    lines = [
        "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
        "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],"
    ]
    for number in range(IMAGES):
        found = "|".join(shown(number, FINDINGS)) or "No Finding"
        lines.append(f"{number:08d}_000.png,{found},0,{number},058Y,M,PA,2682,2749,0.143,0.143,")
        put(folder / f"images_{1 + number % 3:03d}" / "images" / f"{number:08d}_000.png", photo(number))
    put(folder / "Data_Entry_2017.csv", "\n".join(lines))
    put(folder / "BBox_List_2017.csv", "Image Index,Finding Label,Bbox [x,y,w,h],,,\n00000001_000.png,Mass,1,2,3,4,,,")
    put(folder / "test_list.txt", "\n".join(f"{number:08d}_000.png" for number in range(0, IMAGES, 4)))


def mimic_cxr(folder: Path) -> None:
    labels = [",".join(["subject_id", "study_id", *FINDINGS, "No Finding"])]
    splits = ["dicom_id,study_id,subject_id,split"]
    for number in range(IMAGES):
        patient, study, dicom = 10000032 + number, 50414267 + number, f"02aa804e-{number:08d}"
        found = ["1.0" if name in shown(number, FINDINGS) else "0.0" for name in FINDINGS]
        labels.append(",".join([str(patient), str(study), *found, "" if "1.0" in found else "1.0"]))
        splits.append(f"{dicom},{study},{patient},{('train', 'train', 'validate', 'test')[number % 4]}")
        put(folder / f"files/p{str(patient)[:2]}/p{patient}/s{study}/{dicom}.jpg", photo(number))
    put(folder / "mimic-cxr-2.0.0-chexpert.csv.gz", gzip.compress("\n".join(labels).encode()))
    put(folder / "mimic-cxr-2.0.0-split.csv.gz", gzip.compress("\n".join(splits).encode()))


CAPTIONED: list[Callable[[Path], None]] = [
    img2dataset, img2dataset_files, kaggle_flickr8k, flickr30k, kohya, karpathy, open_clip, windows, one_hot,
]  # fmt: skip


def build(source: Path, out: Path, *more: str) -> dict[str, datasets.DatasetDict]:
    arguments = ["--source", str(source), "--out", str(out), "--risk", "0.99", "--no-progress", *more]
    assert main(["build-dataset", *arguments]) == 0
    return datasets.load_dataset(str(out), "captions", cache_dir=str(out.parent / "kept"))


@pytest.mark.parametrize("write", CAPTIONED, ids=lambda write: write.__name__)
def test_captions_of_an_export_stay_with_their_photos(tmp_path: Path, write: Callable[[Path], None]):
    write(tmp_path / "source")
    loaded = build(tmp_path / "source", tmp_path / "out")
    seen = set()
    for rows in loaded.values():
        for row in rows:
            number = number_of(row)
            seen.add(number)
            assert row["caption"] in (caption(number), 'A sign says " stop .')
            assert not set(row["absent"]) & set(shown(number))
    assert len(seen) >= 0.7 * IMAGES
    skipped = (tmp_path / "out" / "skipped.jsonl").read_text().splitlines()
    faults = [reason for line in skipped if "cells" in (reason := json.loads(line)["reason"])]
    short_row = "2 cells, but the header names 3 columns; quote cells that hold a bar"
    assert faults == ([short_row] if write is flickr30k else [])


@pytest.mark.parametrize("write", [chestxray14, mimic_cxr], ids=lambda write: write.__name__)
def test_labels_of_chest_x_rays_stay_with_their_photos(tmp_path: Path, write: Callable[[Path], None]):
    write(tmp_path / "source")
    loaded = build(tmp_path / "source", tmp_path / "out", "--domain", "chest-xray")
    spoken = {"atelectasis": 0, "cardiomegaly": 1, "pulmonary edema": 2, "pneumothorax": 3}
    places: dict[int, str] = {}
    for split, rows in loaded.items():
        for row in rows:
            number = number_of(row)
            places[number] = split
            there = {name for name, place in spoken.items() if FINDINGS[place] in shown(number, FINDINGS)}
            assert set(row["affirmed"]) & set(spoken) == there
            assert not set(row["absent"]) & there
    assert len(places) >= 0.8 * IMAGES
    test = {number for number, split in places.items() if split == "test"}
    assert test == {number for number in places if number % 4 == (0 if write is chestxray14 else 3)}
