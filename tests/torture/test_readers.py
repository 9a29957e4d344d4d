"""Whatever a stranger's file holds, its reader returns or says in one sentence what is wrong: never anything else."""

import contextlib
import copy
import io
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given, reject
from hypothesis import strategies as st
from PIL import Image

from notclip.errors import BadInputError
from notclip.files.text_files import read_text
from notclip.recaption.sources.parts import RowContent

NASTY = (
    *(
        "",
        " ",
        "\0",
        "\ud800",
        "a" * 300,
        "../../x",
        "/etc/passwd",
        "C:\\x\\y.png",
        "~/x",
        "=cmd|'/c'!A1",
        "\x1b[31m",
        "|",
    ),
    *("[" * 3000, "{" * 500, "NaN", "nan", "Infinity", "-1e309", "9" * 400, "true", "null", "None", "2026-99-99"),
    *(
        "!!int z",
        "&a [*a, *a]",
        "<<: *a",
        "\ufeff",
        "\r\n",
        "\u202e",
        "日本語",
        "no",
        "not",
        "-",
        "%s%n",
        "${HOME}",
        "a.png",
    ),
)
TEXTS = st.one_of(st.sampled_from(NASTY), st.text(max_size=40))
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(10**30), 10**30), st.floats(), TEXTS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=8,
)


