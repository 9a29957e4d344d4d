"""What the loopback Hub keeps, on disk: blobs by hash, and one JSON file a repository with its commits and refs.

A repository's file is replaced as a whole, after every blob that it names has been stored: a process killed at any
moment leaves either the state before a commit or the state after it.
"""

import hashlib
import json
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

GITATTRIBUTES = "".join(
    f"*.{extension} filter=lfs diff=lfs merge=lfs -text\n" for extension in ("bin", "onnx", "parquet", "safetensors")
).encode()


class StaleParentError(Exception):
    """A commit names a parent that is no longer the head."""


class NameTakenError(Exception):
    """A repository, tag or collection of that name exists."""


@dataclass(frozen=True)
class File:
    """One file of a commit: where its bytes are, and the names that the Hub's API has for them."""

    sha256: str
    size: int
    git_oid: str
    lfs: bool

    @property
    def oid(self) -> str:
        """What preupload compares: SHA-256 of a large file, git's hash of any other."""
        return self.sha256 if self.lfs else self.git_oid


@dataclass(frozen=True)
class Commit:
    """One commit with all its files by path."""

    id: str
    parent: str | None
    title: str
    description: str
    author: str
    date: str
    files: Mapping[str, File]


@dataclass
class Repo:
    """One repository; `kind` is `models`, `datasets` or `spaces`, and `refs` hold branches, tags and pull requests."""

    kind: str
    id: str
    private: bool
    sdk: str | None = None
    refs: dict[str, str] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)
    pulls: dict[int, dict[str, str]] = field(default_factory=dict)

    def resolve(self, revision: str) -> Commit | None:
        """The commit that a branch, tag, pull request or hash names."""
        for ref in (f"refs/heads/{revision}", f"refs/tags/{revision}", revision):
            if ref in self.refs:
                return self.commits[self.refs[ref]]
        return self.commits.get(revision)

    def history(self, revision: str) -> Iterator[Commit]:
        """A revision's commits, the newest first."""
        commit = self.resolve(revision)
        while commit is not None:
            yield commit
            commit = None if commit.parent is None else self.commits[commit.parent]


