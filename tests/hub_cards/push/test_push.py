"""What a push leaves on the Hub, and what it refuses, each on a Hub on 127.0.0.1 with the real client."""

import json
import os
import subprocess
import sys

import pytest

from notclip.errors import BadInputError
from notclip.loopback_hub.accounts import Account
from notclip.scripts import push_release as script


def routes(hub):
    return [route for route, _ in hub.log]


def test_a_release_becomes_one_commit_a_repository_tagged_and_collected(push, holds_exactly, write_stage, hub):
    stage = write_stage()
    push(stage)
    holds_exactly(stage)
    assert not hub.store.repos["models", "ann/tiny"].private
    assert hub.store.repos["models", "ann/tiny"].resolve("v1.0.0").title == "Release tiny 1.0.0"
    assert next(iter(hub.store.collections)).startswith("ann/tiny-")


def test_pushed_again_nothing_is_sent_and_nothing_is_committed(push, holds_exactly, write_stage, hub):
    stage = write_stage()
    push(stage)
    hub.log.clear()
    plans = push(stage)
    assert {plan.state for plan in plans} == {"done"}
    assert not {"preupload", "lfs_upload", "commit", "tag", "create_repo", "add_to_collection"} & set(routes(hub))
    holds_exactly(stage)


def test_a_new_version_sends_what_changed_and_takes_away_what_is_gone(push, holds_exactly, write_stage, hub):
    push(write_stage())
    files = {"model/README.md": b"Better.\n", "model/empty.txt": None, "model/new.json": b"{}"}
    stage = write_stage("next", version="1.1.0", files=files)
    hub.log.clear()
    model, dataset, metric = push(stage)
    assert (model.changes.added, model.changes.changed, model.changes.deleted) == (
        ("new.json",),
        ("README.md", "release.json"),
        ("empty.txt",),
    )
    assert model.changes.unchanged == ("model.safetensors",)
    assert (model.earlier, dataset.earlier, metric.earlier) == ("1.0.0",) * 3
    assert "lfs_upload" not in routes(hub)  # The weights are there already.
    holds_exactly(stage, commits=2)
    tiny = hub.store.repos["models", "ann/tiny"]
    assert tiny.resolve("v1.0.0").files["empty.txt"].size == 0


def test_dry_run_says_what_would_change_and_changes_nothing(push, write_stage, hub, tmp_path):
    stage = write_stage()
    plans = push(stage, dry_run=True)
    assert [plan.state for plan in plans] == ["create"] * 3
    assert not hub.store.repos and not hub.store.collections
    push(stage)
    before = {path: path.read_bytes() for path in hub.root.rglob("*") if path.is_file()}
    assert push(write_stage("next", version="2.0.0"), dry_run=True)[0].changes.changed == ("release.json",)
    assert {path: path.read_bytes() for path in hub.root.rglob("*") if path.is_file()} == before


def test_private_makes_repositories_and_collection_private(push, write_stage, hub):
    push(write_stage(), private=True)
    assert all(repo.private for repo in hub.store.repos.values())
    assert all(collection["private"] for collection in hub.store.collections.values())


def test_skipped_folders_are_left_out(push, write_stage, hub):
    push(write_stage(), skip=("metrics/odds",))
    assert set(hub.store.repos) == {("models", "ann/tiny"), ("datasets", "ann/tiny-data")}
    with pytest.raises(BadInputError, match=r"`skip` .*folders of the release \(model, .*got 'space'"):
        push(write_stage(), skip=("space",))


