"""The loopback Hub, which is shipped, holds against clients that are not ours: malformed and malicious requests."""

import base64
import hashlib
import json
from itertools import pairwise

import httpx2
import pytest
from huggingface_hub import HfApi

from notclip.loopback_hub.accounts import Account
from notclip.loopback_hub.hub import LoopbackHub
from notclip.loopback_hub.server import serve


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    root = tmp_path_factory.mktemp("hub")
    (root / "secret").write_text("of the machine")
    hub = LoopbackHub(root / "disk", [Account("ann"), Account("bob")])
    with serve(hub), pytest.MonkeyPatch.context() as patch:
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        HfApi(endpoint=hub.url, token=hub.accounts[0].token).create_repo("ann/a")
        yield hub


@pytest.fixture
def ask(hub):
    client = httpx2.Client(base_url=hub.url, headers={"Authorization": f"Bearer {hub.accounts[0].token}"})

    def ask(method, path, content):
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        return client.request(method, path, content=data, headers={"Content-Type": "application/json"})

    with client:
        yield ask


def lines(*entries):
    header = {"key": "header", "value": {"summary": "try"}}
    return b"\n".join(json.dumps(entry).encode() for entry in (header, *entries))


def file(path="a.txt", content="YQ=="):
    return {"key": "file", "value": {"path": path, "content": content, "encoding": "base64"}}


def large(oid, path="a.bin"):
    return {"key": "lfsFile", "value": {"path": path, "algo": "sha256", "oid": oid, "size": 1}}


COMMIT = "/api/models/ann/a/commit/main"
BATCH = "/ann/a.git/info/lfs/objects/batch"
PREUPLOAD = "/api/models/ann/a/preupload/main"


@pytest.mark.parametrize("oid", ["../../secret", "../collections.json", "/etc/passwd", "A" * 64, "a" * 63, ""])
def test_a_large_file_is_named_by_a_hash_and_by_nothing_else(hub, ask, oid):
    assert ask("POST", COMMIT, lines(large(oid))).status_code == 422
    assert ask("POST", BATCH, {"objects": [{"oid": oid, "size": 1}]}).status_code == 422
    quoted = oid.replace("/", "%2F") or "x"
    assert ask("PUT", f"/loopback-storage/ann/a/{quoted}", b"x").status_code in (404, 422)
    assert b"of the machine" not in ask("GET", "/ann/a/resolve/main/a.bin", b"").content


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", COMMIT, b"{"),
        ("POST", COMMIT, b"[]"),
        ("POST", COMMIT, b"\xff\xfe"),
        ("POST", COMMIT, b'{"key": "header"}'),
        ("POST", COMMIT, b'{"key": "header", "value": {"summary": 3}}'),
        ("POST", COMMIT, b'{"key": "header", "value": {}}'),
        ("POST", COMMIT, b"[" * 100_000),
        ("POST", COMMIT, lines({"key": ["file"], "value": {}})),
        ("POST", COMMIT, lines({"key": "steal", "value": {}})),
        ("POST", COMMIT, lines({"key": "deletedFile", "value": {"path": None}})),
        *(("POST", COMMIT, lines(file(path))) for path in ("../x", "/x", "a/../x", "a//b", ".git/hooks", "", "a\\b")),
        ("POST", COMMIT, lines(file("a\0b"))),
        ("POST", COMMIT, lines(file("x" * 2000))),
        ("POST", COMMIT, lines(file(content="no base64!"))),
        ("POST", COMMIT, lines(file(content=None))),
        ("POST", COMMIT, lines(file("README.md", base64.b64encode(b"---\nlicense: CC BY 4.0\n---\n").decode()))),
        ("POST", COMMIT, lines(file("README.md", base64.b64encode(b"---\ntags: 2026-99-99\n---\n").decode()))),
        ("POST", COMMIT, lines(file("README.md", base64.b64encode(b"---\na: 2026-09-09\n---\n").decode()))),
        ("POST", PREUPLOAD, {"files": {}}),
        ("POST", PREUPLOAD, {"files": ["a"]}),
        ("POST", PREUPLOAD, {"files": [{"path": "a", "size": -1, "sample": ""}]}),
        ("POST", PREUPLOAD, {"files": [{"path": "a", "size": "1", "sample": ""}]}),
        ("POST", PREUPLOAD, {"files": [{"path": "a", "size": 1, "sample": 1}]}),
        ("POST", BATCH, {"objects": [{"oid": "a" * 64}]}),
        ("POST", BATCH, []),
        ("POST", "/api/repos/create", {}),
        ("POST", "/api/repos/create", {"name": 3}),
        ("POST", "/api/repos/create", {"name": "x", "type": "bucket"}),
        ("POST", "/api/repos/create", {"name": "x", "type": ["model"]}),
        ("POST", "/api/repos/create", {"name": "x", "type": "space"}),
        ("DELETE", "/api/repos/delete", {"name": None}),
        ("POST", "/api/validate-yaml", {"content": 3}),
        ("POST", "/api/models/ann/a/tag/main", {"tag": "../../heads/main"}),
        ("POST", "/api/models/ann/a/tag/main", {"tag": 1}),
        ("POST", "/api/models/ann/a/branch/a..b", {}),
        ("POST", "/api/models/ann/a/paths-info/main", {"paths": "x"}),
        ("POST", "/api/collections", {"title": "t"}),
        ("POST", "/api/collections", {"title": "", "namespace": "ann"}),
    ],
)
def test_a_malformed_request_is_answered_with_400(ask, method, path, body):
    answer = ask(method, path, body)
    assert answer.status_code == 400, answer.text
    assert "error" in answer.json() or answer.json()["errors"]


