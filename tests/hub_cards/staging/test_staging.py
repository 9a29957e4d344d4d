"""What a staged release consists of, and what is refused."""

import json
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from datasets import load_dataset

from notclip.dataset.built import NEEDED
from notclip.errors import BadInputError
from notclip.files.derived import file_digest
from notclip.hub_cards.staging import space as space_staging
from notclip.hub_cards.staging import stage as staging
from notclip.hub_cards.staging.local_paths import check_no_local_paths
from notclip.hub_cards.staging.manifest import file_hashes
from notclip.hub_cards.staging.stage import stage_release
from notclip.scripts import stage_release as script


@pytest.fixture(autouse=True)
def no_figures(request, monkeypatch):
    """Drawing takes most of a stage's time; only the test that compares bytes needs the pictures."""
    if "bytes" not in request.node.name:
        monkeypatch.setattr(staging, "write_figures", lambda release, assets: assets.mkdir(parents=True))


def test_a_stage_holds_every_repository_and_a_manifest_of_every_file(inputs):
    manifest = stage_release(inputs.config())
    stage = inputs.folder / "hub"
    found = {repo["folder"]: (repo["repo_id"], repo["repo_type"]) for repo in manifest["repos"]}
    assert found == {
        "model": ("ann/notclip-clip-vit-base-patch32", "model"),
        "backbone": ("ann/notclip-clip-vit-base-patch32-backbone", "model"),
        "adapter": ("ann/notclip-clip-vit-base-patch32-adapter", "model"),
        "dataset": ("ann/notclip-clip-vit-base-patch32-data", "dataset"),
        "metrics/negated_mcq": ("ann/negated_mcq", "space"),
        "metrics/negated_retrieval": ("ann/negated_retrieval", "space"),
        "space": ("ann/notclip-clip-vit-base-patch32-demo", "space"),
    }
    assert json.loads((stage / "manifest.json").read_text()) == manifest
    listed = {f"{repo['folder']}/{name}" for repo in manifest["repos"] for name in repo["files"]}
    on_disk = {path.relative_to(stage).as_posix() for path in stage.rglob("*") if path.is_file()}
    assert on_disk == listed | {"manifest.json"}
    for repo in manifest["repos"]:
        assert repo["files"] == file_hashes(stage / repo["folder"])
        assert repo["files"]["README.md"]["size"] == (stage / repo["folder"] / "README.md").stat().st_size


def test_the_same_inputs_give_the_same_bytes(inputs):
    first = stage_release(inputs.config())
    assert stage_release(inputs.config(out=inputs.folder / "again")) == first


def test_a_dataset_in_parts_is_staged_part_by_part_and_loads_by_split(inputs, in_parts, tmp_path):
    data = inputs.folder / "data"
    whole = load_dataset("parquet", data_files={"test": str(data / "questions" / "test.parquet")}, cache_dir=tmp_path)
    in_parts(data)
    with pytest.raises(BadInputError, match=r"test split of data .*now"):
        stage_release(inputs.config())
    files = [file for config in NEEDED for file in (data / config).glob("test-*")]
    scored = {file.relative_to(data).as_posix(): file_digest(file) for file in files}
    for file in inputs.config().results:
        content = json.loads(file.read_text())
        content["provenance"]["data"] = scored
        file.write_text(json.dumps(content))
    manifest = stage_release(inputs.config())
    staged = inputs.folder / "hub" / "dataset"
    (repo,) = [repo for repo in manifest["repos"] if repo["folder"] == "dataset"]
    for split in ("train", "validation", "test"):
        parts = [f"questions/{split}-0000{part}-of-00002.parquet" for part in (0, 1)]
        assert all(repo["files"][part]["sha256"] == file_digest(data / part) for part in parts)
    loaded = load_dataset(str(staged), "questions", cache_dir=tmp_path)
    assert {split: len(rows) for split, rows in loaded.items()} == {"train": 3, "validation": 3, "test": 3}
    assert loaded["test"]["choices"] == whole["test"]["choices"]
    (info,) = [
        info
        for info in yaml.safe_load((staged / "README.md").read_text().split("---\n")[1])["dataset_info"]
        if info["config_name"] == "questions"
    ]
    assert [split["num_examples"] for split in info["splits"]] == [3, 3, 3]
    sizes = [file.stat().st_size for file in (staged / "questions").iterdir()]
    assert len(sizes) == 6
    assert info["download_size"] == sum(sizes)


