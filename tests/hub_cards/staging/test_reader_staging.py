"""notclip-reader as it is staged: a model that reads as `read_scope` does, and a data set of what may be passed on."""

import contextlib
import io
import json
import re
from pathlib import Path

import pytest
from datasets import ClassLabel, List, Value, load_dataset
from huggingface_hub import DatasetCard, ModelCard
from reader_stage import TEXTS, write_inputs
from transformers import pipeline

from notclip.errors import BadInputError
from notclip.hub_cards.staging import reader
from notclip.hub_cards.staging.manifest import file_hashes
from notclip.hub_cards.staging.reader import stage_reader
from notclip.hub_cards.staging.reading_labels import read_reading_labels
from notclip.loopback_hub.bodies import front_matter, metadata_errors
from notclip.remote import reading_tagger
from notclip.remote.negation_scope import read_scope
from notclip.scripts import stage_reader as script

LABELS = Path(__file__).parents[3] / "benchmarks" / "reading_data"
READ = (
    *("a beach with no people", "a man without a red hat", "a dog, but no leash", "a street with no cars"),
    *("a table without chairs", "there is no dog in the park", "no people", "a kitchen with no windows"),
    *("a bird that is not flying", "a red car with no driver", "a plate without food"),
    *("a woman without glasses", "a room with no furniture", "trees with no leaves", "a child without shoes"),
    *("a boat without sails", "two cats and no dog", "a quiet road without traffic", "a dog runs on the beach"),
    "the cow whose head is not visible",
)  # fmt: skip


@pytest.fixture
def config(tmp_path):
    return write_inputs(tmp_path)


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reader")
    stage_reader(write_inputs(folder)())
    return folder / "hub"


def test_a_stage_holds_model_and_data_and_a_manifest_of_every_file(stage):
    manifest = json.loads((stage / "manifest.json").read_text())
    found = [(repo["folder"], repo["repo_type"], repo["repo_id"]) for repo in manifest["repos"]]
    assert found == [("dataset", "dataset", "ann/notclip-reader-data"), ("reader", "model", "ann/notclip-reader")]
    on_disk = {path.relative_to(stage).as_posix() for path in stage.rglob("*") if path.is_file()}
    assert on_disk == {"manifest.json"} | {f"{r['folder']}/{name}" for r in manifest["repos"] for name in r["files"]}
    for repo in manifest["repos"]:
        assert repo["files"] == file_hashes(stage / repo["folder"])
    assert (stage / "reader" / "model.safetensors").read_bytes() == reading_tagger.WEIGHTS.read_bytes()
    assert json.loads((stage / "reader" / "release.json").read_text())["dataset"] == {
        "id": "ann/notclip-reader-data",
        "revision": f"v{manifest['version']}",
    }


def test_the_same_inputs_give_the_same_bytes(config, tmp_path):
    assert stage_reader(config()) == stage_reader(config(out=tmp_path / "again"))


def test_the_front_matter_is_what_the_hub_accepts(stage):
    for folder, kind in (("reader", "model"), ("dataset", "dataset")):
        assert metadata_errors(front_matter((stage / folder / "README.md").read_bytes()), repo_type=kind) == []
    model = ModelCard.load(stage / "reader" / "README.md").data
    assert (model.pipeline_tag, model.library_name, model.language) == ("token-classification", "transformers", "en")
    assert model.datasets == ["ann/notclip-reader-data"]
    scored = {result.metric_name: result.metric_value for result in model.eval_results}
    assert scored == {"Texts read rightly, negation-scope": 0.8125, "Texts read rightly, token-classification": 0.7125}
    data = DatasetCard.load(stage / "dataset" / "README.md").data
    assert data.license == ["mit", "apache-2.0"]
    (files,) = [config["data_files"] for config in data.configs]
    assert all((stage / "dataset" / file["path"]).is_file() for file in files)


def test_a_figure_that_changes_in_the_results_changes_on_both_cards(config, tmp_path):
    results = tmp_path / "results.json"
    results.write_text(results.read_text().replace("0.8125", "0.8333"))
    stage_reader(config())
    card, data_card = ((tmp_path / "hub" / folder / "README.md").read_text() for folder in ("reader", "dataset"))
    assert "| streets | 1,234 | 83.3 [76.1, 86.4] | 71.2 [66.1, 76.4] |" in card
    assert "reads 83.3 [76.1, 86.4] % of the test part rightly" in data_card


