"""A release tried whole on one's own machine: pushed to a Hub on 127.0.0.1, and used from there by fresh processes.

What pushes, downloads and loads is the real code of huggingface_hub, transformers, datasets, evaluate, peft and
gradio; what answers is `notclip.loopback_hub`. docs/releasing.md says where it and the real Hub may differ.
"""

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from notclip.errors import BadInputError
from notclip.files.json_files import read_json_object
from notclip.hub_cards.rehearsal.fresh_process import python, use_release, user_environment
from notclip.hub_cards.staging.staged_release import StagedRelease, StagedRepo
from notclip.loopback_hub.accounts import Account
from notclip.loopback_hub.hub import LoopbackHub

STARTS_WITHIN = 600.0  # a Space embeds its photos first, and a busy machine takes its time
LAST_LINES = 4


@dataclass
class Rehearsal:
    """One rehearsal on one Hub.

    Args:
        hub: the Hub; it is served.
        release: the staged release.
        work: folder for caches and logs.
        say: prints a line.
        tolerance: largest difference of a score from the training run's.
        failed: what did not work, so far.
    """

    hub: LoopbackHub
    release: StagedRelease
    work: Path
    say: Callable[[str], None]
    tolerance: float = 1e-4
    failed: list[str] = field(default_factory=list)

    def run(self, *, base: Path | None) -> bool:
        """Push and use the release; says whether all went well.

        Args:
            base: folder of the backbone that the adapter names, where the release does not hold it.
        """
        self.say(f"A Hub at {self.hub.url}, kept in {self.hub.root}")
        self.check("push-release", self.push)
        if self.failed:
            return False
        self.check("push-release again", self._push_again)
        adapter_base = self._base_of_the_adapter(base)
        places = {repo.folder: repo.repo_id for repo in self.release.repos}
        arguments = {"places": places, "base": adapter_base, "tolerance": self.tolerance}
        repos = [
            {"repo_id": repo.repo_id, "repo_type": repo.repo_type, "tag": repo.tag, "files": dict(repo.files)}
            for repo in self.release.repos
        ]
        # Each process with a cache of its own. The data and all that needs no torch go together.
        for parts in parts_of(places):
            home = self._home(parts[0])
            if not use_release(arguments | {"parts": parts, "repos": repos}, home=home, endpoint=self.hub.url):
                self.failed.append(" and ".join(parts))
        for repo in self.release.repos:
            if repo.repo_type == "space":
                self.try_space(repo)
        return not self.failed

    def check(self, what: str, act: Callable[[], str]) -> None:
        """Do it, and say what came of it; what raises RuntimeError has failed."""
        try:
            self.say(f"  ok      {what}: {act()}")
        except RuntimeError as error:
            self.failed.append(what)
            self.say(f"  FAILED  {what}: {error}")

    def _home(self, name: str) -> Path:
        home = self.work / name
        home.mkdir(parents=True, exist_ok=True)
        return home

    def push(self) -> str:
        """Run `notclip push-release` in a process of its own."""
        started = time.monotonic()
        home = self._home("push")
        token = {"HF_TOKEN": self.hub.accounts[0].token}
        command = [sys.executable, "-m", "notclip.scripts.push_release", str(self.release.folder.resolve())]
        environment = user_environment(home, endpoint=self.hub.url) | token
        done = subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise RuntimeError(_last_lines(done.stdout + done.stderr))
        return f"{len(self.release.repos)} repositories in {time.monotonic() - started:.0f} s"

    def _push_again(self) -> str:
        before = {key: dict(repo.refs) for key, repo in self.hub.store.repos.items()}
        self.push()
        if {key: dict(repo.refs) for key, repo in self.hub.store.repos.items()} != before:
            raise RuntimeError("it committed again, though nothing had changed")
        return "nothing to send, nothing committed"

    def _base_of_the_adapter(self, base: Path | None) -> str | None:
        folders = {repo.folder: repo for repo in self.release.repos}
        if "base" in folders or "adapter" not in folders:
            return folders["base"].repo_id if "base" in folders else None
        config = folders["adapter"].path / "adapter_config.json"
        repo_id: str = read_json_object(config)["base_model_name_or_path"]
        folder = base or _cached(repo_id)
        if folder is None:
            what = f"adapter on {repo_id}: that model is not on this machine; name its folder with --base"
            self.say(f"  skipped {what}")
            return None
        _mirror(self.hub, repo_id, folder, revision=_revision_of_base(self.release))
        return repo_id

    def try_space(self, repo: StagedRepo) -> None:
        """Start a Space from its download, and ask it as a program of a visitor does."""
        what = f"Space {repo.repo_id} starts"
        try:
            with self._started_space(repo) as (address, seconds):
                self.say(f"  ok      {what}: its page answers after {seconds:.0f} s")
                space = {"address": address, "folder": repo.folder, "repo_id": repo.repo_id}
                home = self._home(f"visitor-{_name(repo)}")
                if not use_release({"parts": ["space"], "space": space}, home=home, endpoint=self.hub.url):
                    self.failed.append(f"Space {repo.repo_id} answers")
        except RuntimeError as error:
            self.failed.append(what)
            self.say(f"  FAILED  {what}: {error}")

    @contextmanager
    def _started_space(self, repo: StagedRepo) -> Iterator[tuple[str, float]]:
        """Run a Space's app.py from a download of it, as the Hub does; its address, once it answers, and how long."""
        home = self._home(f"space-{_name(repo)}")
        environment = user_environment(home, endpoint=self.hub.url)
        code = (
            "import sys; from huggingface_hub import snapshot_download as get; "
            "print(get(sys.argv[1], repo_type='space', revision=sys.argv[2]))"
        )
        command = [sys.executable, "-c", code, repo.repo_id, repo.tag]
        got = subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, check=False)  # noqa: S603
        if got.returncode:
            raise RuntimeError(_last_lines(got.stderr))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        bound = {"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port)}
        address, started, log = f"http://127.0.0.1:{port}/", time.monotonic(), home / "log.txt"
        with log.open("w") as output:
            app = subprocess.Popen(  # noqa: S603  # of the release that is rehearsed
                python("app.py"),
                cwd=got.stdout.strip(),
                env=environment | bound,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            try:
                while not _answers(address):
                    if app.poll() is not None:
                        raise RuntimeError(f"app.py ended: {_last_lines(log.read_text())}")
                    if time.monotonic() - started > STARTS_WITHIN:
                        raise RuntimeError(f"no answer within {STARTS_WITHIN:.0f} s: {_last_lines(log.read_text())}")
                    time.sleep(0.2)
                yield address, time.monotonic() - started
            finally:
                app.terminate()
                app.wait()


def parts_of(folders: Collection[str]) -> list[list[str]]:
    """What `release_user.py` is to check of a stage with these folders, for each of its processes."""
    if "reader" in folders:  # of `notclip stage-reader`
        return [["reader"], ["data", "snapshots"]]
    return [["models"], ["data", "metrics", "snapshots"]]


def _name(repo: StagedRepo) -> str:
    return repo.repo_id.rpartition("/")[2]


def new_hub(release: StagedRelease, root: Path) -> LoopbackHub:
    """A Hub with one account, which may write where the release goes.

    Args:
        release: the staged release.
        root: the Hub's disk.

    Raises:
        BadInputError: the release goes to several namespaces.
    """
    if len(release.namespaces) != 1:
        raise BadInputError(f"`release` {release.folder} goes to several namespaces: {', '.join(release.namespaces)}.")
    return LoopbackHub(root, [Account(release.namespaces[0])])


def _mirror(hub: LoopbackHub, repo_id: str, folder: Path, *, revision: str | None) -> None:
    """Put a model of the real Hub onto this one, so that it is found by its id and pinned revision."""
    author = repo_id.rpartition("/")[0]
    repo = hub.store.create_repo("models", repo_id, private=False, sdk=None, author=author)
    added = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and ".git" not in path.parts:
            added[path.relative_to(folder).as_posix()] = hub.store.file(
                hub.store.add_blob(path.read_bytes()), lfs=False
            )
    commit, _ = hub.store.commit(
        repo, "main", added=added, deleted=set(), parent=None, title="mirrored", description="", author=author
    )
    if revision is not None:
        hub.store.set_ref(repo, f"refs/tags/{revision}", commit)


def _cached(repo_id: str) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(snapshot_download(repo_id, local_files_only=True))
    except (LocalEntryNotFoundError, OSError):
        return None


def _revision_of_base(release: StagedRelease) -> str | None:
    adapter = next(repo for repo in release.repos if repo.folder == "adapter")
    content = read_json_object(adapter.path / "release.json")
    return content["base"]["revision"]


def _answers(url: str) -> bool:
    # Past any proxy of the environment: the page is on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _last_lines(text: str) -> str:
    return " | ".join(line for line in text.splitlines()[-LAST_LINES:] if line.strip()) or "no output"
