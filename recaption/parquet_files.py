"""Rows to a Parquet file that `load_dataset` reads with its features, repeated images stored once a row group."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Features

_ROW_GROUP = 500
_DICTIONARY_BYTES = (
    64 * 2**20
)  # Images of a row group up to this sum are stored once each; larger ones are left to zstd.


def write_parquet(file: Path, rows: Iterator[dict[str, Any]], features: Features) -> int:
    """Write rows as they come, zstd-compressed, and return how many there were.

    Args:
        file: the file to write; its folder is made.
        rows: values by column, images as {"bytes", "path"} and labels as numbers.
        features: the schema, stored in the file.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with pq.ParquetWriter(
        file,
        features.arrow_schema,
        compression="zstd",
        dictionary_pagesize_limit=_DICTIONARY_BYTES,
    ) as writer:
        while part := list(islice(rows, _ROW_GROUP)):
            writer.write_table(pa.Table.from_pylist(part, schema=features.arrow_schema))
            written += len(part)
    return written
