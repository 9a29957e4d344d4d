"""Whatever breaks, and wherever: after a rerun the Hub holds exactly the release, each repository in one commit."""

import os
import random
import resource
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from notclip.errors import BadInputError
from notclip.hub_cards.push import push as push_module
from notclip.hub_cards.push.hub_client import ATTEMPTS
from notclip.loopback_hub.faults import Fault
from notclip.loopback_hub.store import Store

ROUTES = (
    *("whoami", "info", "create_repo", "tree", "validate_yaml", "preupload", "lfs_batch", "lfs_upload", "commit"),
    *("tag", "refs", "list_collections", "create_collection", "add_to_collection"),
)


def test_these_are_the_routes_of_a_push(push, write_stage, hub):
    push(write_stage())
    assert {route for route, _ in hub.log} - {"unknown"} == set(ROUTES)


@pytest.mark.parametrize("route", ROUTES)
def test_a_hub_that_fails_at_a_route_is_asked_again(push, write_stage, hub, holds_exactly, route):
    hub.faults += [Fault(route, "status", status) for status in (429, 500, 503)]
    stage = write_stage()
    push(stage)
    assert [fault.times for fault in hub.faults] == [0, 0, 0]
    holds_exactly(stage)


@pytest.mark.parametrize("route", ROUTES)
def test_an_answer_that_is_lost_does_nothing_twice(push, write_stage, hub, holds_exactly, route):
    hub.faults.append(Fault(route, "lost_answer"))
    stage = write_stage()
    push(stage)
    assert hub.faults[0].times == 0
    holds_exactly(stage)


def test_a_connection_cut_inside_an_upload_leaves_nothing_half_written_and_is_mended(
    push, write_stage, hub, holds_exactly
):
    hub.faults += [Fault("lfs_upload", "cut"), Fault("commit", "cut", skip=1)]
    stage = write_stage(files={"model/model.safetensors": bytes(5_000_000)})
    push(stage)
    assert [fault.times for fault in hub.faults] == [0, 0]
    holds_exactly(stage)
    assert not [blob for blob in (hub.store.root / "blobs").iterdir() if blob.name.startswith(".")]


@pytest.mark.parametrize("route", ["whoami", "create_repo", "lfs_upload", "commit", "tag", "add_to_collection"])
def test_a_hub_that_stays_away_ends_in_one_sentence_and_a_rerun_completes_the_release(
    push, write_stage, hub, holds_exactly, route
):
    hub.faults.append(Fault(route, "status", 503, times=1000))
    stage = write_stage()
    with pytest.raises(BadInputError, match=r"HTTP 503.*same command again"):
        push(stage)
    assert hub.faults[0].times <= 1000 - ATTEMPTS
    hub.faults.clear()
    push(stage)
    holds_exactly(stage)


@pytest.mark.parametrize("route", ["lfs_upload", "commit", "create_repo", "tag"])
def test_a_full_disk_of_the_hub_is_told_and_freed_the_release_completes(push, write_stage, hub, holds_exactly, route):
    hub.faults.append(Fault(route, "full_disk", times=1000))
    stage = write_stage()
    with pytest.raises(BadInputError, match=r"HTTP 507, No space left"):
        push(stage)
    hub.faults.clear()
    push(stage)
    holds_exactly(stage)


def test_a_stale_parent_because_our_own_commit_came_first_is_no_conflict(
    push, write_stage, hub, holds_exactly, monkeypatch
):
    push(write_stage())
    stage = write_stage("next", version="1.1.0", files={"model/empty.txt": None})
    heads, commits = [], hub.store.repos["models", "ann/tiny"].commits
    look = push_module.head_of

    def lagging(client, repo):
        """The head before the commit whose answer was lost, as a cache behind the Hub may still say."""
        heads.append(look(client, repo))
        is_first_look_after = repo.folder == "model" and len(commits) == 3 and heads.count(heads[-1]) == 1
        return commits[heads[-1]].parent if is_first_look_after else heads[-1]

    monkeypatch.setattr(push_module, "head_of", lagging)
    hub.faults.append(Fault("commit", "lost_answer"))
    push(stage)
    assert [route for route, _ in hub.log].count("commit") == 3 + 1 + 3  # The second one of the model met a 412.
    holds_exactly(stage, commits=2)


# -- a push that is ended -----------------------------------------------------------------


@contextmanager
def pushing_process(hub, tmp_path, **options):
    environment = os.environ | {
        "HF_ENDPOINT": hub.url,
        "HF_TOKEN": hub.accounts[0].token,
        "HF_HUB_OFFLINE": "0",
        "HF_HOME": str(tmp_path / "home"),
    }
    command = [sys.executable, str(Path(__file__).with_name("pusher.py"))]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen(command, env=environment, **pipes, **options) as process:
        yield process
        process.stdin.close()


@pytest.fixture
def pusher(hub, tmp_path):
    """A process that pushes in children: reads a folder a line, prints each child's id and how it ended."""
    with pushing_process(hub, tmp_path) as process:
        yield process


def test_a_full_disk_of_the_pusher_stops_nothing_since_a_push_writes_nothing_there(
    write_stage, hub, holds_exactly, tmp_path
):
    stage = write_stage(files={"model/model.safetensors": bytes(3_000_000)})
    before = {path for path in tmp_path.rglob("*") if "hub-disk" not in path.parts}

    def no_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # no file of this process can grow by a byte

    with pushing_process(hub, tmp_path, preexec_fn=no_room) as process:
        process.stdin.write(f"{stage}\n")
        process.stdin.flush()
        lines = [process.stdout.readline().strip()]
        while lines[-1] not in ("0", "1", "2", "killed", ""):
            lines.append(process.stdout.readline().strip())
    assert lines[-1] == "0", lines
    holds_exactly(stage)
    grown = {path for path in tmp_path.rglob("*") if "hub-disk" not in path.parts} - before
    assert not [path for path in grown if path.is_file() and path.stat().st_size]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGKILL, "killed"), (signal.SIGTERM, "143")])
def test_ended_at_ten_random_moments_a_rerun_ends_with_exactly_the_release(
    pusher, push, write_stage, hub, holds_exactly, tmp_path, number, status
):
    stage = write_stage()
    push(stage)
    requests = len(hub.log)
    moments = random.Random(6).sample(range(1, requests), 10)
    killed_at = []
    for moment in moments:
        hub.store = Store(tmp_path / f"disk-{moment}")
        hub.log.clear()
        child, known = [], threading.Event()

        def kill(route, moment=moment, child=child, known=known):
            if len(hub.log) == moment:
                known.wait(10)
                os.kill(child[0], number)
                killed_at.append(route)

        hub.before_request = kill
        pusher.stdin.write(f"{stage}\n")
        pusher.stdin.flush()
        ended = None
        while ended is None:
            line = pusher.stdout.readline().strip()
            assert line, "the pusher died"
            if line.isdigit() and not child:
                child.append(int(line))
                known.set()
            elif line.isdigit() or line == "killed":
                ended = line
        assert ended == status, moment
        hub.before_request = lambda route: None
        hub.store = Store(tmp_path / f"disk-{moment}")  # The Hub, too, knows no more than its disk.
        push(stage)
        holds_exactly(stage)
    assert len(killed_at) == 10
    assert len(set(killed_at)) > 3
