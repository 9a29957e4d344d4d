"""Rows to a Parquet file that `load_dataset` reads with its features, repeated images stored once a row group."""

from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Features

_ROW_GROUP = 500
_DICTIONARY_BYTES = (
    64 * 2**20
)  # Images of a row group up to this sum are stored once each; larger ones are left to zstd.


class ParquetRows:
    """Writes rows as they come, zstd-compressed; a context manager.

    Args:
        file: the file to write.
        features: the schema, stored in the file.
    """

    def __init__(self, file: Path, features: Features) -> None:
        self._schema = features.arrow_schema
        self._writer = pq.ParquetWriter(
            file, self._schema, compression="zstd", dictionary_pagesize_limit=_DICTIONARY_BYTES
        )
        self._pending: list[dict[str, Any]] = []

    def write(self, row: dict[str, Any]) -> None:
        """Add a row: values by column, images as {"bytes", "path"} and labels as numbers."""
        self._pending.append(row)
        if len(self._pending) == _ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._pending:
            self._writer.write_table(pa.Table.from_pylist(self._pending, schema=self._schema))
            self._pending = []

    def __enter__(self) -> "ParquetRows":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._flush()
        finally:
            self._writer.close()
