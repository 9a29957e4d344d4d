"""Commands that are killed at steps which are counted, in children of a server that has loaded the libraries once."""

import hashlib
import multiprocessing
import random
import runpy
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

from notclip.recaption import drawn_world

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

    argv: Sequence[str | Path]
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
        """Kill it at random steps, SIGTERM and SIGKILL by turns, run it again, and compare with an undisturbed run."""
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
            # Killed when all was in its place, a command finds it there, and refuses to write over it.
            was_done = expected.items() <= self.contents(name, command).items()
            status = self.run(command, name, more=command.again)
            assert status == 0 or (was_done and status == 2), f"{name}: {self.log(name).read_text()}"
            assert self.contents(name, command) == expected, name


@pytest.fixture
def killing(tmp_path):
    """Runs and kills commands in a folder of the test."""
    return Killing(tmp_path)


class Inputs:
    """The commands that are killed, and what they read, each made once by the one before it.

    Args:
        killing: runs them.
    """

    build = Command(("build-dataset", "--source", "drawn-world", "--limit", "60", "--out", "data", "--no-progress"))

    def __init__(self, killing: Killing) -> None:
        self._killing = killing
        self.folder = killing.folder / "made"

    @cached_property
    def base(self) -> Path:
        """A CLIP of random weights: whatever it is taught, it is the better for it, and another epoch is chosen."""
        import torch
        from transformers import AutoProcessor, CLIPConfig, CLIPModel

        processor = AutoProcessor.from_pretrained(Path(drawn_world.__file__).parent / "encoder", backend="pil")
        size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
        tokens = {"eos_token_id": processor.tokenizer.sep_token_id, "bos_token_id": processor.tokenizer.cls_token_id}
        text = {"vocab_size": len(processor.tokenizer), **tokens}
        vision = {"image_size": processor.image_processor.size["shortest_edge"], "patch_size": 16}
        torch.manual_seed(0)
        config = CLIPConfig(text_config=size | text, vision_config=size | vision, projection_dim=16)
        folder = self._killing.folder / "base"
        CLIPModel(config).save_pretrained(folder)
        processor.save_pretrained(folder)
        return folder

    @cached_property
    def data(self) -> Path:
        """A dataset."""
        return self._make(self.build, "data")

    @property
    def train(self) -> Command:
        """Trains on it."""
        options = ("--epochs", "2", "--recall-tolerance", "1", "--checkpoint-every", "2", "--batch-images", "32")
        argv = ("train-adapter", "--base", self.base, "--data", self.data, "--out", "trained", *options)
        return Command(argv, again=("--resume",), varies=("timing.json",))

    @cached_property
    def trained(self) -> Path:
        """What it trained."""
        return self._make(self.train, "trained")

    def score(self, role: str) -> Command:
        """Scores the base, the merged backbone or NotCLIP."""
        models = {"base": self.base, "backbone": self.trained / "backbone", "notclip": self.trained / "model"}
        options = ("--model", models[role], "--suite", self.data, "--out", f"{role}.json", "--resamples", "20")
        return Command(("score-model", *options, "--cache", "cache"))

    @cached_property
    def results(self) -> tuple[Path, ...]:
        """Results of the three."""
        return tuple(self._make(self.score(role), f"{role}.json") for role in ("base", "backbone", "notclip"))

    def _make(self, command: Command, name: str) -> Path:
        assert self._killing.run(command, "made") == 0, self._killing.log("made").read_text()
        return self.folder / name


@pytest.fixture(scope="session")
def inputs(tmp_path_factory):
    """What commands read, made once for all tests."""
    return Inputs(Killing(tmp_path_factory.mktemp("inputs")))
