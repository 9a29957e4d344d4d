"""Where a photo lies that a data file names: below the folder that the user named, however the path is written."""

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath, PureWindowsPath

from notclip.errors import BadInputError, shortened
from notclip.recaption.sources.kept_reading import kept_while_unchanged

_LONGEST_NAME = 255  # bytes, on all common file systems
_DRIVE = re.compile(r"[A-Za-z]:(?=/)|file://", re.ASCII)


def below(root: Path, named: str) -> Path | None:
    r"""The file or folder that a path in a data file means, whether it is there or not.

    A path is taken as it is written, from `root`. One that is absolute, or that climbs out of `root`, was written on
    another machine or for another working folder (`/home/ann/set/images/1.jpg`, `C:\\set\\images`, Roboflow's
    `../train/images`): of such the longest end that is found below `root` is meant. No path leads out of `root`; a
    symbolic link inside is the user's own, as all files of a snapshot of the Hub are.

    Returns:
        The place below `root`; None for a path that leads out of it and of which no end is there.
    """
    if "\0" in named:
        return None
    if ("\\" in named or named != named.strip()) and not is_there(root / named):
        named = named.strip().replace("\\", "/")
    path = PurePosixPath(_DRIVE.sub("", named))
    if path.is_absolute():
        roots = (folder for folder in (root.absolute(), root.resolve()) if path.is_relative_to(folder))
        path = next((path.relative_to(folder) for folder in roots), path)
    parts: list[str] = []
    leaves = path.is_absolute()
    for part in path.relative_to(path.anchor).parts:
        if part != "..":
            parts.append(part)
        elif parts:
            parts.pop()
        else:
            leaves = True
    return longest_end(root, parts) if leaves else root.joinpath(*parts)


def inside(root: Path, named: str) -> str:
    """A photo's path as others find it: from `root`, where the path itself begins on this or another machine."""
    if not (PurePosixPath(named).is_absolute() or PureWindowsPath(named).is_absolute() or named.startswith("..")):
        return named
    place = below(root, named)
    return named if place is None else place.relative_to(root).as_posix()


def longest_end(root: Path, parts: Iterable[str]) -> Path | None:
    """Of the ends of a path the longest that is there below `root`."""
    own = [part for part in parts if part not in ("", "/", ".", "..")]
    ends = (root.joinpath(*own[start:]) for start in range(len(own)))
    return next((end for end in ends if is_there(end)), None)


def is_there(place: Path, *, as_file: bool = False) -> bool:
    """Whether something, or a file, is at a place of which a file told, whatever that is."""
    try:
        return place.is_file() if as_file else place.exists()
    except OSError:  # No file system takes such a name.
        return False


def photo_below(root: Path, named: str) -> Path:
    """The same for a photo that a row names.

    Raises:
        BadInputError: the row names none, or it lies outside.
    """
    if not named.strip():
        raise BadInputError("the photo is missing")
    if named.startswith("data:") or max(map(len, named.encode(errors="replace").split(b"/"))) > _LONGEST_NAME:
        raise BadInputError(
            f"the photo must be named by a path, got {shortened(named[:40])} and more; write photos that are kept as "
            "text, as base64 is, to files"
        )
    file = below(root, named)
    if file is None:
        raise BadInputError(f"the photo's path {named[:200]!r} leaves the folder {root}")
    return file


def photo_place(root: Path, path: str) -> str:
    """The path of a photo, from its folder, as `photo_below` goes on to read it.

    A path that is there is taken as it is. Else the folders that it begins with may be missing here, such as
    CheXpert's own name, and a mere file name may lie in whichever folder (`Images/`, NIH's twelve). A photo that is
    missing from a folder that is there is sought nowhere else.

    Args:
        root: the folder.
        path: what the table names.

    Raises:
        BadInputError: a mere file name fits several photos, or no file system takes the path.
    """
    try:
        parts = PurePosixPath(path).parts
        if not parts or ".." in parts or path.startswith("/") or {"\0", "\\"} & set(path):
            return path  # `photo_below` knows what is meant.
        if (root / path).exists():
            return path
        if len(parts) > 1:
            found = None if (root / parts[0]).exists() else longest_end(root, parts[1:])
            return path if found is None else str(found.relative_to(root))
    except OSError as error:
        raise BadInputError(f"the photo's path {path[:80]!r} is none ({error.strerror})") from error
    places = _by_name(root).get(path, ())
    if len(places) > 1:
        raise BadInputError(f"the photo {path!r} may be {places[0]} or {places[1]}; name its folder")
    return places[0] if places else path


@kept_while_unchanged(4)
def _by_name(root: Path) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    for file in sorted(root.rglob("*")):
        found[file.name].append(str(file.relative_to(root)))
    return {name: tuple(places) for name, places in found.items()}
