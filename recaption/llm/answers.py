"""Answers of a language model, kept on disk as they come, so that a build that was broken off asks nothing twice."""

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from notclip.errors import BadInputError

_AT_ONCE = 500  # SQLite's limit on the variables of a statement lies higher.


class AnswerStore:
    """A table of answers by key, safe against a kill at any moment; several processes may share the file."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = file
        try:
            self._database = sqlite3.connect(file, timeout=60)
            with self._database:
                self._database.execute("CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, text TEXT NOT NULL)")
        except sqlite3.Error as error:
            raise BadInputError(f"The answers kept in {file} cannot be read ({error}): remove the file.") from error

    def find(self, keys: Sequence[str]) -> dict[str, str]:
        """The answers that are kept, by key."""
        found: dict[str, str] = {}
        for start in range(0, len(keys), _AT_ONCE):
            part = keys[start : start + _AT_ONCE]
            marks = ", ".join("?" * len(part))
            found.update(self._database.execute(f"SELECT key, text FROM answers WHERE key IN ({marks})", part))  # noqa: S608  # ?, ?
        return found

    def keep(self, answers: Mapping[str, str]) -> None:
        """Keep answers, all or none of them."""
        with self._database:
            self._database.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?)", answers.items())

    def close(self) -> None:
        """Close the file."""
        self._database.close()
