"""The demo as it is pushed: app.py, the package's code, photos, this release's scores, and its card."""

import importlib
import shutil
from importlib.metadata import version
from pathlib import Path

from notclip.hub_cards.cards import space_card
from notclip.hub_cards.release import SPACE, Release

PACKAGES = ("recaption", "evaluate_metrics", "hub_cards", "space", "scripts")
CODE = (".py", ".yaml", ".css")
CONFIGS = ("captions", "questions", "retrieval")


def stage_space(release: Release, target: Path, *, results: Path) -> None:
    """Write the Space and its card; release.json, which it loads the models by, is every repository's.

    Args:
        release: the release.
        target: folder of the repository.
        results: folder of the results JSONs that its page shows.
    """
    # Photos that may not go out with the dataset do not go out here; then scenes of the drawn world are shown.
    write_space(target, results=results, dataset=release.dataset.folder if release.with_images else None)
    card = space_card(release, SPACE / "README.md").replace("SPACE_ID", release.repo_ids["space"])
    (target / "README.md").write_text(card, encoding="utf-8")


def write_space(target: Path, *, results: Path, dataset: Path | None) -> None:
    """Write all of a Space but its card and release.json.

    Args:
        target: a new folder.
        results: folder of the results JSONs that its page shows.
        dataset: the built dataset whose test split is shown; None for scenes of the drawn world.
    """
    target.mkdir(parents=True)
    for name in ("app.py", "requirements.txt"):
        shutil.copyfile(SPACE / name, target / name)
    shutil.copytree(SPACE / "assets", target / "assets")
    shutil.copytree(results, target / "results")
    for config in CONFIGS if dataset is not None else ():
        (target / "photos" / config).mkdir(parents=True)
        shutil.copyfile(Path(str(dataset)) / config / "test.parquet", target / "photos" / config / "test.parquet")
    _copy_package(target)


def _copy_package(target: Path) -> None:
    """Copy the package's code, without weights: the Space needs no registry, and runs what the release was made by."""
    package = target / "notclip"
    package.mkdir()
    for source in sorted(_folder_of("notclip").glob("*.py")):
        shutil.copyfile(source, package / source.name)
    for name in PACKAGES:
        folder = _folder_of(f"notclip.{name}")
        for source in sorted(folder.rglob("*")):
            if source.is_file() and source.suffix in CODE and source != SPACE / "app.py":
                copy = package / name / source.relative_to(folder)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, copy)
    number = version("notclip")
    metadata = target / f"notclip-{number}.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: notclip\nVersion: {number}\n", encoding="utf-8")


def _folder_of(package: str) -> Path:
    return Path(str(importlib.import_module(package).__file__)).parent