def test_the_adapter_names_its_base_as_the_hub_knows_it(inputs):
    stage_release(inputs.config(base_id="openai/clip"))
    adapter = inputs.folder / "hub" / "adapter"
    assert json.loads((adapter / "adapter_config.json").read_text())["base_model_name_or_path"] == "openai/clip"
    assert (adapter / "README.md").read_text().startswith("---\nbase_model: openai/clip\n")


@pytest.fixture
def local_base(inputs):
    """Inputs whose base was a folder of this machine."""
    base = inputs.folder / "encoder"
    shutil.copytree(inputs.folder / "train" / "backbone", base)
    (base / "README.md").write_text("---\nlicense: mit\n---\nAn encoder.\n")
    for file in (inputs.folder / "train" / "training.json", inputs.folder / "base.json"):
        file.write_text(file.read_text().replace(inputs.base, str(base)))
    for form, name in (("model", "config.json"), ("adapter", "adapter_config.json")):
        file = inputs.folder / "train" / form / name
        file.write_text(file.read_text().replace(inputs.base, str(base)))
    return inputs


def test_a_base_that_was_a_folder_is_staged_too_and_nothing_names_the_folder(local_base):
    manifest = stage_release(local_base.config(name="tiny"))
    stage = local_base.folder / "hub"
    repo_ids = {repo["folder"]: repo["repo_id"] for repo in manifest["repos"]}
    assert repo_ids["base"] == "ann/tiny-base"
    assert json.loads((stage / "model" / "config.json").read_text())["backbone_name"] == "ann/tiny-base"
    assert json.loads((stage / "model" / "training.json").read_text())["base"] == "ann/tiny-base"
    assert json.loads((stage / "model" / "training.json").read_text())["config"]["out"] == "train"
    adapter = json.loads((stage / "adapter" / "adapter_config.json").read_text())
    assert adapter["base_model_name_or_path"] == "ann/tiny-base"
    assert "license: mit\n" in (stage / "backbone" / "README.md").read_text()
    for path in stage.rglob("*"):
        assert not path.is_file() or str(local_base.folder).encode() not in path.read_bytes(), path


def test_a_base_folder_that_is_gone_needs_its_hub_id(local_base):
    shutil.rmtree(local_base.folder / "encoder")
    with pytest.raises(BadInputError, match=r"encoder.*--base-id"):
        stage_release(local_base.config())


def test_a_file_that_names_a_folder_of_this_machine_stops_the_stage(inputs):
    (inputs.folder / "train" / "model" / "notes.txt").write_text("trained in /home/ann/secret/run3\n")
    with pytest.raises(BadInputError, match=r"model/notes\.txt .*'/home/ann/secret/run3'"):
        stage_release(inputs.config())
    assert not (inputs.folder / "hub").exists()


def test_a_model_folder_publishes_neither_what_its_links_point_at_nor_secrets(inputs):
    model = inputs.folder / "train" / "model"
    (model / "notes.txt").symlink_to("/etc/passwd")
    with pytest.raises(BadInputError, match=r"notes\.txt is a symbolic link"):
        stage_release(inputs.config())
    (model / "notes.txt").unlink()
    (model / ".env").write_text("PASSWORD=x\n")
    with pytest.raises(BadInputError, match=r"\.env .*secret"):
        stage_release(inputs.config())
    assert not (inputs.folder / "hub").exists()


