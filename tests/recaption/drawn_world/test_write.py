import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import load_dataset

from notclip.errors import BadInputError
from notclip.recaption.drawn_world import OBJECTS, SETTINGS, make_sample
from notclip.recaption.drawn_world.write import without_repetition, write_drawn_world
from notclip.recaption.sources.opening import list_parts


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("worlds") / "world"
    write_drawn_world(out, train=24, validation=6, test=6, seed=1, workers=1, progress=False)
    return out


def test_rows_are_scenes_with_their_complete_annotation(world: Path) -> None:
    rows = pq.read_table(world / "train.parquet").to_pylist()
    assert [row["image_id"] for row in rows] == [f"drawn-1-train-{index:06d}" for index in range(24)]
    for index, row in enumerate(rows):
        sample = make_sample(1, "train", index)
        assert tuple(OBJECTS[label] for label in row["objects"]) == sample.scene.objects
        assert SETTINGS[row["setting"]] == sample.scene.setting
        assert tuple(row["captions"]) == sample.captions


def test_datasets_loads_pictures_and_class_names(world: Path, tmp_path: Path) -> None:
    splits = load_dataset("parquet", data_dir=str(world), cache_dir=str(tmp_path))
    assert {name: len(split) for name, split in splits.items()} == {"train": 24, "validation": 6, "test": 6}
    assert splits["train"].features["objects"].feature.names == list(OBJECTS)
    assert splits["test"][0]["image"].size == (128, 128)


def test_splits_share_no_picture_and_no_id(world: Path) -> None:
    rows = [
        row
        for split in ("train", "validation", "test")
        for row in pq.read_table(world / f"{split}.parquet").to_pylist()
    ]
    assert len({hashlib.sha256(row["image"]["bytes"]).digest() for row in rows}) == len(rows) == 36
    assert len({row["image_id"] for row in rows}) == 36


def test_a_picture_that_repeats_is_left_out_whichever_split_it_was_in() -> None:
    seen: set[bytes] = set()
    first, second = ({"image": {"bytes": content}} for content in (b"one", b"two"))
    assert list(without_repetition(iter([first, first]), seen)) == [first]
    assert list(without_repetition(iter([first, second]), seen)) == [second]


def test_the_bytes_follow_from_the_seed_whatever_the_number_of_workers(world: Path, tmp_path: Path) -> None:
    write_drawn_world(tmp_path / "again", train=24, validation=6, test=6, seed=1, workers=2, progress=False)
    for split in ("train", "validation", "test"):
        assert (world / f"{split}.parquet").read_bytes() == (tmp_path / "again" / f"{split}.parquet").read_bytes()


def test_a_folder_that_holds_something_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(BadInputError, match="new or empty folder"):
        write_drawn_world(tmp_path, train=1, validation=1, test=1, workers=1)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("changes", [{"train": 0}, {"workers": 0}, {"size": 8}])
def test_a_number_that_is_too_small_is_refused_by_name(tmp_path: Path, changes: dict[str, int]) -> None:
    with pytest.raises(BadInputError, match=f"`{next(iter(changes))}` must be at least"):
        write_drawn_world(tmp_path / "out", **changes)


def test_nothing_half_written_stays_when_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def disk_full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq, "write_table", disk_full)
    with pytest.raises(OSError, match="No space left"):
        write_drawn_world(tmp_path / "out", train=2, validation=1, test=1, workers=1, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_a_world_that_older_code_drew_is_not_found(tmp_path: Path, change_code, monkeypatch):
    drawn = []

    def draw(folder: Path, **options) -> None:
        drawn.append(folder)
        folder.mkdir(parents=True)
        pq.write_table(pa.table({"image_id": ["a"]}), folder / "train.parquet")

    monkeypatch.setattr("notclip.recaption.drawn_world.write.write_drawn_world", draw)
    monkeypatch.setattr("notclip.recaption.sources.opening.parquet_parts", lambda folder, **options: [folder])
    draw(tmp_path / "drawn-world-0-3-3-3")  # as earlier versions called it
    for changed in (None, None, "notclip.recaption.drawn_world.things"):
        if changed is not None:
            change_code(changed)
        assert list_parts("drawn-world", cache=tmp_path, limit=3) == drawn[-1:]
    assert len(drawn) == len(set(drawn)) == 3