@st.composite
def damaged_bytes(draw, seeds: list[bytes]) -> bytes:
    """One of some good files, with up to six cuts, insertions, repetitions and flips, or with none."""
    content = draw(st.sampled_from(seeds))
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2, 3, 4, 6]))):
        place = draw(st.integers(0, len(content)))
        some = draw(st.one_of(TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")), st.binary(max_size=20)))
        end = min(len(content), place + draw(st.integers(0, 40)))
        content = draw(
            st.sampled_from(
                [
                    content[:place] + some + content[place:],
                    content[:place] + some + content[end:],
                    content[:place] + content[place:end] * 3 + content[end:],
                    content[:place],
                ]
            )
        )
    return content


@st.composite
def damaged(draw, seeds: list[Any]) -> Any:
    """One of some good documents, with a value, a key or an item in it replaced, left out or given twice."""
    content = copy.deepcopy(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.sampled_from([0, 1, 1, 2, 3]))):
        inside = content
        while True:
            if not isinstance(inside, dict | list) or not inside:
                break
            key = draw(st.sampled_from(list(inside) if isinstance(inside, dict) else range(len(inside))))
            deeper = inside[key]
            if isinstance(deeper, dict | list) and deeper and draw(st.booleans()):
                inside = deeper
                continue
            what = draw(st.sampled_from(["value", "gone", "twice"]))
            if what == "value":
                inside[key] = draw(VALUES)
            elif what == "gone":
                del inside[key]
            elif isinstance(inside, list):
                inside.append(copy.deepcopy(deeper))
            else:
                inside[draw(TEXTS)] = copy.deepcopy(deeper)
            break
    return content


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


def as_yaml(value: Any) -> bytes:
    return yaml.safe_dump(value, allow_unicode=True).encode("utf-8", "surrogatepass")


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    """A folder of three small photos."""
    folder = tmp_path_factory.mktemp("photos")
    for name, colour in (("a.png", "red"), ("b.png", "blue"), ("c.png", "green")):
        Image.new("RGB", (8, 8), colour).save(folder / name)
    return folder


def try_source(file: Path) -> list[RowContent]:
    """Every row of a source is read, or refused in a sentence of its own; a source of no sound row is refused."""
    from notclip.recaption.sources.opening import list_parts

    read, refused = [], BadInputError("no row")
    for part in list_parts(str(file), cache=file.parent / "cache", limit=5, progress=False):
        vocabulary = part.vocabulary()
        for row in part.rows():
            try:
                content = row.content()
            except BadInputError as error:
                refused = error
                continue
            assert (content.present or frozenset()) <= set(vocabulary or ()), "a class that is none of the source's"
            assert not content.uncertain & (content.present or frozenset()), "a class is there, and perhaps is not"
            read.append(content)
    if not read:
        raise refused
    return read


def try_suite(file: Path, photos: Path) -> None:
    from notclip.scoring.suites.read import read_suite

    read_suite(file, images=photos)


NEGBENCH = "image_path,correct_answer,caption_0,caption_1,caption_2,caption_3,correct_answer_template\n"
SUITE_CSVS = [
    (NEGBENCH + 'a.png,0,No dog.,"A dog, but no cat.",A dog.,No cat.,negative\nb.png,0,a,b,c,d,hybrid\n').encode(),
    b"positive_objects,negative_objects,filepath,image_id,captions\n"
    b"\"['dog']\",\"['cat']\",a.png,1,\"['a dog, no cat']\"\n",
    b"image,correct,wrong_1,wrong_2\na.png,a dog but no cat,a cat,no dog\nb.png,no dog,a dog,a cat\n",
]
SUITES = [
    {
        "questions": [{"image": "a.png", "correct": "a dog, but no cat", "wrong": ["a cat", "no dog"], "group": "g"}],
        "queries": [{"text": "no cat", "image": "a.png", "excluded": ["b.png"]}, {"text": "a dog", "image": "b.png"}],
    }
]
LABEL_TABLES = [
    b"Path,Age,No Finding,Edema,Pleural Effusion\na.png,68,,1,0\nb.png,40,1.0,,\nc.png,55,,-1,1.0\n",
    b'path,caption,split\na.png,A dog.,train\nb.png,"A cat, no dog.",val\nc.png,None,test\n',
    b"filepath\ttitle\na.png\ta dog\nb.png\ta cat\n",
]
COCOS = [
    {
        "images": [{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "b.png"}],
        "categories": [{"id": 18, "name": "dog"}, {"id": 17, "name": "cat"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 18, "bbox": [0, 0, 2, 2]}],
    },
    {
        "images": [{"id": 1, "file_name": "a.png"}],
        "annotations": [{"id": 1, "image_id": 1, "caption": "A dog without a leash."}],
    },
]
DOMAINS = [
    {
        "subject": "a metal part",
        "english": "general",
        "leave_out": ["id"],
        "classes": {"scratch": {"name": "scratch", "plural": "scratches", "synonyms": ["graze"]}, "dent": {}},
    }
]


@given(damaged_bytes(SUITE_CSVS))
def test_suites_as_csv(tally, photos, content):
    (photos / "suite.csv").write_bytes(content)
    act = lambda: try_suite(photos / "suite.csv", photos)  # noqa: E731
    tally.attempt("suite, CSV", content, act, allowed=(BadInputError,))


@given(st.one_of(damaged_bytes([as_yaml(suite) for suite in SUITES]), damaged(SUITES).map(as_yaml)))
def test_suites_as_yaml(tally, photos, content):
    (photos / "suite.yaml").write_bytes(content)
    act = lambda: try_suite(photos / "suite.yaml", photos)  # noqa: E731
    tally.attempt("suite, YAML", content, act, allowed=(BadInputError,))


@given(damaged_bytes(LABEL_TABLES))
def test_tables_of_labels_and_captions(tally, photos, content):
    (photos / "table.csv").write_bytes(content)
    tally.attempt("source, CSV", content, lambda: try_source(photos / "table.csv"), allowed=(BadInputError,))


@given(st.one_of(damaged_bytes([as_json(coco) for coco in COCOS]), damaged(COCOS).map(as_json)))
def test_sources_as_coco(tally, photos, content):
    (photos / "coco.json").write_bytes(content)

    def act() -> None:
        read, said = try_source(photos / "coco.json"), json.loads(content.decode("utf-8-sig"))
        names = {str(entry["id"]): str(entry["name"]).strip() for entry in said.get("categories") or ()}
        shown, told = set(), set()
        for note in said["annotations"]:
            if "caption" in note:
                told.add(" ".join(str(note["caption"]).split()))
            else:
                shown.add(names[str(int(note["category_id"]))])
        for row in read:  # What was taken stands in the file, and the photo is one of the folder's.
            assert (row.present or frozenset()) <= shown
            assert {" ".join(text.split()) for text in row.captions} <= told
            assert row.image in {file.read_bytes() for file in photos.glob("*.png")}

    tally.attempt("source, COCO", content, act, allowed=(BadInputError,))


WORDS = st.sampled_from(["dog", "cat", "traffic light", "<b/>", "&amp;", "", " ", "&#233;"])


def voc(names: list[str]) -> bytes:
    objects = "".join(f"<object><name>{name}</name><bndbox><xmin>1</xmin></bndbox></object>" for name in names)
    return f"<annotation><filename>a.jpg</filename><size><width>8</width></size>{objects}</annotation>".encode()


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "'
    + b"x" * 50
    + b'"><!ENTITY c "'
    + b"&b;" * 50
    + b'">]><annotation>&c;</annotation>'
)


LEAK = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation>&x;</annotation>'


