"""A release in small: its inputs, made-up results, what is staged of it, and a Hub on 127.0.0.1 to push it to."""

import hashlib
import io
import json
from types import SimpleNamespace

import pytest
from datasets import Dataset, disable_progress_bars
from huggingface_hub import HfApi
from PIL import Image

from notclip.dataset.built import NEEDED
from notclip.dataset.rows import CONFIGS
from notclip.dataset.schema import FEATURES
from notclip.dataset.splits import SPLITS
from notclip.hub_cards.push.config import PushConfig
from notclip.hub_cards.push.hub_client import HubClient
from notclip.hub_cards.push.push import push_release
from notclip.hub_cards.staging.config import StageConfig
from notclip.hub_cards.staging.manifest import write_manifest
from notclip.hub_cards.staging.stage import stage_release
from notclip.hub_cards.staging.staged_release import StagedRelease
from notclip.loopback_hub.accounts import Account
from notclip.loopback_hub.hub import LoopbackHub
from notclip.loopback_hub.server import serve
from notclip.loopback_hub.store import Store

disable_progress_bars()

KINDS = ("affirmation", "negation", "hybrid")
# Macro accuracy and the like of base, merged backbone and NotCLIP; the cards must show these and no others.
LEVELS = {"base": 0.3111, "backbone": 0.5222, "notclip": 0.8333}
WEIGHTS = {"base": "b" * 64, "backbone": "c" * 64, "notclip": "d" * 64}


def picture(shade):
    data = io.BytesIO()
    Image.new("RGB", (32, 32), (shade, 80, 200 - shade)).save(data, "PNG")
    return {"bytes": data.getvalue(), "path": None}


def rows_of(config, split, index):
    common = {"image": picture(40 * index), "image_id": f"{split}-{index}"}
    evidence = [{"concept": "cat", "method": "annotation", "score": None, "threshold": None}]
    if config == "captions":
        return common | {
            "caption": "a dog on grass",
            "negated_captions": ["a dog on grass, but no cat"],
            "forms": ["but_no"],
            "patterns": ["{caption}, but {no_N}."],
            "affirmed": ["dog", "grass"],
            "absent": ["cat"],
            "evidence": evidence,
        }
    if config == "questions":
        choices = ["A dog is here.", "No dog is here.", "A dog is here, but no cat.", "No cat is here."]
        answer = (0, 3, 2)[index]
        kinds = ["affirmation", "negation", "hybrid", "negation"]
        return common | {
            "choices": choices,
            "answer": answer,
            "kind": kinds[answer],
            "choice_kinds": kinds,
            "choice_forms": ["is", "no", "but_no", "no"],
            "choice_patterns": ["{A} is here."] * 4,
            "group": f"{split}-0",
        }
    if config == "pairs":
        texts = {"caption": "No cat is here.", "kind": "negation", "form": "no", "pattern": "{no_N} is here."}
        both = common | texts
        return {f"{name}_{place}": both[name] for name in both for place in (0, 1)} | {"pair": f"{split}-{index}"}
    return common | {
        "captions": ["grass, but no cat"],
        "forms": ["but_no"],
        "patterns": ["{caption}, but {no_N}."],
        "relevant": [[f"{split}-{index}"]],
        "violating": [[]],
        "affirmed": [["grass"]],
        "absent": [["cat"]],
        "present": ["dog", "grass"],
    }


def write_dataset(folder):
    for config in CONFIGS:
        (folder / config).mkdir(parents=True)
        for split in SPLITS:
            rows = [rows_of(config, split, index) for index in range(3)]
            columns = {name: feature for name, feature in FEATURES[config].items() if name in rows[0]}
            Dataset.from_list(rows, features=type(FEATURES[config])(columns)).to_parquet(
                folder / config / f"{split}.parquet"
            )
    (folder / "build.json").write_text(json.dumps(build_record()))


def build_record():
    blind = {"view": "single choices", "setting": "in-set", "accuracy": 0.2525, "low": 0.23, "high": 0.27}
    wrong = {"method": "caption", "kept_back": "annotation", "images": 3, "claims": 9, "wrong": 0}
    wrong |= {"share": 0.0, "low": 0.0, "high": 0.2991}
    return {
        "config": {"source": "drawn-world", "out": "data", "detector": None, "choices": 4, "seed": 3},
        "source": {"name": "drawn-world", "revision": "abc", "annotated": True},
        "images": dict.fromkeys(SPLITS, 3),
        "counts": {
            config: {split: {"rows": 3, "by_form": {"no": 3}, **by} for split in SPLITS}
            for config, by in (
                ("captions", {"by_evidence": {"annotation": 3}, "by_absent": {"cat": 3}}),
                ("questions", {"by_kind": dict.fromkeys(KINDS, 1)}),
                ("retrieval", {"by_absent": {"cat": 3}}),
            )
        },
        "verification": {"detector": None, "wrong_absences": [wrong]},
        "blind": {split: [blind | {"chance": 0.25, "questions": 3}] for split in SPLITS},
        "lexicon": {"concepts": 222},
        "versions": {"notclip": "0.1.0", "datasets": "5.2.0"},
    }


