"""One split of a dataset of ours from the Hub, as files on this machine."""

from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OfflineModeIsEnabled

from notclip.errors import BadInputError


def download_split(dataset: str, *, split: str, revision: str | None = None) -> Path:
    """Download the Parquet files of a split, unless the Hub's cache has them.

    Args:
        dataset: id on the Hub, `user/name`.
        split: train, validation or test.
        revision: branch, tag or commit; the main branch when absent.

    Returns:
        The folder of the snapshot.

    Raises:
        BadInputError: there is no such dataset, it cannot be reached, or it has no such split.
    """
    patterns = [f"*/{split}.parquet", f"*/{split}-*-of-*.parquet"]
    try:
        folder = Path(snapshot_download(dataset, repo_type="dataset", revision=revision, allow_patterns=patterns))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError) as error:
        reason = " ".join(str(error).split())[:300]
        raise BadInputError(
            f"`suite` {dataset} is no file or folder here, and no dataset of the Hub that can be read: {reason}"
        ) from error
    if not any(folder.glob("*/*.parquet")):
        raise BadInputError(f"`suite` {dataset} on the Hub has no Parquet files of the split {split!r}.")
    return folder