def test_addresses_and_fractions_are_no_local_paths(tmp_path):
    (tmp_path / "README.md").write_text("https://huggingface.co/data/x, 1/2, build/tmp/x, and/or, s3://work/x\n")
    check_no_local_paths(tmp_path, [])


def test_a_source_that_may_not_be_passed_on_goes_out_without_its_pictures_and_sentences(inputs):
    record = inputs.folder / "data" / "build.json"
    record.write_text(record.read_text().replace("drawn-world", "flickr8k"))
    stage_release(inputs.config())
    dataset = inputs.folder / "hub" / "dataset"
    expected = {
        "captions": {"image_id", "image_sha256", "forms", "patterns", "affirmed", "absent", "evidence"},
        "questions": {"image_id", "image_sha256", "choices", "answer", "kind", "group"}
        | {f"choice_{name}" for name in ("kinds", "forms", "patterns")},
        "pairs": {"pair"}
        | {
            f"{name}_{end}"
            for name in ("image_id", "image_sha256", "caption", "kind", "form", "pattern")
            for end in "01"
        },
        "retrieval": {"image_id", "image_sha256", "forms", "patterns", "affirmed", "absent", "present"}
        | {"relevant", "violating"},
    }
    for config, columns in expected.items():
        rows = load_dataset(str(dataset), config, split="test", cache_dir=inputs.folder / "cache")
        assert set(rows.column_names) == columns
        assert len(rows) == 3
    assert rows.info.features is not None
    assert b"a dog on grass" not in b"".join(p.read_bytes() for p in dataset.rglob("*") if p.suffix == ".parquet")
    assert not (dataset / "assets").exists()
    card = (dataset / "README.md").read_text()
    assert "holds no photo and no caption" in card
    assert "license: other\n" in card


def test_a_source_with_a_stated_licence_goes_out_whole(inputs):
    record = inputs.folder / "data" / "build.json"
    record.write_text(record.read_text().replace("drawn-world", "my/photos"))
    stage_release(inputs.config(data_license="cc-by-4.0"))
    dataset = inputs.folder / "hub" / "dataset"
    rows = load_dataset(str(dataset), "captions", split="test", cache_dir=inputs.folder / "cache")
    assert rows[0]["image"].size == (32, 32)
    assert rows[0]["caption"] == "a dog on grass"
    assert "license: cc-by-4.0\n" in (dataset / "README.md").read_text()


def test_what_exists_is_not_overwritten_unless_it_is_an_earlier_stage_and_one_says_so(inputs):
    (inputs.folder / "hub").mkdir()
    (inputs.folder / "hub" / "thesis.txt").write_text("years of work")
    for overwrite in (False, True):
        with pytest.raises(BadInputError, match="is no staged release"):
            stage_release(inputs.config(overwrite=overwrite))
    (inputs.folder / "hub" / "thesis.txt").unlink()
    stage_release(inputs.config())
    with pytest.raises(BadInputError, match="--overwrite"):
        stage_release(inputs.config())
    (inputs.folder / "hub" / "stale.txt").write_text("from before")
    stage_release(inputs.config(overwrite=True))
    assert not (inputs.folder / "hub" / "stale.txt").exists()


