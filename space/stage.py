"""The Space as it will stand on the Hub: app.py, the package's code, photos, results and the models' ids."""

import importlib
import json
import shutil
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from notclip.space.settings import RELEASE_FILE

HERE = Path(__file__).parent
PACKAGES = ("recaption", "evaluate_metrics", "hub_cards", "space", "scripts")
CODE = (".py", ".yaml", ".css")
CONFIGS = ("captions", "questions", "retrieval")


def stage_space(
    target: Path, *, repo_ids: Mapping[str, str], base_id: str, results: Path, dataset: Path | None
) -> None:
    """Write the Space's repository.

    Args:
        target: a new folder.
        repo_ids: folder of the stage -> id of its repository: `model`, `dataset`, `space`, …
        base_id: Hub id of the ordinary model.
        results: folder with base.json and notclip.json, as `notclip score-model` wrote them.
        dataset: the built dataset whose test split is shown; None where its photos may not be passed on, and scenes of
            the drawn world are shown.
    """
    target.mkdir(parents=True)
    shutil.copyfile(HERE / "app.py", target / "app.py")
    shutil.copyfile(HERE / "requirements.txt", target / "requirements.txt")
    shutil.copytree(HERE / "assets", target / "assets")
    _write_card(target / "README.md", repo_ids, base_id)
    _copy_package(target)
    (target / "results").mkdir()
    for role in ("base", "notclip"):
        shutil.copyfile(results / f"{role}.json", target / "results" / f"{role}.json")
    if dataset is not None:
        for config in CONFIGS:
            (target / "photos" / config).mkdir(parents=True)
            shutil.copyfile(dataset / config / "test.parquet", target / "photos" / config / "test.parquet")
    content = {
        "base": {"id": base_id, "revision": None},
        "model": {"id": repo_ids["model"], "revision": None},
        "links": dict(repo_ids),
    }
    _write_release(target, content)


def pin_revisions(target: Path, revisions: Mapping[str, str]) -> None:
    """Write the commits at which the models were pushed into a staged Space, before it is pushed itself.

    Args:
        target: what `stage_space` wrote.
        revisions: repository id -> commit; models that are not named stay unpinned.
    """
    content = json.loads((target / RELEASE_FILE).read_text(encoding="utf-8"))
    for role in ("base", "model"):
        content[role]["revision"] = revisions.get(content[role]["id"], content[role]["revision"])
    _write_release(target, content)


def _write_release(target: Path, content: Mapping[str, Any]) -> None:
    (target / RELEASE_FILE).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _write_card(file: Path, repo_ids: Mapping[str, str], base_id: str) -> None:
    _, front_matter, text = (HERE / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    data = yaml.safe_load(front_matter)
    data["models"] = [repo_ids["model"], base_id]
    if "dataset" in repo_ids:
        data["datasets"] = [repo_ids["dataset"]]
    written = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=1000)
    text = text.replace("SPACE_ID", repo_ids.get("space", repo_ids["model"]))
    file.write_text(f"---\n{written}---\n{text}", encoding="utf-8")


def _copy_package(target: Path) -> None:
    """Copy the package's code, without weights: the Space needs no registry, and runs what the release was made by."""
    package = target / "notclip"
    package.mkdir()
    for source in sorted(_folder_of("notclip").glob("*.py")):
        shutil.copyfile(source, package / source.name)
    for name in PACKAGES:
        folder = _folder_of(f"notclip.{name}")
        for source in sorted(folder.rglob("*")):
            if source.is_file() and source.suffix in CODE and source != HERE / "app.py":
                copy = package / name / source.relative_to(folder)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, copy)
    number = version("notclip")
    metadata = target / f"notclip-{number}.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: notclip\nVersion: {number}\n", encoding="utf-8")


def _folder_of(package: str) -> Path:
    return Path(str(importlib.import_module(package).__file__)).parent
