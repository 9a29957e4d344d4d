"""Files and folders that appear whole or not at all, and names and locks that keep writers apart."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from notclip.errors import BadInputError
from notclip.files.file_names import LONGEST, file_name, file_names
from notclip.files.only_writer import only_writer
from notclip.files.whole_files import clear_partials, partial_folder, whole_file, whole_folder, write_whole


def test_a_file_is_the_old_one_until_the_new_one_is_whole(tmp_path):
    file = tmp_path / "results.json"
    write_whole(file, "old")
    with pytest.raises(ZeroDivisionError), whole_file(file) as partial:
        partial.write_text("half of the n")
        assert file.read_text() == "old"
        raise ZeroDivisionError
    assert file.read_text() == "old"
    with whole_file(file) as partial:
        partial.write_text("new")
    assert file.read_text() == "new"
    assert list(tmp_path.iterdir()) == [file]


def test_what_is_written_whole_has_the_rights_that_the_user_gives_new_files(tmp_path):
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "file", b"1")
        with whole_folder(tmp_path / "folder") as partial:
            (partial / "inner").write_text("1")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o750


def test_libraries_that_add_an_ending_find_it_there(tmp_path):
    with whole_file(tmp_path / "scores.npz") as partial:
        np.savez(partial, scores=np.arange(3))
    assert np.load(tmp_path / "scores.npz")["scores"].tolist() == [0, 1, 2]


def test_the_longest_name_that_a_file_system_takes_is_written(tmp_path):
    write_whole(tmp_path / ("é" * 127), "1")
    assert (tmp_path / ("é" * 127)).read_text() == "1"


def test_a_folder_takes_the_place_of_the_one_before_it(tmp_path):
    folder = tmp_path / "deep" / "hub"
    for text in ("first", "second"):
        with whole_folder(folder) as partial:
            assert list(partial.iterdir()) == []
            (partial / text).write_text(text)
    assert [path.name for path in folder.iterdir()] == ["second"]
    assert list(folder.parent.iterdir()) == [folder]


def test_a_clean_up_that_fails_does_not_hide_why(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError(errno.EROFS, "Read-only file system")

    with pytest.raises(OSError, match="No space left"), whole_file(tmp_path / "file"):
        monkeypatch.setattr(os, "rmdir", refuse)
        raise OSError(errno.ENOSPC, "No space left on device")


WRITER = """
import sys, time
from pathlib import Path
from notclip.files.only_writer import only_writer
from notclip.files.whole_files import whole_folder
with only_writer(Path(sys.argv[1])), whole_folder(Path(sys.argv[1])) as partial:
    (partial / "large").write_text("half")
    print("writing", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def start_writer():
    started = []

    def start(out):
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(out)], stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "writing\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_what_a_killed_process_left_goes_and_what_a_living_one_writes_stays(tmp_path, start_writer):
    killed, living = start_writer(tmp_path / "killed"), start_writer(tmp_path / "living")
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    names = sorted(path.name.split(".")[1] for path in tmp_path.glob(".*.partial"))
    assert names == ["killed", "killed", "living", "living"]
    (tmp_path / ".my.notes.partial").mkdir()
    clear_partials(tmp_path)
    left = sorted(path.name for path in tmp_path.glob(".*.partial"))
    assert [name.split(".")[1] for name in left] == ["living", "living", "my"]
    living.kill()


def test_of_two_commands_on_one_folder_the_second_is_refused_until_the_first_is_dead(tmp_path, start_writer):
    out = tmp_path / "runs" / "hub"
    first = start_writer(out)
    with pytest.raises(BadInputError, match=rf"process {first.pid} .*`out` .*hub"), only_writer(out):
        pass
    first.kill()
    first.wait()
    with only_writer(out):
        assert [path.name for path in out.parent.iterdir()] == [".hub.lock"]  # The half-written folder is gone.
        with pytest.raises(BadInputError, match="is writing"), only_writer(out):
            pass
    assert list(out.parent.iterdir()) == []


def test_a_folder_that_was_made_for_a_command_that_wrote_nothing_goes_again(tmp_path):
    with only_writer(tmp_path / "a" / "b" / "hub"):
        assert (tmp_path / "a" / "b").is_dir()
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_nobody_can_write_to_is_refused_at_once(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInputError, match=r"`out` .*file/x .*Not a directory"):
        with only_writer(tmp_path / "file" / "x"):
            pass


def test_names_that_others_have_are_never_taken(tmp_path, monkeypatch):
    tokens = iter(["0" * 8, "0" * 8, "1" * 8])
    monkeypatch.setattr("secrets.token_hex", lambda size: next(tokens))
    with partial_folder(tmp_path / "a"), pytest.raises(FileExistsError), partial_folder(tmp_path / "a"):
        pass


