"""The same push against the loopback Hub, and with NOTCLIP_REAL_HUB_TOKEN against huggingface.co; both clean up."""

import os
import secrets

import pytest
from huggingface_hub import HfApi

from notclip.hub_cards.push.config import PushConfig
from notclip.hub_cards.push.hub_client import HubClient
from notclip.hub_cards.push.push import push_release
from notclip.hub_cards.staging.staged_release import StagedRelease

TOKEN = os.environ.get("NOTCLIP_REAL_HUB_TOKEN")


def push_look_and_clean_up(api, write_stage):
    """Release something small under a name of its own, look at what came of it, and take it away again."""
    name = f"notclip-test-{secrets.token_hex(4)}"
    stage = write_stage(release=name, namespace=api.whoami()["name"], prefix=f"{name}-")
    release = StagedRelease.read(stage)
    options = PushConfig(stage, private=True, skip=("metrics/odds",))
    repos = [repo for repo in release.repos if repo.repo_type != "space"]
    try:
        push_release(HubClient(api), release, options)
        assert {plan.state for plan in push_release(HubClient(api), release, options)} == {"done"}
        for repo in repos:
            commits = api.list_repo_commits(repo.repo_id, repo_type=repo.repo_type)
            assert [commit.title for commit in commits] == [f"Release {name} 1.0.0", "initial commit"]
            files = set(api.list_repo_files(repo.repo_id, repo_type=repo.repo_type, revision=repo.tag))
            assert files == set(repo.files) | {".gitattributes"}
    finally:
        for collection in api.list_collections(owner=release.namespaces[0]):
            if collection.title == name:
                api.delete_collection(collection.slug)
        for repo in repos:
            api.delete_repo(repo.repo_id, repo_type=repo.repo_type, missing_ok=True)


def test_the_loopback_hub_takes_a_release_and_is_empty_again(hub, write_stage):
    push_look_and_clean_up(HfApi(endpoint=hub.url, token=hub.accounts[0].token), write_stage)
    assert not hub.store.repos
    assert not hub.store.collections


@pytest.mark.real_hub
@pytest.mark.skipif(not TOKEN, reason="set NOTCLIP_REAL_HUB_TOKEN to a token that writes")
def test_the_real_hub_takes_it_alike(write_stage, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "https://huggingface.co")
    push_look_and_clean_up(HfApi(endpoint="https://huggingface.co", token=TOKEN), write_stage)
