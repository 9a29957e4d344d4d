"""Routes that write: repositories, uploads, commits, tags and branches."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from notclip.hub_cards.hub_rules import repo_id_problem
from notclip.loopback_hub.bodies import (
    SPACE_SDKS,
    base64_of,
    checked_sha256,
    front_matter,
    json_body,
    json_object,
    metadata_errors,
    path_of,
    ref_name,
    sha256_of,
    value_of,
)
from notclip.loopback_hub.hub import PREFIXES, HubError, LoopbackHub, is_large
from notclip.loopback_hub.read_api import repo_kind
from notclip.loopback_hub.store import NameTakenError, StaleParentError


def write_routes(hub: LoopbackHub) -> list[Route]:
    """All routes that change repositories."""
    api = "/api/{kind:kind}/{id:id}"
    return [
        hub.route("/api/repos/create", "create_repo", create_repo, ["POST"]),
        hub.route("/api/repos/delete", "delete_repo", delete_repo, ["DELETE"]),
        hub.route("/api/validate-yaml", "validate_yaml", validate_yaml, ["POST"]),
        hub.route(f"{api}/preupload/{{revision:revision}}", "preupload", preupload, ["POST"]),
        hub.route("/{prefix:prefix}{id:id}.git/info/lfs/objects/batch", "lfs_batch", lfs_batch, ["POST"]),
        hub.route("/loopback-storage/{prefix:prefix}{id:id}/{sha256}", "lfs_upload", lfs_upload, ["PUT"]),
        hub.route(f"{api}/commit/{{revision:revision}}", "commit", commit, ["POST"]),
        hub.route(f"{api}/tag/{{revision:revision}}", "tag", tag, ["POST"]),
        hub.route(f"{api}/branch/{{revision:revision}}", "branch", branch, ["POST"]),
    ]


async def create_repo(hub: LoopbackHub, request: Request) -> Response:
    """POST /api/repos/create."""
    body = await json_body(request)
    account = hub.account(request)
    namespace = value_of(body, "organization", str, "") or (account.name if account else "")
    account = hub.check_may_write(request, namespace)
    kind, repo_id = _kind_of(body), f"{namespace}/{value_of(body, 'name', str)}"
    if problem := repo_id_problem(repo_id):
        raise HubError(400, f"Invalid repo name: {problem}")
    url = f"{hub.url}/{PREFIXES[kind]}{repo_id}"
    if (kind, repo_id) in hub.store.repos:
        raise HubError(409, f"You already created this {kind.removesuffix('s')} repo: {repo_id}", url=url)
    if kind == "spaces" and body.get("sdk") not in SPACE_SDKS:
        raise HubError(400, f'"sdk" must be one of {", ".join(SPACE_SDKS)}')
    if kind == "spaces" and body.get("sdk") in ("gradio", "docker") and not account.hosts_spaces:
        raise HubError(402, "Payment required: Spaces that run Python need a PRO subscription")
    private = body.get("visibility") == "private" or bool(body.get("private"))
    repo = hub.store.create_repo(kind, repo_id, private=private, sdk=body.get("sdk"), author=account.name)
    return JSONResponse({"url": url, "name": repo.id, "id": repo.id})


async def delete_repo(hub: LoopbackHub, request: Request) -> Response:
    """DELETE /api/repos/delete."""
    body = await json_body(request)
    namespace = value_of(body, "organization", str, "")
    account = hub.check_may_write(request, namespace or getattr(hub.account(request), "name", ""))
    key = (_kind_of(body), f"{namespace or account.name}/{value_of(body, 'name', str)}")
    if key not in hub.store.repos:
        raise HubError(404, "Repository not found", code="RepoNotFound")
    hub.store.delete_repo(hub.store.repos[key])
    return JSONResponse({})


async def validate_yaml(hub: LoopbackHub, request: Request) -> Response:
    """POST /api/validate-yaml: the rules on a card's metadata that a release can break."""
    body = await json_body(request)
    try:
        card = front_matter(value_of(body, "content", str).encode("utf-8", "replace"))
        errors = metadata_errors(card, repo_type=value_of(body, "repoType", str, "model"))
    except HubError as error:
        errors = [error.message]
    content: dict[str, Any] = {"errors": [{"message": message} for message in errors], "warnings": []}
    return JSONResponse(content, 400 if errors else 200)


async def preupload(hub: LoopbackHub, request: Request) -> Response:
    """POST /api/KIND/ID/preupload/REVISION: how each file is to be sent, and what is there already."""
    repo = hub.repo(request)
    _check_may_commit(hub, request, repo.id)
    head = hub.commit(request, repo)
    attributes = ""
    if ".gitattributes" in head.files:
        attributes = hub.store.blob(head.files[".gitattributes"].sha256).read_text(encoding="utf-8", errors="replace")
    answers = []
    for file in value_of(await json_body(request), "files", list):
        sample, path = base64_of(file, "sample"), path_of(file)
        mode = "lfs" if is_large(path, sample, value_of(file, "size", int), attributes) else "regular"
        there = {"oid": head.files[path].oid} if path in head.files else {}
        answers.append({"path": path, "uploadMode": mode, "shouldIgnore": False} | there)
    return JSONResponse({"files": answers, "commitOid": head.id})


