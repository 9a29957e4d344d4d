"""The loopback Hub answers the real client as the real Hub does, and keeps on disk what it was given."""

import io

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, HfFileSystem
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from notclip.loopback_hub.accounts import Account
from notclip.loopback_hub.hub import LoopbackHub
from notclip.loopback_hub.server import serve
from notclip.loopback_hub.store import Store, git_hash


@pytest.fixture
def hub(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    hub = LoopbackHub(tmp_path / "disk", [Account("ann"), Account("eve", role="read")])
    with serve(hub):
        yield hub


@pytest.fixture
def api(hub):
    return HfApi(endpoint=hub.url, token=hub.accounts[0].token)


def adding(**files):
    return [CommitOperationAdd(name.replace("__", "/"), io.BytesIO(data)) for name, data in files.items()]


def test_git_hashes_are_those_of_git():
    assert git_hash(b"hello\n") == "ce013625030ba8dba906f756967f9e9ca394464a"  # echo hello | git hash-object --stdin


def test_commits_change_all_their_files_or_none(api):
    api.create_repo("ann/a")
    first = api.create_commit("ann/a", adding(one=b"1", sub__two=b"2\0"), commit_message="first")
    with pytest.raises(HfHubHTTPError, match="412"):
        old = api.list_repo_commits("ann/a")[-1].commit_id
        api.create_commit("ann/a", adding(one=b"9", three=b"3"), commit_message="late", parent_commit=old)
    assert api.list_repo_files("ann/a") == [".gitattributes", "one", "sub/two"]
    operations = [*adding(three=b"3"), CommitOperationDelete("sub/")]
    api.create_commit("ann/a", operations, commit_message="second", parent_commit=first.oid)
    assert api.list_repo_files("ann/a") == [".gitattributes", "one", "three"]
    assert [commit.title for commit in api.list_repo_commits("ann/a")] == ["second", "first", "initial commit"]


def test_every_revision_stays_readable(api, tmp_path):
    api.create_repo("ann/a", repo_type="dataset")
    for text in (b"old", b"new"):
        info = api.create_commit("ann/a", adding(file=text), repo_type="dataset", commit_message="change")
        api.create_tag("ann/a", tag=text.decode(), repo_type="dataset", revision=info.oid)
    for revision, text in (("old", "old"), ("new", "new"), ("main", "new"), (info.oid, "new")):
        folder = tmp_path / revision
        file = api.hf_hub_download("ann/a", "file", repo_type="dataset", revision=revision, local_dir=folder)
        with open(file) as opened:  # noqa: PTH123
            assert opened.read() == text


def test_a_hub_made_again_on_its_disk_knows_everything(api, hub):
    api.create_repo("ann/a", private=True)
    api.create_commit("ann/a", adding(file=b"text"), commit_message="first")
    api.create_commit("ann/a", adding(file=b"better"), commit_message="a request", create_pr=True)
    api.create_collection("things", namespace="ann")
    again = Store(hub.root)
    assert again.repos == hub.store.repos
    assert again.collections == hub.store.collections


def test_what_is_missing_is_named_as_the_client_expects(api):
    api.create_repo("ann/a")
    with pytest.raises(RepositoryNotFoundError):
        api.repo_info("ann/nothing")
    with pytest.raises(RevisionNotFoundError):
        api.repo_info("ann/a", revision="v9")
    with pytest.raises(EntryNotFoundError):
        api.hf_hub_download("ann/a", "nothing.txt")
    with pytest.raises(RemoteEntryNotFoundError):
        list(api.list_repo_tree("ann/a", "folder"))


def test_private_repositories_are_seen_by_their_owner_alone(api, hub):
    api.create_repo("ann/secret", private=True)
    assert api.repo_info("ann/secret").private
    for token in (False, hub.accounts[1].token):
        with pytest.raises(RepositoryNotFoundError):
            HfApi(endpoint=hub.url, token=token).repo_info("ann/secret")


def test_a_token_that_reads_does_not_write(api, hub):
    eve = HfApi(endpoint=hub.url, token=hub.accounts[1].token)
    with pytest.raises(HfHubHTTPError, match="403"):
        eve.create_repo("eve/a")
    api.create_repo("ann/a")
    for create_pr in (False, True):
        with pytest.raises(HfHubHTTPError, match="403"):
            eve.create_commit("ann/a", adding(x=b"1"), commit_message="mine", create_pr=create_pr)


def test_large_files_are_stored_once_and_checked(api, hub):
    api.create_repo("ann/a")
    api.create_commit("ann/a", adding(**{"m.safetensors": b"w" * 5000}), commit_message="first")
    hub.log.clear()
    api.create_repo("ann/b")
    api.create_commit("ann/b", adding(**{"m.safetensors": b"w" * 5000}), commit_message="first")
    assert "lfs_upload" not in [route for route, _ in hub.log]
    (file,) = [entry for entry in api.list_repo_tree("ann/b") if entry.path == "m.safetensors"]
    assert (file.lfs.size, file.lfs.sha256) == (
        5000,
        hub.store.repos["models", "ann/b"].resolve("main").files["m.safetensors"].sha256,
    )


def test_parts_of_files_are_read_for_streaming(api, hub):
    api.create_repo("ann/a", repo_type="dataset")
    api.create_commit("ann/a", adding(digits=b"0123456789"), repo_type="dataset", commit_message="first")
    files = HfFileSystem(endpoint=hub.url, token=False)
    assert [entry["name"] for entry in files.ls("datasets/ann/a")] == [
        "datasets/ann/a/.gitattributes",
        "datasets/ann/a/digits",
    ]
    with files.open("datasets/ann/a/digits") as opened:
        opened.seek(3)
        assert opened.read(4) == b"3456"


@pytest.mark.parametrize(
    ("repo_type", "card", "said"),
    [
        ("space", "---\nsdk: streamlit\n---\n", '"sdk" must be one of'),
        ("space", "---\nsdk: gradio\ncolorFrom: mauve\n---\n", '"colorFrom" must be one of'),
        ("model", "---\nlicense: other\n---\n", '"license_name" and "license_link" are required'),
        ("model", "---\na: [\n---\n", "YAML Metadata Error"),
    ],
)
def test_cards_with_metadata_that_the_hub_refuses_are_refused(api, repo_type, card, said):
    api.create_repo("ann/a", repo_type=repo_type, space_sdk="gradio" if repo_type == "space" else None)
    with pytest.raises(ValueError, match=said):
        api.create_commit(
            "ann/a", adding(**{"README.md": card.encode()}), repo_type=repo_type, commit_message="a card"
        )


def test_a_repository_is_deleted_with_all_of_it(api, hub):
    api.create_repo("ann/a")
    api.delete_repo("ann/a")
    assert not api.repo_exists("ann/a")
    assert not Store(hub.root).repos
