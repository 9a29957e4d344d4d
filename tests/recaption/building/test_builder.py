import errno
import hashlib
import io
import json
import shutil
from collections import Counter
from itertools import pairwise
from pathlib import Path

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, Features, List, Value
from PIL import Image

from notclip.dataset import schema
from notclip.dataset.rows import CONFIGS, EVIDENCE_METHODS
from notclip.errors import BadInputError
from notclip.recaption.building import detection, shard_writer
from notclip.recaption.building.builder import build_dataset
from notclip.recaption.building.config import BuildConfig
from notclip.recaption.concepts.lexicon import LEXICON_FILE
from notclip.recaption.english.phrasing import load_phrasebook
from notclip.remote.photo_notclip import open_photo
from notclip.scripts import build_dataset as script

NAMES = ("dog", "cat", "car", "ball", "tree", "chair", "kite", "boat")


def source(folder: Path, *, train: int = 160, other: int = 60) -> Path:
    """Photos of all kinds of subsets of the names, exhaustively annotated; every fifth is captioned twice."""
    features = Features(
        {
            "image": datasets.Image(),
            "image_id": Value("string"),
            "captions": List(Value("string")),
            "objects": List(ClassLabel(names=list(NAMES))),
        }
    )
    folder.mkdir()
    number = 0
    for split, count in (("train", train), ("validation", other), ("test", other)):
        made = []
        for _ in range(count):
            number += 1
            bits = (number * 37) % 255 + 1
            objects = [index for index in range(8) if bits >> index & 1][:4]
            shown = " and ".join(f"a {NAMES[index]}" for index in objects)
            made.append(
                {
                    "image": {"bytes": photo(number), "path": None},
                    "image_id": f"{split}{number}",
                    "captions": [f"There is {shown} ."] * 1 + [f"A photo of {shown} ."] * (number % 5 == 0),
                    "objects": objects,
                }
            )
        pq.write_table(pa.Table.from_pylist(made, schema=features.arrow_schema), folder / f"{split}.parquet")
    return folder


