"""The demo as it is pushed: space/app.py with all that it needs beside it, so that the Hub runs what was released.

`release.json`, which every repository has, pins the models that it loads; `results/` and `photos/` are what its pages
show; `notclip/` is the package's code at this release, since the Hub's machines have no other copy of it.
"""

import shutil
from importlib.metadata import version
from pathlib import Path

from notclip.hub_cards.cards.render import space_card
from notclip.hub_cards.staging.release import Release, folder_of

SPACE = folder_of("notclip.space")
TOP = ("app.py", "requirements.txt")
PARTS = ("dataset", "evaluate_metrics", "hub_cards", "recaption", "scoring", "scripts", "space")
# The released base is loaded from its own repository, and what stands at the top is not wanted twice.
NOT_PUSHED = ("__pycache__", "loopback_hub", "encoder", "assets", "README.md", *TOP)


def stage_space(release: Release, target: Path, *, results: Path, dataset: Path) -> None:
    """Write the Space's repository, but for release.json.

    Args:
        release: the release.
        target: folder of the repository.
        results: folder of the results JSONs that its pages show.
        dataset: the staged dataset, whose test split is searched if it has its pictures.
    """
    target.mkdir(parents=True)
    for name in TOP:
        shutil.copyfile(SPACE / name, target / name)
    shutil.copytree(SPACE / "assets", target / "assets")  # the pictures of its card
    package = folder_of("notclip")
    code = {path.relative_to(package).as_posix(): path for path in package.rglob("*") if path.is_file()}
    for part in PARTS:
        folder = folder_of(f"notclip.{part}")
        code |= {f"{part}/{path.relative_to(folder).as_posix()}": path for path in folder.rglob("*") if path.is_file()}
    for name, path in sorted(code.items()):
        if not set(Path(name).parts) & set(NOT_PUSHED):
            (target / "notclip" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / "notclip" / name)
    # Beside its code a package has its version, which importlib reads from here.
    metadata = target / f"notclip-{version('notclip')}.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: notclip\nVersion: {version('notclip')}\n", encoding="utf-8")
    shutil.copytree(results, target / "results")
    if release.with_images:
        for file in sorted(dataset.glob("*/test*.parquet")):
            copy = target / "photos" / file.relative_to(dataset)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
    (target / "README.md").write_text(space_card(release, SPACE / "README.md"), encoding="utf-8")
