"""`notclip rehearse`: a whole rehearsal of the demo's release, and Spaces that start or do not."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from reader_stage import write_inputs

from notclip.hub_cards.rehearsal.rehearsal import Rehearsal, new_hub
from notclip.hub_cards.staging.reader import stage_reader
from notclip.hub_cards.staging.staged_release import StagedRelease
from notclip.loopback_hub.server import serve
from notclip.scripts import check_release, rehearse

ANSWERS = """
import http.server, os
address = os.environ["GRADIO_SERVER_NAME"], int(os.environ["GRADIO_SERVER_PORT"])
http.server.HTTPServer(address, http.server.SimpleHTTPRequestHandler).serve_forever()
"""


def test_a_release_is_pushed_twice_and_used_in_every_way(demo_out, tmp_path, capfd, monkeypatch):
    try_space = Rehearsal.try_space
    # One metric of two: each takes the time of its imports.
    monkeypatch.setattr(
        Rehearsal, "try_space", lambda self, repo: None if "retrieval" in repo.repo_id else try_space(self, repo)
    )
    assert rehearse.main([str(demo_out / "hub"), "--keep", str(tmp_path / "kept")]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert not [line for line in lines if "FAILED" in line]
    done = [line.removeprefix("  ok      ").partition(":")[0] for line in lines if line.startswith("  ok")]
    for what in (
        "push-release",
        "push-release again",
        "AutoModel.from_pretrained(…, trust_remote_code=True).score",
        'pipeline("zero-shot-image-classification")',
        "merged backbone by its own class",
        "PeftModel.from_pretrained(backbone, adapter)",
        'load_dataset(…, "questions")',
        'load_dataset(…, "questions", streaming=True)',
        'evaluate.load("negated_mcq")',
        "snapshot_download('me/notclip-drawn-world', revision='v0.1.0')",
        "Space me/negated_mcq starts",
        "Space me/negated_mcq, /compute",
    ):
        assert what in done
    assert lines[-1].endswith("none elsewhere. All of it works.")
    assert (tmp_path / "kept" / "hub-disk" / "repos" / "models" / "me" / "notclip-drawn-world.json").is_file()


def test_the_reader_is_pushed_and_read_with_by_both_pipelines(tmp_path, capfd):
    stage_reader(write_inputs(tmp_path)())
    assert check_release.main([str(tmp_path / "hub")]) == 0
    checked = capfd.readouterr().out.splitlines()
    assert rehearse.main([str(tmp_path / "hub")]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert not [line for line in checked + lines if "FAILED" in line]
    done = [line.removeprefix("  ok      ").partition(":")[0] for line in lines if line.startswith("  ok")]
    used = [
        *('pipeline("token-classification")', 'pipeline("negation-scope")'),
        *('load_dataset(…, "default")', 'load_dataset(…, "default", streaming=True)'),
    ]
    assert [line.removeprefix("  ok      ").partition(":")[0] for line in checked] == used
    assert done[:2] == ["push-release", "push-release again"] and done[2:6] == used
    assert "snapshot_download('ann/notclip-reader', revision='v0.1.0')" in done
    assert lines[-1].endswith("none elsewhere. All of it works.")


@pytest.fixture
def rehearsal(write_small_stage, tmp_path):
    """A rehearsal of a release that is one Space, pushed already."""

    def make(app):
        release = StagedRelease.read(write_small_stage(app))
        hub = new_hub(release, tmp_path / "hub-disk")
        said = []
        return Rehearsal(hub, release, tmp_path / "work", said.append), said

    return make


@pytest.fixture
def write_small_stage(tmp_path):
    from notclip.hub_cards.staging.manifest import write_manifest

    def write(app):
        folder = tmp_path / "hub" / "space"
        folder.mkdir(parents=True)
        (folder / "app.py").write_text(app)
        (folder / "README.md").write_text("---\nsdk: gradio\n---\n")
        repo = {"repo_id": "me/demo", "repo_type": "space", "folder": "space", "tag": "v1"}
        write_manifest(tmp_path / "hub", [repo], name="demo", release_version="1")
        return tmp_path / "hub"

    return write


@pytest.mark.parametrize(
    ("app", "said"),
    [
        (ANSWERS, "  ok      Space me/demo starts: its page answers after"),
        ("raise SystemExit('no such model')", "  FAILED  Space me/demo starts: app.py ended: no such model"),
    ],
)
def test_a_space_is_started_from_its_download(rehearsal, app, said):
    made, lines = rehearsal(app)
    with serve(made.hub):
        made.check("push-release", made.push)
        (repo,) = made.release.repos
        made.try_space(repo)
    assert lines[1].startswith(said)
    # A page that is no Space of ours answers no endpoint.
    assert made.failed == ["Space me/demo starts" if "FAILED" in said else "Space me/demo answers"]


def test_what_cannot_be_rehearsed_is_told(tmp_path, capsys):
    assert rehearse.main([str(tmp_path)]) == 2
    assert "holds no manifest.json" in capsys.readouterr().err
    assert rehearse.main([str(tmp_path), "--base", str(tmp_path)]) == 2
    assert "holds no config.json" in capsys.readouterr().err
    assert rehearse.main([str(tmp_path), "--keep", str(tmp_path)]) == 2
    assert "exists: name a folder that does not" in capsys.readouterr().err


STARTS = """
import subprocess, sys
from notclip.hub_cards.rehearsal.fresh_process import python
subprocess.run(python(sys.argv[1], "an argument"))
"""
STARTED = "import os, sys, time, beside\nprint(os.getpid(), sys.argv[1], beside.WORD, flush=True)\ntime.sleep(60)\n"


def test_what_a_rehearsal_starts_ends_when_it_is_killed(tmp_path):
    (tmp_path / "app.py").write_text(STARTED)
    (tmp_path / "beside.py").write_text("WORD = 'here'")
    command = [sys.executable, "-c", STARTS, str(tmp_path / "app.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        process, *words = owner.stdout.readline().split()
        assert words == ["an", "argument", "here"]
        owner.kill()
        assert owner.stdout.read() == ""  # The end of the pipe, which the child holds, too.
    deadline = time.monotonic() + 20  # Its pipes are shut before the last of a process is gone.
    while Path("/proc", process).exists() and "Z" not in Path("/proc", process, "stat").read_text():
        assert time.monotonic() < deadline, "it goes on"
        time.sleep(0.05)


def test_a_release_that_is_so_broken_that_no_check_can_begin_has_failed_in_words(tmp_path, capfd):
    from notclip.hub_cards.rehearsal.fresh_process import use_release

    given = {"places": {"dataset": str(tmp_path / "none\x1b[2J")}, "parts": ["data"]}
    assert not use_release(given, home=tmp_path)
    said = capfd.readouterr()
    assert said.out.startswith("  FAILED  data: ") and said.out.count("\n") == 1 and "\x1b" not in said.out
    assert "Traceback" not in said.err
