"""docs/domains.md, each command and file as printed, on small pictures made here."""

import csv
import json
import re
import shlex
from itertools import product
from pathlib import Path
from random import Random

import pyarrow.parquet as pq
import pytest
from datasets import load_dataset
from PIL import Image

from notclip.command_line import main
from notclip.recaption.english.domain import DOMAINS, load_domain

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "domains.md").read_text(encoding="utf-8")
BLOCKS = {
    language: re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL) for language in ("bash", "yaml", "csv")
}
COMMANDS = [line for block in BLOCKS["bash"] for line in block.splitlines()]
FINDINGS = tuple(load_domain("chest-xray").classes)
CELLS = ("1.0", "0.0", "0.0", "-1.0", "", "1.0", "0.0")
IMAGES = 480


def picture(file: Path, number: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("L", (8, 8), 90)
    image.putdata([255 * (number >> bit & 1) for bit in range(12)] + [90] * 52)
    image.save(file, "PNG")


def cell(row: int, column: int, cells: tuple[str, ...]) -> str:
    return Random(f"{row} {column}").choice(cells)


def write_chest(folder: Path) -> None:
    """In CheXpert's form: its paths begin with the name of the folder, its files have no sound ending."""
    folder.mkdir()
    with (folder / "train.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", "No Finding", *FINDINGS, "Pleural Other"])
        for row in range(IMAGES):
            path = f"{folder.name}/train/patient{row // 2:05d}/study{row % 2 + 1}/view1_frontal.jpg"
            picture(folder.parent / path, row)
            labels = [cell(row, column, CELLS) for column in range(len(FINDINGS))]
            table.writerow([path, "Female", 20 + row % 70, "Frontal", "AP", "", *labels, "1.0"])


def write_parts(folder: Path) -> None:
    header, *rows = BLOCKS["csv"][0].splitlines()
    for row in range(4, IMAGES):
        labels = [cell(row, column, ("1", "0", "0", "-1", "0", "", "1")) for column in range(4)]
        rows.append(f"photos/{row:04d}.png,{','.join(labels)},{row % 2},Kim")
    for row in range(IMAGES):
        picture(folder / "photos" / f"{row:04d}.png", row)
    (folder / "labels.csv").write_text("\n".join([header, *rows]) + "\n")


def write_boards(folder: Path) -> None:
    (folder / "labels").mkdir(parents=True)
    (folder / "data.yaml").write_text("names: [short, mouse_bite, spur, open]\ntrain: images\n")
    for row, shown in zip(range(IMAGES), list(product((0, 1), repeat=4)) * 20, strict=False):
        picture(folder / "images" / f"{row}.png", row)
        lines = [f"{number} 0.5 0.5 0.1 0.1" for number, there in enumerate(shown) if there]
        (folder / "labels" / f"{row}.txt").write_text("\n".join(lines))


def write_site(folder: Path) -> None:
    (folder / "labels").mkdir(parents=True)
    (folder / "data.yaml").write_text("names: [安全帽, no-hardhat, '4', ladder, undefined]\ntrain: images\n")
    for row, shown in zip(range(IMAGES), list(product((0, 1), repeat=5)) * 20, strict=False):
        picture(folder / "images" / f"{row}.png", row)
        lines = [f"{number} 0.5 0.5 0.1 0.1" for number, there in enumerate(shown) if there]
        (folder / "labels" / f"{row}.txt").write_text("\n".join(lines))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the page's commands ran."""
    folder = tmp_path_factory.mktemp("domains")
    write_chest(folder / "CheXpert-v1.0-small")
    write_parts(folder / "parts")
    write_boards(folder / "boards")
    write_site(folder / "site")
    for text in BLOCKS["yaml"]:
        (folder / text.splitlines()[0].removeprefix("# ")).write_text(text)
    (folder / "MODEL").symlink_to(ROOT / "recaption" / "drawn_world" / "encoder")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for command in COMMANDS:
            program, *arguments = shlex.split(command)
            quiet = ["--no-progress"] if arguments[0] == "build-dataset" else []
            assert program == "notclip"
            assert main([*arguments, *quiet]) == 0, command
    return folder


def rows_of(folder: Path, config: str) -> list[dict]:
    return [
        row
        for split in ("train", "validation", "test")
        for row in pq.read_table(folder / config / f"{split}.parquet").drop_columns("image").to_pylist()
    ]


@pytest.mark.parametrize("name", ["chest", "parts", "boards", "site"])
def test_all_configs_load_and_have_rows_in_every_split(folder: Path, name: str):
    for config in ("captions", "questions", "retrieval"):
        loaded = load_dataset(str(folder / "build" / name), config)
        assert min(rows.num_rows for rows in loaded.values()) > 0


