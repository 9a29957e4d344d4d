import io
import json
import struct
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, Features, Image, List, Value
from PIL import Image as Picture

from notclip.errors import BadInputError


def photo(shade: int, *, size: int = 8) -> bytes:
    buffer = io.BytesIO()
    Picture.new("RGB", (size, size), (shade % 256, shade // 256, 90)).save(buffer, "PNG")
    return buffer.getvalue()


def write(file: Path, rows: list[dict], *, vocabulary: tuple[str, ...] = ()) -> None:
    features = {"image": Image(), "image_id": Value("string"), "captions": List(Value("string"))}
    if vocabulary:
        features["objects"] = List(ClassLabel(names=list(vocabulary)))
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=Features(features).arrow_schema), file)


def row(number: int, *captions: str | None, image: bytes | None = None, **more) -> dict:
    found = photo(number) if image is None else image
    return {"image": {"bytes": found, "path": None}, "image_id": f"photo{number}", "captions": list(captions), **more}


def test_a_folder_of_three_splits_is_read_as_it_is(tmp_path: Path, read_source):
    for split, number in (("train", 1), ("validation", 2), ("test", 3)):
        write(tmp_path / "data" / f"{split}.parquet", [row(number, "A dog .", "A  brown dog .")])
    source = read_source(tmp_path / "data")
    assert {split: [image.image_id for image in images] for split, images in source.splits.items()} == {
        "train": ["photo1"],
        "validation": ["photo2"],
        "test": ["photo3"],
    }
    assert source.splits["train"][0].captions == ("A dog .", "A brown dog .")
    assert source.splits["train"][0].labels is None
    assert source.vocabulary is None
    assert source.skipped == []


def test_annotated_objects_come_with_their_vocabulary(tmp_path: Path, read_source):
    rows = [row(number, "A dog .", objects=[1]) for number in range(30)]
    write(tmp_path / "data" / "train.parquet", rows, vocabulary=("cat", "dog"))
    source = read_source(tmp_path / "data")
    assert source.vocabulary == ("cat", "dog")
    assert {image.labels for images in source.splits.values() for image in images} == {frozenset({"dog"})}


def test_what_is_broken_is_skipped_and_named_with_file_and_row(tmp_path: Path, read_source):
    file = tmp_path / "data" / "train.parquet"
    rows = [
        row(0, "A dog ."),
        row(1, "A dog .", image=photo(1)[:40]),
        row(2, "A dog .", image=b""),
        row(3, " ", None),
        row(4, "", "A cat ."),
        row(5, "A dog .", image=b"GIF it is not"),
    ]
    write(file, rows)
    for split, number in (("validation", 10), ("test", 11)):
        write(tmp_path / "data" / f"{split}.parquet", [row(number, "A bird .")])
    source = read_source(tmp_path / "data")
    assert [image.image_id for image in source.splits["train"]] == ["photo0", "photo4"]
    assert source.splits["train"][1].captions == ("A cat .",)
    found = {(Path(entry.file).name, entry.row): entry.reason for entry in source.skipped}
    assert set(found) == {("train.parquet", number) for number in (1, 2, 3, 4, 5)}
    assert "cannot be decoded" in found["train.parquet", 1]
    assert found["train.parquet", 2] == "the photo is missing"
    assert found["train.parquet", 3] == "no caption that is not empty"
    assert found["train.parquet", 4] == "caption 0 is empty; the others are kept"
    forms = "JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF, HEIC, PPM"
    no_image = f"the photo cannot be decoded: it is no image of a form that is read here ({forms})"
    assert found["train.parquet", 5] == no_image  # The same words in every build.


def test_a_source_with_no_sound_row_is_refused(tmp_path: Path, read_source):
    write(tmp_path / "data" / "train.parquet", [row(0, "A dog .", image=b"no photo")])
    with pytest.raises(BadInputError, match=r"no sound row; 1 were skipped.*train\.parquet row 0"):
        read_source(tmp_path / "data")


def test_a_photo_of_two_splits_stays_in_the_one_that_is_measured_on(tmp_path: Path, read_source):
    write(tmp_path / "data" / "train.parquet", [row(0, "A dog ."), row(1, "A cat .")])
    write(tmp_path / "data" / "validation.parquet", [row(2, "A bird .")])
    write(tmp_path / "data" / "test.parquet", [row(5, "The same dog .", image=photo(0))])
    source = read_source(tmp_path / "data")
    assert [image.image_id for image in source.splits["test"]] == ["photo5"]
    assert [image.image_id for image in source.splits["train"]] == ["photo1"]
    assert [entry.reason for entry in source.skipped] == ["the same photo stands in the test split"]


def test_rows_of_the_same_photo_are_one_image_with_all_captions(tmp_path: Path, read_source):
    rows = [
        {**row(0, "A dog ."), "image_id": "first"},
        {**row(0, "A brown dog ."), "image_id": "second"},
        row(1, "A cat ."),
    ]
    write(tmp_path / "data" / "train.parquet", rows)
    source = read_source(tmp_path / "data")
    images = {image.image_id: image for images in source.splits.values() for image in images}
    assert images["first"].captions == ("A dog .", "A brown dog .")
    assert "second" not in images


