"""The cards of notclip-reader and its data set: filled from results, training record and labels alone."""

from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

from huggingface_hub import DatasetCardData, EvalResult, ModelCardData

from notclip.dataset.splits import SPLITS
from notclip.hub_cards.cards.front_matter import size_category
from notclip.hub_cards.cards.render import hub_url, render
from notclip.hub_cards.staging.dataset import config_info
from notclip.hub_cards.staging.reader import EVERYTHING, PUBLISHED, READERS, ReaderRelease, figure
from notclip.hub_cards.staging.reading_labels import features
from notclip.remote.negation_scope import read_scope
from notclip.remote.reading_tagger import Tagger
from notclip.scoring.report.number_format import count, percent_with_interval

TAGS = ["negation", "scope-resolution", "image-search"]
# The whole reader, the labels alone: what the model-index calls them.
METRICS = ("Texts read rightly, negation-scope", "Texts read rightly, token-classification")
READ, LABELLED = "a beach with no people or umbrellas", "a man without a red hat"


def reader_card(release: ReaderRelease, staged: Path) -> str:
    """Card of the model.

    Args:
        release: the release.
        staged: folder of the repository, whose weights are there already.
    """
    data = ModelCardData(
        language="en",
        license="apache-2.0",
        library_name="transformers",
        pipeline_tag="token-classification",
        tags=[*TAGS, "query-understanding", "custom_code"],
        datasets=[release.ids["dataset"]],
        model_name=release.ids["reader"].rpartition("/")[2],
        eval_results=[
            EvalResult(
                task_type="token-classification",
                task_name="What a text denies and affirms",
                dataset_type=release.ids["dataset"],
                dataset_name=release.ids["dataset"].rpartition("/")[2],
                dataset_split="test",
                metric_type="accuracy",
                metric_name=name,
                metric_value=round(release.rightly_read(PUBLISHED, reader).value, 4),
            )
            for reader, name in zip(READERS, METRICS, strict=True)
        ],
    )
    results = release.results
    facts = _facts(release, "reader", data.to_yaml(line_break="\n")) | {
        "read": READ,
        "reading": read_scope(READ),
        "labelled": LABELLED,
        "parts": _parts(LABELLED),
        "parameters": sum(weights.numel() for weights in Tagger.default().network.parameters()),
        "megabytes": f"{(staged / 'model.safetensors').stat().st_size / 1e6:.0f}",
        "table": _figures(release),
        "strings": results["random_strings"],
        "foreign": results["languages"]["all"]["left_whole"],
        "languages": [code for code in results["languages"] if len(code) == 2],
        "absent": results["reports"].get("ours"),
        "training": release.training,
    }
    return render("reader.md", facts)


def reading_data_card(release: ReaderRelease, staged: Path) -> str:
    """Card of the data set.

    Args:
        release: the release.
        staged: folder of the repository, whose Parquet files are there already.
    """
    labels = release.labels
    sizes = {split: len(rows) for split, rows in labels.rows.items()}
    paths = [{"split": split, "path": f"data/{split}.parquet"} for split in SPLITS]
    files = {path["split"]: [staged / path["path"]] for path in paths}
    data = DatasetCardData(
        language="en",
        license=labels.licenses,
        pretty_name="What a text denies",
        task_categories=["token-classification"],
        size_categories=size_category(sum(sizes.values())),
        annotations_creators="machine-generated",
        multilinguality="monolingual",
        tags=TAGS,
        configs=[{"config_name": "default", "data_files": paths}],
        dataset_info=config_info(features(), files, sizes),
    )
    facts = _facts(release, "dataset", data.to_yaml(line_break="\n")) | {
        "labels": labels,
        "sources": [(name, *labels.sources[name], counts) for name, counts in labels.counts().items()],
        "sizes": sizes,
        "example": next(row for row in labels.rows["train"] if row["denied"] and row["affirmed"]),
        "names": dict(enumerate(features()["tags"].feature.names)),
        "read": release.rightly_read(PUBLISHED, READERS[0]),
    }
    return render("reading_data.md", facts)


def _facts(release: ReaderRelease, folder: str, front_matter: str) -> dict[str, Any]:
    repo_id = release.ids[folder]
    return {
        "front_matter": front_matter.strip(),
        "title": repo_id.rpartition("/")[2],
        "ids": release.ids,
        "tag": release.tag,
        "version": release.version,
        "versions": {"notclip": version("notclip")},
        "cited": {"name": repo_id, "url": hub_url(repo_id, "dataset" if folder == "dataset" else "model")},
    }


def _figures(release: ReaderRelease) -> dict[str, Any]:
    """A table: texts of the test part that were read rightly, by source, for each reader that was measured."""
    of_all = release.results["rightly_read"][EVERYTHING]
    names = {"ours": "negation-scope", "labels alone": "token-classification"}
    readers = [*READERS, *sorted(set(of_all) - set(READERS))]
    rows = [
        [
            title,
            count(of_title[readers[0]]["texts"]),
            *(percent_with_interval(figure(of_title[reader])) for reader in readers),
        ]
        for title, of_title in release.results["rightly_read"].items()
    ]
    others = [f"{name}, told the phrases" for name in readers[2:]]
    return {"header": ["texts read rightly, %", "texts", *names.values(), *others], "rows": rows}


def _parts(text: str) -> list[tuple[str, str]]:
    """Neighbouring words of one role, with it: what the pipeline of labels says of a text."""
    words = read_scope(text, explain=True).words
    parts = [(role, list(of_role)) for role, of_role in groupby(words, lambda word: word.role)]
    return [(role, text[of_role[0].start : of_role[-1].end]) for role, of_role in parts]
