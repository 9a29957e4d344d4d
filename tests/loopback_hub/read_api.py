"""Routes that read: who one is, what a repository holds at a revision, and its files."""

from pathlib import PurePosixPath
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from notclip.loopback_hub.bodies import front_matter, json_body, value_of
from notclip.loopback_hub.hub import HubError, LoopbackHub
from notclip.loopback_hub.store import Commit, File, Repo


def read_routes(hub: LoopbackHub) -> list[Route]:
    """All routes that change nothing."""
    api = "/api/{kind:kind}/{id:id}"
    return [
        hub.route("/api/whoami-v2", "whoami", whoami),
        hub.route("/api/users/{name}/overview", "user", overview),
        hub.route("/api/organizations/{name}/overview", "organization", overview),
        hub.route(f"{api}/tree/{{revision:revision}}", "tree", tree),
        hub.route(f"{api}/tree/{{revision:revision}}/{{path:path}}", "tree", tree),
        hub.route(f"{api}/paths-info/{{revision:revision}}", "paths_info", paths_info, ["POST"]),
        hub.route(f"{api}/refs", "refs", refs),
        hub.route(f"{api}/commits/{{revision:revision}}", "commits", commits),
        hub.route(f"{api}/revision/{{revision:revision}}", "info", info),
        hub.route(api, "info", info),
        hub.route("/{prefix:prefix}{id:id}/resolve/{revision:revision}/{path:path}", "resolve", resolve, ["GET"]),
    ]


async def whoami(hub: LoopbackHub, request: Request) -> Response:
    """GET /api/whoami-v2."""
    account = hub.account(request)
    if account is None:
        raise HubError(401, "Invalid username or password.")
    return JSONResponse(account.whoami())


async def overview(hub: LoopbackHub, request: Request) -> Response:
    """GET /api/users/NAME/overview and /api/organizations/NAME/overview."""
    name = request.path_params["name"]
    users = {account.name for account in hub.accounts} | set(hub.namespaces)
    organizations = {org for account in hub.accounts for org in account.orgs}
    if name not in (users if "/users/" in request.url.path else organizations):
        raise HubError(404, "This user does not exist" if name else "Not found")
    return JSONResponse({"user": name, "name": name, "fullname": name, "avatarUrl": "", "type": "user"})


async def info(hub: LoopbackHub, request: Request) -> Response:
    """GET /api/KIND/ID and /api/KIND/ID/revision/REVISION."""
    repo = hub.repo(request)
    commit = hub.commit(request, repo)
    readme = commit.files.get("README.md")
    card = {} if readme is None else front_matter(hub.store.blob(readme.sha256).read_bytes())
    siblings: list[dict[str, Any]] = [{"rfilename": path} for path in sorted(commit.files)]
    if request.query_params.get("blobs"):
        siblings = [{"rfilename": path} | _blob(commit.files[path]) for path in sorted(commit.files)]
    first = list(repo.history(commit.id))[-1]
    content = {
        "_id": commit.id[:24],
        "id": repo.id,
        "author": repo.id.rpartition("/")[0],
        "sha": commit.id,
        "private": repo.private,
        "gated": False,
        "disabled": False,
        "createdAt": first.date,
        "lastModified": commit.date,
        "downloads": 0,
        "likes": 0,
        "tags": card.get("tags", []),
        "cardData": card,
        "siblings": siblings,
    }
    if repo.kind == "models":
        content |= {"modelId": repo.id} | {name: card.get(name) for name in ("library_name", "pipeline_tag")}
    if repo.kind == "spaces":
        content |= {"sdk": card.get("sdk", repo.sdk)}
    return JSONResponse(content)