def photo(number: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (6, 6), (number % 256, number // 256, 7)).save(buffer, "PNG")
    return buffer.getvalue()


def config(data: Path, out: Path, **options) -> BuildConfig:
    return BuildConfig(source=str(data), out=out, cache=out.parent / "cache", progress=False, **options)


def contents(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return source(tmp_path_factory.mktemp("source") / "data")


@pytest.fixture(scope="module")
def built(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("built") / "out"
    build_dataset(config(data, out))
    return out


def load(folder: Path, name: str) -> datasets.DatasetDict:
    return datasets.load_dataset(str(folder), name)


@pytest.mark.parametrize("name", CONFIGS)
def test_load_dataset_finds_each_config_with_its_three_splits_and_features(built: Path, name: str):
    loaded = load(built, name)
    assert set(loaded) == {"train", "validation", "test"}
    assert all(split.features == schema.FEATURES[name] and len(split) for split in loaded.values())
    assert all(loaded["test"][0][column].size == (6, 6) for column in image_columns(name))


def image_columns(name: str) -> list[str]:
    return [column for column, feature in schema.FEATURES[name].items() if isinstance(feature, datasets.Image)]


def test_a_dataset_built_again_is_not_taken_for_the_one_that_datasets_kept(data: Path, tmp_path: Path):
    found = []
    for seed in (0, 1):
        build_dataset(config(data, tmp_path / str(seed) / "out", seed=seed))
        loaded = datasets.load_dataset(str(tmp_path / str(seed) / "out"), "captions", cache_dir=str(tmp_path / "kept"))
        found.append(loaded["test"]["negated_captions"][:20])
    assert found[0] != found[1]


def test_no_image_stands_in_two_splits(built: Path):
    for name in CONFIGS:
        loaded = load(built, name)
        for column in image_columns(name):
            loaded = loaded.cast_column(column, datasets.Image(decode=False))
        seen = [{row[column]["bytes"] for row in split for column in image_columns(name)} for split in loaded.values()]
        assert not seen[0] & seen[1] and not seen[0] & seen[2] and not seen[1] & seen[2]


def test_no_absence_contradicts_the_annotation_and_each_has_its_evidence(built: Path, data: Path):
    objects = {
        row["image_id"]: {NAMES[index] for index in row["objects"]}
        for split in ("train", "validation", "test")
        for row in pq.read_table(data / f"{split}.parquet", columns=["image_id", "objects"]).to_pylist()
    }
    for split in load(built, "captions").values():
        for row in split.remove_columns("image"):
            assert len(row["negated_captions"]) == len(row["forms"]) == len(row["absent"]) == len(row["evidence"]) == 3
            assert not set(row["absent"]) & objects[row["image_id"]]
            assert objects[row["image_id"]] <= set(row["affirmed"])
            assert [entry["concept"] for entry in row["evidence"]] == row["absent"]
            assert all(EVIDENCE_METHODS[entry["method"]] == "annotation" for entry in row["evidence"])
            assert all(row["caption"].split()[1] in text for text in row["negated_captions"])
    for split in load(built, "retrieval").values():
        for row in split.remove_columns("image"):
            for names in row["absent"]:
                assert names and not set(names) & objects[row["image_id"]]


def test_each_caption_of_a_pair_is_about_its_image_alone(built: Path):
    for split in load(built, "pairs").values():
        kinds = split.features["kind_0"].names
        for row in split.remove_columns(["image_0", "image_1"]):
            assert row["caption_0"] != row["caption_1"] and row["image_id_0"] != row["image_id_1"]
            for place in ("0", "1"):
                assert (kinds[row[f"kind_{place}"]] == "affirmation") == (row[f"form_{place}"] == "affirmed")


def test_a_dataset_without_pairs_has_no_such_config(data: Path, tmp_path: Path):
    summary = build_dataset(config(data, tmp_path / "out", pairs_per_image=0, limit=50))
    assert not (tmp_path / "out" / "pairs").exists() and "pairs" not in summary["counts"]
    assert datasets.get_dataset_config_names(str(tmp_path / "out")) == ["captions", "questions", "retrieval"]


def test_a_query_lists_its_own_image_first_and_no_image_twice_as_right_and_wrong(built: Path):
    for split in load(built, "retrieval").values():
        present = {row["image_id"]: set(row["present"]) for row in split.remove_columns("image")}
        for row in split.remove_columns("image"):
            for relevant, violating, absent in zip(row["relevant"], row["violating"], row["absent"], strict=True):
                assert relevant[0] == row["image_id"] and not set(relevant) & set(violating)
                assert set(violating) == {name for name, shown in present.items() if shown & set(absent)}


def test_each_text_is_tagged_with_its_pattern(built: Path):
    known = {pattern.template: pattern.form for pattern in load_phrasebook().patterns}
    for row in load(built, "captions")["test"].remove_columns("image"):
        assert [known[pattern] for pattern in row["patterns"]] == row["forms"]
    for row in load(built, "questions")["test"].remove_columns("image"):
        assert [known[pattern] for pattern in row["choice_patterns"]] == row["choice_forms"]


def test_each_choice_text_of_a_group_is_the_answer_once(built: Path):
    for split in load(built, "questions").values():
        answers: dict[str, Counter] = {}
        for row in split.remove_columns("image"):
            answers.setdefault(row["group"], Counter())[row["choices"][row["answer"]]] += 1
            assert row["kind"] == row["choice_kinds"][row["answer"]]
        assert all(len(counts) == 4 and set(counts.values()) == {1} for counts in answers.values())


def test_rows_of_one_image_are_adjacent_and_store_its_bytes_once(built: Path):
    table = pq.ParquetFile(built / "captions" / "train.parquet")
    ids = table.read(columns=["image_id"])["image_id"].to_pylist()
    assert sum(before != after for before, after in pairwise(ids)) + 1 == len(set(ids))
    assert "RLE_DICTIONARY" in table.metadata.row_group(0).column(0).encodings


def test_the_same_seed_gives_the_same_bytes_whatever_the_workers(built: Path, data: Path, tmp_path: Path):
    build_dataset(config(data, tmp_path / "again", workers=3))
    build_dataset(config(data, tmp_path / "other", seed=1))
    first, again, other = (contents(folder) for folder in (built, tmp_path / "again", tmp_path / "other"))
    assert first == again
    assert all(first[f"{name}/train.parquet"] != other[f"{name}/train.parquet"] for name in CONFIGS)


def test_build_json_counts_what_was_written(built: Path):
    summary = json.loads((built / "build.json").read_text())
    assert summary["images"] == {"train": 160, "validation": 60, "test": 60}
    assert summary["counts"]["captions"]["train"]["rows"] == 160 + 160 // 5
    assert summary["counts"]["captions"]["train"]["by_evidence"] == {"annotation": 3 * 192}
    assert sum(summary["counts"]["questions"]["test"]["by_kind"].values()) == len(load(built, "questions")["test"])
    for split, results in summary["blind"].items():
        assert all(result["low"] <= 0.25 <= result["high"] for result in results), split
    for name, entry in summary["files"].items():
        assert hashlib.sha256((built / name).read_bytes()).hexdigest() == entry["sha256"]


def test_a_folder_that_holds_something_is_left_alone(data: Path, tmp_path: Path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep")
    with pytest.raises(BadInputError, match=r"`out` .*new or empty folder"):
        build_dataset(config(data, tmp_path / "out"))
    assert contents(tmp_path).keys() == {"out/mine.txt"}


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_build_that_broke_off_leaves_no_dataset_and_goes_on_to_the_same_bytes(
    data: Path, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure
):
    real = shard_writer.RowWriter.write
    rows_written = []

    def failing(self, row):
        rows_written.append(row)
        if len(rows_written) == 500:
            raise failure
        real(self, row)

    monkeypatch.setattr(shard_writer.RowWriter, "write", failing)
    with pytest.raises(type(failure)):
        build_dataset(config(data, tmp_path / "out"))
    assert not (tmp_path / "out").exists()
    assert (tmp_path / ".out.unfinished").is_dir()
    monkeypatch.undo()
    # What `kill -9` leaves: no code of ours runs then.
    cut = tmp_path / ".out.unfinished/dataset/captions/.train.parquet.0123abcd.partial/train.parquet"
    cut.parent.mkdir()
    cut.write_bytes(b"PAR1 cut o")
    build_dataset(config(data, tmp_path / "out"))
    assert contents(tmp_path / "out") == contents(built)
    assert not (tmp_path / ".out.unfinished").exists()


def test_a_language_model_words_the_captions_and_is_not_asked_again_after_it_went_away(
    data: Path, tmp_path: Path, fake_llm, capsys, monkeypatch
):
    def build(name: str, url: str) -> int:
        arguments = ["--source", str(data), "--out", str(tmp_path / name), "--cache", str(tmp_path / "cache")]
        endpoint = ["--llm", url, "--llm-model", "fake/model", "--llm-concurrency", "1", "--llm-batch", "40"]
        return script.main([*arguments, "--no-progress", "--limit", "30", "--workers", "1", *endpoint])

    with fake_llm.FakeLlm(lambda number, items: fake_llm.reworded(items) if number < 3 else 401) as server:
        assert build("out", server.url) == 2
        assert "refuses with status 401" in capsys.readouterr().err
        asked = server.captions[:120]
    assert not (tmp_path / "out").exists()
    # Hours of reading a large source are not to be paid again.
    assert any((tmp_path / ".out.unfinished/raw_shards").iterdir())
    monkeypatch.setattr(
        "notclip.recaption.building.raw_shards.write_work_file", lambda *_: pytest.fail("was read again")
    )
    with fake_llm.FakeLlm(lambda number, items: fake_llm.reworded(items)) as server:
        assert build("out", server.url) == 0
        # What the reader reads otherwise is asked for again: fewer than one in fifty.
        assert len(set(asked) & set(server.captions[:120])) <= 0.05 * len(set(asked))
    said = json.loads((tmp_path / "out/build.json").read_text())["llm"]
    assert said["model"] == "fake/model" and said["accepted"] > 0.9 * said["captions"]
    assert f"fake/model worded {said['accepted']:,} of {said['captions']:,}" in capsys.readouterr().out
    rows = load(tmp_path / "out", "captions")["train"]
    assert {pattern for patterns in rows["patterns"] for pattern in patterns} >= {"llm"}
    assert all(text.startswith("Well, ") for text in rows[0]["negated_captions"])


def test_what_an_other_build_left_unfinished_is_not_gone_on_with(data: Path, built: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(shard_writer, "read_knowledge", lambda job: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        build_dataset(config(data, tmp_path / "out", seed=1))
    monkeypatch.undo()
    build_dataset(config(data, tmp_path / "out"))
    assert contents(tmp_path / "out") == contents(built)


def test_questions_that_give_themselves_away_are_not_written(data: Path, tmp_path: Path, monkeypatch):
    real = shard_writer.build_questions

    def leaking(*arguments, **options):
        return [question for question in real(*arguments, **options) if question.kind == "affirmation"]

    monkeypatch.setattr(shard_writer, "build_questions", leaking)
    with pytest.raises(BadInputError, match="whole groups"):
        build_dataset(config(data, tmp_path / "out"))
    assert [path.name for path in tmp_path.iterdir() if path.name != "cache"] == []


def test_an_image_without_any_concept_is_skipped_and_listed(tmp_path: Path):
    data = source(tmp_path / "data")
    table = pq.read_table(data / "train.parquet").to_pylist()
    table[3].update(objects=None, captions=["Nothing much ."])
    features = pq.read_table(data / "train.parquet").schema
    pq.write_table(pa.Table.from_pylist(table, schema=features), data / "train.parquet")
    build_dataset(config(data, tmp_path / "out"))
    listed = [json.loads(line) for line in (tmp_path / "out" / "skipped.jsonl").read_text().splitlines()]
    assert [(Path(entry["file"]).name, entry["row"]) for entry in listed] == [("train.parquet", 3)]
    assert listed[0]["reason"] == "no known concept in its captions or annotation"


def test_the_command_says_what_it_made_and_what_it_left_out(data: Path, tmp_path: Path, capsys):
    arguments = ["--source", str(data), "--out", str(tmp_path / "out"), "--cache", str(tmp_path / "cache")]
    assert script.main([*arguments, "--no-progress", "--limit", "60"]) == 0
    printed = capsys.readouterr().out
    assert "validation" in printed and "25.0%" in printed and "annotation" in printed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"choices": 9}, "`choices` must be between 2 and 8, got 9"),
        ({"workers": 0}, "`workers` must be at least 1, got 0"),
        ({"risk": 1.0}, "`risk` must be at least 0 and under 1, got 1.0"),
        ({"questions_per_image": 0.0}, "`questions_per_image` must be over 0, got 0.0"),
    ],
)
def test_options_out_of_range_are_refused(tmp_path: Path, options: dict, message: str):
    with pytest.raises(BadInputError, match=message):
        BuildConfig(source="x", out=tmp_path / "out", **options)


def test_what_older_code_began_is_begun_anew(data: Path, built: Path, tmp_path: Path, monkeypatch, change_code):
    monkeypatch.setattr(shard_writer, "read_knowledge", lambda job: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        build_dataset(config(data, tmp_path / "out"))
    monkeypatch.undo()
    kept = tmp_path / ".out.unfinished" / "raw_shards" / "kept"
    kept.touch()
    change_code("notclip.recaption.english.caption_text")
    monkeypatch.setattr(shard_writer, "read_knowledge", lambda job: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        build_dataset(config(data, tmp_path / "out"))
    assert not kept.exists()


def test_a_second_build_in_one_process_reads_its_source_and_lexicon_anew(tmp_path: Path):
    table = tmp_path / "lexicon.yaml"
    table.write_text(LEXICON_FILE.read_text(encoding="utf-8"), encoding="utf-8")
    listed = []
    for count in (40, 44):
        data = source(tmp_path / "data", train=count, other=40)
        build_dataset(config(data, tmp_path / "out", lexicon=table))
        listed.append(json.loads((tmp_path / "out" / "build.json").read_text())["images"]["train"])
        shutil.rmtree(tmp_path / "out")
        shutil.rmtree(data)
    assert listed == [40, 44]


class TellsByColour:
    """Stands in for a network: how likely a dog or a cat is, by the first pixel's red and green."""

    labels = ("dog", "cat")
    fingerprint = "f" * 64
    batch_size = 1

    def scores(self, images):
        pixels = [open_photo(image).getpixel((0, 0)) for image in images]
        return np.array([[red / 255, green / 255] for red, green, _ in pixels], dtype=np.float32)


def test_what_the_detector_saw_in_the_photos_that_are_learnt_from_is_kept_beside_the_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(detection, "open_detector", lambda job: (TellsByColour(), {"dog": "dog", "cat": "cat"}))
    build_dataset(
        BuildConfig(
            str(source(tmp_path / "source")),
            tmp_path / "out",
            detector=tmp_path / "x.onnx",
            progress=False,
            cache=tmp_path,
        )
    )
    seen = pq.read_table(tmp_path / "out" / "seen" / "train.parquet")
    assert json.loads(seen.schema.field("dog").metadata[b"texts"])[:3] == ["a dog", "dog", "dogs"]
    rows_of_train = pq.read_table(tmp_path / "out" / "captions" / "train.parquet", columns=["image"])
    photos = {row["bytes"] for row in rows_of_train["image"].to_pylist()}
    expected = {hashlib.sha256(photo).hexdigest(): TellsByColour().scores([photo])[0] for photo in photos}
    assert set(seen["digest"].to_pylist()) == set(expected)
    for digest, dog, cat in zip(*(seen[name].to_pylist() for name in ("digest", "dog", "cat")), strict=True):
        assert (dog, cat) == pytest.approx(tuple(expected[digest]), abs=1e-4)