def test_a_malformed_commit_changes_nothing(hub, ask):
    before = hub.store.repos["models", "ann/a"].resolve("main")
    ask("POST", COMMIT, lines(file("good.txt"), file("../bad.txt")))
    assert hub.store.repos["models", "ann/a"].resolve("main") == before


def test_only_who_was_given_an_address_uploads_to_it(hub, ask):
    data = b"large file"
    sha256 = hashlib.sha256(data).hexdigest()
    assert ask("PUT", f"/loopback-storage/ann/a/{sha256}", data).status_code == 403
    answer = ask("POST", BATCH, {"objects": [{"oid": sha256, "size": len(data)}]}).json()
    assert ask("PUT", answer["objects"][0]["actions"]["upload"]["href"], data).status_code == 200
    assert hub.store.blob(sha256).read_bytes() == data


@pytest.mark.parametrize("name", ["a--b", "x.git", "x" * 97, "é", "-x", "x.", "a..b"])
def test_names_that_the_hub_refuses_are_refused(hub, ask, name):
    answer = ask("POST", "/api/repos/create", {"name": name, "type": "model"})
    assert answer.status_code == 400
    assert "Invalid repo name" in answer.headers["X-Error-Message"]


@pytest.mark.parametrize(
    ("card", "said"),
    [
        ("license: CC BY 4.0", '"license" must be one of'),
        ("license: [mit, mine]", '"license" must be one of'),
        ("license: other", '"license_name" and "license_link" are required'),
        ("base_model: ../models/clip", '"base_model" with value "../models/clip" is not valid'),
        ("tags: [1]", '"tags" must be a string'),
        ("tags: &a [*a]", "YAML Metadata Error"),
        ("tags: !!int z", "YAML Metadata Error"),
        # A hundred million values in 300 bytes.
        (
            "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
            + "\n".join(f"{name}: &{name} [{', '.join([f'*{of}'] * 10)}]" for of, name in pairwise("abcdefgh")),
            "may hold 100,000 values, aliases written out",
        ),
    ],
)
def test_metadata_that_the_hub_refuses_is_refused(ask, card, said):
    answer = ask("POST", "/api/validate-yaml", {"content": f"---\n{card}\n---\nText.\n", "repoType": "model"})
    assert answer.status_code == 400
    assert said in answer.json()["errors"][0]["message"]
