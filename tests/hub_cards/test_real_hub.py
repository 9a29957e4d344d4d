"""The same push against huggingface.co: runs only with NOTCLIP_REAL_HUB_TOKEN, a token that writes, and cleans up."""

import os
import secrets

import pytest
from huggingface_hub import HfApi

from notclip.hub_cards.hub_client import HubClient
from notclip.hub_cards.push import push_release
from notclip.hub_cards.push_config import PushConfig
from notclip.hub_cards.staged_release import StagedRelease

TOKEN = os.environ.get("NOTCLIP_REAL_HUB_TOKEN")


@pytest.mark.real_hub
@pytest.mark.skipif(not TOKEN, reason="set NOTCLIP_REAL_HUB_TOKEN to a token that writes")
def test_the_real_hub_takes_a_release_as_the_loopback_hub_does(write_stage, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "https://huggingface.co")
    api = HfApi(endpoint="https://huggingface.co", token=TOKEN)
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
