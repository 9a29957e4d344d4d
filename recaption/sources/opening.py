"""Which kind of source a name means, and the parts that it is read in."""

from collections.abc import Sequence
from pathlib import Path

from notclip.errors import BadInputError
from notclip.recaption.sources.loaded_dataset import loaded_parts
from notclip.recaption.sources.parquet_folder import parquet_parts
from notclip.recaption.sources.parts import Part

DRAWN_WORLD = "drawn-world"


def list_parts(
    name: str,
    *,
    cache: Path,
    part_rows: int = 10_000,
    limit: int | None = None,
    seed: int = 0,
    workers: int = 2,
    progress: bool = True,
) -> Sequence[Part]:
    """Find out what a source is, and cut it into parts, in an order that depends on the source alone.

    Args:
        name: a folder of Parquet files, `drawn-world`, or what `datasets.load_dataset` can load.
        cache: folder in which the drawn world is drawn.
        part_rows: about how many rows a part should have, where the source can be cut anywhere.
        limit: at most so many rows of each split; None takes all.
        seed: seed of the drawn world.
        workers: processes that draw.
        progress: whether to show progress bars.

    Raises:
        BadInputError: there is no such source, or its columns cannot be told.
    """
    folder = Path(name)
    if name == DRAWN_WORLD:
        folder = _drawn_world(cache, limit=limit, seed=seed, workers=workers, progress=progress)
    if folder.is_dir() and any(folder.rglob("*.parquet")):
        return parquet_parts(folder, part_rows=part_rows, limit=limit)
    parts = loaded_parts(name, limit=limit)
    if not parts:
        raise BadInputError(f"`source` {name!r} has no split.")
    return parts


def _drawn_world(cache: Path, *, limit: int | None, seed: int, workers: int, progress: bool) -> Path:
    from notclip.recaption.drawn_world.write import write_drawn_world

    sizes = {"train": 6000, "validation": 1000, "test": 1000}
    sizes = {split: min(size, limit or size) for split, size in sizes.items()}
    folder = cache / f"drawn-world-{seed}-{'-'.join(map(str, sizes.values()))}"
    if not folder.is_dir():
        write_drawn_world(folder, **sizes, seed=seed, workers=workers, progress=progress)
    return folder
