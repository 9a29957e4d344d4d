"""A stage that was touched, or that holds what must not go out, is not pushed."""

import json

import pytest

from notclip.errors import BadInputError
from notclip.hub_cards.staging.secret_files import secret_in
from notclip.hub_cards.staging.staged_release import StagedRelease


def test_what_is_read_is_what_was_staged(write_stage):
    release = StagedRelease.read(write_stage())
    assert (release.name, release.version, release.namespaces) == ("tiny", "1.0.0", ["ann"])
    assert [repo.tag for repo in release.repos] == ["v1.0.0", "v1.0.0", "tiny-v1.0.0"]
    assert release.repos[1].size == sum(f.stat().st_size for f in (release.folder / "dataset").rglob("*.*"))


def test_a_file_edited_by_hand_is_refused_by_name(write_stage):
    stage = write_stage()
    (stage / "model" / "README.md").write_text("Better than ever: 99.9 %.\n")
    with pytest.raises(BadInputError, match=r"model/README\.md .*SHA-256.*--overwrite"):
        StagedRelease.read(stage)


def test_a_file_that_is_gone_or_came_later_is_refused_by_name(write_stage):
    stage = write_stage()
    (stage / "model" / "notes.txt").write_text("forgotten here\n")
    with pytest.raises(BadInputError, match=r"model/notes\.txt .*manifest\.json"):
        StagedRelease.read(stage)
    (stage / "model" / "notes.txt").unlink()
    (stage / "dataset" / "a" / "test.parquet").unlink()
    with pytest.raises(BadInputError, match=r"a/test\.parquet is missing"):
        StagedRelease.read(stage)


def test_a_link_out_of_the_stage_is_refused(write_stage, tmp_path):
    stage = write_stage()
    (tmp_path / "outside.txt").write_text("not yours")
    (stage / "model" / "link.txt").symlink_to(tmp_path / "outside.txt")
    with pytest.raises(BadInputError, match=r"link\.txt is a link"):
        StagedRelease.read(stage)


@pytest.mark.parametrize("path", ["../outside.txt", "a/../../outside.txt"])
def test_a_manifest_that_leads_out_of_the_stage_is_refused(write_stage, path):
    stage = write_stage()
    manifest = json.loads((stage / "manifest.json").read_text())
    manifest["repos"][0]["files"][path] = {"sha256": "0" * 64, "size": 1}
    (stage / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BadInputError, match="outside the staged folder"):
        StagedRelease.read(stage)


@pytest.mark.parametrize(("text", "said"), [("{", "Expecting property name"), ('{"name": "x"}', "lacks 'version'")])
def test_a_broken_manifest_is_refused(write_stage, text, said):
    stage = write_stage()
    (stage / "manifest.json").write_text(text)
    with pytest.raises(BadInputError, match=said):
        StagedRelease.read(stage)


def test_a_folder_without_manifest_is_no_release(tmp_path):
    with pytest.raises(BadInputError, match=r"manifest\.json.*`notclip stage-release`"):
        StagedRelease.read(tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (".env", "X=1"),
        ("server.pem", ""),
        ("id_ed25519", ""),
        ("token", "abc"),
        ("notes.md", "use hf_" + "a1B2" * 9),
        ("config.json", '{"key": "AKIA' + "Q7" * 8 + '"}'),
        ("key.txt", "-----BEGIN OPENSSH PRIVATE KEY-----"),
        ("run.py", "token = 'ghp_" + "x9" * 18 + "'"),
    ],
)
def test_files_that_look_like_secrets_are_refused_without_being_quoted(write_stage, name, content):
    stage = write_stage(files={f"model/{name}": content.encode()})
    with pytest.raises(BadInputError, match="looks like a secret") as error:
        StagedRelease.read(stage)
    assert name in str(error.value)
    assert not content or len(content) < 10 or content[5:] not in str(error.value)


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json", "README.md", "environment.yaml"])
def test_ordinary_files_are_no_secrets(tmp_path, name):
    (tmp_path / name).write_text("hf_token and hf_hub_download are names; sk-learn is a library\n")
    assert secret_in(tmp_path / name) is None