@given(damaged_bytes([voc(["dog", "cat"]), BOMB, LEAK]) | st.lists(WORDS, max_size=4).map(voc))
def test_sources_as_voc(tally, tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("voc")
    for name in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (folder / name).mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(folder / "JPEGImages" / "a.jpg")
    (folder / "Annotations" / "a.xml").write_bytes(content)
    (folder / "ImageSets" / "Main" / "train.txt").write_text("a\n")

    def act() -> None:
        (row,) = try_source(folder)
        objects = ElementTree.fromstring(content).iter("object")
        assert row.present == {entry.findtext("name").strip() for entry in objects}
        assert b"<!ENTITY" not in content  # With entities of its own it is refused, whatever they say.

    tally.attempt("source, VOC", content, act, allowed=(BadInputError,))


YOLO = {"path": ".", "train": "images/train", "val": "images/train", "names": {0: "dog", 1: "cat"}}


@given(
    damaged([YOLO]).map(as_yaml) | damaged_bytes([as_yaml(YOLO)]),
    damaged_bytes([b"0 0.5 0.5 0.1 0.1\n1 0.2 0.2 0.1 0.1\n"]),
)
def test_sources_as_yolo(tally, tmp_path_factory, table, labels):
    folder = tmp_path_factory.mktemp("yolo")
    for name in ("images/train", "labels/train"):
        (folder / name).mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(folder / "images" / "train" / "a.jpg")
    (folder / "labels" / "train" / "a.txt").write_bytes(labels)
    (folder / "data.yaml").write_bytes(table)

    def act() -> None:
        read = try_source(folder / "data.yaml")
        names = yaml.safe_load(table)["names"]
        names = {
            str(key): str(name).strip()
            for key, name in (names.items() if isinstance(names, dict) else enumerate(names))
        }
        lines = read_text(folder / "labels/train/a.txt", "labels", largest=2**20).splitlines()
        numbers = [line.split()[0].removesuffix(".0") for line in lines if line.strip()]
        for row in read:  # One photo, in each split that names its folder.
            assert row.present == {names[str(int(number))] for number in numbers}

    tally.attempt("source, YOLO", (table, labels), act, allowed=(BadInputError,))


def _parquet(rows: list[dict[str, Any]]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


def _photo() -> bytes:
    photo = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(photo, "PNG")
    return photo.getvalue()


PHOTO = _photo()
ROW = {"image": {"bytes": PHOTO, "path": "a.png"}, "image_id": "a", "captions": ["a dog", "no cat"]}
ROWS = [[ROW, ROW | {"image_id": "b"}], [ROW | {"captions": "a dog"}, ROW | {"captions": "no cat", "image_id": 3}]]


@st.composite
def other_rows(draw) -> bytes:
    """A Parquet file of rows with a value, a key or a row replaced, left out or given twice."""
    try:
        return _parquet(draw(damaged(ROWS)))
    except Exception:  # Values that no Parquet file can hold.
        reject()


@given(damaged_bytes([_parquet(ROWS[0])]) | other_rows())
def test_sources_as_parquet(tally, tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("parquet")
    (folder / "train.parquet").write_bytes(content)

    def act() -> None:
        read = try_source(folder)
        said = {" ".join(text.split()) for text in _texts(pq.read_table(io.BytesIO(content)).to_pylist())}
        for row in read:
            assert row.image == PHOTO
            assert {" ".join(text.split()) for text in row.captions} <= said

    tally.attempt("source, Parquet", content, act, allowed=(BadInputError,))


def _texts(value: Any) -> list[str]:
    """Every text in a document."""
    if isinstance(value, dict | list):
        return [text for inner in (value.values() if isinstance(value, dict) else value) for text in _texts(inner)]
    return [value] if isinstance(value, str) else []


@given(st.one_of(damaged_bytes([as_yaml(domain) for domain in DOMAINS]), damaged(DOMAINS).map(as_yaml)))
def test_domains(tally, tmp_path_factory, content):
    from notclip.recaption.english.domain import load_domain

    file = tmp_path_factory.mktemp("domain") / "domain.yaml"
    file.write_bytes(content)
    act = lambda: load_domain(str(file)).lexicon(["scratch", "dent", "id"])  # noqa: E731
    tally.attempt("domain, YAML", content, act, allowed=(BadInputError,))


OPTIONS = [{"source": "drawn-world", "out": "data", "seed": 3, "choices": 4, "workers": 1, "progress": False}]


@given(st.one_of(damaged_bytes([as_yaml(options) for options in OPTIONS]), damaged(OPTIONS).map(as_yaml)))
def test_files_of_options(tally, tmp_path_factory, content):
    from notclip.command_line import parse
    from notclip.recaption.building.config import BuildConfig

    file = tmp_path_factory.mktemp("options") / "build.yaml"
    file.write_bytes(content)

    def act() -> None:
        try:
            with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
                parse(BuildConfig, ["--config", str(file)], prog="notclip", description="")
        except SystemExit as stop:  # tyro's way to refuse an option, and to have shown its help
            assert stop.code in (0, 2)

    tally.attempt("options, YAML", content, act, allowed=(BadInputError,))


RESULTS = [
    {
        "model": "openai/clip",
        "suite": "data",
        "metrics": {"accuracy": 0.5, "accuracy_by_kind": {"negation": 0.1}, "recall@5": 0.4, "n_images": 12},
        "confidence_intervals": {"accuracy": [0.4, 0.6], "accuracy_by_kind": {"negation": [0.0, 0.2]}},
        "provenance": {"composition": "none", "options": {"seed": 0}},
    }
]


@given(st.one_of(damaged_bytes([as_json(result) for result in RESULTS]), damaged(RESULTS).map(as_json)))
def test_results(tally, tmp_path_factory, content):
    from notclip.scoring.results import Results

    file = tmp_path_factory.mktemp("results") / "results.json"
    file.write_bytes(content)

    def act() -> None:
        read = Results.read(file)
        assert 0 <= read.figure("accuracy").value <= 1
        assert read.model and read.suite

    tally.attempt("results, JSON", content, act, allowed=(BadInputError,))


def _predictions(questions: int) -> bytes:
    buffer = io.BytesIO()
    texts = {name: np.array([*"abcdefgh"[:questions]]) for name in ("question_keys", "negated_keys", "ordinary_keys")}
    scores = np.linspace(-1, 1, 4 * questions, dtype=np.float32)
    np.savez_compressed(buffer, **texts, scores=scores, choices=np.full(questions, 4))
    return buffer.getvalue()


# Several good ones: of each that is damaged by nothing there is one input alone.
PREDICTIONS = [_predictions(questions) for questions in range(9)]
LISTED = st.lists(st.one_of(st.integers(-2, 6), st.floats(width=32), TEXTS), max_size=4)
ARRAYS = ("question_keys", "negated_keys", "ordinary_keys", "scores", "choices", "pair_scores", "negated_found")


@st.composite
def other_arrays(draw) -> bytes:
    """Sound archives with an array of another type or length."""
    with np.load(io.BytesIO(draw(st.sampled_from(PREDICTIONS)))) as stored:
        arrays = {name: stored[name] for name in stored.files}
    values = draw(st.sampled_from([np.array(draw(LISTED), dtype="U"), np.zeros(draw(st.integers(0, 9)), "f4")]))
    buffer = io.BytesIO()
    np.savez(buffer, **(arrays | {draw(st.sampled_from(ARRAYS)): values}))
    return buffer.getvalue()


@given(damaged_bytes(PREDICTIONS) | other_arrays())
def test_predictions(tally, tmp_path_factory, content):
    from notclip.scoring.predictions import Predictions

    file = tmp_path_factory.mktemp("predictions") / "a.predictions.npz"
    file.write_bytes(content)

    def act() -> None:
        read = Predictions.load(file)
        assert len(read.scores) in (0, len(read.question_keys))
        assert np.isfinite([score for row in read.scores for score in row]).all()

    tally.attempt("predictions, npz", content, act, allowed=(BadInputError,))


def _pictures() -> list[bytes]:
    made = []
    for form, mode in (
        ("JPEG", "RGB"),
        ("PNG", "RGBA"),
        ("TIFF", "I;16"),
        ("WEBP", "RGB"),
        ("GIF", "P"),
        ("BMP", "L"),
    ):
        buffer = io.BytesIO()
        Image.new(mode, (24, 16)).save(buffer, form)
        made.append(buffer.getvalue())
    return made


@given(damaged_bytes(_pictures()))
def test_photos(tally, content):
    from notclip.recaption.sources.photos import check_photo

    tally.attempt("photo", content, lambda: check_photo(content), allowed=(BadInputError,))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    """A built dataset of one row a config and split."""
    from notclip.dataset.rows import CONFIGS
    from notclip.dataset.schema import FEATURES

    photo = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(photo, "PNG")
    shared = {"image": {"bytes": photo.getvalue(), "path": "a"}, "image_id": "a"}
    rows = {
        "captions": shared | {"caption": "A dog.", "negated_captions": ["A dog, no cat."], "affirmed": ["dog"]},
        "questions": shared
        | {"choices": ["a dog", "no dog"], "answer": 0, "kind": 0, "choice_kinds": [0, 1], "choice_forms": ["", "no"]},
        "retrieval": shared | {"captions": ["no cat"], "absent": [["cat"]], "relevant": [["a"]], "present": ["dog"]},
    }
    folder = tmp_path_factory.mktemp("dataset")
    for config in set(CONFIGS) & set(rows):
        schema = FEATURES[config].arrow_schema
        (folder / config).mkdir()
        row = {name: rows[config].get(name) for name in schema.names}
        for split in ("train", "test"):
            pq.write_table(pa.Table.from_pylist([row], schema=schema), folder / config / f"{split}.parquet")
    return folder


@given(st.data(), st.sampled_from(["captions", "questions", "retrieval"]))
def test_datasets(tally, dataset, data, config):
    from notclip.dataset.photos import decode_photo
    from notclip.scoring.suites.read import read_suite
    from notclip.training.data import read_training_split

    files = [dataset / config / f"{split}.parquet" for split in ("train", "test")]
    good = files[0].read_bytes()
    if data.draw(st.booleans()):
        content = data.draw(damaged_bytes([good]))
    else:
        rows = data.draw(damaged([pq.read_table(files[0]).to_pylist()]))
        buffer = io.BytesIO()
        try:
            schema = pq.read_schema(files[0]) if data.draw(st.booleans()) else None
            pq.write_table(pa.Table.from_pylist(rows, schema=schema), buffer)
        except Exception:  # Values that no Parquet file can hold.
            return
        content = buffer.getvalue()

    def act() -> None:
        read_training_split(dataset, "train")
        for photo in read_suite(dataset).photos.values():
            decode_photo(photo.read_bytes(), photo.where)

    try:
        for file in files:
            file.write_bytes(content)
        tally.attempt("dataset, Parquet", (config, content), act, allowed=(BadInputError,))
    finally:
        for file in files:
            file.write_bytes(good)


CARD = b"---\nlicense: mit\ntags: [a, b]\n---\n# A model\n"


@given(damaged_bytes([CARD, b"# A card without metadata\n"]))
def test_cards(tally, content):
    from notclip.files.yaml_files import read_front_matter

    act = lambda: read_front_matter(content.decode("utf-8", "replace"), "The card")  # noqa: E731
    tally.attempt("card, YAML", content, act, allowed=(BadInputError,))


MANIFEST = {"name": "tiny", "version": "1", "repos": []}


@given(st.one_of(damaged_bytes([as_json(MANIFEST)]), damaged([MANIFEST]).map(as_json)))
def test_staged_releases(tally, tmp_path_factory, content):
    from notclip.hub_cards.staging.staged_release import StagedRelease

    folder = tmp_path_factory.mktemp("stage")
    (folder / "manifest.json").write_bytes(content)
    tally.attempt("manifest, JSON", content, lambda: StagedRelease.read(folder), allowed=(BadInputError,))


OPENCLIP = {"model_cfg": {"embed_dim": 16, "vision_cfg": {"image_size": 32}, "text_cfg": {}}, "preprocess_cfg": {}}


@given(st.one_of(damaged_bytes([as_json(OPENCLIP)]), damaged([OPENCLIP]).map(as_json)))
def test_descriptions_of_openclip(tally, tmp_path_factory, content):
    from notclip.openclip.files import find_checkpoint

    folder = tmp_path_factory.mktemp("openclip")
    (folder / "open_clip_config.json").write_bytes(content)
    (folder / "open_clip_model.safetensors").write_bytes(b"")
    tally.attempt("OpenCLIP config, JSON", content, lambda: find_checkpoint(folder), allowed=(BadInputError,))


RELEASE = {"base": {"id": "a/b", "revision": None}, "model": {"id": "a/c", "revision": "v1"}, "links": {}}


@given(st.one_of(damaged_bytes([as_json(RELEASE)]), damaged([RELEASE]).map(as_json)))
def test_settings_of_a_space(tally, tmp_path_factory, content):
    from notclip.space.settings import read_settings

    folder = tmp_path_factory.mktemp("space")
    (folder / "release.json").write_bytes(content)
    act = lambda: read_settings(folder, {})  # noqa: E731
    tally.attempt("release of a Space, JSON", content, act, allowed=(BadInputError,))
