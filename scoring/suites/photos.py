"""The folder of a suite's photos, and of its videos as frames."""

from collections import defaultdict
from pathlib import Path, PurePosixPath

from notclip.dataset.clips import VIDEO_SUFFIXES, photos_in, spread_frames
from notclip.errors import BadInputError
from notclip.scoring.suites.suite import Clip, Photo, PhotoFile


class PhotoFolder:
    """A folder in which a path is sought as it is, then by its file name anywhere below.

    Args:
        folder: the folder.
        skip_missing: list what has no photo under `missing`, by name with its reason, instead of stopping.
    """

    def __init__(self, folder: Path, *, skip_missing: bool) -> None:
        if not folder.is_dir():
            raise BadInputError(f"`images` must be a folder of photos, got {folder}.")
        self.folder, self._skip_missing = folder, skip_missing
        self.found: dict[str, Photo | Clip] = {}
        self.missing: dict[str, str] = {}
        self._by_name: dict[str, list[Path]] | None = None

    def enter(self, name: str, where: str) -> str:
        """Look up the photo that a row names, or the frames of the video, and return the name.

        Raises:
            BadInputError: there is none, the name leaves the folder, or it fits several files.
        """
        if name in self.found or name in self.missing:
            return name
        path = PurePosixPath(name.replace("\\", "/"))
        if ".." in path.parts:
            raise BadInputError(f"{where}: the photo's path must stay inside {self.folder}, got {name!r}.")
        is_video = path.suffix.lower() in VIDEO_SUFFIXES
        photo = self._photo(path, name, where, is_video=is_video)
        if photo is not None:
            self.found[name] = photo
        elif self._skip_missing:
            self.missing[name] = f"{where}: no photo {name!r} in {self.folder}"
        else:
            what = "folder of frames of the video" if is_video else "photo"
            raise BadInputError(
                f"{where}: there is no {what} {name!r} in {self.folder}, by its path or by its file name. "
                "Give its folder as `images`, or skip what is missing (`--on-bad-photo skip`)."
            )
        return name

    def _photo(self, path: PurePosixPath, name: str, where: str, *, is_video: bool) -> PhotoFile | Clip | None:
        if is_video:
            # msrvtt/video7.mp4 stands as a folder of its frames, msrvtt/video7/.
            frames = self._find(path.with_suffix(""), name, where, folders=True)
            return None if frames is None else _clip(frames, where)
        found = self._find(path, name, where, folders=False)
        return None if found is None else PhotoFile(found, where)

    def _find(self, path: PurePosixPath, name: str, where: str, *, folders: bool) -> Path | None:
        def fits(candidate: Path) -> bool:
            try:
                return candidate.is_dir() if folders else candidate.is_file()
            except OSError:  # A name that no file system takes.
                return False

        # An absolute path is one of another machine, and tells no more than the file's name.
        if not path.is_absolute() and fits(self.folder / path):
            return self.folder / path
        if self._by_name is None:
            self._by_name = defaultdict(list)
            for file in sorted(self.folder.rglob("*")):
                self._by_name[file.name].append(file)
        found = [file for file in self._by_name.get(path.name, []) if fits(file)]
        if len(found) > 1:
            what = "folders of frames" if folders else "photos"
            raise BadInputError(
                f"{where}: {name!r} is not in {self.folder}, and its file name fits several {what}, {found[0]} and "
                f"{found[1]}. Name the folder from which the path starts as `images`."
            )
        return found[0] if found else None


def _clip(folder: Path, where: str) -> Clip:
    """Four frames at even distances: the middles of four equal parts of the video; all where there are fewer."""
    frames = photos_in(folder)
    if not frames:
        raise BadInputError(f"{where}: the folder {folder} of a video's frames holds no photo.")
    return Clip(tuple(PhotoFile(frames[number], where) for number in spread_frames(len(frames))), where)
