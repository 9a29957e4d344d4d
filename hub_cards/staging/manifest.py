"""What a staged release consists of: each repository's files with hash and size, and how each refers to the others."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from notclip.files.derived import file_digest

MANIFEST = "manifest.json"
# In every repository: which release it belongs to, and the ids and revisions of the others. The Space loads by it.
RELEASE_FILE = "release.json"
LIBRARIES = ("datasets", "huggingface-hub", "peft", "torch", "transformers")


def write_manifest(stage: Path, repos: list[dict[str, Any]], *, name: str, release_version: str) -> dict[str, Any]:
    """Hash every file of every staged repository and write manifest.json.

    Args:
        stage: folder of the stage.
        repos: `repo_id`, `repo_type`, `folder`, `tag` and `refers_to` of each repository.
        name: name of the release.
        release_version: its version.

    Returns:
        What was written.
    """
    manifest = {
        "name": name,
        "version": release_version,
        "code": {"notclip": version("notclip")},
        "libraries": {library: version(library) for library in LIBRARIES},
        "repos": [repo | {"files": file_hashes(stage / repo["folder"])} for repo in repos],
    }
    (stage / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return manifest


def file_hashes(folder: Path) -> dict[str, dict[str, Any]]:
    """Path inside `folder` -> SHA-256 and size of each file."""
    return {
        path.relative_to(folder).as_posix(): {"sha256": file_digest(path), "size": path.stat().st_size}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
