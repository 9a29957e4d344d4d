"""The command line: verbs, options from dataclasses and YAML, messages and exit statuses."""

import resource
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from notclip import command_line
from notclip.errors import BadInputError


@dataclass(frozen=True)
class Lora:
    rank: int = 8  # width of the update
    rescaled: bool = True


@dataclass(frozen=True)
class Config:
    out: Path  # where to write
    seed: int = 0  # of everything random
    quick: bool = False
    names: tuple[str, ...] = ()
    base: str | None = "tiny"
    composition: Literal["scope", "none"] = "scope"
    learning_rate: float = 1e-3
    lora: Lora = field(default_factory=Lora)

    def __post_init__(self):
        if self.seed < 0:
            raise ValueError(f"`seed` must not be negative, got {self.seed}.")


def parse(*argv):
    return command_line.parse(Config, [str(part) for part in argv], prog="notclip try", description="Try.")


def parse_status(*argv):
    with pytest.raises(SystemExit) as stop:
        parse(*argv)
    return stop.value.code


@pytest.fixture
def yaml_file(tmp_path):
    def write(text):
        path = tmp_path / "options.yaml"
        path.write_text(text)
        return path

    return write


def test_a_list_that_is_given_in_parts_is_one_list(yaml_file):
    assert parse("--out", "a", "--names", "dog", "--seed", 3, "--names", "cat", "cow").names == ("dog", "cat", "cow")
    assert parse("--out", "a", "--names=x>=1", "--names", "y", "--quick").names == ("x>=1", "y")
    file = yaml_file("names: [old]\n")
    assert parse("--config", file, "--out", "a", "--names", "a", "--names", "b").names == ("a", "b")


def test_flags_fill_the_dataclass():
    config = parse("--out", "a", "--seed", 3, "--names", "dog", "cat", "--lora.rank", 4)
    assert config == Config(out=Path("a"), seed=3, names=("dog", "cat"), lora=Lora(rank=4))


def test_dashes_and_underscores_are_the_same():
    assert parse("--out", "a", "--learning-rate", 0.5) == parse("--out", "a", "--learning_rate", 0.5)


def test_a_yaml_file_gives_defaults_that_flags_override(yaml_file):
    path = yaml_file("out: from_file\nseed: 5\nlearning-rate: 1e-5\nquick: true\nnames: [dog, cat]\nbase: null\n")
    expected = Config(out=Path("from_file"), seed=5, learning_rate=1e-5, quick=True, names=("dog", "cat"), base=None)
    assert parse("--config", path) == expected
    assert parse(f"--config={path}", "--seed", 7, "--no-quick").seed == 7
    assert parse("--config", path, "--no-quick").quick is False


def test_yes_and_no_of_yaml_are_words_where_an_option_takes_words(yaml_file):
    path = yaml_file("out: a\nbase: no\nquick: yes\n")
    assert parse("--config", path).base == "no"
    assert parse("--config", path).quick is True


def test_yaml_reaches_inner_dataclasses_and_their_switches(yaml_file):
    path = yaml_file("out: a\nlora:\n  rank: 2\n  rescaled: false\n")
    assert parse("--config", path).lora == Lora(rank=2, rescaled=False)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("sed: 1", "unknown option `sed`. Did you mean `seed`?"),
        ("lora: {rnk: 1}", "`lora`: unknown option `rnk`. Did you mean `rank`?"),
        ("xyzzy: 1", "It knows out, seed"),
        ("- a\n- b", "got list"),
        ("a: [", "not valid YAML"),
    ],
)
def test_a_wrong_yaml_file_is_refused_by_name(yaml_file, text, named):
    path = yaml_file(text)
    with pytest.raises(BadInputError) as error:
        parse("--out", "a", "--config", path)
    assert named in str(error.value)
    assert str(path) in str(error.value)


def test_a_yaml_value_of_the_wrong_type_is_refused(yaml_file, capsys):
    path = yaml_file("out: a\nseed: many\n")
    assert parse_status("--config", path) == 2
    message = capsys.readouterr().err
    assert "--seed" in message
    assert "'many'" in message
    assert str(path) in message


def test_a_missing_config_file_and_a_second_one_are_refused(tmp_path):
    with pytest.raises(BadInputError, match=r"nowhere\.yaml, which does not exist"):
        parse("--config", tmp_path / "nowhere.yaml")
    with pytest.raises(BadInputError, match="once"):
        parse("--config", "a", "--config", "b")
    with pytest.raises(BadInputError, match="got nothing"):
        parse("--config")


@pytest.mark.parametrize(
    ("argv", "named"),
    [
        (("--out", "a", "--sed", "1"), "--sed"),
        (("--seed", "1"), "--out"),
        (("--out", "a", "--seed", "-1"), "`seed` must not be negative, got -1."),
    ],
)
def test_unknown_missing_and_wrong_options_exit_with_2(argv, named, capsys):
    assert parse_status(*argv) == 2
    assert named in capsys.readouterr().err


def test_help_shows_comments_and_the_config_option(capsys):
    assert parse_status("--help") == 0
    text = capsys.readouterr().out
    assert "of everything random" in text
    assert "--config" in text


@pytest.mark.parametrize("argv", [["--help"], ["init-suite", "--help"]])
def test_a_reader_that_has_read_enough_is_no_error(argv):
    code = f"import sys; from notclip.command_line import main; sys.exit(main({argv}))"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        running.stdout.close()  # as `head` does
        assert running.stderr.read() == b""
    assert running.returncode == 141


def test_the_status_of_a_script_is_passed_on():
    assert command_line.command()(lambda argv=None: 1)([]) == 1


def test_a_misspelt_verb_exits_with_2_and_names_the_nearest(capsys):
    assert command_line.main(["scoremodel"]) == 2
    assert "Did you mean `notclip score-model`?" in capsys.readouterr().err


def test_verbs_take_underscores_and_get_the_rest_of_the_line(monkeypatch):
    received = []
    script = type("Script", (), {"main": staticmethod(lambda argv: received.append(argv) or 0)})
    monkeypatch.setattr(command_line.importlib, "import_module", lambda name: received.append(name) or script)
    assert command_line.main(["score_model", "--seed", "1"]) == 0
    assert received == ["notclip.scripts.score_model", ["--seed", "1"]]


def test_each_verb_has_a_script():
    scripts = Path(command_line.__file__).parents[1] / "scripts"
    for verb in command_line.VERBS:
        assert (scripts / f"{verb.replace('-', '_')}.py").exists()


def test_help_is_quick_and_imports_neither_torch_nor_tyro():
    code = (
        "import sys; from notclip.command_line import main; status = main(['--help']); "
        "heavy = {'torch', 'transformers', 'datasets', 'tyro', 'numpy'} & set(sys.modules); "
        "sys.exit(status or len(heavy))"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.startswith("usage: notclip <verb>")
    # Of the processor, which says the same on a machine that is busy with other things.
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 2


def test_the_package_exports_its_names_without_importing_torch():
    code = (
        "import sys, notclip; assert notclip.__version__; assert 'NotClipModel' in dir(notclip); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--learning-rate", "nan", "`learning_rate` .*finite number, got nan"),
        ("--learning-rate", "-inf", "`learning_rate` .*finite number, got -inf"),
        ("--seed", str(10**30), "`seed` must be at most 9,223,372,036,854,775,807"),
        ("--lora.rank", str(-(10**30)), "`rank` must be at most"),
    ],
)
def test_a_number_that_is_none_or_that_no_machine_counts_to_is_refused_for_every_option(option, value, message):
    with pytest.raises(BadInputError, match=message):
        parse("--out", "a", f"{option}={value}")
