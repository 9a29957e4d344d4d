"""Splits of a dataset of ours from the Hub, as files on this machine."""

import re
from collections.abc import Sequence
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OfflineModeIsEnabled

from notclip.errors import BadInputError

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def on_this_machine(data: Path, splits: Sequence[str], *, name: str = "data") -> Path:
    """The folder of a dataset: what is named, or a download of it where nothing here has that name but the Hub may.

    Args:
        data: a folder, or an id on the Hub, `user/name`.
        splits: train, validation, test or several of them.
        name: what an error calls the dataset.

    Raises:
        BadInputError: there is no such dataset, it cannot be reached, or it lacks a split.
    """
    if data.exists() or not _HUB_ID.fullmatch(data.as_posix()):
        return data
    return download_splits(data.as_posix(), splits, name=name)


def download_splits(dataset: str, splits: Sequence[str], *, name: str, revision: str | None = None) -> Path:
    """Download the Parquet files of some splits, unless the Hub's cache has them.

    Args:
        dataset: id on the Hub, `user/name`.
        splits: train, validation, test or several of them.
        name: what an error calls the dataset.
        revision: branch, tag or commit; the main branch when absent.

    Returns:
        The folder of the snapshot.

    Raises:
        BadInputError: there is no such dataset, it cannot be reached, or it lacks a split.
    """
    patterns = {split: (f"*/{split}.parquet", f"*/{split}-*-of-*.parquet") for split in splits}
    wanted = ["build.json", *(pattern for own in patterns.values() for pattern in own)]
    try:
        folder = Path(snapshot_download(dataset, repo_type="dataset", revision=revision, allow_patterns=wanted))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError) as error:
        reason = " ".join(str(error).split())[:300]
        raise BadInputError(
            f"`{name}` {dataset} is no file or folder here, and no dataset of the Hub that can be read: {reason}"
        ) from error
    for split, own in patterns.items():
        if not any(file for pattern in own for file in folder.glob(pattern)):
            raise BadInputError(f"`{name}` {dataset} on the Hub has no Parquet files of the split {split!r}.")
    return folder
