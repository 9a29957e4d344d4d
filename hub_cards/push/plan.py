"""What a push would change: each staged repository against what stands on the Hub, and what speaks against it."""

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError
from huggingface_hub.hf_api import RepoFile

from notclip.errors import BadInputError
from notclip.files.json_files import read_json_object
from notclip.hub_cards.push.hub_client import HubClient, status_of
from notclip.hub_cards.staging.manifest import RELEASE_FILE
from notclip.hub_cards.staging.staged_release import StagedRelease, StagedRepo

# What the Hub puts into a new repository by itself.
HUBS_OWN = frozenset({".gitattributes"})
SHOWN = 3

State = Literal["create", "update", "tag", "done"]


@dataclass(frozen=True)
class FileChanges:
    """Staged files against those of a commit, by path.

    Args:
        added: files that are not there.
        changed: files that differ.
        deleted: files of an earlier release that this one lacks.
        unchanged: files that are there already, and are not sent.
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()

    @property
    def sent(self) -> tuple[str, ...]:
        """Files to upload."""
        return self.added + self.changed

    @property
    def is_empty(self) -> bool:
        """Whether the commit holds exactly what is staged."""
        return not (self.sent or self.deleted)


@dataclass(frozen=True)
class RepoPlan:
    """What is to be done about one repository.

    Args:
        repo: as it is staged.
        state: `create` it, `update` its files, only `tag` what is there, or nothing (`done`).
        changes: of its files.
        head: commit of its main branch; None where it does not exist.
        earlier: version of the release that stands there.
        note: what a person should know.
    """

    repo: StagedRepo
    state: State
    changes: FileChanges
    head: str | None = None
    earlier: str | None = None
    note: str = ""

    @property
    def bytes_sent(self) -> int:
        """Size of the files to upload."""
        return sum(self.repo.files[name]["size"] for name in self.changes.sent)


def plan_release(client: HubClient, release: StagedRelease, repos: list[StagedRepo]) -> list[RepoPlan]:
    """Compare every repository with the Hub, and find all that speaks against pushing before anything is pushed.

    Raises:
        BadInputError: a repository belongs to somebody else's work, holds a newer release, or holds this version
            with other files.
    """
    return [plan_repo(client, release, repo) for repo in repos]


def plan_repo(client: HubClient, release: StagedRelease, repo: StagedRepo) -> RepoPlan:
    """Compare one repository with the Hub."""
    head = head_of(client, repo)
    if head is None:
        return RepoPlan(repo, "create", FileChanges(added=tuple(repo.files)))
    difference = file_changes(repo, files_at(client, repo, head))
    earlier = _check_it_is_ours(client, release, repo, head, difference)
    tagged = tag_of(client, repo)
    if tagged is not None:
        at_tag = difference if tagged == head else file_changes(repo, files_at(client, repo, tagged))
        if not at_tag.is_empty:
            raise BadInputError(
                f"{repo.tag} of {repo.repo_id} is out already, with other files "
                f"({_some(at_tag.sent + at_tag.deleted)}). A version does not change once it is out: stage the "
                "release with a new --version."
            )
        note = "" if difference.is_empty else f"main has moved on since {repo.tag} was pushed; it is left as it is"
        return RepoPlan(repo, "done", FileChanges(unchanged=difference.unchanged), head, note=note)
    if difference.is_empty:
        return RepoPlan(repo, "tag", difference, head)
    return RepoPlan(repo, "update", difference, head, earlier)


def head_of(client: HubClient, repo: StagedRepo) -> str | None:
    """The commit of a repository's main branch; None where there is no such repository."""
    try:
        info = client.attempt(
            f"look at {repo.repo_id}", lambda: client.api.repo_info(repo.repo_id, repo_type=repo.repo_type)
        )
    except RepositoryNotFoundError:
        return None
    return info.sha


def tag_of(client: HubClient, repo: StagedRepo) -> str | None:
    """The commit that this version's tag names, if it is there."""
    refs = client.attempt(
        f"list the tags of {repo.repo_id}",
        lambda: client.api.list_repo_refs(repo.repo_id, repo_type=repo.repo_type),
    )
    return next((ref.target_commit for ref in refs.tags if ref.name == repo.tag), None)


def files_at(client: HubClient, repo: StagedRepo, revision: str) -> dict[str, RepoFile]:
    """Path -> description of each file of a commit."""

    def listed() -> dict[str, RepoFile]:
        entries = client.api.list_repo_tree(repo.repo_id, recursive=True, revision=revision, repo_type=repo.repo_type)
        return {entry.path: entry for entry in entries if isinstance(entry, RepoFile)}

    return client.attempt(f"list the files of {repo.repo_id}", listed)


