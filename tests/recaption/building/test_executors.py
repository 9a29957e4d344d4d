"""What a cluster's executor may keep to itself: that it is not there, and what its tasks raised."""

import dataclasses
from pathlib import Path

import datatrove.executor.ray
import pytest
from datatrove.executor.local import LocalPipelineExecutor
from PIL import Image

from notclip.errors import BadInputError
from notclip.recaption.building import executors
from notclip.recaption.building.builder import build_dataset
from notclip.recaption.building.config import BuildConfig


class Silent(LocalPipelineExecutor):
    """Runs tasks as datatrove's Ray executor does: what they raise ends up in the log alone."""

    def __init__(self, pipeline, *, tasks: int, mem_per_cpu_gb: float, logging_dir: str) -> None:
        super().__init__(pipeline, tasks=tasks, workers=1, logging_dir=logging_dir)

    def run(self) -> None:
        try:
            super().run()
        except Exception:
            return


@pytest.fixture
def config(tmp_path: Path) -> BuildConfig:
    """A source of which no caption names a known concept."""
    for number in range(3):
        Image.new("RGB", (4, 4), (number, 0, 0)).save(tmp_path / f"{number}.png")
    (tmp_path / "train.csv").write_text("image,caption\n" + "".join(f"{number}.png,qqq\n" for number in range(3)))
    return BuildConfig(str(tmp_path / "train.csv"), tmp_path / "out", executor="ray", progress=False)


def test_what_a_task_refuses_on_ray_is_told_and_nothing_is_left(config: BuildConfig, monkeypatch):
    monkeypatch.setattr(executors, "find_spec", lambda name: name)
    monkeypatch.setattr(datatrove.executor.ray, "RayPipelineExecutor", Silent)
    with pytest.raises(BadInputError, match=r"no image .*train split"):
        build_dataset(config)
    assert not list(config.out.parent.glob("*out*"))


def test_another_failure_on_ray_stops_the_build_before_the_next_stage(config: BuildConfig, monkeypatch):
    monkeypatch.setattr(executors, "find_spec", lambda name: name)
    monkeypatch.setattr(datatrove.executor.ray, "RayPipelineExecutor", Silent)
    monkeypatch.setattr("notclip.recaption.building.stages.gather", lambda *arguments, **options: 1 / 0)
    with pytest.raises(RuntimeError, match=r"tasks of gathering.*logs"):
        build_dataset(config)
    assert not (config.out.parent / ".out.unfinished" / "logs" / "surveying").exists()


def test_a_build_on_ray_without_ray_says_what_to_install(config: BuildConfig, monkeypatch):
    monkeypatch.setattr(executors, "find_spec", lambda name: None)
    with pytest.raises(BadInputError, match="`pip install ray`"):
        build_dataset(config)
    assert not list(config.out.parent.glob("*out*"))


def test_a_folder_in_which_jobs_of_slurm_may_run_is_not_taken_away(config: BuildConfig, monkeypatch):
    class Submitted:
        """What stands for datatrove's executor, which calls `sbatch`."""

        def __init__(self, pipeline, **options) -> None:
            self.job_id = 7

        def run(self) -> None:
            """Submit nothing."""

    monkeypatch.setattr(executors, "SlurmPipelineExecutor", Submitted)
    submitted = dataclasses.replace(config, executor="slurm", slurm_partition="cpu")
    assert build_dataset(submitted) is None
    for other in (dataclasses.replace(submitted, seed=1), dataclasses.replace(config, executor="local", seed=1)):
        with pytest.raises(BadInputError, match=r"Slurm with other options, .*7, 7"):
            build_dataset(other)
    assert (config.out.parent / ".out.unfinished" / "plan.json").is_file()
    assert build_dataset(submitted) is None  # The same again submits what is missing.
