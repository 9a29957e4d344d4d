"""Where a table's photo lies, when it does not lie where its path says."""

from collections import defaultdict
from pathlib import Path, PurePosixPath

from notclip.errors import BadInputError
from notclip.recaption.sources.kept_reading import kept_while_unchanged
from notclip.recaption.sources.photo_paths import longest_end


def photo_place(root: Path, path: str) -> str:
    """The path of a photo, from its folder, as `photo_paths` goes on to read it.

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
            return path  # `photo_paths` knows what is meant.
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
