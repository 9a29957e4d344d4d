"""The demo as it is pushed: what stands in space/, with this release's scores and the revisions that it loads."""

import shutil
from pathlib import Path

from notclip.hub_cards.cards import space_card
from notclip.hub_cards.release import SPACE, Release

NOT_PUSHED = ("__pycache__", "__init__.py")


def stage_space(release: Release, target: Path, *, results: Path) -> None:
    """Copy the Space and write its card; release.json, which it loads the models by, is every repository's.

    Args:
        release: the release.
        target: folder of the repository.
        results: folder of the results JSONs that its page shows.
    """
    for path in sorted(SPACE.rglob("*")):
        name = path.relative_to(SPACE)
        if path.is_file() and not set(name.parts) & set(NOT_PUSHED) and name.name != "README.md":
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / name)
    shutil.copytree(results, target / "results")
    (target / "README.md").write_text(space_card(release, SPACE / "README.md"), encoding="utf-8")
