"""Names of classes: things, denials of things, and what makes no English."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image

from notclip.command_line import main
from notclip.errors import BadInputError
from notclip.recaption.absences.detector import COCO_CLASSES
from notclip.recaption.concepts.lexicon import load_lexicon
from notclip.recaption.drawn_world.vocabulary import OBJECTS
from notclip.recaption.sources.labels import read_label, read_labels


@pytest.mark.parametrize(
    ("label", "thing"),
    [
        *(("Stop_Sign", "stop sign"), ("TrafficLight", "traffic light"), ("with_mask", "mask"), ("a dog", "dog")),
        *(("bow_(weapon)", "bow"), ("seaweed", "seaweed"), ("flower bed", "flower bed"), ("hula hoop", "hula hoop")),
        *(("LED", "LED"), ("T-shirt", "t-shirt"), ("café", "café"), ("notebook", "notebook"), ("noodle", "noodle")),
        *(("x-ray", "x-ray"), ("oil on water", "oil on water"), ("down jacket", "down jacket"), ("van", "van")),
    ],
)
def test_a_noun_is_a_thing_and_written_as_sentences_write_it(label: str, thing: str):
    reading = read_label(label)
    assert (reading.kind, reading.words) == ("thing", thing)


@pytest.mark.parametrize(
    ("label", "denied"),
    [
        *(("no-hardhat", "hardhat"), ("NO-Safety Vest", "safety vest"), ("without_mask", "mask")),
        *(("No_Helmet", "helmet"), ("not a dog", "dog"), ("w/o gloves", "gloves"), ("helmet_absent", "helmet")),
        *(("defect-free", "defect"), ("no defect", "defect"), ("absence_of_fire", "fire")),
    ],
)
def test_a_class_that_denies_is_read_as_the_denial_of_its_thing(label: str, denied: str):
    reading = read_label(label)
    assert (reading.kind, reading.words) == ("denial", denied)


def test_non_denies_only_what_is_a_class():
    assert read_label("non-fire", known=["fire"]).kind == "denial"
    assert read_label("non-violence").kind == "unclear"


@pytest.mark.parametrize(
    "label",
    [
        *("4", "0", "class_3", "A", "", "-", "undefined", "undefineds", "__background__", "Other", "n/a", "OK"),
        *("on_table", "in mouth", "安全帽", "каска", "ヘルメット", "mask_weared_incorrect", "damaged", "door open"),
        *("traffic_light_red", "person_without_helmet", "worker no vest", "cabinet/shelf", "not fallen"),
        *("no entry sign", "and", "incorrectly"),
    ],
)
def test_what_makes_no_english_noun_is_not_guessed_at(label: str):
    assert read_label(label).kind == "unclear"


def test_all_classes_that_the_everyday_lexicon_knows_are_things():
    for labels in (COCO_CLASSES, OBJECTS, load_lexicon()):
        assert {label for label in labels if read_label(label).kind != "thing"} == set()


def test_names_that_make_no_english_are_listed_and_asked_for():
    with pytest.raises(BadInputError, match=r"2 of 3 classes of `source` have .* noun: '0', '人'; say in a YAML file"):
        read_labels(["dog", "0", "人"])


def test_plural_names_are_plurals():
    lexicon = load_lexicon().extended(["respirators", "lens", "welding masks"])
    assert {name: (lexicon[name].indefinite, lexicon[name].plural) for name in list(lexicon)[-3:]} == {
        "respirators": ("respirators", "respirators"),
        "lens": ("a lens", "lenses"),
        "welding masks": ("welding masks", "welding masks"),
    }
    assert lexicon.resolve("dogs") == "dog"
    assert lexicon.resolve("People") == "person"


NAMES = ("hardhat", "no-hardhat", "vest", "ladder", "crane")


def site(folder: Path, names: tuple[str, ...] = NAMES) -> Path:
    """Photos of a building site in YOLO's form: each number's bits say which classes are annotated."""
    (folder / "labels").mkdir(parents=True)
    (folder / "images").mkdir()
    (folder / "data.yaml").write_text(f"names: {json.dumps(names, ensure_ascii=False)}\ntrain: images\n")
    for number in range(256):
        image = Image.new("L", (8, 8), 90)
        image.putdata([255 * (number >> bit & 1) for bit in range(8)] + [90] * 56)
        image.save(folder / "images" / f"{number}.png")
        lines = [f"{place} 0.5 0.5 0.1 0.1" for place in range(len(names)) if number >> place & 1]
        (folder / "labels" / f"{number}.txt").write_text("\n".join(lines))
    return folder


def build(folder: Path, out: Path, *options: str) -> int:
    return main(["build-dataset", "--source", str(folder), "--out", str(out), "--no-progress", *options])


def caption_rows(out: Path) -> list[dict]:
    files = sorted((out / "captions").glob("*.parquet"))
    return [row for file in files for row in pq.read_table(file).drop_columns("image").to_pylist()]


def test_a_hardhat_is_denied_where_none_is_worn_and_affirmed_where_anybody_wears_one(tmp_path: Path, capsys):
    assert build(site(tmp_path / "site"), tmp_path / "out") == 0
    hat = load_lexicon().extended(["hardhat"]).resolve("hardhat")
    assert f"The class 'no-hardhat' is read as no {hat}." in capsys.readouterr().out
    denied = 0
    for row in caption_rows(tmp_path / "out"):
        worn = int(Path(row["image_id"]).stem) & 1
        assert (hat in row["affirmed"]) == bool(worn)
        assert not (worn and hat in row["absent"])
        denied += hat in row["absent"]
        assert "no-hardhat" not in " ".join([row["caption"], *row["negated_captions"]])
        assert "no no" not in " ".join(row["negated_captions"]).lower()
    assert denied > 20
    record = json.loads((tmp_path / "out" / "build.json").read_text())
    assert record["source"]["denials"] == {"no-hardhat": hat}


def test_where_only_listed_absences_count_a_denial_is_one(tmp_path: Path):
    """LVIS' form: nothing is listed as absent, but a class says that no hardhat is worn."""
    folder = site(tmp_path / "site")
    images = [{"id": n, "file_name": f"{n}.png", "neg_category_ids": [3, 4, 5]} for n in range(256)]
    content = {
        "images": images,
        "categories": [{"id": place + 1, "name": name} for place, name in enumerate(NAMES)],
        "annotations": [
            {"image_id": n, "category_id": place + 1} for n in range(256) for place in range(5) if n >> place & 1
        ],
    }
    (folder / "lvis.json").write_text(json.dumps(content))
    assert build(folder / "lvis.json", tmp_path / "out") == 0
    hat = load_lexicon().extended(["hardhat"]).resolve("hardhat")
    rows = [row for row in caption_rows(tmp_path / "out") if hat in row["absent"]]
    assert len(rows) > 20
    assert {int(Path(row["image_id"]).stem) & 3 for row in rows} == {2}  # No hardhat, and not a hardhat as well.