def test_a_stage_that_breaks_leaves_nothing_behind_and_keeps_the_earlier_one(inputs, monkeypatch):
    stage_release(inputs.config())
    before = file_hashes(inputs.folder)

    def full_disk(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(staging, "write_manifest", full_disk)
    with pytest.raises(OSError, match="No space left"):
        stage_release(inputs.config(overwrite=True))
    assert file_hashes(inputs.folder) == before


@pytest.mark.parametrize(
    "missing", ["train/training.json", "train/adapter/adapter_config.json", "data/questions/test.parquet", "base.json"]
)
def test_a_missing_input_is_refused_by_name(inputs, missing):
    (inputs.folder / missing).unlink()
    with pytest.raises(BadInputError, match=missing.rpartition("/")[2]):
        stage_release(inputs.config())
    assert not (inputs.folder / "hub").exists()


def test_a_corrupt_parquet_file_is_refused_by_name(inputs):
    (inputs.folder / "data" / "captions" / "train.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(BadInputError, match=r"captions/train\.parquet is no Parquet file"):
        stage_release(inputs.config())


def test_all_three_models_must_have_been_scored_once_on_the_dataset(inputs):
    files = inputs.config().results
    with pytest.raises(BadInputError, match="lack the backbone model"):
        stage_release(inputs.config(results=(files[0], files[2])))
    with pytest.raises(BadInputError, match="score the same model"):
        stage_release(inputs.config(results=(*files, files[0])))
    with pytest.raises(BadInputError, match="at least one results JSON"):
        inputs.config(results=())


def test_scores_on_another_build_of_the_data_are_refused(inputs):
    file = inputs.folder / "data" / "questions" / "test.parquet"
    shutil.copyfile(inputs.folder / "data" / "questions" / "train.parquet", file)
    with pytest.raises(BadInputError, match=r"test split of data.*data \(test\)"):
        stage_release(inputs.config())


def test_scores_on_a_part_of_the_data_are_refused(inputs):
    file = inputs.folder / "base.json"
    content = json.loads(file.read_text())
    content["provenance"]["options"] = {"limit": 100}
    file.write_text(json.dumps(content))
    with pytest.raises(BadInputError, match=r"base\.json .*part of its suite"):
        stage_release(inputs.config())


def test_the_parquet_copies_are_exact(inputs):
    stage_release(inputs.config())
    for config in ("captions", "questions", "retrieval"):
        name = f"{config}/test.parquet"
        copy, original = inputs.folder / "hub" / "dataset" / name, inputs.folder / "data" / name
        assert copy.read_bytes() == original.read_bytes()
        assert pq.ParquetFile(copy).metadata.num_rows == 3


@pytest.fixture
def space(tmp_path, monkeypatch):
    """A Space in small, in place of the package's."""
    folder = tmp_path / "a-space"
    folder.mkdir()
    (folder / "app.py").write_text("from notclip.space import page\n")
    (folder / "requirements.txt").write_text("gradio\n")
    (folder / "assets").mkdir()
    (folder / "assets" / "search.png").write_bytes(b"a picture")
    (folder / "README.md").write_text("---\ntitle: NotCLIP\nsdk: gradio\n---\n\nType what you do not want.\n")
    monkeypatch.setattr(space_staging, "SPACE", folder)
    return folder


def test_the_space_is_staged_with_code_results_photos_and_the_revisions_that_it_loads(inputs, space):
    manifest = stage_release(inputs.config(version="1.2.3"))
    (repo,) = [repo for repo in manifest["repos"] if repo["folder"] == "space"]
    assert (repo["repo_id"], repo["tag"]) == ("ann/notclip-clip-vit-base-patch32-demo", "v1.2.3")
    staged = inputs.folder / "hub" / "space"
    assert (staged / "app.py").read_bytes() == (space / "app.py").read_bytes()
    assert (staged / "assets" / "search.png").read_bytes() == b"a picture"
    pinned = json.loads((staged / "release.json").read_text())
    assert pinned["model"] == {"id": "ann/notclip-clip-vit-base-patch32", "revision": "v1.2.3"}
    assert pinned["base"]["id"] == inputs.base
    assert pinned["links"]["dataset"] == "ann/notclip-clip-vit-base-patch32-data"
    assert {file.name for file in (staged / "results").iterdir()} == {"base.json", "backbone.json", "notclip.json"}
    for name in ("questions/test.parquet", "captions/test.parquet"):
        assert (staged / "photos" / name).read_bytes() == (inputs.folder / "hub" / "dataset" / name).read_bytes()
    card = (staged / "README.md").read_text()
    assert "- ann/notclip-clip-vit-base-patch32\n" in card
    assert card.endswith("---\n\nType what you do not want.\n")
    assert [file.name for file in staged.rglob("*.safetensors")] == ["reading_tagger.safetensors"]


def test_the_code_of_a_space_runs_where_the_package_is_not_installed(inputs, space):
    stage_release(inputs.config())
    (inputs.folder / "hub" / "space" / "try.py").write_text(
        "import notclip, notclip.space, notclip.recaption.concepts.lexicon, notclip.errors\n"
        "from notclip.recaption.concepts.lexicon import load_lexicon\n"
        "assert notclip.__file__.startswith(__file__.removesuffix('try.py')), notclip.__file__\n"
        "print(notclip.__version__, bool(load_lexicon().find('a dog')))\n"
    )
    # -S: no site-packages, and so no installed package; what it needs of others is lent by PYTHONPATH.
    lent = {"PYTHONPATH": str(Path(yaml.__file__).parents[1])}
    command = [sys.executable, "-S", str(inputs.folder / "hub" / "space" / "try.py")]
    done = subprocess.run(command, env=lent, capture_output=True, text=True, check=False)
    assert done.stdout.split() == [version("notclip"), "True"], done.stderr


def test_without_pictures_to_pass_on_the_space_has_none(inputs, space):
    stage_release(inputs.config(images="ids"))
    assert not (inputs.folder / "hub" / "space" / "photos").exists()


def test_a_suite_whose_name_is_a_path_stays_inside_the_stage(inputs):
    """A results file is somebody else's: what it says is no path."""
    for name in ("../../../outside", "coco", "Coco"):
        for role in ("base", "backbone", "notclip"):
            content = json.loads((inputs.folder / f"{role}.json").read_text())
            (inputs.folder / f"{name.strip('./')}-{role}.json").write_text(json.dumps(content | {"suite": name}))
    for file in inputs.folder.glob("*.json"):  # Of another suite, the data is another too.
        content = json.loads(file.read_text())
        if content["suite"] != "data (test)":
            content["provenance"]["data"] = {}
            file.write_text(json.dumps(content))
    before = set(inputs.folder.rglob("*"))
    results = tuple(sorted(path.relative_to(inputs.folder) for path in inputs.folder.glob("*.json")))
    stage_release(inputs.config(results=results))
    assert all(path.is_relative_to(inputs.folder / "hub") for path in set(inputs.folder.rglob("*")) - before)
    names = sorted(path.name for path in (inputs.folder / "hub" / "model" / "results").iterdir())
    assert len(names) == 12
    assert "_.._.._outside-e1a01a12-base.json" in names
    assert not {"coco-base.json", "Coco-base.json"} & set(names)  # On some systems these are one file.


def test_a_record_of_a_training_whose_hashes_are_none_is_refused(inputs):
    training = inputs.folder / "train" / "training.json"
    training.write_text(json.dumps(json.loads(training.read_text()) | {"weights_sha256": "b"}))
    with pytest.raises(BadInputError, match=r"training\.json: 'weights_sha256' is no dict, got 'b'"):
        stage_release(inputs.config())


def test_results_are_known_by_the_weights_that_were_scored_from_wherever_one_stages(inputs, monkeypatch):
    weights = {"base": "b" * 64, "backbone": "c" * 64, "notclip": "d" * 64}
    training = inputs.folder / "train" / "training.json"
    training.write_text(json.dumps(json.loads(training.read_text()) | {"weights_sha256": weights}))
    for role, digest in weights.items():
        content = json.loads((inputs.folder / f"{role}.json").read_text())
        content["model"] = f"../elsewhere/{role}" if role != "base" else content["model"]
        content["provenance"]["weights_sha256"] = digest
        (inputs.folder / f"{role}.json").write_text(json.dumps(content))
    (inputs.folder / "elsewhere").mkdir()
    monkeypatch.chdir(inputs.folder / "elsewhere")
    paths = {name: inputs.folder / path for name, path in (("model", "train"), ("data", "data"), ("out", "hub"))}
    results = tuple(inputs.folder / f"{role}.json" for role in weights)
    stage_release(inputs.config(**paths, results=results))
    staged = json.loads((inputs.folder / "hub" / "model" / "results" / "backbone.json").read_text())
    assert staged["model"] == "ann/notclip-clip-vit-base-patch32-backbone"
    training.write_text(training.read_text().replace("c" * 64, "e" * 64))
    with pytest.raises(BadInputError, match=r"backbone\.json .*\.\./elsewhere/backbone"):
        stage_release(inputs.config(**paths | {"out": inputs.folder / "again"}, results=results))


def test_a_base_whose_folder_was_named_relatively_is_found_from_any_folder(inputs, monkeypatch):
    shutil.copytree(inputs.folder / "train" / "backbone", inputs.folder / "models" / "encoder")
    for file in (inputs.folder / "train" / "training.json", inputs.folder / "base.json"):
        file.write_text(file.read_text().replace(inputs.base, "models/encoder"))
    monkeypatch.chdir(inputs.folder / "models")
    paths = {name: inputs.folder / path for name, path in (("model", "train"), ("data", "data"), ("out", "hub"))}
    for role in ("backbone", "notclip"):
        file = inputs.folder / f"{role}.json"
        file.write_text(file.read_text().replace('"train/', f'"{inputs.folder}/train/'))
    results = tuple(inputs.folder / f"{role}.json" for role in ("base", "backbone", "notclip"))
    repos = stage_release(inputs.config(**paths, results=results))["repos"]
    assert "ann/notclip-encoder-base" in {repo["repo_id"] for repo in repos}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("CC BY 4.0", "Did you mean cc-by-4.0?"),
        ("Apache License, Version 2.0", "Did you mean apache-2.0?"),
        ("GPLv3", "Did you mean gpl-3.0?"),
        ("CC0", "Did you mean cc0-1.0?"),
        ("free for research", "https://huggingface.co/docs/hub/repositories-licenses."),
        ("other", "leave it out"),
    ],
)
def test_a_licence_that_the_hub_does_not_know_is_refused_and_the_nearest_named(inputs, text, meant):
    for option in ("weights_license", "data_license"):
        with pytest.raises(BadInputError, match=rf"`{option}` .*{re.escape(meant)}"):
            inputs.config(**{option: text})


