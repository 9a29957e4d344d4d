"""Commands that are killed at steps which are counted, in children of a server that has loaded the libraries once."""

import hashlib
import multiprocessing
import random
import runpy
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

PROGRAM = Path(__file__).with_name("killed.py")
LOADED = (
    *("torch", "transformers", "datasets", "peft", "sklearn.linear_model", "notclip.train_run", "notclip.score_run"),
    *("notclip.recaption.builder", "notclip.hub_cards.staging", "notclip.scripts.command_line"),
)


@dataclass(frozen=True)
class Command:
    """A command of notclip that writes.

    Args:
        argv: the verb and its options; what it writes is named relatively, to the folder of the run.
        again: options that it needs to go on.
        varies: names of files that differ from run to run, for a reason that docs/scale.md states.
    """

    argv: Sequence[str]
    again: tuple[str, ...] = ()
    varies: tuple[str, ...] = ()


class Killing:
    """Runs commands to their end or kills them on the way; all in children of one server.

    Args:
        folder: where each run gets a folder of its own.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([*LOADED])

    def run(self, command: Command, name: str, *, number: int | None = None, at: int = 0, more: tuple = ()) -> int:
        """Run it in the folder of that name; returns its exit status, negative for a signal."""
        work = self.folder / name
        work.mkdir(exist_ok=True)
        argv = [*map(str, command.argv), *more]
        arguments = {"argv": argv, "folder": str(work), "log": str(self.log(name)), "number": number, "at": at}
        values = {"init_globals": {"arguments": arguments}, "run_name": "__main__"}
        process = self._context.Process(target=runpy.run_path, args=(str(PROGRAM),), kwargs=values)
        process.start()
        process.join()
        assert process.exitcode is not None
        return process.exitcode

    def log(self, name: str) -> Path:
        """What the run of that name printed."""
        return self.folder / f"{name}.log"

    def steps(self, name: str) -> int:
        """How many steps the run of that name took to its end."""
        return int(Path(f"{self.log(name)}.steps").read_text())

    def contents(self, name: str, command: Command) -> dict[str, str]:
        """Every file that the run of that name left, hidden ones too -> its hash."""
        work = self.folder / name
        return {
            path.relative_to(work).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(work.rglob("*"))
            if path.is_file() and path.name not in command.varies
        }

    def survives(self, command: Command, *, seed: int, kills: int = 1) -> None:
        """Kill it at random moments, SIGTERM and SIGKILL by turns, run it again, and compare with an undisturbed run."""
        assert self.run(command, "undisturbed") == 0, self.log("undisturbed").read_text()
        expected, steps = self.contents("undisturbed", command), self.steps("undisturbed")
        assert expected
        chosen = random.Random(seed)
        for number, status in ((signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)) * kills:
            at = chosen.randint(1, steps)
            name = f"{number.name}-at-{at}-of-{steps}"
            assert self.run(command, name, number=number, at=at) == status, self.log(name).read_text()
            if number == signal.SIGTERM:
                said = self.log(name).read_text()
                assert "notclip: terminated. " in said, said
                assert "Traceback" not in said, said
            # Killed in its very first steps, a command has written nothing that it could go on with.
            assert self.run(command, name, more=command.again) == 0, f"{name}: {self.log(name).read_text()}"
            assert self.contents(name, command) == expected, name


@pytest.fixture
def killing(tmp_path):
    """Runs and kills commands in a folder of the test."""
    return Killing(tmp_path)


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """What commands read, made once: a dataset, a trained model and its results."""
    from notclip.recaption import drawn_world

    killing = Killing(tmp_path_factory.mktemp("inputs"))
    encoder = Path(drawn_world.__file__).parent / "encoder"
    commands = SimpleNamespace(
        build=Command(("build-dataset", "--source", "drawn-world", "--limit", "60", "--out", "data", "--no-progress")),
        train=Command(
            ("train-adapter", "--base", encoder, "--data", killing.folder / "made" / "data", "--out", "trained")
            + ("--epochs", "2", "--recall-tolerance", "1", "--learning-rate", "4e-3", "--checkpoint-every", "1"),
            again=("--resume",),
            varies=("timing.json",),
        ),
        scored={},
    )
    folder = killing.folder / "made"
    models = {"base": encoder, "backbone": folder / "trained" / "backbone", "notclip": folder / "trained" / "model"}
    for role, model in models.items():
        options = ("--model", model, "--suite", folder / "data", "--out", f"{role}.json", "--resamples", "20")
        commands.scored[role] = Command(("score-model", *options, "--cache", "cache"))
    for command in (commands.build, commands.train, *commands.scored.values()):
        assert killing.run(command, "made") == 0, killing.log("made").read_text()
    return SimpleNamespace(folder=folder, commands=commands)
