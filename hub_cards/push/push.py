"""A staged release to the Hub: each repository in one atomic commit, tagged, and all of them in one collection.

Broken off anywhere and started again it ends the same, because each step looks first at what is there: a commit whose
answer was lost is found by its files, an upload by its hash, a tag, a pull request and a collection by their names.
"""

from collections.abc import Sequence
from typing import Any

from huggingface_hub import CommitOperationAdd, CommitOperationDelete

from notclip.errors import BadInputError
from notclip.hub_cards.push.config import PushConfig
from notclip.hub_cards.push.hub_client import HubClient, is_passing, root_cause, status_of
from notclip.hub_cards.push.plan import (
    FileChanges,
    RepoPlan,
    check_namespace,
    file_changes,
    files_at,
    head_of,
    plan_release,
    tag_of,
)
from notclip.hub_cards.staging.staged_release import StagedRelease, StagedRepo

LONGEST_TITLE = 60


def push_release(client: HubClient, release: StagedRelease, config: PushConfig) -> list[RepoPlan]:
    """Push what is staged.

    Args:
        client: the Hub.
        release: what to push.
        config: the command's options.

    Returns:
        What was to be done about each repository when it began.

    Raises:
        BadInputError: what speaks against it, found before anything is changed; or what the Hub refused.
    """
    repos = _chosen(release, config.skip)
    if not (config.dry_run and client.api.token is False):
        check_namespace(client, release)
    plans = plan_release(client, release, repos)
    if config.dry_run:
        return plans
    refused: list[str] = []
    for plan in plans:
        try:
            _push_repo(client, release, plan, config)
        except Exception as error:
            if status_of(error) == 402:
                refused.append(plan.repo.folder)
                continue
            if status_of(error) is None:
                raise
            raise BadInputError(f"The Hub refused {plan.repo.repo_id}: {client.describe(error)}.") from None
    pushed = [plan.repo for plan in plans if plan.repo.folder not in refused]
    if not config.create_pr:
        _collect(client, release, pushed, private=config.private)
    if refused:
        raise BadInputError(
            f"The Hub wants a paid plan for the Spaces {', '.join(refused)} (HTTP 402: free accounts cannot always "
            "host Spaces that run Python); all else is released. Subscribe to PRO, or ask for a community grant, and "
            f"run the same command again; or leave them out: --skip {' '.join(refused)}."
        )
    return plans


def title_of(release: StagedRelease) -> str:
    """Title of commits and pull requests."""
    return f"Release {release.name} {release.version}"


def _chosen(release: StagedRelease, skip: Sequence[str]) -> list[StagedRepo]:
    folders = [repo.folder for repo in release.repos]
    for folder in skip:
        if folder not in folders:
            raise BadInputError(f"`skip` must name folders of the release ({', '.join(folders)}), got {folder!r}.")
    return [repo for repo in release.repos if repo.folder not in skip]


def _push_repo(client: HubClient, release: StagedRelease, plan: RepoPlan, config: PushConfig) -> None:
    repo = plan.repo
    head = plan.head
    if plan.state == "create":
        client.attempt(f"create {repo.repo_id}", lambda: _create(client, repo, private=config.private))
        head = head_of(client, repo)
    if plan.state in ("create", "update"):
        if config.create_pr:
            url = client.attempt(
                f"open a pull request on {repo.repo_id}", lambda: _open_pull_request(client, release, repo, head)
            )
            client.say(f"pull request  {url}")
            return
        head = client.attempt(f"commit to {repo.repo_id}", lambda: _commit(client, release, repo, head))
    if plan.state != "done" and not config.create_pr:
        client.attempt(f"tag {repo.repo_id}", lambda: _tag(client, release, repo, head))
    client.say(f"{'as it was' if plan.state == 'done' else 'released':13} {repo.repo_type:8}{repo.repo_id} {repo.tag}")


def _create(client: HubClient, repo: StagedRepo, *, private: bool) -> None:
    sdk = "gradio" if repo.repo_type == "space" else None
    client.api.create_repo(repo.repo_id, private=private, repo_type=repo.repo_type, space_sdk=sdk, exist_ok=True)


