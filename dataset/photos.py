"""The photos of a built dataset, read when they are needed: from its rows, or from the folder that rows refer to."""

import hashlib
from functools import lru_cache
from pathlib import Path, PurePosixPath
from urllib.parse import urlparse

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from notclip.errors import BadInputError, shortened
from notclip.files.parquet_files import reading_parquet
from notclip.remote.photo_notclip import PhotoError, open_photo, read_photo_file


def decode_photo(encoded: bytes, where: str) -> Image.Image:
    """Decode an image file to RGB, see `photo_notclip.open_photo`.

    Args:
        encoded: the file's content.
        where: file and row that name it, for the error.

    Raises:
        BadInputError: it cannot be decoded.
    """
    try:
        return open_photo(encoded)
    except PhotoError as error:
        raise BadInputError(f"{where}: {error}.") from error


class PhotoColumn:
    """One photo of each row of a file; photos of one row group that are read in turn read the group once.

    Args:
        parquet: the file, open.
        file: its path.
        ending: of the columns' names, `_0` or `_1` in pairs.
        folder: where the photos are that rows refer to, as `--images referenced` builds them.

    Raises:
        BadInputError: the file has neither photos nor what stands for them.
    """

    def __init__(self, parquet: pq.ParquetFile, file: Path, *, ending: str = "", folder: Path | None = None) -> None:
        self._parquet, self._file, self._folder = parquet, file, folder
        self.column, names = f"image{ending}", parquet.schema_arrow.names
        self._address, self._sha256 = f"image_url{ending}", f"image_sha256{ending}"
        self.is_embedded = self.column in names
        if not self.is_embedded and self._sha256 not in names:
            raise BadInputError(
                f"{file} lacks the column {self.column!r}; build it again with `notclip build-dataset`."
            )
        self._group: int | None = None
        self._rows: pa.Table | None = None

    def digest(self, group: int, row: int, where: str) -> bytes:
        """SHA-256 of a photo, 32 bytes; of one that is referred to without reading it."""
        if self.is_embedded:
            return hashlib.sha256(self.read(group, row, where)).digest()
        told = self._cell(self._sha256, group, row)
        try:
            digest = bytes.fromhex(str(told))
        except ValueError:
            digest = b""
        if len(digest) != 32:
            raise BadInputError(f"{where}: `{self._sha256}` must be 64 hexadecimal digits, got {shortened(told)}.")
        return digest

    def read(self, group: int, row: int, where: str) -> bytes:
        """The encoded photo.

        Raises:
            BadInputError: there is none, or the file that the row refers to is missing or another.
        """
        if self.is_embedded:
            encoded = self._cell(self.column, group, row)
            if not isinstance(encoded, dict) or not isinstance(encoded.get("bytes"), bytes) or not encoded["bytes"]:
                raise BadInputError(
                    f"{where}: `{self.column}` holds no bytes; build the dataset with its photos embedded."
                )
            return encoded["bytes"]
        address, wanted = self._cell(self._address, group, row), self.digest(group, row, where)
        for path in (found := self._find(None if address is None else str(address), where)):
            try:
                content = read_photo_file(path)
            except PhotoError as error:
                raise BadInputError(f"{where}: {error}.") from error
            if hashlib.sha256(content).digest() == wanted:
                return content
        raise BadInputError(f"{where}: {found[0]} is another photo than that of the build; its SHA-256 differs.")

    def _find(self, address: str | None, where: str) -> list[Path]:
        """Where a photo may be: at its path inside the folder, else all of its file name, however deep."""
        if self._folder is None:
            raise BadInputError(
                f"{where}: the photo {shortened(address)} is only referred to; name the folder with it as `images`."
            )
        try:
            path = PurePosixPath(urlparse(address or "").path)
            if not path.name or ".." in path.parts:
                raise ValueError
            for candidate in ([] if path.is_absolute() else [self._folder / path]) + [self._folder / path.name]:
                if candidate.is_file():
                    return [candidate]
            if deeper := _by_name(self._folder).get(path.name):
                return deeper
        except (OSError, ValueError) as error:  # of a name that no file system takes, of what is no address
            named = shortened(address)
            raise BadInputError(
                f"{where}: `{self._address}` must name a file inside `images`, got {named}."
            ) from error
        raise BadInputError(f"{where}: `images` {self._folder} lacks {path}, and there is no {path.name} below it.")

    def _cell(self, name: str, group: int, row: int) -> object:
        if self._rows is None or self._group != group:
            columns = [self.column] if self.is_embedded else [self._address, self._sha256]
            with reading_parquet(self._file):
                self._rows = self._parquet.read_row_group(
                    group, columns=[column for column in columns if column in self._parquet.schema_arrow.names]
                )
            self._group = group
        return self._rows.column(name)[row].as_py() if name in self._rows.column_names else None


@lru_cache(maxsize=1)
def _by_name(folder: Path) -> dict[str, list[Path]]:
    """The files below a folder by their names; looked up once, since there may be millions."""
    found: dict[str, list[Path]] = {}
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            found.setdefault(file.name, []).append(file)
    return found
