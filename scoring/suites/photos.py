"""The folder of a suite's photos, and of its videos as frames."""

from collections import defaultdict
from pathlib import Path, PurePosixPath

from notclip.dataset.clips import VIDEO_SUFFIXES, photos_in, spread_frames
from notclip.errors import BadInputError
from notclip.scoring.suites.suite import Clip, PhotoFile


class PhotoFolder:
    """A folder in which a path is sought as it is, then by its file name anywhere below."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise BadInputError(f"`images` must be a folder of photos, got {folder}.")
        self.folder = folder
        self._by_name: dict[str, list[Path]] | None = None

    def find(self, name: str, where: str) -> PhotoFile | Clip | None:
        """The photo that a row names, or the frames of the video, None where there is none.

        Raises:
            BadInputError: the name leaves the folder, or fits several files.
        """
        path = PurePosixPath(name.replace("\\", "/"))
        if ".." in path.parts:
            raise BadInputError(f"{where}: the photo's path must stay inside {self.folder}, got {name!r}.")
        if path.suffix.lower() in VIDEO_SUFFIXES:
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
