"""Nothing of the machine that made a release goes out with it: no folder of its disk, no home of its user."""

import contextlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from notclip.errors import BadInputError

_TEXTS = (".json", ".md", ".py", ".txt", ".yaml", ".yml", ".jinja")
# Roots of folders that people work in. Not every "/x/y": prose has those, and so has code.
_ROOTS = (
    "home|Users|root|tmp|private|work|workspace|content|mnt|media|data|opt|srv|var|scratch|cluster|nfs|lustre|gpfs"
)
_ABSOLUTE = re.compile(rf"(?<![\w.:/<])(?:/(?:{_ROOTS})/[\w./-]+|[A-Z]:\\\\?\w+)")


def without_local_paths(content: Any, renamed: Mapping[str, str]) -> Any:
    """JSON content with local folders replaced: known ones by what they are called on the Hub, others by their name.

    >>> without_local_paths({"base": "../models/clip", "data": "/home/ann/photos"}, {"../models/clip": "openai/clip"})
    {'base': 'openai/clip', 'data': 'photos'}
    >>> without_local_paths({"/opt/clip (base)": 0.5}, {"/opt/clip": "openai/clip"})
    {'openai/clip (base)': 0.5}
    """
    if isinstance(content, Mapping):
        return {_renamed(key, renamed): without_local_paths(value, renamed) for key, value in content.items()}
    if isinstance(content, list):
        return [without_local_paths(value, renamed) for value in content]
    return _renamed(content, renamed) if isinstance(content, str) else content


def _renamed(text: str, renamed: Mapping[str, str]) -> str:
    if text in renamed:
        return renamed[text]
    if text.startswith(("../", "./", "~/")):
        return Path(text).name
    # Inside a longer text, such as the label of a comparison, only what is surely a path is taken for one.
    for known in sorted((known for known in renamed if "/" in known), key=len, reverse=True):
        # Backslashes in a replacement would be read as escapes.
        text = re.sub(rf"(?<![\w./-]){re.escape(known)}(?![\w-])", renamed[known].replace("\\", r"\\"), text)
    return _ABSOLUTE.sub(lambda path: Path(path.group()).name, text)


def check_no_local_paths(stage: Path, inputs: Iterable[Path]) -> None:
    """Look through every staged text for a path of this machine.

    Raises:
        BadInputError: a file holds one; which, and what.
    """
    known = {str(path.resolve()) for path in inputs} | {str(Path.cwd())}
    with contextlib.suppress(RuntimeError):  # a user of whom the system knows no home
        known.add(str(Path.home()))
    for path in sorted(stage.rglob("*")):
        if path.suffix not in _TEXTS or not path.is_file() or path.name in ("tokenizer.json", "vocab.json"):
            continue
        if path.relative_to(stage).parts[:2] == ("space", "notclip"):
            continue  # The package's own code is public; its examples are of such folders.
        text = path.read_text(encoding="utf-8")
        found = _ABSOLUTE.search(text)
        leak = found.group() if found else next((place for place in sorted(known) if f"{place}/" in text), None)
        if leak is not None:
            raise BadInputError(
                f"{path.relative_to(stage)} would be published with the path {leak!r} of this machine. "
                "Give the commands relative paths, or take it out of the file that it comes from."
            )