FORKING_WRITER = """
import os, sys, time
from pathlib import Path
from notclip.files.only_writer import only_writer
with only_writer(Path(sys.argv[1])):
    if os.fork() == 0:
        time.sleep(3)
        os._exit(0)
    print("writing", flush=True)
    time.sleep(60)
"""


def test_the_lock_of_a_command_that_was_killed_is_waited_for_while_its_children_end(tmp_path):
    out = tmp_path / "hub"
    writer = subprocess.Popen([sys.executable, "-c", FORKING_WRITER, str(out)], stdout=subprocess.PIPE)
    assert writer.stdout.readline() == b"writing\n"
    writer.kill()
    writer.wait()
    with only_writer(out):
        assert f"process {os.getpid()} on " in (tmp_path / ".hub.lock").read_text()


def test_where_there_are_no_locks_only_what_is_a_day_old_is_taken_for_left(tmp_path, monkeypatch):
    monkeypatch.setattr("notclip.files.file_lock.fcntl", None)
    for name, age in (("old", 25), ("new", 23)):
        folder = tmp_path / f".{name}.00000000.partial"
        folder.mkdir()
        os.utime(folder, (time.time() - age * 3600,) * 2)
    clear_partials(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".new.00000000.partial"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("data (test)", "data (test)"),
        ("../../x", "_.._x-9cdf6a50"),
        ("..", "_-5ec1f7e7"),
        ("con", "_con-1143da2b"),
        ("e\u0301", "é-bf12767b"),
        ("犬", "犬"),
    ],
)
def test_a_text_becomes_one_name_that_says_what_it_says(text, name):
    assert file_name(text) == name


@pytest.mark.parametrize("text", ["", "/", "a\0b", "C:\\x", "x" * 400, "é" * 400, "\ud800", "NUL.txt", "a. ", "~/x"])
def test_any_text_is_a_name_in_the_folder_where_it_is_used(text, tmp_path):
    path = tmp_path / file_name(text)
    path.write_text("1")
    assert path.parent.resolve() == tmp_path.resolve() == Path(path).resolve().parent
    assert len(path.name.encode()) <= LONGEST + 9


def test_texts_that_differ_have_names_that_differ_on_every_system():
    texts = ["a/b", "a_b", "A_b", "a:b", "a/b ", file_name("a/b")]
    names = file_names(texts)
    assert len({name.casefold() for name in names.values()}) == len(texts)


@pytest.mark.parametrize("out", ["/", ".", "..", "data/..", ""])
def test_what_has_no_name_of_its_own_is_no_place_to_write_to(out, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInputError, match=r"`out` .*file or folder"), only_writer(Path(out)):
        pass
    assert not list(tmp_path.parent.glob(".*.lock"))


@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "folder"])
def test_what_lies_in_the_place_of_a_lock_and_is_none_is_neither_written_nor_waited_for(kind, tmp_path):
    lock, other = tmp_path / ".out.lock", tmp_path / "precious"
    if kind == "link":
        other.write_text("mine")
    make = {"pipe": os.mkfifo, "folder": Path.mkdir}.get(kind, lambda place: place.symlink_to(other))
    make(lock)
    with pytest.raises(BadInputError, match=r"link, .*folder or .*pipe"), only_writer(tmp_path / "out"):
        pass
    assert other.exists() == (kind == "link") and (kind != "link" or other.read_text() == "mine")


def test_links_that_lead_in_a_circle_are_no_place_to_write_to(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    for out in (tmp_path / "loop", tmp_path / "loop" / "out"):
        with pytest.raises(BadInputError, match=r"links .*circle|symbolic links"), only_writer(out):
            pass


@pytest.mark.parametrize("out", ["model", "model/out", "model/deep/out", "link/out", "../here/model/out"])
def test_nothing_is_written_into_what_a_command_reads(out, tmp_path, monkeypatch):
    here = tmp_path / "here"
    (here / "model").mkdir(parents=True)
    (here / "link").symlink_to("model")
    monkeypatch.chdir(here)
    with pytest.raises(BadInputError, match="`base` model"):
        with only_writer(Path(out), reads={"base": "model", "adapter": None, "hub": "openai/clip"}):
            pass
    assert not list((here / "model").iterdir())
    with only_writer(Path("model-out"), reads={"base": "model"}):
        pass


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="Linux alone has /proc")
def test_a_place_that_takes_no_files_says_so(tmp_path):
    with pytest.raises(PermissionError, match="Operation not permitted"), whole_file(Path("/proc/x")):
        pass
    with pytest.raises(FileNotFoundError), whole_file(tmp_path / "nowhere" / "x"):
        pass
