"""How commands end that do not end well: one message, a status, nothing half-written, no process left."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from notclip.command_line import command
from notclip.errors import BadInputError


def raising(error):
    @command(again="It goes on.")
    def script_main(argv=None):
        raise error

    return script_main


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (BadInputError("photos.csv, row 3: no caption."), 2, "photos.csv, row 3: no caption."),
        (KeyboardInterrupt(), 130, "interrupted. It goes on."),
        (OSError(errno.ENOSPC, "No space left on device", "out/a.parquet"), 2, "the disk is full"),
        (OSError(errno.EROFS, "Read-only file system", "out/a.parquet"), 2, "the disk is read-only"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "/home/ann/.cache"), 2, "/home/ann/.cache"),
        (RuntimeError("I/O error: No space left on device (os error 28)"), 2, "the disk is full"),  # safetensors
        (ModuleNotFoundError("No module named 'peft'", name="peft"), 2, "pip install 'notclip[train]'"),
        (IsADirectoryError(errno.EISDIR, "Is a directory", "out.xml"), 2, "a folder stands where a file should be"),
        (OSError(errno.EFBIG, "File too large", "out/a.parquet"), 2, "ulimit -f"),
        (OSError(errno.EMFILE, "Too many open files", "a.json"), 2, "ulimit -n"),
        (MemoryError(), 2, "there is not enough memory (MemoryError)"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
            2,
            "not enough memory",
        ),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), 2, "options named batch"),
        (
            UnicodeEncodeError("utf-8", "a\udcff.png", 1, 2, "surrogates not allowed"),
            2,
            r"no UTF-8 text ('a\udcff.png')",
        ),
        (KeyError("lost"), 3, "an error of ours, not of yours: KeyError: 'lost'"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 3, "BrokenPipeError"),  # of some other pipe than the output
        (ModuleNotFoundError("No module named 'notclip.gone'", name="notclip.gone"), 3, "notclip.gone"),
    ],
)
def test_every_end_is_one_message_and_a_status(error, status, words, capsys):
    assert raising(error)([]) == status
    message = capsys.readouterr().err
    assert message.startswith("notclip: ")
    assert words in message
    assert "Traceback" not in message


def test_the_traceback_of_an_error_of_ours_is_in_a_file_that_is_named(state, capsys):
    assert raising(KeyError("lost"))([]) == 3
    (log,) = (state / "notclip").iterdir()
    assert str(log) in capsys.readouterr().err
    text = log.read_text()
    assert "in script_main\n    raise error\nKeyError: 'lost'" in text
    assert f"Python {sys.version_info.major}.{sys.version_info.minor}" in text


def test_a_machine_on_which_no_log_can_be_written_shows_the_traceback(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "file"))
    assert raising(KeyError("lost"))([]) == 3
    assert "Traceback" in capsys.readouterr().err


def test_of_commands_that_run_others_the_one_that_was_typed_says_how_it_goes_on(capsys):
    inner = raising(KeyboardInterrupt())

    @command(again="The demo goes on.")
    def demo(argv=None):
        return inner(argv)

    @command()
    def notclip(argv=None):
        return inner(argv)

    assert (demo([]), notclip([])) == (130, 130)
    assert capsys.readouterr().err == "notclip: interrupted. The demo goes on.\nnotclip: interrupted. It goes on.\n"


LONG_COMMAND = """
import multiprocessing, os, sys, time
from pathlib import Path
from notclip.files.only_writer import only_writer
from notclip.command_line import command
from notclip.files.whole_files import whole_folder

def work(folder):
    Path(folder, str(os.getpid())).write_text("")
    time.sleep(60)

@command(again="The same command starts again.")
def main(argv=None):
    out, pids = Path(sys.argv[1]), Path(sys.argv[2])
    pids.mkdir()
    with only_writer(out), whole_folder(out) as partial:
        (partial / "half").write_text("")
        with multiprocessing.get_context(sys.argv[3]).Pool(2) as pool:
            pool.map(work, [str(pids)] * 2, chunksize=1)
    return 0

if __name__ == "__main__":
    sys.exit(main())
"""


@pytest.mark.parametrize(
    ("number", "start", "status", "message"),
    [
        (signal.SIGTERM, "spawn", 143, "notclip: terminated. The same command starts again.\n"),
        (signal.SIGTERM, "fork", 143, "notclip: terminated. The same command starts again.\n"),
        (signal.SIGINT, "spawn", 130, "notclip: interrupted. The same command starts again.\n"),
    ],
)
def test_a_signal_ends_a_command_and_its_children_and_what_was_half_written_goes(
    number, start, status, message, tmp_path
):
    script, out, pids = tmp_path / "long.py", tmp_path / "work" / "out", tmp_path / "pids"
    script.write_text(LONG_COMMAND)
    command_line = [sys.executable, str(script), str(out), str(pids), start]
    with subprocess.Popen(command_line, stderr=subprocess.PIPE, text=True) as running:
        wait_until(lambda: pids.is_dir() and len(list(pids.iterdir())) == 2)
        running.send_signal(number)
        assert running.stderr.read().endswith(message)
    assert running.returncode == status
    assert not (tmp_path / "work").exists()
    wait_until(lambda: not any(Path("/proc", path.name).exists() for path in pids.iterdir()))


def wait_until(true):
    until = time.monotonic() + 300
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.fixture
def tiny_disk(tmp_path):
    """A disk of 64 KB, for whoever may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if sys.platform != "linux" or os.geteuid() != 0 or subprocess.run(mount, check=False).returncode:
        pytest.skip("only root of a Linux machine mounts a disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_said_and_leaves_nothing(tiny_disk, capsys):
    from notclip.files.whole_files import whole_folder

    @command()
    def write(argv=None):
        with whole_folder(tiny_disk / "out") as partial:
            (partial / "large").write_bytes(bytes(100_000))
        return 0

    assert write([]) == 2
    assert "the disk is full" in capsys.readouterr().err
    assert list(tiny_disk.iterdir()) == []


def test_a_disk_that_becomes_read_only_is_said_and_not_hidden_by_the_clean_up(tiny_disk, capsys):
    from notclip.files.whole_files import whole_file

    @command()
    def write(argv=None):
        with whole_file(tiny_disk / "results.json") as partial:
            subprocess.run(["mount", "-o", "remount,ro", str(tiny_disk)], check=True)
            partial.write_text("{}")
        return 0

    assert write([]) == 2
    assert "the disk is read-only" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_letters_that_the_terminal_does_not_have_end_no_command(encoding):
    main = r"lambda argv=None: print('\u2212\udcff')"
    script = f"import sys; from notclip.command_line import command; sys.exit(command()({main})([]))"
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.endswith(b"\\udcff\n")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_command_whose_output_is_closed_ends_as_always(closed):
    command_line = f"'{sys.executable}' -m notclip.command_line --version {closed}"
    assert subprocess.run(command_line, shell=True, capture_output=True, check=False).returncode == 0  # noqa: S602
