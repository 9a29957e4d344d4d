"""Where below a folder lies the photo that a table names, whose paths may be those of another machine."""

from collections import defaultdict
from functools import lru_cache
from pathlib import Path, PurePosixPath, PureWindowsPath

from notclip.errors import BadInputError


def photo_place(root: Path, path: str) -> str:
    """The path of a photo, from its folder.

    A path that is there is taken as it is. Else the folders that it begins with may be those of another machine, such
    as CheXpert's own name or `C:\\data`, and a mere file name may lie in whichever folder (`Images/`, NIH's twelve); a
    photo that is missing from a folder that is there is sought nowhere else.

    Args:
        root: the folder.
        path: what the table names.

    Raises:
        BadInputError: a mere file name fits several photos.
    """
    if _is_there(root, path):
        return path
    parts = PurePosixPath(path).parts
    if "\\" in path:
        parts = PureWindowsPath(path).parts
        path = "/".join(parts)
        if _is_there(root, path):
            return path
    if not parts or ".." in parts:
        return path
    if len(parts) == 1:
        found = _by_name(root).get(path, ())
        if len(found) > 1:
            raise BadInputError(f"the photo {path!r} may be {found[0]} or {found[1]}; name its folder")
        return found[0] if found else path
    if _is_there(root, parts[0]) and not PurePosixPath(path).is_absolute():
        return path
    tails = ("/".join(parts[start:]) for start in range(1, len(parts)))
    return next((tail for tail in tails if _is_there(root, tail)), path)


def _is_there(root: Path, path: str) -> bool:
    try:
        return (root / path).exists()
    except (OSError, ValueError):  # Too long, in a loop, or with a zero byte.
        return False


@lru_cache(maxsize=4)
def _by_name(root: Path) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    for file in sorted(root.rglob("*")):
        found[file.name].append(str(file.relative_to(root)))
    return {name: tuple(places) for name, places in found.items()}
