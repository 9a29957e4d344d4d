"""Keys of what is derived and kept: they name all that it is made of, the code that makes it included.

    key = derived_key("notclip.recaption.drawn_world.write", of={"seed": 0}, libraries=("pillow",))
    folder = cache / f"drawn-world-{key}"

Of each named module counts its source, that of all modules of this package that it imports, and the data files beside
them whose names stand in them. So nobody counts versions: whoever changes a step, changes its key, and what the old
code made is never found again. A new comment makes a new key, too: rather derived once too often than served once too
often.
"""

import ast
import hashlib
import json
from collections.abc import Callable, Collection, Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_DIGITS = 20
_PACKAGE = "notclip"


def derived_key(*modules: str, of: Any, libraries: Collection[str] = (), apart_from: Collection[str] = ()) -> str:
    """The key of something derived, 20 hexadecimal digits.

    Args:
        modules: full names of the modules that make it; what they import is found.
        of: what it is made of, as plain JSON: options, and digests of content rather than names of files.
        libraries: distributions on whose version its bytes depend.
        apart_from: modules that these import for something else, whose changes change nothing in it.
    """
    made_of = [code_digest(modules, tuple(sorted(apart_from))), {name: _version(name) for name in libraries}, of]
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:_DIGITS]


@cache
def code_digest(modules: tuple[str, ...], apart_from: tuple[str, ...] = ()) -> str:
    """Hash of modules of this package with what they import of it; `apart_from` is not followed."""
    return _digest_of(modules, _file_of_module, apart_from)


def script_digest(file: Path) -> str:
    """Hash of a Python file of others with what it imports from its own folder."""
    return _digest_of((file.stem,), lambda name: _file_beside(file.parent, name), ())


def folder_digest(folder: Path) -> str:
    """Hash of the names and content of all files under a folder."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{file.relative_to(folder).as_posix()} {file_digest(file)}\n".encode())
    return digest.hexdigest()


def file_digest(file: Path) -> str:
    """SHA-256 of a file's content."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _digest_of(modules: tuple[str, ...], find: Callable[[str], Path | None], apart_from: Collection[str]) -> str:
    digest = hashlib.sha256()
    waiting, seen = list(modules), set(apart_from)
    found: dict[str, str] = {}
    while waiting:
        name = waiting.pop()
        if name in seen or (file := find(name)) is None:
            continue
        seen.add(name)
        tree = ast.parse(file.read_bytes())
        waiting += _imported(tree, package=name if file.stem == "__init__" else name.rpartition(".")[0])
        found[name] = file_digest(file)
        for data in _data_files(tree, file.parent):
            found[f"{name} {data.name}"] = folder_digest(data) if data.is_dir() else file_digest(data)
    for name in sorted(found):
        digest.update(f"{name} {found[name]}\n".encode())
    return digest.hexdigest()


def _imported(tree: ast.AST, *, package: str) -> Iterator[str]:
    """Full names of all that a module imports anywhere; names inside modules are among them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*parents, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def _data_files(tree: ast.AST, folder: Path) -> Iterator[Path]:
    """Files and folders beside a module whose names stand in it, no code among them."""
    names = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    beside = {path.name: path for path in folder.iterdir() if path.suffix != ".py"}
    for name in sorted(names & beside.keys()):
        if not (beside[name] / "__init__.py").exists():
            yield beside[name]


@cache
def _file_of_module(name: str) -> Path | None:
    parent = name.rpartition(".")[0]
    if parent:
        folder = _file_of_module(parent)
        if folder is None or folder.stem != "__init__":  # A name inside a module, which is not imported for this.
            return None
    spec = find_spec(name) if parent or name == _PACKAGE else None
    return Path(spec.origin) if spec is not None and spec.origin is not None else None


def _file_beside(folder: Path, name: str) -> Path | None:
    place = folder.joinpath(*name.split("."))
    return next((file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()), None)


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None
