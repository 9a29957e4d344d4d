"""What one Space shows: models, photos and suites, from `release.json` beside app.py and from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from notclip.errors import BadInputError
from notclip.files.cache_folder import user_cache
from notclip.files.json_files import check_record, read_json_object
from notclip.space.photo_set import DRAWN_WORLD

RELEASE_FILE = "release.json"
PREFIX = "NOTCLIP_SPACE_"
ENCODER = Path(__file__).resolve().parents[1] / "recaption" / "drawn_world" / "encoder"
VARIABLES = ("RELEASE", "BASE", "MODEL", "PHOTOS", "MODELS", "SUITES", "CACHE")


@dataclass(frozen=True)
class ModelName:
    """A model: Hub id or folder, the revision of the Hub repository, and what pages call a folder."""

    name: str
    revision: str | None = None
    title: str | None = None

    @classmethod
    def read(cls, text: str) -> "ModelName":
        """Read `owner/name`, `owner/name@revision` or a folder."""
        name, at, revision = text.strip().rpartition("@")
        return cls(name, revision) if at and not Path(text).exists() else cls(text.strip())

    @property
    def label(self) -> str:
        """What the pages call it."""
        return self.title or Path(self.name).name

    @property
    def url(self) -> str | None:
        """Its page on the Hub; None for a folder."""
        if self.name.count("/") != 1 or Path(self.name).exists():
            return None
        return f"https://huggingface.co/{self.name}"


@dataclass(frozen=True)
class SpaceSettings:
    """All that can be set.

    Args:
        base: the ordinary model.
        model: NotCLIP; None composes the base as it is, with image statistics measured on the photos.
        photos: `drawn-world`, a dataset's folder, a folder of Parquet files, or a folder of pictures.
        models: further models that may be diagnosed.
        suites: further suites for it, folders or CSV files.
        cache: where image embeddings are kept.
        results: folder of the release's results JSONs, if there are any.
        links: name -> id of the released repositories, for the page about them.
    """

    base: ModelName
    model: ModelName | None
    photos: str
    models: tuple[ModelName, ...]
    suites: tuple[Path, ...]
    cache: Path
    results: Path | None
    links: Mapping[str, str]


def read_settings(here: Path, environment: Mapping[str, str] = os.environ) -> SpaceSettings:
    """Read the settings of the Space in a folder; variables of the environment come before its files.

    Args:
        here: the folder of app.py.
        environment: variables that begin with `NOTCLIP_SPACE_`; app.py describes them.

    Raises:
        BadInputError: a file or folder is not what it should be, or a variable is misspelt.
    """
    for name in environment:
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in VARIABLES:
            raise BadInputError(
                f"{name} is no setting of the Space; it knows {', '.join(PREFIX + v for v in VARIABLES)}."
            )
    given = {name: environment.get(PREFIX + name, "").strip() for name in VARIABLES}
    released = _read_release(here)
    results = here / "results" if (here / "results").is_dir() else None
    photos = str(here / "photos") if (here / "photos").is_dir() else DRAWN_WORLD
    if given["RELEASE"]:
        stage = Path(given["RELEASE"])
        released = _read_stage(stage)
        results = stage / "model" / "results"
        photos = str(stage / "dataset") if (stage / "dataset" / "questions").is_dir() else photos
    # Another base without its NotCLIP is composed as it is: the released model would be another model's.
    base = ModelName.read(given["BASE"]) if given["BASE"] else released.get("base")
    model = ModelName.read(given["MODEL"]) if given["MODEL"] else None if given["BASE"] else released.get("model")
    return SpaceSettings(
        base=base or ModelName(str(ENCODER), None, "drawn-world encoder"),
        model=model,
        photos=given["PHOTOS"] or photos,
        models=tuple(ModelName.read(name) for name in given["MODELS"].split(",") if name.strip()),
        suites=tuple(Path(name) for name in given["SUITES"].split(os.pathsep) if name),
        cache=Path(given["CACHE"]) if given["CACHE"] else user_cache() / "space",
        results=results if given["BASE"] == "" else None,
        links=released.get("links", {}),
    )


def _read_release(here: Path) -> dict[str, Any]:
    file = here / RELEASE_FILE
    if not file.is_file():
        return {}
    content = read_json_object(file)
    check_record(content, {"base": {"id": str}, "model": {"id": str}}, str(file))
    models = {role: ModelName(content[role]["id"], content[role].get("revision")) for role in ("base", "model")}
    return {**models, "links": content.get("links", {})}


def _read_stage(stage: Path) -> dict[str, Any]:
    manifest = stage / "manifest.json"
    if not manifest.is_file():
        raise BadInputError(
            f"{PREFIX}RELEASE must be a folder that `notclip stage-release` wrote, got {stage}, without manifest.json."
        )
    content = read_json_object(manifest, f"{PREFIX}RELEASE")
    check_record(content, {"repos": list}, str(manifest))
    for repo in content["repos"]:
        check_record(repo, {"folder": str, "repo_id": str}, str(manifest))
    repos = {repo["folder"]: repo for repo in content["repos"]}
    check_record(repos, {"model": {"refers_to": list}}, str(manifest))
    base = stage / "base" if "base" in repos else None
    # The first repository that the model refers to is its base, staged or on the Hub.
    links = {folder: repo["repo_id"] for folder, repo in repos.items()}
    titles = {folder: repo_id.rpartition("/")[2] for folder, repo_id in links.items()}
    named = ModelName(str(base), None, titles["base"]) if base else ModelName(repos["model"]["refers_to"][0])
    return {"base": named, "model": ModelName(str(stage / "model"), None, titles["model"]), "links": links}
