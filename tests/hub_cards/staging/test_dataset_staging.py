"""The dataset as it goes out: what a viewer needs, and what joins the pictures again where they stay at home."""

import io
import json
import subprocess
import sys
from dataclasses import replace

import pyarrow.parquet as pq
import pytest
import yaml
from datasets import Features, Image, load_dataset
from datasets.info import DatasetInfosDict
from huggingface_hub import DatasetCardData

from notclip.dataset.built import read_dataset_files
from notclip.dataset.rows import CONFIGS
from notclip.errors import BadInputError
from notclip.hub_cards.staging import dataset as dataset_staging
from notclip.hub_cards.staging.dataset import copy_dataset, dataset_info


@pytest.fixture
def built(inputs):
    """The dataset of the small release, whose licence allows all."""
    return read_dataset_files(inputs.folder / "data", license=None)


def join(dataset, *arguments):
    command = [sys.executable, str(dataset / "join_images.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def photos_of(built, folder):
    folder.mkdir()
    for split in ("train", "validation", "test"):
        for row in pq.read_table(built.folder / "captions" / f"{split}.parquet").to_pylist():
            (folder / f"{row['image_id']}.png").write_bytes(row["image"]["bytes"])
    return folder


def test_a_card_states_features_rows_and_sizes_of_what_is_staged(built, tmp_path):
    copy_dataset(built, tmp_path / "out", with_images=True, image_url=None)
    info = {entry["config_name"]: entry for entry in dataset_info(built, tmp_path / "out")}
    assert list(info) == list(CONFIGS)
    features = DatasetInfosDict.from_dataset_card_data(DatasetCardData(dataset_info=[*info.values()]))[
        "questions"
    ].features
    assert features == Features.from_arrow_schema(pq.read_schema(tmp_path / "out" / "questions" / "test.parquet"))
    assert [split["num_examples"] for split in info["questions"]["splits"]] == [3, 3, 3]
    files = (tmp_path / "out" / "questions").iterdir()
    assert info["questions"]["download_size"] == sum(file.stat().st_size for file in files)
    assert yaml.safe_load(yaml.safe_dump(info)) == info


def test_a_whole_copy_holds_each_picture_and_is_the_built_file(built, tmp_path):
    copy_dataset(built, tmp_path / "out", with_images=True, image_url=None)
    for name, file in built.files().items():
        assert (tmp_path / "out" / name).read_bytes() == file.read_bytes()
    assert not (tmp_path / "out" / "join_images.py").exists()


def test_a_row_group_too_large_for_the_viewer_is_refused_by_name(built, tmp_path, monkeypatch):
    monkeypatch.setattr(dataset_staging, "LARGEST_ROW_GROUP", 100)
    with pytest.raises(BadInputError, match=r"captions/train\.parquet .*row group"):
        copy_dataset(built, tmp_path / "out", with_images=True, image_url=None)


def test_pictures_left_out_are_joined_again_from_a_folder_of_photos(built, tmp_path):
    copy_dataset(built, tmp_path / "out", with_images=False, image_url=None)
    for file in (tmp_path / "out").rglob("*.parquet"):
        assert not [name for name, kind in Features.from_arrow_schema(pq.read_schema(file)).items() if kind == Image()]
    done = join(tmp_path / "out", "--images", photos_of(built, tmp_path / "photos"), "--out", tmp_path / "joined")
    assert done.returncode == 0, done.stderr
    for name, file in built.files().items():
        original, joined = (pq.read_table(path).to_pylist() for path in (file, tmp_path / "joined" / name))
        for ours, theirs in zip(joined, original, strict=True):
            for column in theirs:
                is_picture = isinstance(theirs[column], dict)
                assert (ours[column]["bytes"] if is_picture else ours[column]) == (
                    theirs[column]["bytes"] if is_picture else theirs[column]
                )
    loaded = load_dataset(str(tmp_path / "joined" / "questions"), cache_dir=tmp_path / "cache")
    assert loaded["test"][0]["image"].size == (32, 32)


def test_pictures_are_joined_from_parquet_too_and_another_picture_is_refused(built, tmp_path):
    copy_dataset(built, tmp_path / "out", with_images=False, image_url=None)
    photos = tmp_path / "photos"
    photos.mkdir()
    for split in ("train", "validation", "test"):
        table = pq.read_table(built.folder / "captions" / f"{split}.parquet", columns=["image", "image_id"])
        rows = table.to_pylist()
        if split == "test":
            from PIL import Image as Picture

            other = io.BytesIO()
            Picture.new("RGB", (8, 8)).save(other, "PNG")
            rows[1]["image"]["bytes"] = other.getvalue()
        pq.write_table(table.from_pylist(rows, schema=table.schema), photos / f"{split}.parquet")
    done = join(tmp_path / "out", "--images", photos, "--out", tmp_path / "joined")
    assert done.returncode == 1
    assert "1 pictures are missing, or are others; their rows are left out: test-1" in done.stderr
    assert pq.read_metadata(tmp_path / "joined" / "captions" / "test.parquet").num_rows == 2
    assert pq.read_metadata(tmp_path / "joined" / "captions" / "train.parquet").num_rows == 3


def test_addresses_of_pictures_are_written_and_followed(built, tmp_path, hub):
    account = hub.accounts[0]
    repo = hub.store.create_repo("datasets", "ann/photos", private=False, sdk=None, author=account.name)
    files = photos_of(built, tmp_path / "photos").iterdir()
    added = {file.name: hub.store.file(hub.store.add_blob(file.read_bytes()), lfs=False) for file in files}
    options = {"deleted": set(), "parent": None, "title": "photos", "description": "", "author": "ann"}
    hub.store.commit(repo, "main", added=added, **options)
    url = f"{hub.url}/datasets/ann/photos/resolve/main/{{image_id}}.png"
    copy_dataset(built, tmp_path / "out", with_images=False, image_url=url)
    (row, *_) = pq.read_table(tmp_path / "out" / "pairs" / "test.parquet").to_pylist()
    assert row["image_url_1"] == url.replace("{image_id}", row["image_id_1"])
    done = join(tmp_path / "out", "--download", "--out", tmp_path / "joined")
    assert done.returncode == 0, done.stderr
    assert pq.read_metadata(tmp_path / "joined" / "captions" / "test.parquet").num_rows == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give either --images or --download"),
        (("--images", "nowhere"), "--images nowhere does not exist"),
        (("--download",), "exists: name another folder"),
    ],
)
def test_what_cannot_be_joined_is_told(built, tmp_path, arguments, said):
    copy_dataset(built, tmp_path / "out", with_images=False, image_url=None)
    done = join(tmp_path / "out", *arguments, "--out", tmp_path)
    assert done.returncode == 2
    assert said in done.stderr


def test_sentences_whose_licence_is_unknown_stay_at_home(built, tmp_path):
    copy_dataset(replace(built, license=None), tmp_path / "out", with_images=True, image_url=None)
    assert "caption" not in pq.read_schema(tmp_path / "out" / "captions" / "test.parquet").names
    assert b"a dog on grass" not in (tmp_path / "out" / "captions" / "test.parquet").read_bytes()


def test_the_card_of_a_dataset_without_pictures_says_how_to_join_them(inputs):
    from notclip.hub_cards.staging.stage import stage_release

    stage_release(inputs.config(images="ids", image_url="https://example.org/{image_id}.jpg"))
    card = (inputs.folder / "hub" / "dataset" / "README.md").read_text()
    assert "**This copy holds no pictures**" in card
    assert "python data/join_images.py --download --out joined" in card
    assert json.loads((inputs.folder / "hub" / "manifest.json").read_text())["version"]
    with pytest.raises(BadInputError, match=r"`image_url` must hold \{image_id\}"):
        inputs.config(image_url="https://example.org/photo.jpg")
