"""A suite from a folder in the dataset's schema."""

import hashlib
import io
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from datasets import Dataset
from PIL import Image

from notclip.dataset.schema import FEATURES
from notclip.errors import BadInputError
from notclip.scoring.suites.read import read_suite
from notclip.scoring.suites.suite import ImagePair, open_suite_photo

COLOURS = {"street": (255, 0, 0), "park": (0, 255, 0), "yard": (0, 0, 255)}


def image_of(name):
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), COLOURS[name]).save(buffer, "PNG")
    return {"image": {"bytes": buffer.getvalue(), "path": None}, "image_id": name}


def write_dataset(folder: Path, *, split="test", **changes):
    """Three images: the street shows a car, the park a dog, the yard both."""
    captions = [
        image_of(name) | {"caption": text, "negated_captions": [], "forms": [], "affirmed": shown, "absent": []}
        for name, text, shown in (
            ("street", "a street with a car", ["street", "car"]),
            ("street", "a red street", ["street", "car"]),
            ("park", "a park with a dog", ["park", "dog"]),
            ("yard", "a yard", ["yard"]),
        )
    ]
    questions = [
        image_of("park")
        | {"choices": ["a dog", "no dog", "a park but no car"], "answer": 2, "kind": 2}
        | {"choice_kinds": [0, 1, 2], "choice_forms": ["affirmed", "no", "but_no"]}
    ]
    retrieval = [
        image_of("park")
        | {
            "captions": ["a park, no car"],
            "forms": ["no"],
            "affirmed": [["park"]],
            "absent": [["car"]],
            "relevant": [["park"]],
            "present": ["park", "dog"],
        },
        image_of("yard")
        | {
            "captions": ["a yard without a tree", "a yard, neither dog nor car"],
            "forms": ["without", "neither"],
            "affirmed": [["yard"], ["yard"]],
            "absent": [["tree"], ["dog", "car"]],
            "relevant": [["yard"], ["yard", "park"]],
            "present": ["yard", "car", "dog"],
        },
    ]
    for config, rows in ({"captions": captions, "questions": questions, "retrieval": retrieval} | changes).items():
        if rows is None:
            continue
        (folder / config).mkdir(parents=True, exist_ok=True)
        complete = [{name: row.get(name) for name in FEATURES[config]} for row in rows]
        dataset = Dataset.from_list(complete, features=FEATURES[config])
        dataset.to_parquet(folder / config / f"{split}.parquet", batch_size=2)
    return folder


def test_questions_queries_and_photos_of_a_split_are_read(tmp_path):
    suite = read_suite(write_dataset(tmp_path / "pets"))
    (question,) = suite.questions
    assert (question.image_id, question.answer, question.kind, question.form) == ("park", 2, "hybrid", "but_no")
    assert question.choice_kinds == ("affirmation", "negation", "hybrid")
    assert [query.text for query in suite.ordinary_queries] == [
        "a street with a car",
        "a red street",
        "a park with a dog",
        "a yard",
    ]
    assert suite.gallery == ["street", "park", "yard"]
    assert suite.name == "pets (test)"
    assert set(suite.files) == {f"{config}/test.parquet" for config in ("captions", "questions", "retrieval")}
    for name, colour in COLOURS.items():
        assert open_suite_photo(suite.photos[name]).getpixel((0, 0)) == colour


def pair_row(first, second):
    """Two images, of which each has one caption."""
    images = {
        f"{name}_{place}": value for place, of in ((0, first), (1, second)) for name, value in image_of(of).items()
    }
    texts = {"caption_0": f"a {first}", "caption_1": f"no {first}", "kind_0": 0, "kind_1": 1, "pair": "test-0"}
    return images | texts


def test_pairs_are_read_with_the_photos_that_stand_in_them_alone(tmp_path):
    suite = read_suite(write_dataset(tmp_path, pairs=[pair_row("park", "yard")], captions=None, retrieval=None))
    assert suite.pairs == [ImagePair("test-0", ("park", "yard"), ("a park", "no park"))]
    assert open_suite_photo(suite.photos["yard"]).getpixel((0, 0)) == COLOURS["yard"]
    assert suite.without({"yard": "it is broken"}).pairs == []
    assert "pairs/test.parquet" in suite.files


def test_images_show_what_is_excluded_where_a_caption_or_their_annotation_says_so(tmp_path):
    queries = read_suite(write_dataset(tmp_path)).negated_queries
    assert {query.text: set(query.excluded) for query in queries} == {
        "a park, no car": {"street", "yard"},
        "a yard without a tree": set(),
        "a yard, neither dog nor car": {"street", "park", "yard"},
    }


