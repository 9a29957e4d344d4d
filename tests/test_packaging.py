"""A wheel built from the committed files works elsewhere and adds only `notclip/` to site-packages."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import pytest

from notclip import command_line

ROOT = Path(__file__).parents[1]
FOLDERS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-dir"]
TEXTS = ("pyproject.toml", "README.md", "LICENSE")


def run(*command, **options):
    finished = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **options)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy, so that the tree gets no build/ and an earlier one cannot hide a missing file."""
    source = tmp_path_factory.mktemp("source")
    for name in TEXTS:
        shutil.copy(ROOT / name, source)
    for folder in FOLDERS.values():
        shutil.copytree(ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
    dist = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", dist, source)
    return next(dist.glob("*.whl"))


@pytest.fixture(scope="module")
def python_elsewhere(wheel, tmp_path_factory):
    """The interpreter of a new environment that holds the wheel and nothing else."""
    home = tmp_path_factory.mktemp("elsewhere")
    run(sys.executable, "-m", "venv", "--without-pip", home)
    python = home / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel)
    return python


def test_the_wheel_adds_only_notclip_to_site_packages(python_elsewhere):
    site_packages = next((python_elsewhere.parents[1] / "lib").glob("python3.*")) / "site-packages"
    added = sorted(path.name.partition("-")[0] for path in site_packages.iterdir())
    assert added == ["notclip", "notclip"]  # The package and its dist-info.


def test_every_file_that_the_code_reads_is_in_the_wheel(wheel):
    packed = set(zipfile.ZipFile(wheel).namelist())
    missing = [
        f"{folder}/{path.relative_to(ROOT / folder)}"
        for package, folder in FOLDERS.items()
        for path in sorted((ROOT / folder).rglob("*"))
        if path.is_file()
        and "__pycache__" not in path.parts
        and f"{package.replace('.', '/')}/{path.relative_to(ROOT / folder)}" not in packed
    ]
    assert missing == []


def test_the_command_of_the_wheel_lists_its_verbs(python_elsewhere, tmp_path):
    text = run(python_elsewhere.with_name("notclip"), "--help", cwd=tmp_path)
    assert all(verb in text for verb in command_line.VERBS)


def test_the_package_of_the_wheel_imports_with_its_dependencies(python_elsewhere, tmp_path):
    # PYTHONPATH lends the dependencies of this environment; its .pth files, and the editable install, stay out.
    code = (
        "import notclip, sys, importlib, pkgutil; assert notclip.__file__.startswith(sys.prefix), notclip.__file__; "
        "[importlib.import_module(module.name) for module in pkgutil.walk_packages(notclip.__path__, 'notclip.') "
        " if not module.name.endswith('.app')]; print(notclip.NotClipModel.__name__)"
    )
    # PATH, where pydub, which gradio imports, looks for a decoder.
    lent = {"PYTHONPATH": sysconfig.get_path("purelib"), "PATH": os.environ["PATH"]}
    environment = lent | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    assert run(python_elsewhere, "-c", code, cwd=tmp_path, env=environment).strip() == "NotClipModel"


def test_the_lock_holds_the_hashes_of_just_what_is_pinned():
    pins = {line for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line}
    lock = (ROOT / "requirements.lock").read_text().replace("\\\n", "").splitlines()
    locked = {line.split()[0]: line.count("--hash=sha256:") for line in lock}
    pinned = {_canonical(pin) for pin in pins if not pin.startswith("torch==")}
    assert {_canonical(pin) for pin in locked} == pinned, "`make lock` writes requirements.lock anew"
    assert min(locked.values()) >= 1


def _canonical(pin: str) -> str:
    name, _, version = pin.partition("==")
    return f"{re.sub(r'[-_.]+', '-', name).lower()}=={version}"
