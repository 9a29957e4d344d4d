"""Commands that are killed at steps which are counted, in children of a server that has loaded the libraries once."""

import contextlib
import functools
import hashlib
import multiprocessing
import os
import random
import re
import runpy
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from notclip.recaption import drawn_world

# How often each command is disturbed in each way.
KILLS = int(os.environ.get("NOTCLIP_TORTURE_KILLS", "10" if "NOTCLIP_TORTURE" in os.environ else "1"))
PROGRAM = Path(__file__).with_name("killed.py")
ROOT = Path(__file__).parents[3]
LOADED = (
    *(
        "torch",
        "transformers",
        "datasets",
        "peft",
        "sklearn.linear_model",
        "notclip.training.run",
        "notclip.scoring.run",
    ),
    *("notclip.recaption.building.builder", "notclip.hub_cards.staging.stage", "notclip.command_line"),
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
        tally: counts.
    """

    def __init__(self, folder: Path, tally: Any) -> None:
        self.folder = folder
        self._tally = tally
        self._undisturbed: set[str] = set()
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([*LOADED])

    def run(self, command: Command, name: str, *, number: int | None = None, at: int = 0, more: tuple = ()) -> int:
        """Run it in the folder of that name; returns its exit status, negative for a signal."""
        process = self.start(command, name, number=number, at=at, more=more)
        process.join()
        assert process.exitcode is not None
        return process.exitcode

    def start(self, command: Command, name: str, *, number: int | None = None, at: int = 0, more: tuple = ()) -> Any:
        """Start it in the folder of that name; returns its process."""
        work = self.folder / name
        work.mkdir(exist_ok=True)
        argv = [*map(str, command.argv), *more]
        arguments = {"argv": argv, "folder": str(work), "log": str(self.log(name)), "number": number, "at": at}
        values = {"init_globals": {"arguments": arguments}, "run_name": "__main__"}
        process = self._context.Process(target=runpy.run_path, args=(str(PROGRAM),), kwargs=values)
        process.start()
        return process

    def log(self, name: str) -> Path:
        """What the run of that name printed."""
        return self.folder / f"{name}.log"

    def steps(self, name: str) -> int:
        """How many steps the run of that name took to its end."""
        return int(Path(f"{self.log(name)}.steps").read_text())

    def contents(self, name: str, command: Command) -> dict[str, str]:
        """Every file that the run of that name left, hidden ones too -> its hash.

        The folder of a training's texts is named after the place and the time of the data that they are of, and those
        of a run have their own.
        """
        work = self.folder / name
        files = [path for path in sorted(work.rglob("*")) if path.is_file() and path.name not in command.varies]
        names = [re.sub(r"/(texts-[a-z]+)-[0-9a-f]+/", r"/\1/", path.relative_to(work).as_posix()) for path in files]
        assert len(set(names)) == len(names), f"{name}: the texts of a split stand in two folders"
        return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in zip(names, files, strict=True)}

    def undisturbed(self, verb: str, command: Command) -> Path:
        """The folder of a run that nobody disturbed, which there is one of."""
        name = f"{verb}-undisturbed"
        if name not in self._undisturbed:
            assert self.run(command, name) == 0, self.log(name).read_text()
            self._undisturbed.add(name)
        return self.folder / name

    def survives(self, verb: str, command: Command, *, seed: int) -> None:
        """Kill it at random steps by SIGTERM and SIGKILL, run it again, and compare with an undisturbed run."""
        self.undisturbed(verb, command)
        steps, chosen = self.steps(f"{verb}-undisturbed"), random.Random(seed)
        for number in (signal.SIGTERM, signal.SIGKILL):
            for _ in range(KILLS):
                at = chosen.randint(1, steps)
                name = f"{verb}-{number.name}-at-{at}-of-{steps}"
                act = functools.partial(self._kill, verb, command, name, number, at)
                self._tally.attempt(f"{verb}, {number.name}", name, act, allowed=(), bounded=False)
                shutil.rmtree(self.folder / name)

    def _kill(self, verb: str, command: Command, name: str, number: signal.Signals, at: int) -> None:
        status = self.run(command, name, number=number, at=at)
        assert status == (143 if number == signal.SIGTERM else -number), self.log(name).read_text()
        if number == signal.SIGTERM:
            said = self.log(name).read_text()
            assert "notclip: terminated. " in said, said
            assert "Traceback" not in said, said
        self.completes(verb, command, name)

    def completes(self, verb: str, command: Command, name: str) -> None:
        """Given again, the command ends with the bytes of the undisturbed run."""
        expected = self.contents(f"{verb}-undisturbed", command)
        assert expected
        # Killed when all was in its place, a command finds it there, and refuses to write over it.
        was_done = expected.items() <= self.contents(name, command).items()
        status = self.run(command, name, more=command.again)
        assert status == 0 or (was_done and status == 2), f"{name}: {self.log(name).read_text()}"
        assert self.contents(name, command) == expected, name

    def survives_a_full_disk(self, verb: str, command: Command, *, seed: int) -> None:
        """Run it on small disks, which it is to say are full, give them room, and run it again."""
        folder = self.undisturbed(verb, command)
        size, chosen = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()), random.Random(seed)
        for number in range(KILLS):
            room = int(size * chosen.uniform(0.05, 0.9))
            name = f"{verb}-on-disk-{number}"
            with mounted(self.folder / name, room):
                act = functools.partial(self._fill, verb, command, name)
                self._tally.attempt(
                    f"{verb}, full disk", f"{room:,} of {size:,} bytes", act, allowed=(), bounded=False
                )

    def _fill(self, verb: str, command: Command, name: str) -> None:
        status, said = self.run(command, name), self.log(name).read_text()
        assert status == 2, said
        assert "No space left on device" in said, said
        assert "Traceback" not in said, said
        subprocess.run(["mount", "-o", "remount,size=2G", str(self.folder / name)], check=True)
        self.completes(verb, command, name)

    def survives_with_its_workers(self, verb: str, command: Command, *, seed: int) -> None:
        """Kill it by SIGKILL while its workers are at work: they end too, and given again it completes."""
        self.undisturbed(verb, command)
        chosen = random.Random(seed)
        for number in range(KILLS):
            name = f"{verb}-{number}"
            act = functools.partial(self._orphan, verb, command, name, chosen.uniform(0, 1.5))
            self._tally.attempt(f"{verb}, SIGKILL", name, act, allowed=(), bounded=False)
            shutil.rmtree(self.folder / name)

    def _orphan(self, verb: str, command: Command, name: str, delay: float) -> None:
        process = self.start(command, name)
        children: set[int] = set()
        while len(children) < 4 and process.is_alive():  # A manager, a server of forks, and two workers.
            children = descendants(process.pid)
            time.sleep(0.01)
        process.join(delay)
        children |= descendants(process.pid)
        process.kill()
        process.join()
        until = time.monotonic() + 120  # One that was just started loads its libraries before it looks around.
        while left := [child for child in children if is_running(child)]:
            assert time.monotonic() < until, f"{len(left)} processes live on"
            time.sleep(0.05)
        self.completes(verb, command, name)


def descendants(process: int) -> set[int]:
    """Processes that a process started, and those that they started."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    found: set[int] = set()
    waiting = [process]
    while waiting:
        parent = waiting.pop()
        new = {child for child, its in parents.items() if its == parent}
        found |= new
        waiting += new
    return found


def is_running(process: int) -> bool:
    """Whether there is such a process, and it is no zombie that nobody asked for its status."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextlib.contextmanager
def mounted(folder: Path, size: int) -> Iterator[None]:
    """A disk in memory, of so many bytes, while the block runs."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(scope="session")
def killing(tmp_path_factory, tally):
    """Runs and kills commands, in folders beside each other."""
    return Killing(tmp_path_factory.mktemp("kills"), tally)


class Inputs:
    """The commands that are killed, and what they read, each made once by the one before it.

    Args:
        killing: runs them.
    """

    build = Command(("build-dataset", "--source", "drawn-world", "--limit", "60", "--out", "data", "--no-progress"))

    def __init__(self, killing: Killing) -> None:
        self._killing = killing

    @cached_property
    def base(self) -> Path:
        """A CLIP of random weights, which has nothing to forget: an epoch after 0 is chosen."""
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
        return self._killing.undisturbed("build", self.build) / "data"

    @property
    def embed(self) -> Command:
        """Embeds its photos into a cache."""
        return Command(("embed-images", "--base", self.base, "--data", self.data, "--cache", "cache"))

    @property
    def train(self) -> Command:
        """Trains on it."""
        options = ("--epochs", "2", "--recall-tolerance", "1", "--checkpoint-every", "2", "--batch-images", "32")
        options += ("--learning-rate", "0.02", "--anchor-weight", "0", "--contrastive-weight", "0.02")
        argv = ("train-adapter", "--base", self.base, "--data", self.data, "--out", "trained", *options)
        return Command(argv, again=("--resume",), varies=("timing.json",))

    @cached_property
    def trained(self) -> Path:
        """What it trained."""
        return self._killing.undisturbed("train", self.train) / "trained"

    def score(self, role: str) -> Command:
        """Scores the base, the merged backbone or NotCLIP."""
        models = {"base": self.base, "backbone": self.trained / "backbone", "notclip": self.trained / "model"}
        options = ("--model", models[role], "--suite", self.data, "--out", f"{role}.json", "--resamples", "20")
        judged = () if role != "notclip" else ("--compare", self.result("base"), "--require", "macro_accuracy>=0.01")
        return Command(("score-model", *options, "--cache", "cache", *judged))

    def result(self, role: str) -> Path:
        """Results of one of the three."""
        verb = "score" if role == "notclip" else f"score {role}"
        return self._killing.undisturbed(verb, self.score(role)) / f"{role}.json"

    @property
    def stage(self) -> Command:
        """Stages all of it."""
        results = map(self.result, ("base", "backbone", "notclip"))
        files = ("--model", self.trained, "--data", self.data, "--results", *results)
        return Command(("stage-release", *files, "--namespace", "ann", "--name", "tiny", "--out", "hub"))

    @property
    def convert(self) -> Command:
        """Converts what was trained to OpenCLIP's form."""
        return Command(("convert-openclip", "--model", self.trained / "backbone", "--out", "openclip"))

    @property
    def convert_back(self) -> Command:
        """Converts that to a model of transformers."""
        openclip = self._killing.undisturbed("convert", self.convert) / "openclip"
        return Command(("convert-openclip", "--model", openclip, "--out", "backbone"))

    stage_reader = Command(
        (
            *("stage-reader", "--namespace", "ann", "--out", "reader"),
            *("--labels", ROOT / "benchmarks" / "reading_data"),
            *("--results", ROOT / "docs" / "results" / "reading" / "test.json"),
        )
    )
    suite = Command(("init-suite", "suite"))
    demo = Command(("demo", "--limit", "60", "--epochs", "1", "--out", "demo"), varies=("timing.json",))


@pytest.fixture(scope="session")
def inputs(killing):
    """The commands, each of which reads what another one wrote undisturbed."""
    return Inputs(killing)
