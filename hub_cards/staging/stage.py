"""A staged release: one folder a repository, as it will stand on the Hub, and a manifest of what is in them."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from notclip import evaluate_metrics
from notclip.errors import BadInputError
from notclip.files.file_names import file_names
from notclip.files.json_files import read_json, read_json_object
from notclip.files.only_writer import only_writer
from notclip.files.whole_files import whole_folder
from notclip.hub_cards.cards import figures, tables
from notclip.hub_cards.cards.eval_results import FOLDER as EVAL_RESULTS
from notclip.hub_cards.cards.eval_results import eval_result_files
from notclip.hub_cards.cards.render import dataset_card, metric_card, model_card
from notclip.hub_cards.staging.config import StageConfig
from notclip.hub_cards.staging.dataset import copy_dataset
from notclip.hub_cards.staging.local_paths import check_no_local_paths, without_local_paths
from notclip.hub_cards.staging.manifest import MANIFEST, RELEASE_FILE, write_manifest
from notclip.hub_cards.staging.release import FORM_ROLES, METRICS, Release, read_release
from notclip.hub_cards.staging.secret_files import secret_in
from notclip.hub_cards.staging.space import stage_space

EXAMPLES = 4
# The order in which the repositories are pushed.
PUSHED = ("base", "dataset", "adapter", "backbone", "model", *(f"metrics/{metric}" for metric in METRICS), "space")


def stage_release(config: StageConfig) -> dict[str, Any]:
    """Write every repository of a release into `config.out`, all or nothing.

    Returns:
        The manifest: `repos`, each with `repo_id`, `repo_type`, `folder` and `files`.

    Raises:
        BadInputError: an input is missing or belongs to another model or dataset, or `out` is in use.
    """
    with only_writer(config.out, reads={"model": config.model, "data": config.data}):
        check_output(config.out, overwrite=config.overwrite)
        release = read_release(config)
        with whole_folder(config.out) as partial:
            repos = _write_repositories(release, config, partial)
            manifest = write_manifest(partial, repos, name=release.name, release_version=release.version)
            check_no_local_paths(partial, [config.model, config.data, config.out, *config.results])
            _check_nothing_but_repositories(partial, release)
    return manifest


def check_output(out: Path, *, overwrite: bool) -> None:
    """Refuse a folder that holds something else than an earlier stage, or that one unless it is to be replaced."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not (out / MANIFEST).is_file():
        raise BadInputError(f"`out` {out} exists and is no staged release: name another folder.")
    if not overwrite:
        raise BadInputError(
            f"`out` {out} holds a staged release: name another folder, or replace it with --overwrite."
        )


def _check_nothing_but_repositories(stage: Path, release: Release) -> None:
    """Every file that was staged lies in a repository's folder, and is named in the manifest."""
    stray = sorted({path.name for path in stage.iterdir()} - {name.partition("/")[0] for name in release.repo_ids})
    if stray != [MANIFEST]:
        raise RuntimeError(f"{stage} holds {', '.join(stray)}, of which {MANIFEST} alone was to be there.")


def _write_repositories(release: Release, config: StageConfig, stage: Path) -> list[dict[str, Any]]:
    ids = release.repo_ids
    renamed = {
        release.training["base"]: release.base.repo_id,
        str(config.data): ids["dataset"],
        str(config.model / "model"): ids["model"],
        str(config.model / "backbone"): ids["backbone"],
        str(config.model / "adapter"): ids["adapter"],
        str(config.model): release.name,
    }
    forms = [form for form in ("model", "backbone", "adapter", "base") if form in ids]
    renamed_roles = {"base": release.base.repo_id, "backbone": ids["backbone"], "notclip": ids["model"]}
    names = file_names(release.suites)
    drawn = stage / "model" / "assets"
    write_figures(release, drawn)
    for form in forms:
        source = release.base.folder if form == "base" and release.base.folder else release.model / form
        _copy_model(source, stage / form, renamed)
        if form != "model":  # The same pictures in each.
            shutil.copytree(drawn, stage / form / "assets")
        if form != "base":
            write_json(stage / form / "training.json", without_local_paths(release.training, renamed))
        for suite, scored in release.suites.items():
            for role, results in scored.items():
                name = f"{role}.json" if scored is release.scored else f"{names[suite]}-{role}.json"
                # Scored from another folder, the same model has another name.
                scored_as = {str(results.content["model"]): renamed_roles[role]}
                content = without_local_paths(results.published, renamed | scored_as)
                write_json(stage / form / "results" / name, content)
    adapter_config = read_json_object(stage / "adapter" / "adapter_config.json")
    write_json(
        stage / "adapter" / "adapter_config.json",
        adapter_config | {"base_model_name_or_path": release.base.repo_id},
    )
    _stage_dataset(release, stage / "dataset", renamed)
    for metric in METRICS:
        _stage_metric(release, metric, stage / "metrics" / metric)
    for form in forms:
        for name, entries in eval_result_files(release, release.scored[FORM_ROLES[form]]).items():
            write_text(
                stage / form / EVAL_RESULTS / name, yaml.safe_dump(entries, sort_keys=False, allow_unicode=True)
            )
        # Last: PEFT and transformers write README.md files of their own.
        write_text(stage / form / "README.md", model_card(release, form))
    stage_space(release, stage / "space", results=stage / "model" / "results", dataset=stage / "dataset")
    for folder in ids:
        write_json(stage / folder / RELEASE_FILE, release.references(folder))
    # The Hub's page of a model leads to the rest: what it leads to comes first, and Spaces, which load it, last.
    return [_repository(release, folder) for folder in sorted(ids, key=PUSHED.index)]


