"""The folder in which a build grows: every file of it appears whole or not at all, so that a killed build goes on."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from notclip.errors import BadInputError
from notclip.files.whole_files import whole_file


def write_work_file(file: Path, value: Any) -> None:
    """Write JSON, whole or not at all."""
    with whole_file(file) as unfinished:
        unfinished.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def read_work_file(file: Path) -> Any:
    """What `write_work_file` wrote."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadInputError(f"{file} is not what was written there ({error}): remove it, and start again.") from error


class WorkFolder:
    """Where each stage keeps what it made."""

    STAGES = ("raw_shards", "gather", "survey", "scores", "shards", "progress", "logs")

    def __init__(self, root: Path) -> None:
        self.root = root
        self.plan = root / "plan.json"
        self.refusal = root / "refusal.json"  # What a task had against the source.
        self.jobs = root / "slurm_jobs.json"  # Ids of what was handed to Slurm, which may be running.
        self.raw_shards, self.gather, self.survey = root / "raw_shards", root / "gather", root / "survey"
        self.scores, self.shards, self.progress = root / "scores", root / "shards", root / "progress"
        self.logs, self.dataset = root / "logs", root / "dataset"
        self.corpus = root / "corpus"

    def make(self, configs: Iterable[str] = ()) -> None:
        """Make the folders, one for each config among them.

        Tasks make none, so that one left over from a killed run cannot bring a folder back.
        """
        for name in (*self.STAGES, "corpus"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        for config in configs:
            (self.dataset / config).mkdir(parents=True, exist_ok=True)
