"""docs/using.md, each block as printed, by a user of the demo's release on a Hub on 127.0.0.1."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import huggingface_hub
import pyarrow.parquet as pq
import pytest

PAGE = Path(__file__).parents[2] / "docs" / "using.md"
BLOCKS = re.findall(r"```(python|bash)\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
WITHOUT_OUR_PACKAGE = "import sys; sys.modules['notclip'] = None\n"


@pytest.fixture(scope="module")
def user(demo_hub, demo_out, tmp_path_factory):
    """Run a command as a user would, in a folder with two photos."""
    folder = tmp_path_factory.mktemp("user")
    rows = pq.read_table(demo_out / "data" / "retrieval" / "test.parquet", columns=["image"]).to_pylist()
    for number in (1, 2):
        (folder / f"photo_{number}.jpg").write_bytes(rows[number]["image"]["bytes"])
    # Where this environment's commands are: beside Python, and beside the libraries that it borrows.
    places = [Path(sys.executable).parent, Path(huggingface_hub.__file__).parents[4] / "bin"]
    path = os.pathsep.join([*map(str, places), demo_hub.environment.get("PATH", "")])

    def run(*command):
        done = subprocess.run(
            command,
            cwd=folder,
            env=demo_hub.environment | {"PATH": path},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, f"{command[-1]}\n{done.stdout}{done.stderr}"
        return done.stdout

    run.folder = folder
    return run


def test_every_block_runs_as_printed_and_the_last_gives_the_figures_of_the_card(user, demo_out):
    # Shell blocks first to last, the Python between two of them in one process: most of its time goes into imports.
    waiting, printed = [], []
    for language, code in [*BLOCKS, ("end", "")]:
        if language == "python":
            waiting.append(code)
            continue
        if waiting:
            programs = "".join(f"print('block')\nexec({block!r}, {{}})\n" for block in waiting)
            printed += user(sys.executable, "-c", WITHOUT_OUR_PACKAGE + programs).split("block\n")[1:]
            waiting = []
        if language == "bash":
            user("bash", "-euc", code)
    assert len(printed) == sum(language == "python" for language, _ in BLOCKS) >= 9
    assert all(text.strip() for text in printed)

    again = json.loads((user.folder / "again.json").read_text())["metrics"]
    published = json.loads((demo_out / "hub" / "model" / "results" / "notclip.json").read_text())["metrics"]
    assert again["macro_accuracy"] == published["macro_accuracy"]
    assert again["violation@5"] == published["violation@5"]


def test_the_page_names_the_release_that_the_demo_makes(demo_hub):
    page = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"me/[\w-]+", page))
    assert named == {repo.repo_id for repo in demo_hub.release.repos if not repo.repo_id.endswith("-demo")}
    assert set(re.findall(r"v\d+\.\d+\.\d+", page)) == {f"v{demo_hub.release.version}"}
