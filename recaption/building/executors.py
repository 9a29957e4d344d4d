"""Runs the stages of a build one after another: here, or as jobs of a cluster."""

from importlib.util import find_spec

from datatrove.executor.local import LocalPipelineExecutor
from datatrove.executor.slurm import SlurmPipelineExecutor

from notclip.errors import BadInputError
from notclip.recaption.building.job import BuildJob
from notclip.recaption.building.orphans import forked_children_end_with_this
from notclip.recaption.building.progress import progress_bar
from notclip.recaption.building.stages import BuildStep, Stage, stages_of
from notclip.recaption.building.work_folder import read_work_file, write_work_file

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
        total = job.gathered.images("train") if stage.name == "surveying" else images
        show = job.config.progress and stage.items is not None
        with progress_bar(job.work.progress, stage.file_name, total=total, show=show), forked_children_end_with_this():
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


def submit_to_slurm(job: BuildJob) -> list[str]:
    """Submit all stages as Slurm job arrays, each waiting for the one before, and return the job ids."""
    before: SlurmPipelineExecutor | None = None
    ids = []
    for stage in stages_of(job):
        executor = SlurmPipelineExecutor(
            [BuildStep(stage.name, job.config, job.root)],
            tasks=1 if stage.items is None else job.config.tasks,  # Each works on every so-manieth item.
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
        write_work_file(job.work.jobs, ids)
    return ids


def run_on_ray(job: BuildJob) -> None:
    """Run all stages on the Ray cluster that this process can reach, one after another.

    Raises:
        BadInputError: Ray is not installed, or a task refused the source.
        RuntimeError: a task broke off in another way; the same build goes on from there.
    """
    if find_spec("ray") is None:
        raise BadInputError("`executor` ray needs Ray, which is not installed: `pip install ray`, or build locally.")
    from datatrove.executor.ray import RayPipelineExecutor

    job.work.refusal.unlink(missing_ok=True)
    for stage in stages_of(job):
        executor = RayPipelineExecutor(
            [BuildStep(stage.name, job.config, job.root)],
            tasks=min(stage.count(job), job.config.tasks),
            mem_per_cpu_gb=job.config.memory_gb,
            logging_dir=_logs(job, stage),
        )
        executor.run()
        # It only logs what its tasks raise, and the next stage would work on half of the files.
        if executor.get_incomplete_ranks():
            if job.work.refusal.is_file():
                raise BadInputError(read_work_file(job.work.refusal))
            raise RuntimeError(f"Not all tasks of {stage.name} ended well; the logs are in {_logs(job, stage)}.")
