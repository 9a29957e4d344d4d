"""A machine without a home that can be written: said before work is done, and worked on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from notclip.files.writable_caches import use_writable_caches

VARIABLES = ("HOME", "XDG_CACHE_HOME", "HF_HOME", "HF_HUB_CACHE", "MPLCONFIGDIR")


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """A home of our own, no caches named, and temporary folders below `tmp_path`."""
    for name in VARIABLES:
        monkeypatch.setenv(name, "set, so that it is put back")
        monkeypatch.delenv(name)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return monkeypatch


def test_a_home_that_can_be_written_is_left_alone(environment, tmp_path):
    assert use_writable_caches() is None
    assert "XDG_CACHE_HOME" not in os.environ and not list((tmp_path / "tmp").iterdir())


def test_a_home_that_is_a_file_moves_the_caches_and_names_what_keeps_them(environment, tmp_path):
    (tmp_path / "file").touch()
    environment.setenv("HOME", str(tmp_path / "file"))
    said = use_writable_caches()
    assert said.startswith(f"{tmp_path}/file/.cache cannot be written:") and "set XDG_CACHE_HOME" in said
    assert Path(os.environ["XDG_CACHE_HOME"]).parent == tmp_path / "tmp"
    assert use_writable_caches() is None  # said once


def test_a_user_without_any_home_gets_caches_too(environment):
    environment.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("Could not determine home")))
    assert use_writable_caches().startswith("this user has no home")
    assert Path(os.environ["XDG_CACHE_HOME"]).is_dir()


def test_what_was_fetched_before_is_still_read_where_it_lies(environment, tmp_path):
    fetched = tmp_path / "models" / "hub"
    fetched.mkdir(parents=True)
    environment.setenv("HF_HOME", str(tmp_path / "models"))
    environment.setattr(os, "access", lambda path, mode: "models" not in str(path))  # read-only, for root too
    assert "models cannot be written" in use_writable_caches()
    assert os.environ["HF_HUB_CACHE"] == str(fetched)
    assert Path(os.environ["HF_HOME"]).parents[1] == tmp_path / "tmp"
    assert "XDG_CACHE_HOME" not in os.environ


def test_a_command_says_it_first_and_leaves_nothing_behind(tmp_path):
    (tmp_path / "home").touch()
    (tmp_path / "tmp").mkdir()
    kept = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    kept |= {"TMPDIR": str(tmp_path / "tmp"), "HF_HUB_OFFLINE": "1", "HOME": str(tmp_path / "home")}
    command = [sys.executable, "-m", "notclip.command_line", "convert-openclip", "--model", "gone.pt"]
    done = subprocess.run(
        [*command, "--out", "out"], env=kept, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    first, *rest = done.stderr.strip().splitlines()
    assert first.startswith(f"notclip: {tmp_path}/home/.cache cannot be written:")
    assert rest == ["notclip: `model` gone.pt does not exist."]
    assert done.returncode == 2
    assert not list((tmp_path / "tmp").glob("notclip-*"))
