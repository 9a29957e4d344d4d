"""The house in order: versions agree, recipes are explained, doctests are true, no light import is heavy."""

import ast
import doctest
import importlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
FOLDERS = PYPROJECT["tool"]["setuptools"]["package-dir"]


def modules_with_doctests():
    for package, folder in FOLDERS.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            if re.search(r"^\s*>>> ", path.read_text(), flags=re.MULTILINE):
                yield ".".join([package, *path.relative_to(ROOT / folder).with_suffix("").parts])


@pytest.mark.parametrize("name", modules_with_doctests())
def test_the_examples_in_docstrings_are_true(name):
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted > 0
    assert result.failed == 0


def test_the_citation_names_this_version_and_both_papers():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["version"] == PYPROJECT["project"]["version"]
    papers = [identifier["value"] for paper in citation["references"] for identifier in paper["identifiers"]]
    assert papers == ["arXiv:2501.09425", "arXiv:2103.00020"]


def test_the_changelog_describes_this_version():
    assert f"## {PYPROJECT['project']['version']} " in (ROOT / "CHANGELOG.md").read_text()


def test_every_recipe_is_explained_by_make_help():
    makefile = (ROOT / "Makefile").read_text()
    recipes = [name for line in re.findall(r"^\.PHONY: (.+)$", makefile, flags=re.MULTILINE) for name in line.split()]
    explained = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {"demo", "test", "lint", "types", "dist"} <= set(recipes)
    for recipe in recipes:
        assert re.search(rf"^make {recipe} +\S", explained, flags=re.MULTILINE), recipe


def test_every_dependency_is_pinned():
    pinned = {
        line.partition("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line and not line.startswith("#")
    }
    groups = [PYPROJECT["project"]["dependencies"], *PYPROJECT["project"]["optional-dependencies"].values()]
    wanted = {re.match(r"[\w.-]+", requirement)[0].lower() for group in groups for requirement in group}
    assert wanted - {"notclip"} <= pinned


def imported_distributions():
    """Distributions that the package's code imports, at any level of it."""
    distributions, names = packages_distributions(), set()
    for folder in FOLDERS.values():
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    names |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and not node.level:
                    names.add(str(node.module).partition(".")[0])
    return {
        distributions[name][0].lower().replace("_", "-")
        for name in names - set(sys.stdlib_module_names) - {"notclip", "negated_mcq", "negated_retrieval"}
    }


# For the tokenizer of SigLIP 1, which imports them (tests/modeling/remote/test_siglip_tokenizer.py).
NEEDED_BY_TRANSFORMERS = {"protobuf", "sentencepiece"}
NEEDED_BY_GRADIO = {"mcp"}  # for the tools of the Space, which go without it


def test_what_is_installed_is_what_the_code_imports():
    extras = PYPROJECT["project"]["optional-dependencies"]
    for_users = [extras[name] for name in extras if name not in ("all", "browser", "dev")]
    groups = [PYPROJECT["project"]["dependencies"], *for_users]
    declared = {re.match(r"[\w.-]+", requirement)[0].lower() for group in groups for requirement in group}
    assert imported_distributions() | NEEDED_BY_TRANSFORMERS | NEEDED_BY_GRADIO == declared


def test_every_package_folder_is_listed():
    listed = set(PYPROJECT["tool"]["setuptools"]["packages"])
    found = {
        ".".join([package, *path.parent.relative_to(ROOT / folder).parts])
        for package, folder in FOLDERS.items()
        for path in (ROOT / folder).rglob("*.py")
    }
    assert found == listed


@pytest.mark.parametrize("module", ["notclip", "notclip.command_line", "notclip.files.yaml_files"])
def test_light_modules_import_neither_torch_nor_transformers(module):
    code = f"import sys, {module}; sys.exit(bool({{'torch', 'transformers'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_photos_are_opened_by_one_function_alone():
    """Who opens a photo elsewhere than in `photo_notclip` forgets EXIF, transparency, 16 bits or bombs."""
    opening = r"\bImage\.open\(|\.convert\(\s*[\"']RGB[\"']|\bload_image\(|exif_transpose|MAX_IMAGE_PIXELS"
    found = {
        (str(path.relative_to(ROOT)), call)
        for folder in {*FOLDERS.values(), "benchmarks"} - {"tests/loopback_hub"}
        for path in (ROOT / folder).rglob("*.py")
        for call in re.findall(opening, path.read_text())
    }
    assert found == {
        ("modeling/remote/photo_notclip.py", '.convert("RGB"'),
        ("modeling/remote/sentence_notclip.py", "load_image("),  # of URLs and base64, which transformers fetches
    }


# Who may read a model: the one function, our own class's method of that name, peft with a config of ours, and the
# program that stands in for a user of a release, who says each time whether its code may run.
READERS = {
    "modeling/remote/pretrained_notclip.py": {"kind.from_pretrained", "AutoModel.from_config"},
    "modeling/remote/modeling_notclip.py": {"super().from_pretrained"},
    "modeling/adapter_files.py": {"PeftModel.from_pretrained"},
}
USER = "hub_cards/rehearsal/release_user.py"


def calls(path):
    """Each call of a file: what is called, as it is written, and with which keywords."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}


def our_files():
    folders = [*FOLDERS.values(), "benchmarks"]
    return {str(path.relative_to(ROOT)): path for folder in folders for path in (ROOT / folder).rglob("*.py")}


def test_models_are_read_in_one_place_where_code_of_others_is_not_run():
    found = {name: set() for name in READERS}
    for name, path in our_files().items():
        for called, keywords in calls(path):
            if called.rpartition(".")[2] not in ("from_pretrained", "from_config", "pipeline", "SentenceTransformer"):
                continue
            if name == USER:
                assert "trust_remote_code" in keywords or called == "PeftModel.from_pretrained", f"{name}: {called}"
            elif called != "pipeline" or name.startswith("modeling/"):
                assert called in READERS.get(name, ()), f"{name}: {called} is to go through `read_pretrained`"
                found[name].add(called)
    assert found == READERS


def test_nothing_is_unpickled():
    for name, path in our_files().items():
        for called, keywords in calls(path):
            assert called not in ("pickle.load", "pickle.loads", "joblib.load", "torch.jit.load"), f"{name}: {called}"
            if called == "torch.load":
                assert keywords.get("weights_only") == "True", f"{name}: torch.load without weights_only=True"
            if called in ("np.load", "numpy.load"):
                assert keywords.get("allow_pickle", "False") == "False", f"{name}: {called} with allow_pickle"


@pytest.mark.parametrize(
    ("room", "breach"),
    [
        ("recaption", "from notclip.space import page"),
        ("files", "from notclip import loading"),
        ("remote", "from notclip.errors import BadInputError"),
        ("remote", "import pyarrow"),
    ],
)
def test_a_room_that_imports_upwards_is_found_by_make_lint(room, breach, tmp_path):
    package = tmp_path / "notclip"
    package.mkdir()
    for name, folder in FOLDERS.items():
        within = {path.name: path for path in (ROOT / folder).iterdir()} if name == "notclip" else {}
        for entry, path in within.items() or [(name.removeprefix("notclip."), ROOT / folder)]:
            if entry != room:
                (package / entry).symlink_to(path)
    home = ROOT / FOLDERS.get(f"notclip.{room}", f"modeling/{room}")
    shutil.copytree(home, package / room, ignore=shutil.ignore_patterns("__pycache__", "encoder"))
    (package / room / "planted.py").write_text(f"{breach}\n")
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"]
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 1, result.stderr
    assert f"notclip.{room}.planted ->" in result.stdout


def privates_of_others(path):
    """Lines of a test that take a `_name` of another module: what they hold to, nobody may change."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = list(ast.walk(tree))
    own = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    own |= {node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)}
    for node in nodes:
        taken = []
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) not in ("self", "cls", "os"):
            taken = [node.attr]
        elif isinstance(node, ast.ImportFrom):
            taken = [name.name for name in node.names]
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "setattr":
            named = [word.value for word in node.args[:2] if isinstance(word, ast.Constant)]
            taken = [word.rpartition(".")[2] for word in named if isinstance(word, str)]
        for name in set(taken) - own:
            if re.match(r"_[^_]", name):
                yield f"{path.relative_to(ROOT)}:{node.lineno}: {name}"


