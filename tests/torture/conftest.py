"""Counts what was tried on each door of the house, and prints it at the end: tried, held, fell.

`make test` runs a short form, which stops at the first input that something falls to and makes it small. `make
torture` sets NOTCLIP_TORTURE to a number of inputs for each door: all of them are tried, and each kind of fall is kept
as a file.
"""

import json
import os
import resource
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

CAMPAIGN = int(os.environ.get("NOTCLIP_TORTURE", "0"))
SHORT = 25
SECONDS = 10.0  # of the processor that one input may take
FAIR_SHARE = 0.05  # of the inputs of a door that must be no error
GROWTH = 700.0  # MB by which one input may raise the peak of the process

settings.register_profile(
    "torture",
    max_examples=CAMPAIGN or SHORT,
    deadline=None,
    derandomize=not CAMPAIGN,  # CI tries the same inputs each time; a campaign others each time
    database=None,
    phases=[Phase.explicit, Phase.generate] + ([] if CAMPAIGN else [Phase.shrink]),
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("torture")


class Tally:
    """What was tried on each door."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tried: Counter[str] = Counter()
        self.taken: Counter[str] = Counter()  # inputs that were no error
        self.falls: dict[str, Counter[str]] = defaultdict(Counter)

    def attempt(
        self,
        door: str,
        value: Any,
        act: Callable[[], Any],
        *,
        allowed: tuple[type[Exception], ...],
        bounded: bool = True,
    ) -> None:
        """Try one input: `act` may return, or raise what is `allowed` with one short sentence; nothing else.

        Args:
            door: what takes the input.
            value: the input, to be kept where something falls to it.
            act: gives it the input.
            allowed: errors that are answers.
            bounded: whether it must be quick.
        """
        self.tried[door] += 1
        peak, started = _peak_mb(), time.process_time()
        try:
            act()
        except allowed as error:
            fall = _of_message(str(error))
        except Exception as error:
            if not CAMPAIGN:
                raise
            frame = traceback.extract_tb(error.__traceback__)[-1]
            fall = f"{type(error).__name__} in {Path(frame.filename).name}:{frame.lineno}"
        else:
            fall = ""
            self.taken[door] += 1
        seconds, growth = time.process_time() - started, _peak_mb() - peak
        if not fall and bounded and seconds > SECONDS:
            fall = f"slow: more than {SECONDS:.0f} s"
        if not fall and growth > GROWTH:
            fall = f"memory: more than {GROWTH:.0f} MB"
        if not fall:
            return
        if not CAMPAIGN:
            raise AssertionError(f"{door}: {fall}\n{value!r:.2000}")
        if not self.falls[door][fall]:
            self.folder.mkdir(parents=True, exist_ok=True)
            name = f"{door}-{len(self.falls[door])}.txt".replace(" ", "-").replace("/", "-")
            (self.folder / name).write_text(f"{fall}\n{value!r}\n", encoding="utf-8", errors="backslashreplace")
        self.falls[door][fall] += 1


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _of_message(message: str) -> str:
    """What is wrong with an error's message; empty for a good one."""
    if not message.strip():
        return "an error without words"
    if len(message) > 1200:
        return "an error of more than 1,200 letters"
    if any(ord(letter) < 32 and letter not in "\n\t" for letter in message):
        return "control characters in an error"
    return ""


_TALLY = Tally(Path(os.environ.get("NOTCLIP_TORTURE_FALLS", "build/torture")))


@pytest.fixture(scope="session")
def tally() -> Tally:
    return _TALLY


@pytest.fixture(autouse=True)
def _no_fall_is_forgotten(request, tally):
    before, doors = sum(map(len, tally.falls.values())), set(tally.tried)
    yield
    assert sum(map(len, tally.falls.values())) == before, "see the table at the end, and build/torture/"
    for door in set(tally.tried) - doors if CAMPAIGN else ():  # Of a few inputs the share says little.
        # Where all is refused, what is behind the door was not tried.
        assert tally.taken[door] >= FAIR_SHARE * tally.tried[door], f"{door}: {tally.taken[door]} inputs were taken"


def pytest_terminal_summary(terminalreporter):
    if not CAMPAIGN or not _TALLY.tried:
        return
    terminalreporter.section("tried, held (of these taken, not refused), fell")
    for door, tried in sorted(_TALLY.tried.items()):
        fell = sum(_TALLY.falls[door].values())
        terminalreporter.write_line(f"{door:40}{tried:9,}{tried - fell:9,}{f'({_TALLY.taken[door]:,})':>9}{fell:9,}")
        for fall, times in _TALLY.falls[door].most_common():
            terminalreporter.write_line(f"    {times:6,}  {fall}")
    _add_up(_TALLY)


def _add_up(tally: Tally) -> None:
    """Keep what all campaigns tried since the folder was removed, and write it as the table of docs/trust.md."""
    file = tally.folder / "tried.json"
    total = json.loads(file.read_text()) if file.is_file() else {}
    for door, tried in tally.tried.items():
        fell = sum(tally.falls[door].values())
        counts = (tried, tried - fell, tally.taken[door], fell)
        total[door] = [before + now for before, now in zip(total.get(door, [0] * 4), counts, strict=True)]
    tally.folder.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(total, indent=2, sort_keys=True) + "\n")
    lines = ["| door | tried | held | of these taken, not refused | fell |", "|---|---:|---:|---:|---:|"]
    lines += [f"| {door} | " + " | ".join(f"{count:,}" for count in total[door]) + " |" for door in sorted(total)]
    (tally.folder / "table.md").write_text("\n".join(lines) + "\n")