def test_one_split_becomes_three_by_content_whatever_the_order(tmp_path: Path, read_source):
    rows = [row(number, "A dog .") for number in range(300)]
    write(tmp_path / "one" / "train.parquet", rows)
    write(tmp_path / "other" / "train.parquet", rows[::-1])
    splits = [
        {split: {image.image_id for image in images} for split, images in read_source(tmp_path / name).splits.items()}
        for name in ("one", "other")
    ]
    assert splits[0] == splits[1]
    assert sum(map(len, splits[0].values())) == 300
    assert len(splits[0]["test"]) == pytest.approx(30, abs=15)
    assert len(splits[0]["validation"]) == pytest.approx(30, abs=15)


def test_paths_of_photos_may_not_leave_the_folder(tmp_path: Path, read_source):
    (tmp_path / "secret.png").write_bytes(photo(7))
    inside = tmp_path / "data" / "photos" / "a.png"
    inside.parent.mkdir(parents=True)
    inside.write_bytes(photo(8))
    rows = [
        {**row(0, "A dog ."), "image": {"bytes": None, "path": path}} for path in ("../secret.png", "photos/a.png")
    ]
    write(tmp_path / "data" / "train.parquet", rows)
    source = read_source(tmp_path / "data")
    assert sum(map(len, source.splits.values())) == 1
    assert "leaves the folder" in source.skipped[0].reason


def test_a_bomb_of_a_photo_is_skipped(tmp_path: Path, read_source):
    bomb = bytearray(photo(1))
    bomb[16:24] = struct.pack(">II", 10_000, 10_000)  # the size that a PNG declares
    bomb[29:33] = struct.pack(">I", zlib.crc32(bomb[12:29]))
    write(tmp_path / "data" / "train.parquet", [row(0, "A dog ."), row(1, "A dog .", image=bytes(bomb))])
    source = read_source(tmp_path / "data")
    assert "too large: 10,000 × 10,000 is 100 megapixels" in source.skipped[0].reason


def test_a_table_without_captions_names_what_it_has(tmp_path: Path, read_source):
    pq.write_table(pa.table({"image": [b""], "heading": ["x"]}), tmp_path / "train.parquet")
    with pytest.raises(BadInputError, match=r"no caption column: .*'image', 'heading'"):
        read_source(tmp_path)


def test_no_parquet_and_a_damaged_one_are_refused_by_name(tmp_path: Path, read_source):
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInputError, match=r"`source` .*folder or file.*empty'"):
        read_source(tmp_path / "empty")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "train.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(BadInputError, match=r"train\.parquet is no Parquet file"):
        read_source(tmp_path / "bad")


def test_a_numbered_caption_column_each_is_one_caption(tmp_path: Path, read_source):
    table = {
        "image": [photo(number) for number in range(20)],
        "caption_0": ["A dog ."] * 20,
        "caption_1": ["It runs ."] * 20,
    }
    pq.write_table(pa.table(table), tmp_path / "train.parquet")
    source = read_source(tmp_path)
    assert source.splits["train"][0].captions == ("A dog .", "It runs .")


def test_an_image_folder_with_metadata_is_read_through_load_dataset(tmp_path: Path, read_source):
    folder = tmp_path / "photos" / "train"
    folder.mkdir(parents=True)
    for number in range(20):
        (folder / f"{number}.png").write_bytes(photo(number))
    lines = [json.dumps({"file_name": f"{number}.png", "text": f"Dog number {number} ."}) for number in range(20)]
    (folder / "metadata.jsonl").write_text("\n".join(lines))
    source = read_source(tmp_path / "photos")
    found = {image.image: image.captions for images in source.splits.values() for image in images}
    assert found == {photo(number): (f"Dog number {number} .",) for number in range(20)}


def test_an_unknown_name_is_refused_with_what_a_source_may_be(tmp_path: Path, read_source):
    with pytest.raises(BadInputError, match=r"`source` .*folder or file"):
        read_source("nobody/no-such-dataset")


@pytest.mark.parametrize("name", ["photos/lables.csv", "/data/no/such/folder", "../no-photos", "train.parquet"])
def test_a_mistyped_path_is_refused_at_once_and_not_sought_on_the_hub(name, read_source, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")  # Whatever lies around the repository.
    monkeypatch.setattr("datasets.load_dataset", lambda *_, **__: pytest.fail("the Hub was asked"))
    with pytest.raises(BadInputError, match=r"neither .*file nor .*folder .*no id"):
        read_source(name)


def test_a_single_parquet_file_is_asked_for_by_its_folder(tmp_path: Path, read_source):
    write(tmp_path / "train.parquet", [row(0, "A dog .")])
    with pytest.raises(BadInputError, match=r"train\.parquet; of Parquet files .* name the folder"):
        read_source(tmp_path / "train.parquet")


def test_the_limit_counts_rows_of_each_split(tmp_path: Path, read_source):
    for split, first in (("train", 0), ("validation", 100), ("test", 200)):
        write(tmp_path / "data" / f"{split}.parquet", [row(first + number, "A dog .") for number in range(9)])
    assert {len(images) for images in read_source(tmp_path / "data", limit=4).splits.values()} == {4}