def _commit(client: HubClient, release: StagedRelease, repo: StagedRepo, parent: str | None) -> str:
    """Commit all changes on `parent` at once; returns the commit, be it from this call or one whose answer was lost.

    Raises:
        BadInputError: somebody else has committed since.
    """
    head = head_of(client, repo)
    if head is None:
        raise BadInputError(f"{repo.repo_id} was there a moment ago, and is gone: run the same command again.")
    difference = file_changes(repo, files_at(client, repo, head))
    if difference.is_empty:
        return head
    if head != parent:
        raise _moved(release, repo)
    try:
        info = client.api.create_commit(
            repo.repo_id,
            _operations(repo, difference),
            commit_message=title_of(release),
            commit_description=f"By notclip push-release, tagged {repo.tag}.",
            repo_type=repo.repo_type,
            parent_commit=parent,
        )
    except Exception as error:
        if status_of(error) != 412:
            raise
        # It may be our own commit that was first, its answer lost.
        head = head_of(client, repo)
        if head is not None and file_changes(repo, files_at(client, repo, head)).is_empty:
            return head
        raise _moved(release, repo) from None
    return info.oid


def _operations(repo: StagedRepo, changes: FileChanges) -> list[Any]:
    sent = [CommitOperationAdd(path_in_repo=name, path_or_fileobj=repo.path / name) for name in changes.sent]
    return [*sent, *(CommitOperationDelete(path_in_repo=name) for name in changes.deleted)]


def _moved(release: StagedRelease, repo: StagedRepo) -> BadInputError:
    return BadInputError(
        f"Somebody committed to {repo.repo_id} while this release was being pushed; nothing was overwritten. Look at "
        "that commit on the Hub, then run the same command again; --dry-run shows what it would change."
    )


def _open_pull_request(client: HubClient, release: StagedRelease, repo: StagedRepo, parent: str | None) -> str:
    """Open a pull request, or find the one that holds exactly this release; returns its address."""
    api = client.api
    page = {"model": "", "dataset": "datasets/", "space": "spaces/"}[repo.repo_type] + repo.repo_id
    open_ones = api.get_repo_discussions(
        repo.repo_id, repo_type=repo.repo_type, discussion_type="pull_request", discussion_status="open"
    )
    for pull in list(open_ones):
        if (
            pull.title == title_of(release)
            and file_changes(repo, files_at(client, repo, f"refs/pr/{pull.num}")).is_empty
        ):
            return f"{api.endpoint}/{page}/discussions/{pull.num}"
    difference = file_changes(repo, files_at(client, repo, parent or "main"))
    info = api.create_commit(
        repo.repo_id,
        _operations(repo, difference),
        commit_message=title_of(release),
        commit_description=f"By notclip push-release. Once merged, push again: it adds the tag {repo.tag}.",
        repo_type=repo.repo_type,
        create_pr=True,
        parent_commit=parent,
    )
    return str(info.pr_url)


def _tag(client: HubClient, release: StagedRelease, repo: StagedRepo, commit: str | None) -> None:
    client.api.create_tag(
        repo.repo_id,
        tag=repo.tag,
        tag_message=title_of(release),
        revision=commit,
        repo_type=repo.repo_type,
        exist_ok=True,
    )
    # A tag that somebody else made meanwhile is not moved.
    if tag_of(client, repo) != commit:
        raise _moved(release, repo)


def _collect(client: HubClient, release: StagedRelease, repos: Sequence[StagedRepo], *, private: bool) -> None:
    api = client.api
    title, namespace = release.name[:LONGEST_TITLE], release.namespaces[0]

    def find_or_make() -> Any:
        for known in api.list_collections(owner=namespace):
            if known.title == title:
                return api.get_collection(known.slug)
        return api.create_collection(
            title,
            namespace=namespace,
            description="What belongs to one release of NotCLIP: it understands what a text denies.",
            private=private,
            exists_ok=True,
        )

    try:
        collection = client.attempt(f"make the collection {title}", find_or_make)
        there = {(item.item_type, item.item_id) for item in collection.items}
        for repo in repos:
            if (repo.repo_type, repo.repo_id) not in there:
                client.attempt(
                    f"put {repo.repo_id} into the collection",
                    lambda repo=repo: api.add_collection_item(  # type: ignore[misc]
                        collection.slug, repo.repo_id, repo.repo_type, exists_ok=True
                    ),
                )
    except Exception as error:
        cause = root_cause(error)
        if status_of(cause) is None or is_passing(cause):
            raise
        raise BadInputError(
            f"All repositories are released, but the Hub refused the collection {title}: {client.describe(cause)}."
        ) from None
    client.say(f"{'collected':13} {api.endpoint}/collections/{collection.slug}")
