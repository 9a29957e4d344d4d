"""The YAML that opens each card: what the Hub indexes, filters by and shows beside it."""

from pathlib import Path
from typing import Any

from huggingface_hub import DatasetCardData, EvalResult, ModelCardData

from notclip.files.yaml_files import read_front_matter
from notclip.hub_cards.staging.dataset import dataset_info
from notclip.hub_cards.staging.release import FORM_ROLES, Release
from notclip.scoring.measures import shown_figures
from notclip.scoring.results import Results

TAGS = ["negation", "clip", "vision-language", "image-text-retrieval", "negbench"]


def model_front_matter(release: Release, form: str) -> str:
    """Front matter of a model card.

    Args:
        release: the release.
        form: `model`, `backbone`, `adapter` or `base`.
    """
    ids = release.repo_ids
    role = FORM_ROLES[form]
    title = ids[form].rpartition("/")[2]
    low_rank = [] if release.training["config"]["variant"] == "full" else ["lora"]
    options: dict[str, Any] = {
        "language": "en",
        "library_name": "peft" if form == "adapter" else "transformers",
        "pipeline_tag": "zero-shot-image-classification",
        "tags": TAGS + {"adapter": low_rank, "model": ["custom_code"]}.get(form, []),
        "model_name": title,
        "eval_results": eval_results(release, release.scored[role]),
    } | _license(release, form)
    if form != "base":
        options |= {"base_model": release.base.repo_id, "datasets": [ids["dataset"]]}
        options["base_model_relation"] = "adapter" if form == "adapter" else "finetune"
    return ModelCardData(**options).to_yaml(line_break="\n").strip()


def eval_results(release: Release, scored: Results) -> list[EvalResult]:
    """What a model scored on the dataset's test split, for the card's model-index."""
    return [
        EvalResult(
            task_type="zero-shot-image-classification",
            task_name="Negation: questions and retrieval",
            dataset_type=release.repo_ids["dataset"],
            dataset_name=release.repo_ids["dataset"].rpartition("/")[2],
            dataset_split="test",
            metric_type=shown.metric_type,
            metric_name=shown.index,
            metric_value=round(scored.figure(name).value, 4),
        )
        for name, _, shown in shown_figures()
        if shown.index
    ]


def dataset_front_matter(release: Release, staged: Path) -> str:
    """Front matter of the dataset card; its `configs` name each split's files, and `dataset_info` its features.

    Args:
        release: the release.
        staged: folder of the repository, whose Parquet files are there already.
    """
    dataset = release.dataset
    rows = sum(dataset.rows["captions"].values())
    options: dict[str, Any] = {
        "language": "en",
        "pretty_name": release.repo_ids["dataset"].rpartition("/")[2],
        "task_categories": ["image-to-text", "zero-shot-image-classification", "visual-question-answering"],
        "size_categories": size_category(rows),
        "annotations_creators": "machine-generated",
        "multilinguality": "monolingual",
        "tags": TAGS,
        "configs": [
            {
                "config_name": config,
                "data_files": dataset.data_files(config),
                **({"default": True} if config == "captions" else {}),
            }
            for config in dataset.rows
        ],
        "dataset_info": dataset_info(dataset, staged),
    }
    if dataset.license is not None:
        options["license"] = dataset.license
    else:
        options |= {"license": "other", "license_name": "annotations-only", "license_link": "README.md#licences"}
    return DatasetCardData(**options).to_yaml(line_break="\n").strip()


def split_card(path: Path) -> tuple[dict[str, Any], str]:
    """Front matter and text of a card that a person wrote."""
    card = path.read_text(encoding="utf-8")
    opening, _, text = card.split("---\n", 2)
    if opening.strip():
        raise ValueError(f"{path} must open with front matter between two lines of ---.")
    return read_front_matter(card, str(path)), text


def _license(release: Release, form: str) -> dict[str, str]:
    if form == "adapter":
        return {"license": "apache-2.0"}
    license_id = release.weights_license or release.base.license
    if license_id is not None:
        return {"license": license_id}
    # Merged weights contain the base's, whose licence only its own page can tell.
    link = f"https://huggingface.co/{release.base.repo_id}"
    return {"license": "other", "license_name": "that-of-the-base", "license_link": link}


def size_category(rows: int) -> str:
    """The Hub's word for how many rows a dataset has."""
    bounds = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
    return next((name for bound, name in bounds if rows < bound), "1M<n<10M" if rows < 10_000_000 else "10M<n<100M")