def test_pull_requests_hold_the_release_are_opened_once_and_tagged_when_merged(push, write_stage, hub):
    push(write_stage())
    stage = write_stage("next", version="1.1.0", files={"model/README.md": b"Better.\n"})
    push(stage, create_pr=True)
    push(stage, create_pr=True)
    tiny = hub.store.repos["models", "ann/tiny"]
    assert {number: pull["title"] for number, pull in tiny.pulls.items()} == {1: "Release tiny 1.1.0"}
    assert hub.store.blob(tiny.resolve("refs/pr/1").files["README.md"].sha256).read_bytes() == b"Better.\n"
    assert len(list(tiny.history("main"))) == 2
    assert "refs/tags/v1.1.0" not in tiny.refs
    for repo in hub.store.repos.values():
        hub.store.merge(repo, 1)
    assert [plan.state for plan in push(stage)] == ["tag"] * 3
    assert tiny.refs["refs/tags/v1.1.0"] == tiny.refs["refs/heads/main"] == tiny.refs["refs/pr/1"]


def test_two_releases_share_the_metrics_of_a_namespace(push, write_stage, hub):
    push(write_stage())
    metrics = {"metrics/odds/README.md": b"---\nsdk: gradio\n---\nScores of the other.\n"}
    stage = write_stage("other", release="other", files=metrics)
    manifest = json.loads((stage / "manifest.json").read_text())
    for repo in manifest["repos"][:2]:
        repo["repo_id"] = repo["repo_id"].replace("tiny", "other")
    (stage / "manifest.json").write_text(json.dumps(manifest))
    push(stage)
    odds = hub.store.repos["spaces", "ann/odds"]
    assert {ref for ref in odds.refs if "tags" in ref} == {"refs/tags/tiny-v1.0.0", "refs/tags/other-v1.0.0"}


# -- what is refused -------------------------------------------------------------------------------------------------


def commit_by_hand(hub, repo_id="ann/tiny", kind="models", **files):
    repo = hub.store.repos.get((kind, repo_id)) or hub.store.create_repo(
        kind, repo_id, private=False, sdk=None, author="bob"
    )
    added = {name: hub.store.file(hub.store.add_blob(data), lfs=False) for name, data in files.items()}
    options = {"deleted": set(), "parent": None, "title": "by hand", "description": "", "author": "bob"}
    return hub.store.commit(repo, "main", added=added, **options)[0]


def test_a_repository_with_other_work_is_never_touched_and_stops_the_push_before_it_begins(push, write_stage, hub):
    before = commit_by_hand(hub, "ann/odds", "spaces", **{"thesis.txt": b"years"})
    with pytest.raises(BadInputError, match=r"ann/odds .*notclip did not.*thesis\.txt"):
        push(write_stage())
    assert set(hub.store.repos) == {("spaces", "ann/odds")}
    assert hub.store.repos["spaces", "ann/odds"].resolve("main") == before


def test_another_release_of_the_same_repository_name_is_a_clash(push, write_stage):
    push(write_stage())
    with pytest.raises(BadInputError, match=r"ann/tiny .*release tiny .*--name"):
        push(write_stage("next", release="other"))


def test_a_version_that_is_out_does_not_change(push, write_stage, hub):
    push(write_stage())
    with pytest.raises(BadInputError, match=r"v1\.0\.0 of ann/tiny .*\(README\.md\).*--version"):
        push(write_stage("next", files={"model/README.md": b"Changed.\n"}))


def test_a_newer_release_in_place_is_not_replaced_by_an_older(push, write_stage):
    push(write_stage(version="1.10.0"))
    with pytest.raises(BadInputError, match=r"1\.10\.0.*newer.*1\.9\.0"):
        push(write_stage("next", version="1.9.0"))


def test_an_edit_on_the_hub_after_the_release_is_left_as_it_is(push, write_stage, hub):
    stage = write_stage()
    push(stage)
    edit = commit_by_hand(hub, **{"README.md": b"A better card.\n"})
    plan = push(stage)[0]
    assert plan.note.startswith("main has moved on since v1.0.0")
    assert hub.store.repos["models", "ann/tiny"].resolve("main") == edit


