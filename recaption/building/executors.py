"""Runs the stages of a build one after another: here, or as jobs of a cluster."""

from typing import Any

from datatrove.executor.local import LocalPipelineExecutor
from datatrove.executor.slurm import SlurmPipelineExecutor

from notclip.recaption.building.job import BuildJob
from notclip.recaption.building.progress import progress_bar
from notclip.recaption.building.stages import BuildStep, Stage, stages_of

_SMALL = 20_000  # Images up to which one process with threads is done before others have started.


def run_here(job: BuildJob) -> None:
    """Run all stages on this machine, with a progress bar each."""
    images: int | None = None
    for stage in stages_of(job):
        items = stage.count(job)
        small = stage.name == "reading" and job.part_count < 4
        if images is not None:
            small = images <= _SMALL
        workers = 1 if small else min(items, job.config.workers)
        threads = -(-job.config.workers // workers)
        with progress_bar(
            job.work.progress, stage.file_name, total=_total(job, stage, images), show=_shown(job, stage)
        ):
            LocalPipelineExecutor(
                [BuildStep(stage.name, job.config, job.root, threads=threads)],
                tasks=items,
                workers=workers,
                logging_dir=_logs(job, stage),
            ).run()
        if stage.name == "gathering":
            images = job.gathered.images()


def _logs(job: BuildJob, stage: Stage) -> str:
    """Where datatrove keeps which tasks are complete, their logs and their statistics."""
    return str(job.work.logs / stage.file_name)


def _shown(job: BuildJob, stage: Stage) -> bool:
    return job.config.progress and stage.name in ("reading", "surveying", "detecting", "writing")


def _total(job: BuildJob, stage: Stage, images: int | None) -> int | None:
    return job.gathered.images("train") if stage.name == "surveying" else images


def submit_to_slurm(job: BuildJob) -> list[str]:
    """Submit all stages as Slurm job arrays, each waiting for the one before, and return the job ids."""
    before: SlurmPipelineExecutor | None = None
    ids = []
    for stage in stages_of(job):
        executor = SlurmPipelineExecutor(
            [BuildStep(stage.name, job.config, job.root)],
            tasks=_cluster_tasks(job, stage),
            time=job.config.slurm_time,
            partition=job.config.slurm_partition,
            mem_per_cpu_gb=job.config.memory_gb,
            job_name=f"notclip-{stage.name.replace(' ', '-')}",
            qos="",
            depends=before,
            logging_dir=_logs(job, stage),
        )
        executor.run()
        ids.append(str(executor.job_id))
        before = executor
    return ids


def run_on_ray(job: BuildJob) -> None:
    """Run all stages on the Ray cluster that this process can reach, one after another."""
    from datatrove.executor.ray import RayPipelineExecutor

    for stage in stages_of(job):
        options: dict[str, Any] = {"tasks": _cluster_tasks(job, stage), "mem_per_cpu_gb": job.config.memory_gb}
        RayPipelineExecutor(
            [BuildStep(stage.name, job.config, job.root)],
            logging_dir=_logs(job, stage),
            **options,
        ).run()


def _cluster_tasks(job: BuildJob, stage: Stage) -> int:
    """One for stages that add up; the others share their items among as many tasks as the options say."""
    return 1 if stage.name in ("gathering", "adding up", "thresholds", "finishing") else job.config.tasks
