"""Nothing of the machine that made a release goes out with it: no folder of its disk, no home of its user."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from notclip.errors import BadInputError

_TEXTS = (".json", ".md", ".py", ".txt", ".yaml", ".yml", ".jinja")
_ABSOLUTE = re.compile(
    r"(?<![\w.:/<])(?:/(?:home|Users|root|tmp|work|mnt|data|opt|var|scratch)/[\w./-]+|[A-Z]:\\\\?\w+)"
)


def without_local_paths(content: Any, renamed: Mapping[str, str]) -> Any:
    """JSON content with local folders replaced: known ones by what they are called on the Hub, others by their name.

    >>> without_local_paths({"base": "../models/clip", "data": "/home/ann/photos"}, {"../models/clip": "openai/clip"})
    {'base': 'openai/clip', 'data': 'photos'}
    """
    if isinstance(content, Mapping):
        return {key: without_local_paths(value, renamed) for key, value in content.items()}
    if isinstance(content, list):
        return [without_local_paths(value, renamed) for value in content]
    if isinstance(content, str):
        if content in renamed:
            return renamed[content]
        if _ABSOLUTE.fullmatch(content) or content.startswith(("../", "./", "~/")):
            return Path(content).name
    return content


def check_no_local_paths(stage: Path, inputs: Iterable[Path]) -> None:
    """Look through every staged text for a path of this machine.

    Raises:
        BadInputError: a file holds one; which, and what.
    """
    known = {str(path.resolve()) for path in inputs} | {str(Path.home()), str(Path.cwd())}
    for path in sorted(stage.rglob("*")):
        if path.suffix not in _TEXTS or not path.is_file() or path.name in ("tokenizer.json", "vocab.json"):
            continue
        text = path.read_text(encoding="utf-8")
        found = _ABSOLUTE.search(text)
        leak = found.group() if found else next((place for place in sorted(known) if f"{place}/" in text), None)
        if leak is not None:
            raise BadInputError(
                f"{path.relative_to(stage)} would be published with the path {leak!r} of this machine. "
                "Give the commands relative paths, or take it out of the file that it comes from."
            )
