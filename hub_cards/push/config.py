"""Every option of `notclip push-release`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro


@dataclass(frozen=True)
class PushConfig:
    """Options of `notclip push-release`."""

    release: Annotated[Path, tyro.conf.Positional]
    """Folder that `notclip stage-release` or `notclip stage-reader` wrote."""
    dry_run: bool = False
    """Say what would change against what is on the Hub, and change nothing."""
    private: bool = False
    """Make the repositories and the collection that are missing private ones; those that exist stay as they are."""
    create_pr: bool = False
    """Open a pull request on each repository instead of committing. Once they are merged, push again without this
    option: it tags the version and fills the collection."""
    skip: tuple[str, ...] = ()
    """Folders of the release to leave out, such as space, or metrics/negated_mcq."""