def test_what_is_denied_of_an_x_ray_has_a_0_in_its_row_and_what_is_affirmed_a_1_below_it(folder: Path):
    domain = load_domain("chest-xray")
    table = {row["Path"]: row for row in csv.DictReader((folder / "CheXpert-v1.0-small" / "train.csv").open())}
    label_of = {concept.name: label for label, concept in domain.classes.items()}
    lexicon = domain.lexicon(FINDINGS)
    denied = 0
    for row in rows_of(folder / "build" / "chest", "captions"):
        labels = table[row["image_id"]]
        for name, evidence in zip(row["absent"], row["evidence"], strict=True):
            assert labels[label_of[name]] == "0.0"
            assert evidence["method"] == 0  # annotation
            denied += 1
        kinds = {name: {name, *lexicon.hyponyms(name)} for name in row["affirmed"]}
        assert all(any(labels[label_of[kind]] == "1.0" for kind in kinds[name]) for name in row["affirmed"])
        assert "Pleural" not in row["caption"] or "effusion" in row["caption"]
    assert denied > 200


def test_photos_of_a_patient_are_in_one_split(folder: Path):
    splits: dict[str, set[str]] = {}
    for split in ("train", "validation", "test"):
        file = folder / "build" / "chest" / "captions" / f"{split}.parquet"
        for name in pq.read_table(file, columns=["image_id"])["image_id"].to_pylist():
            splits.setdefault(name.split("/")[2], set()).add(split)
    assert len(splits) > 80
    assert max(map(len, splits.values())) == 1


def test_a_part_without_defects_is_called_by_its_subject_and_articles_are_those_of_the_file(folder: Path):
    rows = rows_of(folder / "build" / "parts", "captions")
    captions = {row["caption"] for row in rows}
    assert "A machined metal part." in captions
    texts = " ".join([*captions, *(text for row in rows for text in row["negated_captions"])])
    assert "an X-shaped crack" in texts
    assert " a X-shaped" not in texts
    assert " a corrosion" not in texts
    assert "corrosions" not in texts
    assert "reworked" not in texts
    assert "he surface is flat" in texts


def test_a_site_is_spoken_of_by_the_names_of_its_file_and_a_hardhat_denied_where_nobody_wears_one(folder: Path):
    rows = rows_of(folder / "build" / "site", "captions")
    assert {name for row in rows for name in (*row["affirmed"], *row["absent"])} == {
        "hardhat",
        "safety vest",
        "ladder",
    }
    worn = {row["image_id"] for row in rows if "hardhat" in row["affirmed"]}
    denied = {row["image_id"] for row in rows if "hardhat" in row["absent"]}
    assert worn and denied and not worn & denied
    texts = " ".join(text for row in rows for text in (row["caption"], *row["negated_captions"]))
    assert not any(label in texts for label in ("安全帽", "no-hardhat", "undefined", " 4 "))


def test_what_came_out_can_be_scored(folder: Path):
    results = json.loads((folder / "build" / "parts.json").read_text())
    assert 0 <= results["metrics"]["accuracy"] <= 1
    # Captions of one wording are right for each other's photos, so that they can be found.
    assert results["metrics"]["recall@10"] > 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("classes: {scratch: {}}", "must say in `subject`"),
        ("subject: a part\nclases: {}", "unknown field 'clases'"),
        ("subject: a part\nclasses: [scratch]", "`classes` must hold `label: fields` pairs"),
        ("subject: a part\nclasses: {scratch: {mas: true}}", "unknown field 'mas'"),
        ("subject: a part\nclasses: {scratch: {mass: 'no'}}", "`mass` must be true or false, got 'no'"),
        ("subject: a part\nclasses: {scratch: {article: the}}", "`article` must be a or an, got 'the'"),
        ("subject: a part\nclasses: {scrach: {}}", "names 'scrach', which is no label of `source`; its labels are"),
        ("subject: a part\nclasses: {scratch: {}, dent: {name: scratch}}", "are both called 'scratch'"),
        ("subject: a part\nclasses: {scratch: {is: [flaw]}}", "names 'flaw' in `is`"),
        ("subject: a part\nenglish: legal", "`english` must be one of general, radiology, got 'legal'"),
        ("subject: a part\nclasses: {yes: {}}", "the label True in `classes` must be a word; quote it"),
        ("subject: [", "is not valid YAML"),
    ],
)
def test_a_wrong_domain_is_refused_by_file_and_field_and_leaves_nothing(
    folder: Path, tmp_path: Path, capsys, text: str, message: str
):
    (tmp_path / "own.yaml").write_text(text)
    arguments = ["--source", str(folder / "parts" / "labels.csv"), "--domain", str(tmp_path / "own.yaml")]
    assert main(["build-dataset", *arguments, "--out", str(tmp_path / "out"), "--no-progress"]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert "own.yaml" in said or "Concept" in said
    assert [file.name for file in tmp_path.iterdir()] == ["own.yaml"]


def test_the_page_names_each_domain_of_the_package():
    assert all(f"--domain {name}" in PAGE for name in DOMAINS)
