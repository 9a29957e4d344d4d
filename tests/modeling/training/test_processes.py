"""Several processes: one that dies does not leave the others waiting, nor without a word."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from torch import distributed

from notclip.errors import BadInputError
from notclip.training.processes import beside_others

HERE = Path(__file__).parent
PROGRAM = str(HERE / "one_of_two_dies.py")


def free_port() -> str:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return str(listening.getsockname()[1])


def two_processes(*command: str) -> list[subprocess.CompletedProcess]:
    """Run a program as both of two processes, without a launcher that would end the one for the other."""
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port(), "OMP_NUM_THREADS": "1"}
    both = [
        subprocess.Popen(
            [sys.executable, *command],
            env=os.environ | shared | {"RANK": rank, "LOCAL_RANK": rank},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in ("0", "1")
    ]
    try:
        said = [process.communicate(timeout=600) for process in both]
    finally:
        for process in both:
            process.kill()
    return [subprocess.CompletedProcess([], own.returncode, *out) for own, out in zip(both, said, strict=True)]


@pytest.mark.parametrize("place", ["reading", "training"])
def test_a_process_that_is_killed_ends_the_other_with_one_sentence(base, data, tmp_path, place):
    options = ["--base", base, "--data", str(data), "--out", str(tmp_path / "out"), "--batch-images", "4"]
    options += ["--batch-questions", "16", "--rank", "2", "--epochs", "2", "--held-out", "0"]
    both = two_processes(PROGRAM, place, *options)
    dead, left = (0, 1) if place == "reading" else (1, 0)
    assert both[dead].returncode == -9
    told = both[left].stderr
    assert both[left].returncode == 2, told[-2000:]
    assert "notclip: another process of this run has died" in told and "Traceback" not in told


def test_others_wait_for_the_first_however_long_it_takes():
    assert [process.returncode for process in two_processes(str(HERE / "slow_first.py"))] == [0, 0]


def test_what_is_no_death_of_another_process_stays_what_it_is(monkeypatch):
    monkeypatch.setattr(distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(distributed, "get_world_size", lambda: 2)
    with pytest.raises(RuntimeError, match="shapes"), beside_others():
        raise RuntimeError("shapes differ")
    with pytest.raises(BadInputError, match="--resume"), beside_others():
        raise RuntimeError("[../gloo/transport/tcp/pair.cc:538] Connection closed by peer [127.0.0.1]:2")