def test_photos_of_other_row_groups_are_read_in_any_order(tmp_path):
    suite = read_suite(write_dataset(tmp_path))
    for name in ("yard", "street", "yard", "park", "street"):
        assert open_suite_photo(suite.photos[name]).getpixel((0, 0)) == COLOURS[name]


def test_a_split_that_is_not_there_is_refused_by_name(tmp_path):
    with pytest.raises(BadInputError, match=r"has no split 'train' of captions: .*; splits there: test\."):
        read_suite(write_dataset(tmp_path), split="train")


def test_a_split_in_parts_is_the_same_suite_as_in_one_file(tmp_path, in_parts):
    whole, parts = (
        read_suite(write_dataset(tmp_path / "pets")),
        read_suite(in_parts(write_dataset(tmp_path / "a/pets"))),
    )
    for name in ("name", "questions", "negated_queries", "ordinary_queries", "gallery"):
        assert getattr(parts, name) == getattr(whole, name)
    assert sorted(parts.files)[:2] == ["captions/test-00000-of-00002.parquet", "captions/test-00001-of-00002.parquet"]
    for name in ("yard", "street", "yard", "park", "street"):
        assert open_suite_photo(parts.photos[name]).getpixel((0, 0)) == COLOURS[name]


def test_images_beside_a_dataset_are_refused(tmp_path):
    with pytest.raises(BadInputError, match="`images` is for CSV and YAML files"):
        read_suite(write_dataset(tmp_path), images=tmp_path)


def test_a_dataset_that_refers_to_its_photos_is_scored_with_those_of_a_folder(tmp_path):
    folder, photos = write_dataset(tmp_path / "pets"), tmp_path / "photos"
    held = {name: photo.read_bytes() for name, photo in read_suite(folder).photos.items()}
    photos.mkdir()
    for name, photo in held.items():
        (photos / f"{name}.png").write_bytes(photo)
    for file in folder.glob("*/*.parquet"):
        table = pq.read_table(file)
        for column in [name for name in table.column_names if re.fullmatch(r"image(_[01])?", name)]:
            ending, names = column.removeprefix("image"), table[f"image_id{column.removeprefix('image')}"].to_pylist()
            table = table.drop_columns([column])
            table = table.append_column(f"image_url{ending}", [[f"https://a.org/{name}.png" for name in names]])
            digests = [hashlib.sha256(held[name]).hexdigest() for name in names]
            table = table.append_column(f"image_sha256{ending}", [digests])
        pq.write_table(table, file)
    found = read_suite(folder, images=photos)
    assert {name: photo.read_bytes() for name, photo in found.photos.items()} == held
    with pytest.raises(BadInputError, match=r"test.parquet, row 1: the photo .* is only referred to; name the folder"):
        next(iter(read_suite(folder).photos.values())).read_bytes()


def test_files_that_are_not_parquet_or_lack_a_column_are_refused(tmp_path):
    write_dataset(tmp_path)
    (tmp_path / "questions" / "test.parquet").write_text("no Parquet")
    with pytest.raises(BadInputError, match=r"questions/test.parquet is no Parquet file that can be read"):
        read_suite(tmp_path)
    Dataset.from_list([{"image": None, "image_id": "a"}]).to_parquet(tmp_path / "questions" / "test.parquet")
    with pytest.raises(BadInputError, match=r"questions/test.parquet lacks the column 'choices'"):
        read_suite(tmp_path)


def test_a_row_that_breaks_a_rule_is_named(tmp_path):
    bad = image_of("park") | {"choices": ["a dog", "no dog"], "answer": 2, "kind": 0, "choice_kinds": [0, 1]}
    with pytest.raises(
        BadInputError, match=r"questions/test.parquet, row 1: `answer` must be one of 2 choices, got 2"
    ):
        read_suite(write_dataset(tmp_path, questions=[bad | {"choice_forms": ["", ""]}]))
    bad = bad | {"answer": 1, "choice_kinds": [0], "choice_forms": ["", ""]}
    with pytest.raises(BadInputError, match="row 1: `choice_kinds` must have an entry for each of 2 choices, got 1"):
        read_suite(write_dataset(tmp_path, questions=[bad]))


def test_a_photo_without_bytes_is_named_with_its_row(tmp_path):
    rows = [
        image_of("park") | {"captions": [], "forms": [], "affirmed": [], "absent": [], "relevant": [], "present": []}
    ]
    rows[0]["image"] = None
    suite = read_suite(
        write_dataset(
            tmp_path,
            captions=[image_of("street") | {"caption": "a street", "affirmed": []}],
            retrieval=rows,
            questions=None,
        )
    )
    with pytest.raises(BadInputError, match=r"retrieval/test.parquet, row 1: `image` holds no bytes"):
        open_suite_photo(suite.photos["park"])
