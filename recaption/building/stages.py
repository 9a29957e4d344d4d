"""The stages of a build as datatrove steps: the same ones run on one machine, as Slurm arrays or on Ray.

Each stage works on numbered items (parts of the source, shards, or just one). An item that an earlier run finished is
passed over, and a file is whole or absent, so that a build which was killed goes on where it was.
"""

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from datatrove.pipeline.base import PipelineStep
from datatrove.utils.logging import logger

from notclip.errors import BadInputError
from notclip.recaption.building.config import BuildConfig
from notclip.recaption.building.corpus import merge_survey, survey_shard
from notclip.recaption.building.detection import detect_shard, merge_detection
from notclip.recaption.building.finishing import finish
from notclip.recaption.building.gathering import gather
from notclip.recaption.building.job import BuildJob
from notclip.recaption.building.orphans import end_with_parent
from notclip.recaption.building.progress import TaskProgress
from notclip.recaption.building.raw_shards import read_part
from notclip.recaption.building.shard_writer import write_shard
from notclip.recaption.building.work_folder import WorkFolder, read_work_file, write_work_file

_NEW_OBJECTS = 50_000  # After so many the collector looks at the new ones; Python's own figure is 700.

if "SLURM_JOB_ID" not in os.environ:
    logger.disable("datatrove")  # Its log of every task would drown the progress bar; on Slurm it goes to files.


@dataclass(frozen=True)
class Stage:
    """One stage.

    Args:
        name: what it does, for progress and logs.
        work: works on one item.
        items: how many there are, asked when all earlier stages are done; None for a stage that adds up what the one
            before made, and is one item.
        needs_detector: whether only a build with a detector has it.
    """

    name: str
    work: Callable[[BuildJob, int, TaskProgress], None]
    items: Callable[[BuildJob], int] | None = None
    needs_detector: bool = False

    @property
    def file_name(self) -> str:
        """Its name in names of files."""
        return self.name.replace(" ", "_")

    def count(self, job: BuildJob) -> int:
        """How many items it has."""
        return 1 if self.items is None else self.items(job)


STAGES = (
    Stage("reading", read_part, lambda job: job.part_count),
    Stage("gathering", lambda job, index, progress: gather(job)),
    Stage("surveying", survey_shard, lambda job: len(job.train_shards)),
    Stage("adding up", lambda job, index, progress: merge_survey(job)),
    Stage("detecting", detect_shard, lambda job: len(job.shards), needs_detector=True),
    Stage("thresholds", lambda job, index, progress: merge_detection(job), needs_detector=True),
    Stage("writing", write_shard, lambda job: len(job.shards)),
    Stage("finishing", lambda job, index, progress: finish(job)),
)


def stages_of(job: BuildJob) -> list[Stage]:
    """The stages that a build has."""
    return [stage for stage in STAGES if job.config.detector is not None or not stage.needs_detector]


@lru_cache(maxsize=1)
def _job_of_process(config: BuildConfig, root: Path, threads: int, fingerprint: str) -> BuildJob:
    """The job that all tasks of this process share, with what it has read; a later build is another job."""
    return BuildJob(config, root, threads, fingerprint)


class BuildStep(PipelineStep):
    """A stage as a datatrove step; task `rank` of `world_size` works on every so-manieth item."""

    type = "NotCLIP"

    def __init__(self, stage: str, config: BuildConfig, root: Path, *, threads: int = 1) -> None:
        super().__init__()
        self.name = stage
        self.config = config
        self.root = root
        self.threads = threads

    def run(self, data: Any = None, rank: int = 0, world_size: int = 1) -> Iterator[Any]:
        """Work on the items of one task; what goes in and out of it are files of the job's folder, not documents."""
        if data:
            yield from data
        end_with_parent()
        stage = next(stage for stage in STAGES if stage.name == self.name)
        begun = read_work_file(WorkFolder(self.root).plan)["fingerprint"]
        job = _job_of_process(self.config, self.root, self.threads, begun)
        with _rare_collections():
            for item in range(rank, stage.count(job), world_size):
                try:
                    stage.work(job, item, TaskProgress(job.work.progress, stage.file_name, item))
                except BadInputError as error:
                    write_work_file(job.work.refusal, str(error))  # For whoever waits for the tasks of a cluster.
                    raise
                self.stat_update("items")


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Facts and rows are many and hold no cycles, so that looking for cycles among them would only take time."""
    before = gc.get_threshold()
    gc.set_threshold(_NEW_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
