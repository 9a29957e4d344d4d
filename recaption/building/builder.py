"""Builds a dataset: from a source to three configs in Parquet, a README and `build.json`, all or nothing."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from notclip.errors import BadInputError
from notclip.files.derived import derived_key
from notclip.files.only_writer import only_writer
from notclip.files.whole_files import partial_folder
from notclip.recaption.building.config import BuildConfig
from notclip.recaption.building.executors import run_here, run_on_ray, submit_to_slurm
from notclip.recaption.building.finishing import WITHOUT_EFFECT
from notclip.recaption.building.job import BuildJob
from notclip.recaption.building.work_folder import WorkFolder, read_work_file, write_work_file
from notclip.recaption.concepts.lexicon import load_lexicon
from notclip.recaption.english.domain import load_domain
from notclip.recaption.llm.endpoint import EndpointError

_MADE_WITH = ("notclip", "datasets", "numpy", "onnxruntime", "pillow", "pyarrow", "scikit-learn", "transformers")


def build_dataset(
    config: BuildConfig, *, on_columns: Callable[[Mapping[str, str]], object] | None = None
) -> dict[str, Any] | None:
    """Build a dataset and return what `build.json` says about it; None where it was only handed to Slurm.

    The dataset grows in a hidden folder beside `out`, `.OUT.unfinished`, and takes its name when it is complete. A
    build that was killed, in whichever way and at whichever moment, goes on from there when it is called again with
    the same options and source, and its bytes are those of one that was not disturbed.

    Args:
        config: the options.
        on_columns: told what each column of a table was taken for, before its rows are read.

    Raises:
        BadInputError: an option, the source or its content cannot be used, or the questions give themselves away;
            then nothing is left behind.
        EndpointError: the endpoint of the language model does not answer; the same build goes on from there.
    """
    with only_writer(config.out, reads={"source": config.source}):
        return _build(config, on_columns)


def unfinished_folder(out: Path) -> Path:
    """Where the dataset `out` grows; gone when the build has ended."""
    return out.with_name(f".{out.name}.unfinished")


def _build(config: BuildConfig, on_columns: Callable[[Mapping[str, str]], object] | None) -> dict[str, Any] | None:
    work = WorkFolder(unfinished_folder(config.out))
    if config.out.exists() and (not config.out.is_dir() or any(config.out.iterdir())):
        if _is_the_same_build(work, config):  # Killed between the last two steps of the end.
            return _end(work, config)
        raise BadInputError(
            f"`out` must be a new or empty folder, but {config.out} holds something: remove it or name another."
        )
    load_lexicon(config.lexicon)  # Says at once what is wrong with it.
    if config.domain is not None:
        load_domain(config.domain)
    job = BuildJob(config, work.root.resolve(), fingerprint=build_key(config))
    try:
        if not _is_the_same_build(work, config):
            _check_no_jobs(work, config)
            shutil.rmtree(work.root, ignore_errors=True)
            parts = len(job.parts)
            columns = {name: what for part in job.parts for name, what in part.taken_for.items()}
            if columns and on_columns is not None:
                on_columns(columns)
            work.make(job.configs)
            write_work_file(work.plan, {"parts": parts, "fingerprint": job.fingerprint})
        if config.executor == "slurm":
            submit_to_slurm(job)
            return None
        run_on_ray(job) if config.executor == "ray" else run_here(job)
    except EndpointError:
        raise  # No fault of the source: hours of reading and writing stay for when the endpoint is back.
    except BadInputError:
        if not work.jobs.is_file():
            shutil.rmtree(work.root, ignore_errors=True)
        raise
    return _end(work, config)


def _end(work: WorkFolder, config: BuildConfig) -> dict[str, Any]:
    with partial_folder(config.out) as removed:  # In one step: half of this folder is what no build can go on from.
        work.root.rename(removed / "unfinished")
    summary: dict[str, Any] = read_work_file(config.out / "build.json")
    return summary


def _check_no_jobs(work: WorkFolder, config: BuildConfig) -> None:
    """Refuse to take away the folder in which jobs of Slurm may be at work, on other machines, for another build."""
    if work.jobs.is_file():
        ids = read_work_file(work.jobs)
        raise BadInputError(
            f"`out` {config.out} is being built by Slurm with other options, as jobs {', '.join(ids)}: name another "
            f"folder; or end them with `scancel {' '.join(ids)}`, remove {work.root}, and start anew."
        )


def _is_the_same_build(work: WorkFolder, config: BuildConfig) -> bool:
    """Whether the folder holds the beginning of just this build, so that it can go on."""
    plan = read_work_file(work.plan) if work.plan.is_file() else None
    return isinstance(plan, dict) and plan.get("fingerprint") == build_key(config)


def build_key(config: BuildConfig) -> str:
    """Key of all that the bytes of the dataset depend on, as far as it can be told without reading the source.

    Code is part of it: what an older version began is begun anew, so that no dataset is half of each.
    """
    options = {key: str(value) for key, value in asdict(config).items() if key not in WITHOUT_EFFECT}
    files = [
        _looks(file)
        for named in (Path(config.source), Path(config.domain or config.source), config.lexicon, config.detector)
        if named is not None and named.exists()
        for file in ([named] if named.is_file() else sorted(named.rglob("*")))
    ]
    return derived_key(__name__, of={"options": options, "files": files}, libraries=_MADE_WITH)


def _looks(file: Path) -> tuple[str, int, int]:
    """What tells that a file was changed."""
    status = file.stat()
    return str(file), status.st_size, status.st_mtime_ns
