from pathlib import Path

import pytest

from notclip.files import cache_folder
from notclip.files.cache_folder import user_cache


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(cache_folder.tempfile, "gettempdir", lambda: str(tmp_path))
    cache_folder.usable.cache_clear()
    yield tmp_path
    cache_folder.usable.cache_clear()


def test_the_cache_is_where_xdg_says_else_below_home(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert user_cache() == tmp_path / "xdg" / "notclip"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert user_cache() == tmp_path / "home" / ".cache" / "notclip"


def test_a_home_that_cannot_be_written_moves_the_cache_and_says_so_once(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/dev/null")
    assert user_cache() == user_cache()
    assert user_cache().parent == tmp_path and user_cache().stat().st_mode & 0o777 == 0o700
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "set XDG_CACHE_HOME" in said


def test_a_temporary_folder_that_is_a_link_of_somebody_is_not_used(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    (tmp_path / "theirs").mkdir()
    (tmp_path / f"notclip-{cache_folder.os.getuid()}").symlink_to(tmp_path / "theirs")
    assert user_cache().resolve() != (tmp_path / "theirs").resolve()