def test_classes_without_english_names_stop_a_build_before_a_photo_is_read_and_a_domain_names_them(
    tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
):
    folder = site(tmp_path / "site", ("安全帽", "no-hardhat", "0", "ladder", "undefined"))
    with monkeypatch.context() as patch:
        patch.setattr(
            "notclip.recaption.building.raw_shards.check_photo", lambda image: pytest.fail("a photo was read")
        )
        assert build(folder, tmp_path / "out") == 2
    said = capsys.readouterr().err
    assert "3 of 5 classes of `source`" in said
    assert "'安全帽', '0', 'undefined'" in said
    assert "`domain`" in said
    (tmp_path / "site.yaml").write_text(
        "subject: a building site\n"
        "classes: {安全帽: {name: hardhat}, '0': {name: safety vest}}\n"
        "leave_out: [undefined]\n"
    )
    assert build(folder, tmp_path / "out", "--domain", str(tmp_path / "site.yaml")) == 0
    spoken = {name for row in caption_rows(tmp_path / "out") for name in (*row["affirmed"], *row["absent"])}
    assert spoken == {"hardhat", "safety vest", "ladder"}
    record = json.loads((tmp_path / "out" / "build.json").read_text())
    assert record["source"]["denials"] == {"no-hardhat": "hardhat"}
