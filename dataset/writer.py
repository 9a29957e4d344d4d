"""The one writer of a built dataset: rows to a Parquet file that `load_dataset` reads with its features."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import ClassLabel, Features, List

from notclip.dataset.rows import Row

_ROW_GROUP = 500
# Images of a row group up to this sum are stored once each; larger ones are left to zstd.
_DICTIONARY_BYTES = 64 * 2**20


class RowWriter:
    """Writes rows as they come, zstd-compressed, repeated photos once a row group; a context manager.

    Args:
        file: the file to write.
        features: the schema, stored in the file; what a row has beyond it is left out.
    """

    def __init__(self, file: Path, features: Features) -> None:
        self._schema = features.arrow_schema
        self._stored = {name: _stored(feature) for name, feature in features.items()}
        self._writer = pq.ParquetWriter(
            file, self._schema, compression="zstd", dictionary_pagesize_limit=_DICTIONARY_BYTES
        )
        self._pending: list[dict[str, Any]] = []

    def write(self, row: Row) -> None:
        """Add a row."""
        self._pending.append({name: stored(getattr(row, name)) for name, stored in self._stored.items()})
        if len(self._pending) == _ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._pending:
            self._writer.write_table(pa.Table.from_pylist(self._pending, schema=self._schema))
            self._pending = []

    def __enter__(self) -> "RowWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._flush()
        finally:
            self._writer.close()


def _stored(feature: Any) -> Callable[[Any], Any]:
    """How a field's value stands in Parquet: names of a ClassLabel as numbers, evidence as a struct."""
    if isinstance(feature, ClassLabel):
        return {name: number for number, name in enumerate(feature.names)}.__getitem__
    if isinstance(feature, dict):
        method = _stored(feature["method"])
        return lambda evidence: asdict(evidence) | {"method": method(evidence.method)}
    if isinstance(feature, List) and isinstance(feature.feature, ClassLabel | dict):
        inner = _stored(feature.feature)
        return lambda values: [inner(value) for value in values]
    return lambda value: value
