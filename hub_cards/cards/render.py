"""Cards: each a template filled from a release's files, where a hole is an error."""

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jinja2
import yaml

from notclip.files.escapes import markdown_cell
from notclip.hub_cards.cards import dataset_contents, front_matter, tables
from notclip.hub_cards.cards.recipe import build_command, commands
from notclip.hub_cards.staging.release import Release
from notclip.scoring.report import number_format
from notclip.scoring.results import Figure

TEMPLATES = Path(__file__).parents[1] / "templates"


def render(template: str, facts: Mapping[str, Any]) -> str:
    """Fill a template.

    Raises:
        jinja2.UndefinedError: the template names a fact that is not there.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701  # Markdown, from our own files; what others wrote goes through `cell`.
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "cell": lambda cell: markdown_cell(str(cell)),
        "count": number_format.count,
        "percent": number_format.percent,
        "interval": number_format.percent_with_interval,
        "quoted": lambda text: json.dumps(text, ensure_ascii=False),
    }
    environment.globals["url"] = hub_url
    return environment.get_template(template).render(**facts)


def hub_url(repo_id: str, repo_type: str = "model") -> str:
    """Page of a repository."""
    kind = {"model": "", "dataset": "datasets/", "space": "spaces/"}[repo_type]
    return f"https://huggingface.co/{kind}{repo_id}"


def model_card(release: Release, form: str) -> str:
    """Card of one form of the model: `model`, `backbone`, `adapter` or `base`."""
    facts = _facts(release) | {
        "front_matter": front_matter.model_front_matter(release, form),
        "title": release.repo_ids[form].rpartition("/")[2],
        "tag": release.tag(form),
        "cited": {"name": release.repo_ids[form], "url": hub_url(release.repo_ids[form])},
        "weights_terms": _weights_terms(release, form),
    }
    return render(f"{form}.md", facts)


def dataset_card(release: Release, staged: Path) -> str:
    """Card of the dataset.

    Args:
        release: the release.
        staged: folder of the repository, whose Parquet files are there already.
    """
    facts = _facts(release) | {
        "front_matter": front_matter.dataset_front_matter(release, staged),
        "with_images": release.with_images,
        "image_url": release.image_url,
        "title": release.repo_ids["dataset"].rpartition("/")[2],
        "cited": {"name": release.repo_ids["dataset"], "url": hub_url(release.repo_ids["dataset"], "dataset")},
        "dataset": release.dataset,
        "build": release.dataset.build,
        "images": sum(release.dataset.build["images"].values()),
        "row_table": tables.row_counts(release.dataset),
        "evidence": tables.evidence(release.dataset),
        "wrong": tables.wrong_absences(release.dataset),
        "kinds": dataset_contents.kinds(release.dataset),
        "forms": dataset_contents.forms(release.dataset),
        "concepts": dataset_contents.concepts(release.dataset),
        "samples": dataset_contents.samples(release.dataset),
        "blind": tables.blind_accuracies(release.dataset),
        "build_command": build_command(release),
    }
    return render("dataset.md", facts)


def metric_card(release: Release, metric: str, written: Path) -> str:
    """Card of a metric: the one that stands beside its code, and what this release's models score by it."""
    data, text = front_matter.split_card(written)
    scores = tables.scores(release, metric)
    facts = _facts(release) | {
        "front_matter": _yaml(data),
        "text": text.strip(),
        "scores": scores,
        "metric_id": release.repo_ids[f"metrics/{metric}"],
        "metric": metric,
    }
    return render("metric.md", facts)


def space_card(release: Release, written: Path) -> str:
    """Card of the demo: the one that stands beside its code, with the models and data that it loads."""
    data, text = front_matter.split_card(written)
    ids = release.repo_ids
    data |= {"models": [release.base.repo_id, ids["model"]], "datasets": [ids["dataset"]]}
    return f"---\n{_yaml(data)}\n---\n{text.replace('SPACE_ID', ids['space'])}"


def _yaml(data: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(data), sort_keys=False, allow_unicode=True, width=1000).strip()


def _facts(release: Release) -> dict[str, Any]:
    caption, query = release.dataset.example_texts()
    return {
        "base": release.base,
        "labels": tables.model_names(release),
        "ids": {folder: repo_id for folder, repo_id in release.repo_ids.items()},
        "classes": release.classes,
        "caption": caption,
        "query": query,
        # SigLIP was trained on texts padded to their full length, and scores others wrongly.
        "padding": '"max_length"' if release.classes["model_type"].startswith("siglip") else "True",
        "training": release.training,
        "learnt": _learnt(release.training),
        "tolerance": release.training["config"]["recall_tolerance"],
        "suites": tables.suites(release),
        "forgotten": tables.forgotten(release),
        "ablation": tables.ablation(release),
        "choices": release.dataset.build["config"]["choices"],
        "source": _source(release),
        "headline": _headline(release),
        "commands": commands(release),
        "versions": {"notclip": version("notclip")},
        "version": release.version,
        "data_terms": _data_terms(release),
    }


def _learnt(training: Mapping[str, Any]) -> dict[str, Any]:
    """What was trained of which towers, and whether the base's image embeddings are this release's, too."""
    options = training["config"]
    towers = options.get("towers", "text")
    kind = {"lora": "LoRA", "dora": "DoRA", "rslora": "rsLoRA"}.get(options["variant"])
    return {
        "where": "both towers" if towers == "both" else f"the {towers} tower",
        "low_rank": kind,
        "named": "All weights, as an adapter," if kind is None else f"A {kind} adapter",
        "images": towers != "text",
        "moves_images": "image" in training.get("trained_towers", ()),
    }


def _source(release: Release) -> str:
    if release.dataset.source == "drawn-world":
        return "the drawn world, scenes drawn by NotCLIP's code in which presence and absence are known exactly"
    return release.dataset.source_name


def _headline(release: Release) -> dict[str, Figure]:
    base, notclip = release.scored["base"], release.scored["notclip"]
    return {
        "base": base.figure("macro_accuracy"),
        "notclip": notclip.figure("macro_accuracy"),
        "chance": base.figure("chance"),
        "recall_base": base.figure("recall@5"),
        "recall_notclip": notclip.figure("recall@5"),
    }


def _weights_terms(release: Release, form: str) -> str:
    if form == "adapter":
        return "the adapter's are Apache-2.0; the base's stay under its own licence."
    base = f"[{release.base.repo_id}]({hub_url(release.base.repo_id)})"
    stated = release.weights_license or release.base.license
    if form == "base":
        return f"{stated}." if stated else "not stated where they came from."
    if stated is None:
        return (
            f"they contain those of {base}, under the licence that it states; what was trained on top is Apache-2.0."
        )
    return f"{stated}, as those of {base} that they contain."


def _data_terms(release: Release) -> str:
    dataset = release.dataset
    if dataset.license is not None:
        return f"{dataset.license}. Source: {_source(release)}."
    return (
        f"the source, {_source(release)}, was not said to allow that its pictures and sentences are passed on; "
        "the published dataset holds ids, concepts, evidence and questions alone."
    )