def test_the_pipelines_of_the_folder_find_the_spans_of_read_scope(stage):
    options = {"model": str(stage / "reader"), "trust_remote_code": True, "device": "cpu"}
    label = pipeline("token-classification", aggregation_strategy="average", **options)
    read = pipeline("negation-scope", **options)
    texts = [*READ, "beach -people", "cachorro no parque", ""]
    for found, scope in zip(read(texts), read_scope(texts), strict=True):
        assert found == {name: getattr(scope, name) for name in found}
    assert read(texts, batch_size=4) == read(texts)
    assert read("beach -people", operators=False)["negated"] == ()
    with pytest.raises(ValueError, match=r"Each text .*str, got int"):
        read([3])
    with pytest.raises(TypeError, match=r"`operators` alone .*got operator"):
        read("beach -people", operator=False)
    for text in READ:  # What the labels alone deny beyond that, as the card says, `read_scope` mends.
        labelled = {(part["start"], part["end"]) for part in label(text) if part["entity_group"] == "denied"}
        assert labelled >= set(read_scope(text).spans), text


@pytest.mark.parametrize("folder", ["reader", "dataset"])
def test_the_code_on_a_card_runs_and_prints_what_the_card_says(stage, folder):
    card = (stage / folder / "README.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", card, flags=re.DOTALL)
    assert blocks and "{{" not in card.replace("{{The NotCLIP authors}}", "") and "\n\n\n" not in card
    for code, printed in blocks:
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exec(re.sub(r'"ann/notclip-reader(-data)?"', repr(str(stage / folder)), code), {})  # noqa: S102  # our card
        assert output.getvalue() == printed or (folder, printed) == ("dataset", "")


def test_the_data_set_has_the_labels_that_it_was_made_of_and_no_text_that_may_not_be_passed_on(stage, tmp_path):
    loaded = load_dataset(str(stage / "dataset"), cache_dir=str(tmp_path))
    assert {split: len(rows) for split, rows in loaded.items()} == {"train": 2, "validation": 2, "test": 2}
    tags = loaded["test"].features["tags"].feature
    for row, (text, denied, affirmed) in zip(loaded["test"], TEXTS, strict=True):
        assert (row["text"], row["source"], row["license"]) == (text, "streets", "MIT")
        assert [text[start:end] for start, end in row["denied"]] == [denied]
        assert [text[start:end] for start, end in row["affirmed"]] == [affirmed]
    words = dict(zip(loaded["test"][0]["tokens"], tags.int2str(loaded["test"][0]["tags"]), strict=True))
    assert words == {"a": "free", "street": "affirmed", "with": "free", "no": "free", "parked": "B-denied"} | {
        "cars": "I-denied"
    }
    shirt = loaded["test"][1]  # a span that is a part of a word
    assert tags.int2str(shirt["tags"][shirt["tokens"].index("t-shirt")]) == "affirmed"
    card = (stage / "dataset" / "README.md").read_text()
    assert "Left out are 3 texts of *secret*" in card and "| streets | 6 | 97.3 % |" in card


def test_all_texts_of_the_repository_that_may_be_passed_on_are_in_the_data_set_in_types_that_croissant_has(tmp_path):
    labels = read_reading_labels(LABELS)
    labels.write(tmp_path)
    loaded = load_dataset(str(tmp_path / "data"), cache_dir=str(tmp_path / "cache"))
    files = {"train": "train.jsonl", "validation": "development.jsonl", "test": "test.jsonl"}
    for split, name in files.items():
        rows = [json.loads(line) for line in (LABELS / name).read_text().splitlines()]
        public = [row for row in rows if row["text"] is not None]
        columns = ("id", "text", "source", "denied", "affirmed")
        assert [[row[name] for name in columns] for row in public] == [
            [row[name] for name in columns] for row in loaded[split]
        ]
    assert set(labels.withheld) == {"flickr30k", "plain"} and not labels.withheld.keys() & labels.counts().keys()
    for feature in loaded["train"].features.values():
        while isinstance(feature, List):
            feature = feature.feature
        assert isinstance(feature, Value | ClassLabel)


