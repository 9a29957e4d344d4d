"""The one way to open a Parquet file of the user's: what it would unpack to is known before anything is unpacked."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from notclip.errors import BadInputError, shortened

# A column of a row group that unpacks to more, from a thousandth of it, is no data but a bomb: of photos nothing is
# saved, of texts nine tenths.
_LARGE = 64 * 2**20  # bytes
_MOST_TIMES = 1000
_MOST_COLUMNS = 10_000


@contextmanager
def open_parquet(file: Path) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file; what goes wrong with reading it inside the block is told with its name, too.

    Args:
        file: the file.

    Raises:
        BadInputError: it is cut off, damaged or no Parquet, or its pages unpack to what no data does.
    """
    try:
        with pq.ParquetFile(file) as parquet:
            _check(parquet.metadata, file)
            yield parquet
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"{file} is no Parquet file that can be read: {shortened(str(error))}") from error


def _check(metadata: Any, file: Path) -> None:
    if metadata.num_columns > _MOST_COLUMNS:
        raise BadInputError(f"{file} may have {_MOST_COLUMNS:,} columns, got {metadata.num_columns:,}.")
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        for number in range(row_group.num_columns):
            column = row_group.column(number)
            unpacked, packed = column.total_uncompressed_size, column.total_compressed_size
            if unpacked > _LARGE and unpacked > _MOST_TIMES * packed:
                raise BadInputError(
                    f"{file}: the column {shortened(column.path_in_schema)} unpacks from {packed:,} to {unpacked:,} "
                    "bytes, as no data does; write the file again."
                )