def training_record(base):
    history = [
        {"epoch": epoch, "macro_accuracy": 0.3 + 0.2 * epoch, "recall_at_5": 0.5 - 0.002 * epoch} for epoch in range(3)
    ]
    return {
        "config": {
            "base": base,
            "data": "data",
            "out": "/home/somebody/train",
            "rank": 16,
            "variant": "lora",
            "epochs": 2,
            "contrastive_weight": 0.5,
            "anchor_weight": 3.0,
            "class_weight": 4.0,
            "recall_tolerance": 0.01,
            "seed": 7,
        },
        "base": base,
        "weights_sha256": WEIGHTS,
        "chosen_epoch": 2,
        "seen_classes": 0,
        "history": history,
        "trainable_parameters": 12345,
        "total_parameters": 678900,
        "training_images": 3,
        "training_captions": 3,
        "training_questions": 3,
        "versions": {"notclip": "0.1.0", "torch": "2.13.0"},
        "python": "3.11.7",
    }


def write_models(folder, base):
    for form in ("model", "backbone", "adapter"):
        (folder / form).mkdir(parents=True)
        (folder / form / "model.safetensors").write_bytes(form.encode() * 100)
    (folder / "model" / "config.json").write_text(json.dumps({"model_type": "notclip", "backbone_name": base}))
    plain = {"model_type": "clip", "architectures": ["CLIPModel"]}
    (folder / "backbone" / "config.json").write_text(json.dumps(plain))
    (folder / "adapter" / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": base, "r": 16}))
    (folder / "adapter" / "README.md").write_text("What PEFT writes by itself.")
    (folder / "training.json").write_text(json.dumps(training_record(base)))


def hashes_of_test_split(data):
    files = [data / config / "test.parquet" for config in NEEDED]
    return {file.relative_to(data).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def results_content(model, data, level):
    metrics = {
        "accuracy": level,
        "macro_accuracy": level,
        "accuracy_by_kind": {kind: level - 0.1 * number for number, kind in enumerate(KINDS)},
        "vision_gain": level - 0.25,
        "affirmation_bias": 0.9 - level,
        "chance": 0.25,
        "n_questions": 1234,
        "n_images": 300,
        "n_queries": 567,
        "n_ordinary_queries": 891,
        "violation_chance": 0.123,
    }
    for k in (1, 5, 10):
        metrics |= {f"negated_recall@{k}": level / 2, f"recall@{k}": 0.451, f"violation@{k}": 1 - level}
    intervals = {
        name: [value - 0.02, value + 0.02]
        for name, value in metrics.items()
        if isinstance(value, float) and "chance" not in name
    }
    intervals["accuracy_by_kind"] = {kind: [v - 0.03, v + 0.03] for kind, v in metrics["accuracy_by_kind"].items()}
    role = next(role for role in LEVELS if LEVELS[role] == level)
    provenance = {"seed": 0, "composition": "scope" if role == "notclip" else "none", "adapter": None, "role": role}
    provenance |= {"weights_sha256": WEIGHTS[role], "data": hashes_of_test_split(data)}
    return {
        "model": str(model),
        "suite": "data (test)",
        "metrics": metrics,
        "confidence_intervals": intervals,
        "provenance": provenance,
    }


@pytest.fixture
def inputs(tmp_path, monkeypatch):
    """Inputs of a stage in the working folder, as a user has them: relative paths, a base from the Hub."""
    monkeypatch.chdir(tmp_path)
    return make_inputs(tmp_path)


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """A stage of all forms, with a base that was a folder."""
    folder = tmp_path_factory.mktemp("release")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        inputs = make_inputs(folder)
        (folder / "encoder").mkdir()
        (folder / "encoder" / "config.json").write_text((folder / "train" / "backbone" / "config.json").read_text())
        for file in (folder / "train" / "training.json", folder / "base.json"):
            file.write_text(file.read_text().replace(inputs.base, "encoder"))
        stage_release(inputs.config(name="tiny-clip"))
    return folder / "hub"


def make_inputs(tmp_path):
    base = "openai/clip-vit-base-patch32"
    write_dataset(tmp_path / "data")
    write_models(tmp_path / "train", base)
    files = []
    for role, model in (("base", base), ("backbone", "train/backbone"), ("notclip", "train/model")):
        file = tmp_path / f"{role}.json"
        file.write_text(json.dumps(results_content(model, tmp_path / "data", LEVELS[role])))
        files.append(file.relative_to(tmp_path))

    def config(**changes):
        paths = {name: type(file)(name) for name, file in (("train", file), ("data", file), ("hub", file))}
        given = {
            "model": paths["train"],
            "data": paths["data"],
            "results": tuple(files),
            "namespace": "ann",
            "out": paths["hub"],
        }
        return StageConfig(**(given | changes))

    return SimpleNamespace(folder=tmp_path, config=config, base=base)


SMALL_REPOS = {"model": ("tiny", "model"), "dataset": ("tiny-data", "dataset"), "metrics/odds": ("odds", "space")}
SMALL_FILES = {
    "model": {"README.md": b"---\nlicense: mit\n---\nA model.\n", "model.safetensors": b"\0" * 3000, "empty.txt": b""},
    "dataset": {"README.md": b"Rows.\n", "a/test.parquet": b"PAR1\0" * 90},
    "metrics/odds": {"README.md": b"---\nsdk: gradio\n---\nOdds.\n", "odds.py": b"print(1)\n"},
}


@pytest.fixture
def write_stage(tmp_path):
    """Write a small staged release; files given by "folder/name" replace, add or (None) remove some."""

    def write(name="hub", *, version="1.0.0", release="tiny", namespace="ann", prefix="", **changes):
        stage = tmp_path / name
        repos = []
        for folder, (repo_name, repo_type) in SMALL_REPOS.items():
            tag = f"{release}-v{version}" if folder.startswith("metrics/") else f"v{version}"
            about = {"made_with": "notclip 0.1.0", "name": release, "version": version, "folder": folder}
            given = {
                path.removeprefix(f"{folder}/"): data
                for path, data in changes.get("files", {}).items()
                if path.startswith(f"{folder}/")
            }
            files = SMALL_FILES[folder] | {"release.json": json.dumps(about).encode()} | given
            for path, data in files.items():
                if data is not None:
                    (stage / folder / path).parent.mkdir(parents=True, exist_ok=True)
                    (stage / folder / path).write_bytes(data)
            repos.append(
                {"repo_id": f"{namespace}/{prefix}{repo_name}", "repo_type": repo_type, "folder": folder, "tag": tag}
            )
        write_manifest(stage, repos, name=release, release_version=version)
        return stage

    return write


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """One served Hub for a file of tests."""
    hub = LoopbackHub(tmp_path_factory.mktemp("served"))
    with serve(hub):
        yield hub


@pytest.fixture
def hub(served, tmp_path, monkeypatch):
    """An empty Hub with the user ann, who may also write for the organisation lab; the client may reach it."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # The client's own pauses.
    served.store = Store(tmp_path / "hub-disk")
    served.accounts = [Account("ann", orgs=("lab",)), Account("bob"), Account("eve", role="read")]
    served.namespaces = ("somebody",)
    served.faults.clear()
    served.log.clear()
    served.before_request = lambda route: None
    return served


@pytest.fixture
def push(hub):
    """Push a staged folder as one of the Hub's users, without pauses; returns what was planned."""

    def run(stage, *, user="ann", **options):
        token = next(account.token for account in hub.accounts if account.name == user)
        client = HubClient(HfApi(endpoint=hub.url, token=token), wait=lambda seconds: None, say=run.said.append)
        return push_release(client, StagedRelease.read(stage), PushConfig(stage, **options))

    run.said = []
    return run


@pytest.fixture
def holds_exactly(hub):
    """Assert that the Hub holds a release and nothing else: its bytes, one commit each, tags and one collection."""

    def check(stage, *, commits=1):
        manifest = json.loads((stage / "manifest.json").read_text())
        kinds = {(f"{repo['repo_type']}s", repo["repo_id"]): repo for repo in manifest["repos"]}
        assert set(hub.store.repos) == set(kinds)
        for key, staged in kinds.items():
            repo = hub.store.repos[key]
            history = list(repo.history("main"))
            assert len(history) == len(repo.commits) == commits + 1, staged["repo_id"]  # The Hub makes the first one.
            files = {name: hub.store.blob(file.sha256).read_bytes() for name, file in history[0].files.items()}
            assert files.pop(".gitattributes")
            assert files == {name: (stage / staged["folder"] / name).read_bytes() for name in staged["files"]}
            assert repo.refs[f"refs/tags/{staged['tag']}"] == history[0].id
            assert not repo.pulls
        (collection,) = hub.store.collections.values()
        items = [(item["type"], item["id"]) for item in collection["items"]]
        assert sorted(items) == sorted((repo["repo_type"], repo["repo_id"]) for repo in manifest["repos"])

    return check


@pytest.fixture
def on_hub(hub, push, write_stage, inputs, monkeypatch):
    """Put a built dataset on the Hub, whole or in parts; returns the folder that it came from."""
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
    template = f"{hub.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)

    def put(cut=lambda folder: folder):
        data = cut(inputs.folder / "data")
        files = {
            f"dataset/{file.relative_to(data).as_posix()}": file.read_bytes() for file in data.glob("*/*.parquet")
        }
        push(write_stage(files=files))
        return data

    return put