def test_a_commit_of_somebody_else_meanwhile_is_reported_and_kept(push, write_stage, hub):
    push(write_stage())
    theirs = []

    def somebody_commits(route):
        if route == "commit" and not theirs:
            theirs.append(commit_by_hand(hub, **{"notes.txt": b"mine"}))

    hub.before_request = somebody_commits
    with pytest.raises(BadInputError, match=r"ann/tiny .*nothing was overwritten"):
        push(write_stage("next", version="1.1.0"))
    assert hub.store.repos["models", "ann/tiny"].resolve("main") == theirs[0]


def test_a_space_that_costs_money_is_told_and_the_rest_is_released(push, write_stage, hub):
    hub.accounts = [Account("ann", hosts_spaces=False)]
    with pytest.raises(BadInputError, match=r"metrics/odds .*HTTP 402.*--skip metrics/odds"):
        push(write_stage())
    assert set(hub.store.repos) == {("models", "ann/tiny"), ("datasets", "ann/tiny-data")}
    (collection,) = hub.store.collections.values()
    assert len(collection["items"]) == 2


@pytest.mark.parametrize(
    ("user", "namespace", "said"),
    [
        ("eve", "eve", r"token of eve .*only read.*settings/tokens"),
        ("ann", "nobody", r"`namespace` nobody .*not exist.*--namespace ann"),
        ("ann", "somebody", r"`namespace` somebody .*not among yours \(ann, lab\)"),
        ("bob", "ann", r"`namespace` ann .*not among yours \(bob\)"),
    ],
)
def test_who_may_not_write_there_is_told_before_anything_is_made(push, write_stage, hub, user, namespace, said):
    with pytest.raises(BadInputError, match=said):
        push(write_stage(namespace=namespace), user=user)
    assert not hub.store.repos


def test_a_wrong_token_is_told_without_being_shown(push, write_stage, hub):
    account = hub.accounts[0]
    hub.accounts = [Account("ann")]
    hub.accounts, wrong = [*hub.accounts, account], account.token
    hub.accounts = hub.accounts[:1]
    with pytest.raises(BadInputError, match="not accept your token") as error:
        push_with_token(hub, write_stage(), wrong)
    assert wrong not in str(error.value)


def push_with_token(hub, stage, token):
    from huggingface_hub import HfApi

    from notclip.hub_cards.push.config import PushConfig
    from notclip.hub_cards.push.hub_client import HubClient
    from notclip.hub_cards.push.push import push_release
    from notclip.hub_cards.staging.staged_release import StagedRelease

    client = HubClient(HfApi(endpoint=hub.url, token=token), wait=lambda seconds: None)
    return push_release(client, StagedRelease.read(stage), PushConfig(stage))


def test_an_organisation_in_which_one_may_write_is_fine(push, write_stage, holds_exactly):
    stage = write_stage(namespace="lab")
    push(stage)
    holds_exactly(stage)


# -- the command -----------------------------------------------------------------------------------------------------


def test_without_a_token_the_command_says_where_to_get_one(write_stage, capsys, monkeypatch):
    monkeypatch.delenv("HF_TOKEN", raising=False)
    assert script.main([str(write_stage())]) == 2
    assert "No token of the Hub was found. Make one with write access" in capsys.readouterr().err


def test_the_token_is_nowhere_in_what_the_command_prints_or_writes(write_stage, hub, tmp_path):
    token = hub.accounts[0].token
    environment = os.environ | {
        "HF_ENDPOINT": hub.url,
        "HF_TOKEN": token,
        "HF_HUB_OFFLINE": "0",
        "HF_HOME": str(tmp_path / "home"),
        "HF_DEBUG": "1",
    }
    command = [sys.executable, "-m", "notclip.scripts.push_release", str(write_stage())]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "released      model   ann/tiny v1.0.0" in done.stdout
    assert "curl" in done.stderr  # HF_DEBUG=1 logs every request.
    assert token not in done.stdout + done.stderr
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or token.encode() not in path.read_bytes(), path