def test_both_repositories_are_planned_pushed_and_then_done(stage, push, holds_exactly):
    assert [(plan.repo.repo_id, plan.state) for plan in push(stage, dry_run=True)] == [
        ("ann/notclip-reader-data", "create"),
        ("ann/notclip-reader", "create"),
    ]
    push(stage)
    holds_exactly(stage)
    assert [plan.state for plan in push(stage)] == ["done", "done"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda content: content.update(split="development"), "development split: `python benchmarks/"),
        (lambda content: content["provenance"].update(weights_sha256="0"), "of another reader"),
        (lambda content: content["provenance"].update(data={}), "of other texts"),
        (lambda content: content["rightly_read"].pop("all"), "lacks 'all'"),
        (lambda content: content["rightly_read"].update(cats={"ours": {}}), "'cats': 'ours' lacks 'texts'"),
    ],
)
def test_results_of_something_else_are_refused(config, tmp_path, change, said):
    content = json.loads((tmp_path / "results.json").read_text())
    change(content)
    (tmp_path / "results.json").write_text(json.dumps(content))
    with pytest.raises(BadInputError, match=re.escape(said)):
        stage_reader(config())
    assert not (tmp_path / "hub").exists()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"id": "x"}', "row 4, lacks 'source'"),
        ('{"source": "cats"}', "is of 'cats', of which README.md names no licence"),
        ('{"source": "secret"}', "secret, whose licence forbids"),
        ('{"split": "train"}', "is of the split 'train'"),
        ('{"denied": [[3, 99]]}', "has the span [3, 99] outside of its text"),
        ('{"denied": [[3, 5], [4, 6]]}', "spans that overlap, at 4"),
        ('{"text": 3}', "has a `text` that is none, 3"),
        ("{", "row 4, line 1: not valid JSON"),
    ],
)
def test_a_row_that_is_no_labelled_text_is_refused_by_its_place(config, tmp_path, line, said):
    file = tmp_path / "labels" / "development.jsonl"
    with contextlib.suppress(json.JSONDecodeError):
        row = {"id": "x", "source": "streets", "text": "no dog outside", "denied": [], "affirmed": []}
        given = json.loads(line)
        line = json.dumps(given if "id" in given else row | {"split": "development"} | given)
    file.write_text(file.read_text() + line)
    with pytest.raises(BadInputError, match=re.escape(said)) as refused:
        stage_reader(config())
    assert "development.jsonl, row 4" in str(refused.value)


def test_what_is_missing_broken_or_in_use_is_told_in_a_sentence(config, tmp_path, monkeypatch, capsys):
    given = ["--namespace", "ann", "--labels", str(tmp_path / "labels"), "--out", str(tmp_path / "hub")]
    monkeypatch.chdir(tmp_path)
    assert script.main(given) == 2
    assert "docs/results/reading/test.json is no file: measure the reader first" in capsys.readouterr().err
    given += ["--results", str(tmp_path / "results.json")]
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "mine.txt").touch()
    assert script.main(given) == 2
    assert "exists and is no staged release: name another folder" in capsys.readouterr().err
    (tmp_path / "hub" / "mine.txt").unlink()
    assert script.main(given) == 0
    assert "model   ann/notclip-reader\n" in capsys.readouterr().out
    assert script.main(given) == 2
    assert "holds a staged release: name another folder, or replace it with --overwrite" in capsys.readouterr().err
    (tmp_path / "labels" / "README.md").write_text("Nothing.")
    assert script.main([*given, "--overwrite"]) == 2
    assert "README.md lacks the table" in capsys.readouterr().err


def test_broken_weights_of_the_reader_are_refused(config, tmp_path, monkeypatch):
    whole = reading_tagger.WEIGHTS
    monkeypatch.setattr(reading_tagger, "WEIGHTS", tmp_path / whole.name)
    (tmp_path / whole.name).write_bytes(whole.read_bytes()[:5000])
    record = json.loads(whole.with_suffix(".json").read_text())
    (tmp_path / whole.name).with_suffix(".json").write_text(json.dumps(record))
    results = json.loads((tmp_path / "results.json").read_text())
    digest = reader.file_digest(tmp_path / whole.name)
    results["provenance"]["weights_sha256"] = digest
    (tmp_path / "results.json").write_text(json.dumps(results))
    with pytest.raises(BadInputError, match=r"is not what .*reading_tagger.json records"):
        stage_reader(config())
    (tmp_path / whole.name).with_suffix(".json").write_text(json.dumps(record | {"sha256": digest}))
    with pytest.raises(BadInputError, match=r"is broken: .*5000 bytes .*weights"):
        stage_reader(config())
    assert not (tmp_path / "hub").exists()
