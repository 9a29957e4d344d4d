"""`.eval_results/`: what a model scored, in the form that the Hub shows on its page beside the older model-index."""

from typing import Any

from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml

from notclip.hub_cards.cards.render import hub_url
from notclip.hub_cards.cards.tables import METRIC_PARTS
from notclip.hub_cards.staging.release import Release
from notclip.scoring.measures import labels
from notclip.scoring.report.number_format import percent_with_interval
from notclip.scoring.results import Results

FOLDER = ".eval_results"


def eval_result_files(release: Release, scored: Results) -> dict[str, list[dict[str, Any]]]:
    """File name -> its entries: one for each figure, a share, with its confidence interval as a note.

    A task is one figure, since an entry has one value.

    Args:
        release: the release.
        scored: what the model scored on the dataset's test split.
    """
    dataset = release.repo_ids["dataset"]
    files = {}
    for metric, parts in METRIC_PARTS.items():
        entries = [
            EvalResultEntry(
                dataset_id=dataset,
                task_id=task,
                dataset_revision=release.tag("dataset"),
                value=round(scored.figure(name).value, 4),
                source_url=hub_url(release.repo_ids[f"metrics/{metric}"], "space"),
                source_name=metric,
                notes=f"test split, 95 % CI: {percent_with_interval(scored.figure(name))} %",
            )
            for name, task in labels("task", parts=parts).items()
        ]
        files[f"{metric}.yaml"] = eval_result_entries_to_yaml(entries)
    return files