def test_no_test_takes_a_private_of_another_module():
    assert [line for path in sorted((ROOT / "tests").rglob("*.py")) for line in privates_of_others(path)] == []


# Five words in a row, which no field's name, value or `.*` parts: a sentence, that may be put better any day.
SENTENCE = re.compile(r"(?:(?<![\w'`\\.])[A-Za-z]?[a-z]+[,;:]? ){4}[a-z]+\b")


def matched_texts(test):
    """Each text that a test gives to `match=`, itself or by `parametrize`, and the line where it stands."""
    calls = [node for node in ast.walk(test) if isinstance(node, ast.Call)]
    given = [keyword.value for call in calls for keyword in call.keywords if keyword.arg == "match"]
    names = {node.id for value in given for node in ast.walk(value) if isinstance(node, ast.Name)}
    for call in test.decorator_list:
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.parametrize":
            arguments = ast.literal_eval(call.args[0])
            arguments = arguments.split(",") if isinstance(arguments, str) else arguments
            for case in getattr(call.args[1], "elts", []) if names.intersection(arguments) else []:
                case = case.args if isinstance(case, ast.Call) else case.elts if len(arguments) > 1 else [case]
                given += [value for name, value in zip(arguments, case, strict=True) if name in names]
    for value in given:
        for part in [part for part in getattr(value, "values", [value]) if isinstance(part, ast.Constant)]:
            yield part.lineno, str(part.value)


def test_no_test_pins_a_sentence():
    """What `match=` holds is the field's name and the rule, so that a message may be put better."""
    pinned = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for test in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(test, ast.FunctionDef)
        for line, text in matched_texts(test)
        if SENTENCE.search(text)
    ]
    assert pinned == []


# Each metric is one file, which is pushed by itself; `notclip.compose` and `notclip.image_statistics` check the arrays
# that anyone gives, for those of modeling/remote/.
ONE_NAME = {"Uncertain", "resample_images", "wilson_limits", "compose", "image_statistics"}
PROGRAMS = re.compile(r"benchmarks/|evaluate_metrics/\w+/app\.py")  # Nothing imports them.


def test_no_two_public_things_have_one_name():
    homes = {}
    for file in [file for file in our_files() if not PROGRAMS.match(file)]:
        for node in ast.parse((ROOT / file).read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, set()).add(file)
    assert {name for name, files in homes.items() if len(files) > 1} - {"main"} == ONE_NAME
