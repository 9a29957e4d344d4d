"""A source as the stages of a build read it: parts, raw shards, splits."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from notclip.dataset.splits import SPLITS
from notclip.recaption.building.config import BuildConfig
from notclip.recaption.building.gathering import gather, gathering_skipped
from notclip.recaption.building.images import SourceImage, shard_images
from notclip.recaption.building.job import BuildJob
from notclip.recaption.building.progress import TaskProgress
from notclip.recaption.building.raw_shards import Skipped, list_raw_shards, read_part
from notclip.recaption.building.work_folder import write_work_file
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
    root = tmp_path / f"work{len(list(tmp_path.glob('work*')))}"
    options = {"limit": limit, "exhaustive": exhaustive, "cache": tmp_path / "cache", "progress": False}
    job = BuildJob(BuildConfig(str(name), root, shard_images=shard, **options), root, threads=2)
    job.work.make()
    write_work_file(job.work.plan, {"parts": len(job.parts)})
    for index in range(len(job.parts)):
        read_part(job, index, TaskProgress(job.work.progress, "reading", index))
    gather(job)
    splits: dict[str, list[SourceImage]] = {split: [] for split in SPLITS}
    for made in job.shards:
        splits[made.split] += shard_images(job.work, made, with_bytes=True)
    skipped = [entry for raw_shard in list_raw_shards(job)[0] for entry in raw_shard.skipped()]
    return ReadSource(splits, job.gathered.vocabulary, [*skipped, *gathering_skipped(job.work)])
