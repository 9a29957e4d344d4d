"""A staged release read back from its folder, and found to be exactly what its manifest says."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from notclip.errors import BadInputError
from notclip.files.json_files import check_record, read_json_object
from notclip.hub_cards.hub_rules import repo_id_problem
from notclip.hub_cards.staging.manifest import MANIFEST, file_hashes
from notclip.hub_cards.staging.secret_files import secret_in

SHOWN = 3


@dataclass(frozen=True)
class StagedRepo:
    """One repository of a staged release.

    Args:
        repo_id: its id on the Hub.
        repo_type: `model`, `dataset` or `space`.
        folder: its name in the stage.
        tag: the tag of this version.
        path: where its files are.
        files: path inside the repository -> `sha256` and `size`.
    """

    repo_id: str
    repo_type: str
    folder: str
    tag: str
    path: Path
    files: Mapping[str, Mapping[str, Any]]

    @property
    def size(self) -> int:
        """Of all files, in bytes."""
        return sum(file["size"] for file in self.files.values())


@dataclass(frozen=True)
class StagedRelease:
    """A staged release.

    Args:
        folder: where it is.
        name: of the release.
        version: that its tags name.
        repos: in the order of the manifest.
    """

    folder: Path
    name: str
    version: str
    repos: tuple[StagedRepo, ...]

    @property
    def namespaces(self) -> list[str]:
        """Owners of the repositories; one, unless the manifest was written by hand."""
        return sorted({repo.repo_id.partition("/")[0] for repo in self.repos})

    @classmethod
    def read(cls, folder: Path) -> "StagedRelease":
        """Read a folder that `notclip stage-release` or `notclip stage-reader` wrote and check every file in it.

        Raises:
            BadInputError: the manifest is missing or broken, a file differs from it, is not in it, looks like a
                secret or lies outside the folder.
        """
        manifest = folder / MANIFEST
        if not manifest.is_file():
            raise BadInputError(f"`release` {folder} holds no {MANIFEST}: name a folder of `notclip stage-release`.")
        content = read_json_object(manifest, "`release`")
        check_record(content, {"name": str, "version": str, "repos": list}, f"`release` {manifest}")
        try:
            repos = tuple(_read_repo(folder, repo) for repo in content["repos"])
            release = cls(folder, content["name"], content["version"], repos)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, BadInputError):
                raise
            problem = f"lacks {error}" if isinstance(error, KeyError) else str(error)
            raise BadInputError(f"{manifest} {problem}: stage the release again.") from error
        _check_everything_is_listed(release)
        for repo in release.repos:
            _check_files(repo)
        return release


def _read_repo(folder: Path, content: Mapping[str, Any]) -> StagedRepo:
    where = f"`release` {folder / MANIFEST}"
    texts = dict.fromkeys(("repo_id", "repo_type", "folder", "tag"), str)
    check_record(content, {**texts, "files": dict}, where)
    for name in content["files"]:
        check_record(content["files"], {name: {"sha256": str, "size": int}}, where)
    repo = StagedRepo(
        repo_id=content["repo_id"],
        repo_type=content["repo_type"],
        folder=content["folder"],
        tag=content["tag"],
        path=folder / content["folder"],
        files=content["files"],
    )
    if repo_id_problem(str(repo.repo_id)) or repo.repo_type not in ("model", "dataset", "space"):
        raise BadInputError(f"{folder / MANIFEST} names {repo.repo_type} {repo.repo_id!r}, which the Hub cannot have.")
    inside = folder.resolve()
    for name in (repo.folder, *(f"{repo.folder}/{file}" for file in repo.files)):
        path = folder / name
        # A symbolic link inside the stage may lead out of it, and so may "..".
        if not path.resolve().is_relative_to(inside) or ".." in Path(name).parts or path.is_symlink():
            raise BadInputError(f"{folder / MANIFEST} names {name!r}, which lies outside the staged folder.")
    return repo


def _check_everything_is_listed(release: StagedRelease) -> None:
    listed = {repo.path / name for repo in release.repos for name in repo.files} | {release.folder / MANIFEST}
    for path in sorted(release.folder.rglob("*")):
        if path.is_symlink():
            raise BadInputError(f"{path} is a link, which may lead out of the staged folder: take it away.")
        if path.is_file() and path not in listed:
            what = secret_in(path)
            because = f" and looks like a secret ({what})" if what else ""
            raise BadInputError(
                f"{path} is not in {MANIFEST}{because}: take it away, or stage the release again with --overwrite."
            )


def _check_files(repo: StagedRepo) -> None:
    for name in repo.files:
        if not (repo.path / name).is_file():
            raise BadInputError(f"{repo.path / name} is missing: stage the release again with --overwrite.")
        if what := secret_in(repo.path / name):
            raise BadInputError(
                f"{repo.path / name} looks like a secret ({what}) and is not uploaded: take it out of what "
                "`notclip stage-release` reads, and stage the release again."
            )
    found = file_hashes(repo.path)
    changed = [name for name in repo.files if dict(repo.files[name]) != found[name]]
    if changed:
        first = changed[0]
        others = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise BadInputError(
            f"{repo.path / first}{others} was changed after staging: its SHA-256 is {found[first]['sha256'][:12]}…, "
            f"not {repo.files[first]['sha256'][:12]}… as in {MANIFEST}. Change what it is made from, and stage the "
            "release again with --overwrite."
        )