async def lfs_batch(hub: LoopbackHub, request: Request) -> Response:
    """POST /[KIND/]ID.git/info/lfs/objects/batch: where to put the large files that are not there yet."""
    repo = hub.repo(request)
    _check_may_commit(hub, request, repo.id)
    objects = []
    for wanted in value_of(await json_body(request), "objects", list):
        sha256 = sha256_of(wanted)
        entry: dict[str, Any] = {"oid": sha256, "size": value_of(wanted, "size", int)}
        if not hub.store.blob(sha256).exists():
            hub.awaited.add(sha256)
            href = f"{hub.url}/loopback-storage/{PREFIXES[repo.kind]}{repo.id}/{sha256}"
            entry["actions"] = {"upload": {"href": href}}
        objects.append(entry)
    return JSONResponse({"transfer": "basic", "objects": objects})


async def lfs_upload(hub: LoopbackHub, request: Request) -> Response:
    """PUT to the address that the batch route gave."""
    sha256 = checked_sha256(request.path_params["sha256"])
    if sha256 not in hub.awaited:
        raise HubError(403, "Nobody was given this address")
    if not await hub.store.receive_blob(sha256, request.stream()):
        raise HubError(400, "The content does not have the hash that was announced")
    return Response()


async def commit(hub: LoopbackHub, request: Request) -> Response:
    """POST /api/KIND/ID/commit/REVISION: one line of JSON a change, all of them or none."""
    repo = hub.repo(request)
    create_pr = request.query_params.get("create_pr") in ("1", "true")
    author = _check_may_commit(hub, request, repo.id, create_pr=create_pr)
    header: dict[str, Any] = {}
    added, deleted = {}, set()
    for line in (await request.body()).splitlines():
        entry = json_object(line)
        key, value = value_of(entry, "key", str), value_of(entry, "value", dict)
        if key == "header":
            header = value
        elif key == "file":
            data = base64_of(value, "content")
            if path_of(value) == "README.md":
                _check_card(data, repo_kind(repo))
            added[path_of(value)] = hub.store.file(hub.store.add_blob(data), lfs=False)
        elif key == "lfsFile":
            sha256 = sha256_of(value)
            if not hub.store.blob(sha256).exists():
                raise HubError(400, f"LFS object {sha256} of {path_of(value)} was not uploaded")
            added[path_of(value)] = hub.store.file(sha256, lfs=True)
        elif key == "deletedFile":
            deleted.add(path_of(value))
        elif key == "deletedFolder":
            deleted.add(path_of(value).rstrip("/") + "/")
        else:
            raise HubError(400, f"Unknown operation {key!r:.100}")
    try:
        made, number = hub.store.commit(
            repo,
            request.path_params["revision"],
            added=added,
            deleted=deleted,
            parent=value_of(header, "parentCommit", str, "") or None,
            title=value_of(header, "summary", str),
            description=value_of(header, "description", str, ""),
            author=author,
            create_pr=create_pr,
        )
    except StaleParentError:
        message = "A commit has happened since. Please refresh and try again."
        raise HubError(412, message) from None
    page = f"{hub.url}/{PREFIXES[repo.kind]}{repo.id}"
    answer = {"success": True, "commitOid": made.id, "commitUrl": f"{page}/commit/{made.id}", "hookOutput": ""}
    if number is not None:
        answer["pullRequestUrl"] = f"{page}/discussions/{number}"
    return JSONResponse(answer)


async def tag(hub: LoopbackHub, request: Request) -> Response:
    """POST /api/KIND/ID/tag/REVISION."""
    return await _make_ref(hub, request, "refs/tags/", value_of(await json_body(request), "tag", str))


async def branch(hub: LoopbackHub, request: Request) -> Response:
    """POST /api/KIND/ID/branch/NAME."""
    return await _make_ref(hub, request, "refs/heads/", request.path_params["revision"])


async def _make_ref(hub: LoopbackHub, request: Request, start: str, name: str) -> Response:
    repo = hub.repo(request, write=True)
    commit = hub.commit(request, repo) if start == "refs/tags/" else repo.resolve("main")
    assert commit is not None
    try:
        hub.store.set_ref(repo, start + ref_name(name), commit)
    except NameTakenError:
        raise HubError(409, f"Reference already exists: {name} of this {repo_kind(repo)}") from None
    return JSONResponse({})


def _kind_of(body: dict[str, Any]) -> str:
    kind = f"{value_of(body, 'type', str, 'model')}s"
    if kind not in PREFIXES:
        raise HubError(400, f"Invalid repo type {kind!r:.100}")
    return kind


def _check_card(data: bytes, repo_type: str) -> None:
    if errors := metadata_errors(front_matter(data), repo_type=repo_type):
        raise HubError(400, f"Invalid metadata in README.md: {'; '.join(errors)}"[:2000])


def _check_may_commit(hub: LoopbackHub, request: Request, repo_id: str, *, create_pr: bool = False) -> str:
    """Who commits; anybody with a token that writes may open a pull request."""
    if not create_pr and request.query_params.get("create_pr") is None:
        return hub.check_may_write(request, repo_id.partition("/")[0]).name
    account = hub.account(request)
    if account is None or account.role == "read":
        raise HubError(403, "Forbidden: your token has no permission to write")
    return account.name
