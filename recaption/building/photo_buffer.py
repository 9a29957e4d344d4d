"""Photos of a shard that rows about two of them need, kept on disk until those rows are written."""

import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any


class PhotoBuffer:
    """Keeps the image columns of the images that are wanted, by their ids, in an unnamed file of a folder.

    A context manager: the file is gone at the end or with the process.
    """

    def __init__(self, folder: Path, wanted: Collection[str]) -> None:
        self._wanted = wanted
        self._columns: dict[str, tuple[dict[str, Any], int, int]] = {}
        self._file = tempfile.TemporaryFile(dir=folder)

    def keep(self, image_id: str, columns: dict[str, Any]) -> None:
        """Keep an image's columns, if it is wanted."""
        if image_id in self._wanted:
            image = columns.get("image") or {}
            start, encoded = self._file.tell(), image.get("bytes") or b""
            self._file.write(encoded)
            self._columns[image_id] = ({**columns, "image": image.get("path")}, start, len(encoded))

    def columns(self, image_id: str) -> dict[str, Any]:
        """The columns of a kept image, its bytes read back."""
        columns, start, length = self._columns[image_id]
        if not length:
            return {name: value for name, value in columns.items() if name != "image"}
        self._file.seek(start)
        return {**columns, "image": {"bytes": self._file.read(length), "path": columns["image"]}}

    def __enter__(self) -> "PhotoBuffer":
        return self

    def __exit__(self, *failure: object) -> None:
        self._file.close()
