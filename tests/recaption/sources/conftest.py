"""A source as the stages of a build read it: parts, raw shards, splits."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from notclip.dataset.splits import SPLITS
from notclip.recaption.building.gathering import gather, gathering_skipped, read_gathered
from notclip.recaption.building.images import SourceImage, shard_images
from notclip.recaption.building.progress import TaskProgress
from notclip.recaption.building.raw_shards import Skipped, list_raw_shards, read_part
from notclip.recaption.building.work_folder import WorkFolder
from notclip.recaption.sources.opening import list_parts
from notclip.recaption.sources.parts import Exhaustive


@dataclass(frozen=True)
class ReadSource:
    splits: dict[str, list[SourceImage]]
    vocabulary: tuple[str, ...] | None
    skipped: list[Skipped]

    @property
    def images(self) -> dict[str, SourceImage]:
        return {image.image_id: image for images in self.splits.values() for image in images}


@pytest.fixture
def read_source(tmp_path: Path) -> Callable[..., ReadSource]:
    """Reads a source by the first two stages of a build."""
    return partial(_read_source, tmp_path)


def _read_source(
    tmp_path: Path,
    name: Path | str,
    *,
    shard: int = 1000,
    limit: int | None = None,
    exhaustive: Exhaustive | None = None,
) -> ReadSource:
    number = len(list(tmp_path.glob("work*")))
    work = WorkFolder(tmp_path / f"work{number}")
    work.make()
    parts = list_parts(
        str(name), cache=tmp_path / "cache", part_rows=shard, limit=limit, progress=False, exhaustive=exhaustive
    )
    for index, part in enumerate(parts):
        progress = TaskProgress(work.progress, "reading", index)
        read_part(part, index, work, raw_shard_rows=shard, keep_images=True, threads=2, progress=progress)
    raw_shards, vocabulary = list_raw_shards(work, len(parts))
    gather(work, raw_shards, vocabulary, source=str(name), seed=0, shard_images=shard)
    gathered = read_gathered(work)
    splits: dict[str, list[SourceImage]] = {split: [] for split in SPLITS}
    for made in gathered.shards:
        splits[made.split] += shard_images(work, made, with_bytes=True)
    skipped = [entry for raw_shard in raw_shards for entry in raw_shard.skipped()] + list(gathering_skipped(work))
    return ReadSource(splits, gathered.vocabulary, skipped)
