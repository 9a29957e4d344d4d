"""The one way to open a Parquet file of the user's: what it would unpack to is known before anything is unpacked."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from notclip.errors import BadInputError, shortened

if TYPE_CHECKING:
    from datasets import Features

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
    with reading_parquet(file), pq.ParquetFile(file) as parquet:
        _check(parquet.metadata, file)
        yield parquet


def opened_parquet(file: Path) -> pq.ParquetFile:
    """A Parquet file that stays open, as `open_parquet` opens it; read it within `reading_parquet`."""
    with reading_parquet(file):
        parquet = pq.ParquetFile(file)
        _check(parquet.metadata, file)
        return parquet


@contextmanager
def reading_parquet(file: Path) -> Iterator[None]:
    """Tell what goes wrong with reading a file inside the block with its name.

    Raises:
        BadInputError: it is cut off, damaged or no Parquet.
    """
    try:
        if not file.is_file():  # A pipe would be waited for until the end of days.
            raise BadInputError(f"{file} {'is no file' if file.exists() else 'does not exist'}: no Parquet is there.")
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        said = str(error).partition("\n")[0]
        raise BadInputError(f"{file} is no Parquet file that can be read: {shortened(said)}") from error


def parquet_features(parquet: pq.ParquetFile, file: Path) -> "Features":
    """The types of a file's columns as `datasets` understands them, by what it noted in the file.

    Raises:
        BadInputError: what is noted there is damaged.
    """
    from datasets import ClassLabel, Features, List

    try:
        features = Features.from_arrow_schema(parquet.schema_arrow)
        for feature in features.values():
            label = feature.feature if isinstance(feature, List) else feature
            if isinstance(label, ClassLabel) and not all(isinstance(name, str) for name in label.names):
                raise TypeError(f"names of labels must be texts, got {label.names}")
        return features
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        reason = shortened(str(error))
        raise BadInputError(
            f"{file}: what `datasets` noted about its columns cannot be read ({reason}); build it again."
        ) from error


def require_columns(parquet: pq.ParquetFile, file: Path, columns: Sequence[str]) -> None:
    """Refuse a file of a built dataset that lacks one of these columns.

    Raises:
        BadInputError: naming the first that it lacks.
    """
    lacking = next((name for name in columns if name not in parquet.schema_arrow.names), None)
    if lacking is not None:
        raise BadInputError(f"{file} lacks the column {lacking!r}; build it again with `notclip build-dataset`.")


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