async def tree(hub: LoopbackHub, request: Request) -> Response:
    """GET /api/KIND/ID/tree/REVISION[/PATH]."""
    repo = hub.repo(request)
    commit = hub.commit(request, repo)
    folder = request.path_params.get("path", "").strip("/")
    recursive = request.query_params.get("recursive", "").lower() in ("true", "1")
    entries = _entries(commit, folder)
    if folder and not entries:
        raise HubError(404, f"{folder} does not exist on {repo.id}", code="EntryNotFound")
    depth = len(PurePosixPath(folder).parts) + 1
    found = [entry for entry in entries if recursive or len(PurePosixPath(entry["path"]).parts) == depth]
    return JSONResponse(found)


async def paths_info(hub: LoopbackHub, request: Request) -> Response:
    """POST /api/KIND/ID/paths-info/REVISION."""
    repo = hub.repo(request)
    commit = hub.commit(request, repo)
    if request.headers.get("content-type", "").startswith("application/json"):
        asked = value_of(await json_body(request), "paths", list, [])
    else:
        asked = parse_qs((await request.body()).decode(errors="replace")).get("paths", [])
    wanted = {path.strip("/") for path in asked if isinstance(path, str)}
    return JSONResponse([entry for entry in _entries(commit, "") if entry["path"] in wanted])


async def refs(hub: LoopbackHub, request: Request) -> Response:
    """GET /api/KIND/ID/refs."""
    repo = hub.repo(request)
    found: dict[str, list[dict[str, str]]] = {"branches": [], "tags": [], "converts": [], "pullRequests": []}
    places = {"refs/heads/": "branches", "refs/tags/": "tags", "refs/pr/": "pullRequests"}
    for ref, target in sorted(repo.refs.items()):
        start = next(start for start in places if ref.startswith(start))
        found[places[start]].append({"name": ref.removeprefix(start), "ref": ref, "targetCommit": target})
    return JSONResponse(found)


async def commits(hub: LoopbackHub, request: Request) -> Response:
    """GET /api/KIND/ID/commits/REVISION."""
    repo = hub.repo(request)
    head = hub.commit(request, repo)
    return JSONResponse(
        [
            {
                "id": commit.id,
                "title": commit.title,
                "message": commit.description,
                "authors": [{"user": commit.author}],
                "date": commit.date,
            }
            for commit in repo.history(head.id)
        ]
    )


async def resolve(hub: LoopbackHub, request: Request) -> Response:
    """HEAD and GET /[KIND/]ID/resolve/REVISION/PATH."""
    repo = hub.repo(request)
    commit = hub.commit(request, repo)
    file = commit.files.get(request.path_params["path"])
    if file is None:
        raise HubError(404, "Entry not found", code="EntryNotFound")
    headers = {"ETag": f'"{file.oid}"', "X-Repo-Commit": commit.id, "Accept-Ranges": "bytes"}
    if file.lfs:
        headers |= {"X-Linked-Etag": f'"{file.sha256}"', "X-Linked-Size": str(file.size)}
    return FileResponse(hub.store.blob(file.sha256), headers=headers, media_type="application/octet-stream")


def repo_kind(repo: Repo) -> str:
    """`model`, `dataset` or `space`."""
    return repo.kind.removesuffix("s")


def _blob(file: File) -> dict[str, Any]:
    large = {"lfs": {"sha256": file.sha256, "size": file.size, "pointerSize": 134}} if file.lfs else {}
    return {"blobId": file.git_oid, "size": file.size} | large


def _entries(commit: Commit, folder: str) -> list[dict[str, Any]]:
    """Files and folders under a folder, by path."""
    start = f"{folder}/" if folder else ""
    files = {path: file for path, file in commit.files.items() if path.startswith(start)}
    folders = {str(parent) for path in files for parent in PurePosixPath(path).parents if str(parent) != "."}
    entries: list[dict[str, Any]] = [
        {"type": "directory", "path": path, "oid": commit.id, "size": 0} for path in folders if path.startswith(start)
    ]
    for path, file in files.items():
        large = {"lfs": {"oid": file.sha256, "size": file.size, "pointerSize": 134}} if file.lfs else {}
        entries.append({"type": "file", "path": path, "oid": file.git_oid, "size": file.size} | large)
    return sorted(entries, key=lambda entry: entry["path"])