def file_changes(repo: StagedRepo, there: Mapping[str, RepoFile]) -> FileChanges:
    """Staged files against those of a commit, by their hashes."""
    same = {name for name in repo.files if name in there and _is_same(repo, name, there[name])}
    return FileChanges(
        added=tuple(name for name in repo.files if name not in there),
        changed=tuple(name for name in repo.files if name in there and name not in same),
        deleted=tuple(name for name in sorted(there) if name not in repo.files and name not in HUBS_OWN),
        unchanged=tuple(name for name in repo.files if name in same),
    )


def _is_same(repo: StagedRepo, name: str, there: RepoFile) -> bool:
    if there.size != repo.files[name]["size"]:
        return False
    if there.lfs is not None:
        return there.lfs.sha256 == repo.files[name]["sha256"]
    from huggingface_hub.utils.sha import git_hash

    return there.blob_id == git_hash((repo.path / name).read_bytes())


def _check_it_is_ours(
    client: HubClient, release: StagedRelease, repo: StagedRepo, head: str, difference: FileChanges
) -> str | None:
    """The version of the earlier release that stands in a repository; None in a new one.

    Raises:
        BadInputError: it holds something else, or a newer release.
    """
    others = difference.changed + difference.deleted
    if difference.is_empty or not (others or difference.unchanged):
        return None
    marker = _release_file(client, repo, head)
    # The metrics are the same whatever model they are released with; all else belongs to one release.
    is_shared = repo.folder.startswith("metrics/")
    if marker is None or not (is_shared or marker.get("name") == release.name):
        whose = f"the release {marker['name']}" if marker else "something that notclip did not put there"
        raise BadInputError(
            f"{repo.repo_id} exists and holds {whose} ({_some(others)}); nothing was uploaded. Stage the "
            "release under another --name or --namespace, or rename that repository on the Hub."
        )
    earlier = str(marker["version"])
    if not is_shared and _order(earlier) > _order(release.version):
        raise BadInputError(
            f"{repo.repo_id} holds version {earlier}, newer than the staged {release.version}: stage the release with "
            "a higher --version."
        )
    return earlier


def _release_file(client: HubClient, repo: StagedRepo, revision: str) -> dict[str, Any] | None:
    """What release.json says, the file by which a repository is known to be ours."""

    def read() -> dict[str, Any]:
        # Not into the cache: it is this run's business alone.
        with tempfile.TemporaryDirectory() as folder:
            file = client.api.hf_hub_download(
                repo.repo_id, RELEASE_FILE, repo_type=repo.repo_type, revision=revision, local_dir=folder
            )
            return read_json_object(Path(file))

    try:
        content = client.attempt(f"read {RELEASE_FILE} of {repo.repo_id}", read)
    except EntryNotFoundError:
        return None
    except BadInputError:  # Somebody else's file of that name.
        return None
    return content if {"name", "version", "made_with"} <= content.keys() else None


def check_namespace(client: HubClient, release: StagedRelease) -> None:
    """Find out whether the token may write where the release goes.

    Raises:
        BadInputError: it is refused, read-only, or the namespace is somebody else's or nobody's.
    """
    api = client.api
    try:
        account = client.attempt("ask the Hub who you are", api.whoami)
    except Exception as error:
        if status_of(error) not in (401, 403):
            raise
        raise BadInputError(
            "The Hub does not accept your token. Make a new one with write access at "
            "https://huggingface.co/settings/tokens and log in with `hf auth login --force`, or set HF_TOKEN to it."
        ) from None
    if account.get("auth", {}).get("accessToken", {}).get("role") == "read":
        raise BadInputError(
            f"The token of {account['name']} may only read. Make one with write access at "
            "https://huggingface.co/settings/tokens and log in with `hf auth login`, or set HF_TOKEN to it."
        )
    mine = [account["name"], *(org["name"] for org in account.get("orgs", []))]
    for namespace in release.namespaces:
        if namespace in mine:
            continue
        exists = any(
            _exists(client, namespace, look) for look in (api.get_user_overview, api.get_organization_overview)
        )
        problem = f"is not among yours ({', '.join(mine)})" if exists else "does not exist on the Hub"
        raise BadInputError(
            f"`namespace` {namespace} {problem}: stage the release with --namespace {account['name']}, or with an "
            "organisation in which you may write."
        )


def _exists(client: HubClient, namespace: str, look: Any) -> bool:
    try:
        client.attempt(f"look for {namespace}", lambda: look(namespace))
    except Exception as error:
        if status_of(error) != 404:
            raise
        return False
    return True


def _order(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))


def _some(names: tuple[str, ...]) -> str:
    rest = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")
