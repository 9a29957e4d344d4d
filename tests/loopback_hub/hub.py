"""One Hub: its store, accounts, faults and the log of its requests, and what all of its routes share."""

import errno
import fnmatch
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from notclip.loopback_hub.accounts import Account
from notclip.loopback_hub.faults import ConnectionCutError, Fault, cut_connection, full_disk
from notclip.loopback_hub.store import Commit, Repo, Store

PREFIXES = {"models": "", "datasets": "datasets/", "spaces": "spaces/"}


class HubError(Exception):
    """An answer that is no success, as the real Hub words it."""

    def __init__(self, status: int, message: str, *, code: str | None = None, **content: Any):
        super().__init__(message)
        self.status, self.message, self.code, self.content = status, message, code, content

    def response(self) -> Response:
        """The answer: the client reads the message from the headers, and 404s by their code."""
        # What a client sent may be in it, and a header takes neither line breaks nor most letters.
        shown = " ".join(self.message.split()).encode("ascii", "replace").decode()
        headers = {"X-Error-Message": shown} | ({} if self.code is None else {"X-Error-Code": self.code})
        return JSONResponse({"error": self.message} | self.content, self.status, headers)


class _Pattern(Convertor[str]):
    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class _Kind(_Pattern):
    regex = "models|datasets|spaces"


class _Prefix(_Pattern):
    regex = "datasets/|spaces/|"


class _Id(_Pattern):
    # Some models of the Hub have no owner. What stands after an id in some route is not a name.
    regex = "[^/]+/(?!resolve/|tree/|revision/)[^/]+?|[^/]+?"


class _Revision(_Pattern):
    regex = r"refs/pr/\d+|[^/]+"


for _name, _convertor in (("kind", _Kind()), ("prefix", _Prefix()), ("id", _Id()), ("revision", _Revision())):
    register_url_convertor(_name, _convertor)


Handler = Callable[["LoopbackHub", Request], Awaitable[Response]]


@dataclass
class LoopbackHub:
    """State and rules of a Hub; `server.serve` gives it an address.

    Args:
        root: folder that keeps everything.
        accounts: who has a token.
        namespaces: users and organisations that exist and that none of the accounts owns.
    """

    root: Path
    accounts: Sequence[Account] = ()
    namespaces: Sequence[str] = ()
    faults: list[Fault] = field(default_factory=list)
    log: list[tuple[str, str]] = field(default_factory=list)
    before_request: Callable[[str], None] = lambda route: None
    url: str = ""
    awaited: set[str] = field(default_factory=set)  # hashes of the large files for which an address was given

    def __post_init__(self) -> None:
        self.store = Store(self.root)

    def repo(self, request: Request, *, write: bool = False) -> Repo:
        """The repository that a request is about, if the one who asks may see it, or write to it."""
        parameters = request.path_params
        kind = parameters.get("kind") or {"": "models"}.get(parameters["prefix"], parameters["prefix"].rstrip("/"))
        account = self.account(request)
        repo = self.store.repos.get((kind, parameters["id"]))
        owner = parameters["id"].partition("/")[0]
        if repo is None or (repo.private and not (account and account.owns(owner))):
            raise HubError(404 if account else 401, "Repository not found", code="RepoNotFound")
        if write:
            self.check_may_write(request, owner)
        return repo

    def commit(self, request: Request, repo: Repo) -> Commit:
        """The commit that a request names."""
        revision = request.path_params.get("revision", "main")
        commit = repo.resolve(revision)
        if commit is None:
            raise HubError(404, f"Invalid rev id: {revision}", code="RevisionNotFound")
        return commit

    def account(self, request: Request) -> Account | None:
        """Whose token a request carries."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not token:
            return None
        found = next((account for account in self.accounts if account.token == token), None)
        if found is None:
            raise HubError(401, "Invalid credentials in Authorization header")
        return found

    def check_may_write(self, request: Request, namespace: str) -> Account:
        """Refuse who may not write in a namespace."""
        account = self.account(request)
        if account is None:
            raise HubError(401, "Invalid username or password.")
        if account.role == "read":
            raise HubError(403, "Forbidden: your token has no permission to write")
        if not account.owns(namespace):
            raise HubError(403, f'You don\'t have the rights to write in the namespace "{namespace}"')
        return account

    def route(self, path: str, name: str, handler: Handler, methods: Sequence[str] = ("GET",)) -> Route:
        """A route that faults can strike by its name."""

        async def endpoint(request: Request) -> Response:
            self.log.append((name, f"{request.method} {request.url.path}"))
            self.before_request(name)
            fault = next((fault for fault in self.faults if fault.strikes(name)), None)
            try:
                return await self._answer(handler, request, fault)
            except HubError as error:
                return error.response()
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                return HubError(507, "No space left on device").response()
            except (ConnectionCutError, ClientDisconnect):
                return Response(status_code=500)  # To nobody: the connection is gone.

        return Route(path, endpoint, name=name, methods=list(methods))

    async def _answer(self, handler: Handler, request: Request, fault: Fault | None) -> Response:
        if fault is None:
            return await handler(self, request)
        if fault.kind == "status":
            headers = {"Retry-After": "0"} if fault.status == 429 else {}
            return JSONResponse({"error": f"injected {fault.status}"}, fault.status, headers)
        if fault.kind == "full_disk":
            raise full_disk()
        if fault.kind == "cut":
            async for _ in request.stream():
                break
            raise cut_connection(request)
        await handler(self, request)
        raise cut_connection(request)


def is_large(path: str, sample: bytes, size: int, attributes: str) -> bool:
    """Whether a file goes to large-file storage: by .gitattributes, by size, or because it is no text."""
    patterns = [line.split()[0] for line in attributes.splitlines() if "filter=lfs" in line]
    name = path.rpartition("/")[2]
    return size > 10 * 2**20 or b"\0" in sample or any(fnmatch.fnmatch(name, pattern) for pattern in patterns)
