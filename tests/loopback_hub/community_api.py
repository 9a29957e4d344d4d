"""Routes of collections and pull requests."""

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from notclip.loopback_hub.bodies import json_body, value_of
from notclip.loopback_hub.hub import HubError, LoopbackHub
from notclip.loopback_hub.read_api import repo_kind


def community_routes(hub: LoopbackHub) -> list[Route]:
    """All routes of collections and pull requests."""
    return [
        hub.route("/api/{kind:kind}/{id:id}/discussions", "discussions", discussions),
        hub.route("/api/collections", "list_collections", list_collections),
        hub.route("/api/collections", "create_collection", create_collection, ["POST"]),
        hub.route("/api/collections/{owner}/{name}", "collection", get_collection),
        hub.route("/api/collections/{owner}/{name}", "delete_collection", delete_collection, ["DELETE"]),
        hub.route("/api/collections/{owner}/{name}/items", "add_to_collection", add_item, ["POST"]),
    ]


async def discussions(hub: LoopbackHub, request: Request) -> Response:
    """GET /api/KIND/ID/discussions: all are pull requests here."""
    repo = hub.repo(request)
    wanted = request.query_params.get("status")
    found = [
        {
            "num": number,
            "title": pull["title"],
            "author": {"name": pull["author"]},
            "createdAt": pull["date"],
            "status": pull["status"],
            "repo": {"name": repo.id, "type": repo_kind(repo)},
            "isPullRequest": True,
        }
        for number, pull in repo.pulls.items()
        if wanted in (None, "all", pull["status"])
    ]
    return JSONResponse({"discussions": found, "count": len(found), "start": 0})


async def list_collections(hub: LoopbackHub, request: Request) -> Response:
    """GET /api/collections?owner=…."""
    owners = request.query_params.getlist("owner")
    account = hub.account(request)
    found = [
        collection
        for collection in hub.store.collections.values()
        if (not owners or collection["owner"]["name"] in owners)
        and (not collection["private"] or (account and account.owns(collection["owner"]["name"])))
    ]
    # A list says by its order what a single collection says by its position.
    return JSONResponse(
        [{name: collection[name] for name in collection if name != "position"} for collection in found]
    )


async def create_collection(hub: LoopbackHub, request: Request) -> Response:
    """POST /api/collections."""
    body = await json_body(request)
    namespace, title = value_of(body, "namespace", str), value_of(body, "title", str)
    hub.check_may_write(request, namespace)
    if not 1 <= len(title) <= 60:
        raise HubError(400, '"title" length must be less than or equal to 60 characters long')
    slug = f"{namespace}/{re.sub(r'[^a-z0-9]+', '-', title.lower())}-{len(hub.store.collections):024x}"
    for known in hub.store.collections.values():
        if known["owner"]["name"] == namespace and known["title"] == title:
            raise HubError(409, "You already have a collection with this title", slug=known["slug"])
    collection = {
        "slug": slug,
        "title": title,
        "description": value_of(body, "description", str, ""),
        "owner": {"name": namespace},
        "items": [],
        "lastUpdated": "2026-01-01T00:00:00.000Z",
        "position": 0,
        "private": bool(body.get("private")),
        "theme": "orange",
        "upvotes": 0,
    }
    hub.store.collections[slug] = collection
    hub.store.save_collections()
    return JSONResponse(collection)


async def get_collection(hub: LoopbackHub, request: Request) -> Response:
    """GET /api/collections/SLUG."""
    return JSONResponse(_collection(hub, request))


async def delete_collection(hub: LoopbackHub, request: Request) -> Response:
    """DELETE /api/collections/SLUG."""
    collection = _collection(hub, request)
    hub.check_may_write(request, collection["owner"]["name"])
    del hub.store.collections[collection["slug"]]
    hub.store.save_collections()
    return JSONResponse({})


async def add_item(hub: LoopbackHub, request: Request) -> Response:
    """POST /api/collections/SLUG/items."""
    collection = _collection(hub, request)
    hub.check_may_write(request, collection["owner"]["name"])
    item = value_of(await json_body(request), "item", dict)
    item = {name: value_of(item, name, str) for name in ("type", "id")}
    if (f"{item['type']}s", item["id"]) not in hub.store.repos:
        raise HubError(404, f"{item['type']} {item['id']} does not exist")
    if any((known["id"], known["type"]) == (item["id"], item["type"]) for known in collection["items"]):
        raise HubError(409, "This item is already in the collection")
    position = len(collection["items"])
    collection["items"].append({"_id": f"{position:024x}", "position": position} | item)
    hub.store.save_collections()
    return JSONResponse(collection)


def _collection(hub: LoopbackHub, request: Request) -> dict[str, Any]:
    slug = f"{request.path_params['owner']}/{request.path_params['name']}"
    if slug not in hub.store.collections:
        raise HubError(404, "Collection not found")
    return hub.store.collections[slug]