class Store:
    """All repositories and collections under one folder; made again on it, it knows what an earlier one kept.

    Args:
        root: folder for everything; made when it is not there.
    """

    def __init__(self, root: Path):
        self.root = root
        self.repos: dict[tuple[str, str], Repo] = {}
        self.collections: dict[str, dict[str, Any]] = {}
        (root / "blobs").mkdir(parents=True, exist_ok=True)
        for file in sorted((root / "repos").rglob("*.json")):
            repo = _repo_from_json(json.loads(file.read_text(encoding="utf-8")))
            self.repos[repo.kind, repo.id] = repo
        if (root / "collections.json").is_file():
            self.collections = json.loads((root / "collections.json").read_text(encoding="utf-8"))

    # -- blobs -----------------------------------------------------------------------------------------------------

    def blob(self, sha256: str) -> Path:
        """Where the bytes with this hash are, or would be."""
        return self.root / "blobs" / sha256

    def add_blob(self, data: bytes) -> str:
        """Keep some bytes; returns their SHA-256."""
        sha256 = hashlib.sha256(data).hexdigest()
        if not self.blob(sha256).exists():
            self._write(self.blob(sha256), data)
        return sha256

    async def receive_blob(self, sha256: str, chunks: AsyncIterator[bytes]) -> bool:
        """Keep an upload if its bytes have the hash that was announced; a broken one leaves nothing."""
        partial = self.blob(f".{sha256}.{secrets.token_hex(4)}")
        digest = hashlib.sha256()
        try:
            with partial.open("wb") as file:
                async for chunk in chunks:
                    digest.update(chunk)
                    file.write(chunk)
            if digest.hexdigest() != sha256:
                return False
            partial.replace(self.blob(sha256))
            return True
        finally:
            partial.unlink(missing_ok=True)

    def file(self, sha256: str, *, lfs: bool) -> File:
        """Describe a kept blob as a file of a commit."""
        data = self.blob(sha256).read_bytes()
        # The pointer's hash in place of the content's: nobody compares git hashes of large files.
        git_oid = sha256[:40] if lfs else git_hash(data)
        return File(sha256, len(data), git_oid, lfs)

    # -- repositories ----------------------------------------------------------------------------------------------

    def create_repo(self, kind: str, repo_id: str, *, private: bool, sdk: str | None, author: str) -> Repo:
        """Make a repository with the Hub's first commit, which holds .gitattributes alone.

        Raises:
            NameTakenError: it exists.
        """
        if (kind, repo_id) in self.repos:
            raise NameTakenError(repo_id)
        repo = Repo(kind, repo_id, private, sdk)
        files = {".gitattributes": self.file(self.add_blob(GITATTRIBUTES), lfs=False)}
        self._commit(repo, "refs/heads/main", files, title="initial commit", description="", author=author)
        self.repos[kind, repo_id] = repo
        return repo

    def commit(
        self,
        repo: Repo,
        revision: str,
        *,
        added: Mapping[str, File],
        deleted: set[str],
        parent: str | None,
        title: str,
        description: str,
        author: str,
        create_pr: bool = False,
    ) -> tuple[Commit, int | None]:
        """Add and delete files in one commit, on a branch or as a pull request on it.

        Returns:
            The commit, and the number of the pull request if it made one.

        Raises:
            StaleParentError: `parent` is given and is not the head of `revision`.
        """
        head = repo.resolve(revision)
        if head is None or (parent is not None and head.id != parent):
            raise StaleParentError(revision)
        files = {path: file for path, file in head.files.items() if not _is_deleted(path, deleted)} | dict(added)
        number = max(repo.pulls, default=0) + 1 if create_pr else None
        # A branch has its full name; a pull request is refs/pr/N in all calls.
        ref = f"refs/heads/{revision}" if f"refs/heads/{revision}" in repo.refs else revision
        if number is not None:
            ref = f"refs/pr/{number}"
            repo.pulls[number] = {"title": title, "author": author, "status": "open", "date": _now()}
        commit = self._commit(
            repo, ref, files, title=title, description=description, author=author, parent_commit=head
        )
        return commit, number

    def merge(self, repo: Repo, number: int) -> None:
        """Merge a pull request, as its page's button does when main has not moved."""
        repo.refs["refs/heads/main"] = repo.refs[f"refs/pr/{number}"]
        repo.pulls[number]["status"] = "merged"
        self.save(repo)

    def set_ref(self, repo: Repo, ref: str, commit: Commit) -> None:
        """Make a tag or branch.

        Raises:
            NameTakenError: it exists.
        """
        if ref in repo.refs:
            raise NameTakenError(ref)
        repo.refs[ref] = commit.id
        self.save(repo)

    def delete_repo(self, repo: Repo) -> None:
        """Forget a repository; its blobs stay, since others may share them."""
        del self.repos[repo.kind, repo.id]
        self._repo_file(repo).unlink()

    def save(self, repo: Repo) -> None:
        """Put a repository's state on disk, all or nothing."""
        self._write(self._repo_file(repo), json.dumps(asdict(repo)).encode())

    def save_collections(self) -> None:
        """Put the collections on disk, all or nothing."""
        self._write(self.root / "collections.json", json.dumps(self.collections).encode())

    def _commit(
        self,
        repo: Repo,
        ref: str,
        files: Mapping[str, File],
        *,
        title: str,
        description: str,
        author: str,
        parent_commit: Commit | None = None,
    ) -> Commit:
        parent = None if parent_commit is None else parent_commit.id
        commit = Commit("", parent, title, description, author, _now(), files)
        identity = hashlib.sha1(json.dumps([repo.id, asdict(commit)]).encode(), usedforsecurity=False).hexdigest()
        commit = replace(commit, id=identity)
        before = dict(repo.refs)
        repo.commits[commit.id] = commit
        repo.refs[ref] = commit.id
        try:
            self.save(repo)
        except OSError:
            # A commit that is not on disk has not happened.
            repo.refs = before
            del repo.commits[commit.id]
            raise
        return commit

    def _repo_file(self, repo: Repo) -> Path:
        return self.root / "repos" / repo.kind / f"{repo.id}.json"

    def _write(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            partial.write_bytes(data)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def git_hash(data: bytes) -> str:
    """The hash by which git knows a file's content."""
    return hashlib.sha1(f"blob {len(data)}\0".encode() + data, usedforsecurity=False).hexdigest()


def _is_deleted(path: str, deleted: set[str]) -> bool:
    return path in deleted or any(name.endswith("/") and path.startswith(name) for name in deleted)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _repo_from_json(content: dict[str, Any]) -> Repo:
    commits = {
        commit["id"]: Commit(**commit | {"files": {path: File(**file) for path, file in commit["files"].items()}})
        for commit in content["commits"].values()
    }
    pulls = {int(number): pull for number, pull in content["pulls"].items()}
    return Repo(**content | {"commits": commits, "pulls": pulls})