def _repository(release: Release, folder: str) -> dict[str, Any]:
    ids = release.repo_ids
    repo_type = "model" if folder in FORM_ROLES else "dataset" if folder == "dataset" else "space"
    refers_to = {
        "model": [release.base.repo_id, ids["dataset"], ids["backbone"], ids["adapter"]],
        "backbone": [release.base.repo_id, ids["dataset"], ids["adapter"], ids["model"]],
        "adapter": [release.base.repo_id, ids["dataset"], ids["backbone"], ids["model"]],
        "base": [ids["adapter"], ids["model"]],
        "dataset": [ids["model"]],
    }.get(folder, [release.base.repo_id, ids["dataset"], ids["model"]])
    tag = release.tag(folder)
    return {"repo_id": ids[folder], "repo_type": repo_type, "folder": folder, "tag": tag, "refers_to": refers_to}


def _copy_model(source: Path, target: Path, renamed: Mapping[str, str]) -> None:
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source)
        if not path.is_file() or path.name == "README.md" or "__pycache__" in name.parts:
            continue
        if path.is_symlink():  # Its target may be any file of this machine.
            raise BadInputError(f"`model` {path} is a symbolic link: put the file itself there, or remove it.")
        if what := secret_in(path):
            raise BadInputError(f"`model` {path} looks like a secret by {what}: a release is public, so remove it.")
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if path.name in ("config.json", "adapter_config.json", "processor_config.json", "tokenizer_config.json"):
            content = read_json(path, "`model`")
            write_json(target / name, without_local_paths(content, renamed))
        else:
            shutil.copyfile(path, target / name)


def write_figures(release: Release, assets: Path) -> None:
    """Draw the pictures of the cards."""
    names = tables.model_names(release)
    scored = {names[role]: results for role, results in release.scored.items()}
    figures.draw_accuracy_by_kind(scored, assets / "by_kind.png")
    figures.draw_retrieval(scored, assets / "retrieval.png")
    figures.draw_training(
        release.training["history"],
        chosen=release.training["chosen_epoch"],
        tolerance=release.training["config"]["recall_tolerance"],
        path=assets / "training.png",
    )


def _stage_dataset(release: Release, target: Path, renamed: Mapping[str, str]) -> None:
    dataset = release.dataset
    copy_dataset(dataset, target, with_images=release.with_images, image_url=release.image_url)
    write_json(target / "build.json", without_local_paths(dataset.build, renamed))
    if release.with_images:
        figures.draw_examples(dataset.examples(EXAMPLES), target / "assets" / "examples.png")
    write_text(target / "README.md", dataset_card(release, target))


def _stage_metric(release: Release, metric: str, target: Path) -> None:
    source = Path(str(evaluate_metrics.__file__)).parent / metric
    target.mkdir(parents=True)
    for name in (f"{metric}.py", "app.py", "requirements.txt"):
        shutil.copyfile(source / name, target / name)
    write_text(target / "README.md", metric_card(release, metric, source / "README.md"))


def write_json(path: Path, content: Any) -> None:
    """Write a staged JSON file."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a staged text, and the folders that lead to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