def test_the_licence_of_a_base_is_checked_where_its_card_states_it(local_base):
    card = local_base.folder / "encoder" / "README.md"
    card.write_text("---\nlicense: MIT license\n---\n")
    with pytest.raises(BadInputError, match=rf"`license` in {card}.*--weights-license.*Did you mean mit"):
        stage_release(local_base.config(name="tiny"))
    card.write_text("---\nlicense: 2026-99-99\n---\n")
    with pytest.raises(BadInputError, match=r"README\.md holds a value"):
        stage_release(local_base.config(name="tiny"))


@pytest.mark.parametrize("name", ["clip--small", "x" * 90, "clip.git", "-clip", "clïp"])
def test_a_release_whose_repositories_the_hub_cannot_have_is_refused(inputs, name):
    with pytest.raises(BadInputError, match=r"repository .*`name`"):
        stage_release(inputs.config(name=name))


@pytest.mark.parametrize(
    "option", [{"namespace": "a/b"}, {"name": "..", "namespace": "ann"}, {"base_id": "/srv/x"}, {"version": "next"}]
)
def test_names_that_the_hub_would_not_take_are_refused(inputs, option):
    with pytest.raises(BadInputError, match=next(iter(option))):
        inputs.config(**option)


def test_the_command_lists_what_it_wrote_and_exits_with_2_on_bad_input(inputs, capsys):
    argv = ["--model", "train", "--data", "data", "--namespace", "ann", "--out", "hub", "--results"]
    files = [str(file) for file in inputs.config().results]
    assert script.main(argv + files) == 0
    printed = capsys.readouterr().out
    assert "space   ann/negated_mcq" in printed
    assert "hub/manifest.json" in printed
    assert script.main(argv + files) == 2
    assert "holds a staged release" in capsys.readouterr().err
