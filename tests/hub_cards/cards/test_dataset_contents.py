"""What a dataset's card counts and shows, on a dataset of three rows written here."""

from dataclasses import replace
from pathlib import Path

import datasets
import pytest

from notclip.dataset.built import DatasetFiles
from notclip.dataset.schema import FEATURES
from notclip.hub_cards.cards import dataset_contents, tables

WRONG = {"method": "detector", "kept_back": "caption", "images": 40, "claims": 800, "wrong": 4}
BUILD = {
    "config": {"seed": 3},
    "counts": {
        "captions": {
            "train": {"by_form": {"no": 5, "without": 1}, "by_absent": {"dog": 4, "cat": 2}},
            "validation": {"by_form": {"no": 1}, "by_absent": {"dog": 1}},
            "test": {"by_form": {"no": 1, "devoid": 2}, "by_absent": {"cat": 3}},
        },
        "questions": {
            "train": {"by_kind": {"negation": 3, "hybrid": 1}, "by_form": {"affirmed": 9, "no": 2, "without": 1}},
            "validation": {"by_kind": {"negation": 1}, "by_form": {"affirmed": 1, "without": 1}},
            "test": {"by_kind": {"hybrid": 2}, "by_form": {"affirmed": 9, "without": 1}},
        },
        "retrieval": {
            "train": {"by_form": {"no": 1}, "by_absent": {"dog": 1}},
            "validation": {"by_form": {}, "by_absent": {}},
            "test": {"by_form": {"no": 1}, "by_absent": {"bird": 1}},
        },
    },
    "verification": {"wrong_absences": [WRONG | {"share": 0.005, "low": 0.0021, "high": 0.0128}]},
}


@pytest.fixture
def dataset(tmp_path: Path) -> DatasetFiles:
    evidence = {"concept": "cat", "method": 1, "score": 0.001, "threshold": 0.003}
    caption = {"image_id": "a", "caption": "A dog.", "negated_captions": ["A dog, but no cat."], "forms": ["no"]}
    caption |= {"patterns": ["p"], "affirmed": ["dog"], "absent": ["cat"], "evidence": [evidence]}
    questions = [
        {"image_id": f"{n}", "choices": [f"A {n}.", "A cat."], "answer": n % 2, "kind": 0, "choice_kinds": [0, 0]}
        | {"choice_forms": ["affirmed"] * 2, "choice_patterns": ["p"] * 2, "group": "g"}
        for n in range(30)
    ]
    for config, rows in (("captions", [caption]), ("questions", questions)):
        (tmp_path / config).mkdir()
        made = datasets.Dataset.from_list([row | {"image": None} for row in rows], features=FEATURES[config])
        made.to_parquet(tmp_path / config / "test.parquet")
    parts = {config: {"test": [tmp_path / config / "test.parquet"]} for config in ("captions", "questions")}
    return DatasetFiles(tmp_path, BUILD, parts, {}, "apache-2.0")


def test_kinds_forms_and_concepts_are_added_up_over_splits(dataset: DatasetFiles):
    assert dataset_contents.kinds(dataset)["rows"] == [["hybrid", "1", "0", "2"], ["negation", "3", "1", "0"]]
    assert dataset_contents.forms(dataset)["rows"] == [
        ["*no*", "7", "2", "2", "all splits"],
        ["*without*", "1", "3", "0", "all splits"],
        ["*devoid*", "2", "0", "0", "test alone"],
    ]
    found = dataset_contents.concepts(dataset)
    assert (found["distinct"], found["rows"]) == (3, [["dog", "5", "1"], ["cat", "5", "0"], ["bird", "0", "1"]])


def test_samples_are_twenty_the_same_for_everyone_and_say_how_the_absence_was_verified(dataset: DatasetFiles):
    found = dataset_contents.samples(dataset)
    assert found == dataset_contents.samples(dataset)
    assert [(sample["negated"], sample["form"], sample["evidence"]) for sample in found["captions"]] == [
        ("A dog, but no cat.", "no", "detector, 0.0010 under 0.0030")
    ]
    assert len(found["questions"]) == 19
    assert len({sample["image_id"] for sample in found["questions"]}) == 19


def test_sentences_of_a_source_that_are_not_passed_on_are_not_sampled(dataset: DatasetFiles):
    found = dataset_contents.samples(replace(dataset, license=None))
    assert (len(found["captions"]), len(found["questions"])) == (0, 20)


def test_the_share_of_wrong_absences_stands_with_its_interval(dataset: DatasetFiles):
    assert tables.wrong_absences(dataset)["rows"] == [["detector", "caption", "800", "40", "4", "0.50 [0.21, 1.28]"]]
    older = replace(dataset, build={"verification": {}})
    assert tables.wrong_absences(older)["rows"] == []


def test_examples_of_code_say_no_or_without_even_where_a_rarer_form_is_shorter(dataset: DatasetFiles):
    hybrids = {"A cup sans cars.": "sans", "A cup, but no cars at all.": "no", "A cup without any car.": "without"}
    rows = [{"choices": ["A bus.", text], "choice_forms": ["affirmed", form]} for text, form in hybrids.items()]
    shared = {"image": None, "image_id": "a", "choice_kinds": [0, 2], "choice_patterns": ["p"] * 2, "group": "g"}
    asked = [shared | row | {"answer": answer, "kind": (0, 2)[answer]} for row in rows for answer in (0, 1)]
    (file,) = dataset.parts["questions"]["test"]
    datasets.Dataset.from_list(asked, features=FEATURES["questions"]).to_parquet(file)
    assert dataset.example_texts() == ("A bus.", "A cup without any car.")
    affirmations = [row for row in asked if row["kind"] == 0]
    datasets.Dataset.from_list(affirmations, features=FEATURES["questions"]).to_parquet(file)
    assert dataset.example_texts() == ("A bus.", "A bus.")
