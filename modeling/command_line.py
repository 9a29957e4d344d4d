"""One command, `notclip <verb>`, and what its verbs share: options from a dataclass, messages, exit statuses.

    notclip --help
    notclip train-adapter --base openai/clip-vit-base-patch32 --data build/data --out build/adapter
    notclip train-adapter --config train.yaml --seed 1

Exit status: 0 done, 1 a goal or gate missed, 2 bad input, 3 an error of ours, 130 interrupted, 141 nobody reads the
output any more, 143 terminated.
"""

import dataclasses
import difflib
import functools
import importlib
import io
import math
import sys
import typing
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from notclip.endings import end, terminable
from notclip.errors import BadInputError, shortened
from notclip.files.writable_caches import use_writable_caches

# In the order in which a release is made. Listed here, not read from the scripts: `--help` imports none of them.
VERBS: Mapping[str, str] = {
    "demo": "the whole way on one machine: data, training, scores, staged release, and a table at the end",
    "build-dataset": "captioned photos to negated captions, counterbalanced questions and retrieval queries",
    "embed-images": "a dataset's photos to embeddings, made once for all trainings; several processes share the work",
    "train-adapter": "a LoRA adapter that teaches a dual encoder negation",
    "init-suite": "start a suite of your own: photos and a file of examples, with which score-model decides",
    "score-model": "score any dual encoder on questions and retrieval, with confidence intervals, to a results JSON",
    "stage-release": "model, backbone, adapter, dataset and metrics with their cards, as they will stand on the Hub",
    "stage-reader": "the reader of negation as a model of its own, and its labelled texts as a data set, for the Hub",
    "check-release": "use a staged release as its users will, in a process without this package, and compare scores",
    "convert-openclip": "an OpenCLIP checkpoint to a model of transformers, or a model back to OpenCLIP",
    "rehearse": "push a staged release to a Hub on this machine, and use it from there as its users will",
    "push-release": "upload a staged release, one atomic commit a repository",
}

_LARGEST = 2**63 - 1  # of a number in an option

ConfigT = TypeVar("ConfigT")


class Main(Protocol):
    """A script's `main`: arguments without the program's name, those of the process when absent, to exit status."""

    def __call__(self, argv: list[str] | None = None) -> int: ...  # noqa: D102


def main(argv: list[str] | None = None) -> int:
    """Run the verb that `argv` opens with and return its exit status."""
    return command()(_run_verb)(argv)


def _run_verb(argv: list[str] | None = None) -> int:
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(_overview())
        return 0 if arguments else 2
    if arguments[0] == "--version":
        from notclip import __version__

        print(f"notclip {__version__}")
        return 0
    verb = arguments[0].replace("_", "-")
    if verb not in VERBS:
        nearest = difflib.get_close_matches(verb, VERBS, n=1)
        hint = f" Did you mean `notclip {nearest[0]}`?" if nearest else ""
        print(f"notclip: unknown verb {arguments[0]!r}.{hint} `notclip --help` lists them.", file=sys.stderr)
        return 2
    script_main: Main = importlib.import_module(f"notclip.scripts.{verb.replace('-', '_')}").main
    return script_main(arguments[1:])


# What is said of the commands that run, from the one that was typed inwards: demo runs others.
_running: list[str] = []


def command(*, again: str = "") -> Callable[[Main], Main]:
    """Wrap a script's `main` so that whatever ends it ends in one message on stderr and a status: see `endings`.

    Args:
        again: a sentence for whoever broke it off: what the same command does when it is given again.
    """

    def wrap(script_main: Main) -> Main:
        @functools.wraps(script_main)
        def guarded(argv: list[str] | None = None) -> int:
            inside_another = bool(_running)
            _running.append(again)
            if inside_another:  # Which ends for both of them.
                return script_main(argv)
            for stream in (sys.stdout, sys.stderr):
                # A name or a terminal that is not UTF-8 costs a letter, and not an hour's work.
                if isinstance(stream, io.TextIOWrapper):
                    stream.reconfigure(errors="backslashreplace")
            # peft 0.x asks transformers 5 by an old name; nobody who types a command can do anything about it.
            warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
            try:
                with terminable():
                    try:
                        return script_main(argv)
                    finally:
                        if sys.stdout is not None:  # as after `>&-`
                            sys.stdout.flush()  # What nobody reads any more is noticed here, not by the interpreter.
            except BaseException as error:
                verb = script_main.__module__.rpartition(".")[2].replace("_", "-")
                return end(error, verb=verb, again=next(filter(None, _running), ""))
            finally:
                _running.clear()

        return guarded

    return wrap


def parse(config_class: type[ConfigT], argv: list[str] | None, *, prog: str, description: str) -> ConfigT:
    """Read a command's options into its frozen dataclass, whose comments are the help text.

    Args:
        config_class: dataclass with one field an option; dataclasses inside it become `--outer.inner`.
        argv: arguments without the program's name; None reads `sys.argv`.
        prog: what the usage line calls the command, e.g. `notclip train-adapter`.
        description: what the command does, shown above the options.

    Returns:
        The config: defaults of the class, overridden by `--config FILE.yaml`, overridden by flags.

    Raises:
        SystemExit: with status 2, on an option that the class does not have or a value of the wrong type.
        BadInputError: when the YAML file cannot be read or holds a key that the class does not have.
    """
    import tyro

    arguments, config_file = _split_config_file(list(sys.argv[1:] if argv is None else argv))
    if not {"-h", "--help"} & set(arguments) and (moved := use_writable_caches()):
        print(f"notclip: {moved}", file=sys.stderr)
    from_file = [] if config_file is None else _flags_of_file(config_class, config_file)
    note = "--config FILE.yaml: defaults for the options below; flags override them."
    try:
        # Of an option given twice the last one counts, so flags override the file; of a list, all that a line gives.
        args = from_file + _lists_joined(config_class, arguments)
        config = tyro.cli(config_class, args=args, prog=prog, description=f"{description}\n\n{note}")
    except SystemExit as stop:
        if from_file and stop.code:
            print(f"(Options were also read from {config_file}.)", file=sys.stderr)
        raise
    _check_numbers(config)
    return config


def _check_numbers(config: Any) -> None:
    """Refuse numbers that are none, and such as no machine counts to, for every option alike.

    Raises:
        BadInputError: naming the option.
    """
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            _check_numbers(value)
        elif isinstance(value, float) and not math.isfinite(value):
            raise BadInputError(f"`{field.name}` must be a finite number, got {value}.")
        elif isinstance(value, int) and abs(value) > _LARGEST:
            raise BadInputError(f"`{field.name}` must be at most {_LARGEST:,}, got {shortened(value)}.")


def _lists_joined(config_class: type, arguments: list[str]) -> list[str]:
    """Turn `--require A --require B` into `--require A B`: of the first, a parser of lists would keep B alone."""
    types = typing.get_type_hints(config_class)
    lists = {field.name for field in dataclasses.fields(config_class) if typing.get_origin(types[field.name]) is tuple}
    rest: list[str] = []
    values: dict[str, list[str]] = {}
    into: list[str] = rest
    for argument in arguments:
        name, equals, value = argument.partition("=")
        option = name.removeprefix("--").replace("-", "_")
        if not name.startswith("-"):
            into.append(argument)
        elif option in lists:
            into = values.setdefault(name, [])
            into += [value] if equals else []
        else:
            into = rest
            rest.append(argument)
    return rest + [word for name, found in values.items() for word in (name, *found)]


def _overview() -> str:
    width = max(map(len, VERBS))
    lines = [f"  {verb:<{width}}  {what}" for verb, what in VERBS.items()]
    return "\n".join(
        [
            "usage: notclip <verb> [options]",
            "",
            'Teach CLIP what "not" means, prove it, release it.',
            "",
            *lines,
            "",
            "`notclip <verb> --help` explains a verb's options; `notclip --version` prints the version.",
        ]
    )


def _split_config_file(arguments: list[str]) -> tuple[list[str], Path | None]:
    rest: list[str] = []
    files: list[Path] = []
    position = 0
    while position < len(arguments):
        name, equals, value = arguments[position].partition("=")
        if name != "--config":
            rest.append(arguments[position])
        elif equals:
            files.append(Path(value))
        else:
            position += 1
            if position == len(arguments):
                raise BadInputError("`--config` needs the name of a YAML file, got nothing.")
            files.append(Path(arguments[position]))
        position += 1
    if len(files) > 1:
        raise BadInputError(f"`--config` may be given once, got {', '.join(map(str, files))}.")
    return rest, files[0] if files else None


def _flags_of_file(config_class: type, path: Path) -> list[str]:
    from notclip.files.yaml_files import read_yaml

    if not path.is_file():
        raise BadInputError(f"`--config` must name a YAML file, got {path}, which does not exist.")
    content = read_yaml(path, "`--config`")
    return _flags_of_mapping(config_class, {} if content is None else content, where=str(path), prefix="")


def _flags_of_mapping(config_class: type, content: Any, *, where: str, prefix: str) -> list[str]:
    if not isinstance(content, Mapping):
        raise BadInputError(f"{where} must hold `option: value` pairs, got {type(content).__name__}.")
    types = typing.get_type_hints(config_class)
    known = [field.name for field in dataclasses.fields(config_class) if field.init]
    flags: list[str] = []
    for key, value in content.items():
        name = str(key).replace("-", "_")
        if name not in known:
            nearest = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean `{nearest[0]}`?" if nearest else f" It knows {', '.join(known)}."
            raise BadInputError(f"{where}: unknown option `{key}`.{hint}")
        if dataclasses.is_dataclass(types[name]):
            inner = typing.cast(type, types[name])
            flags += _flags_of_mapping(inner, value, where=f"{where}: `{key}`", prefix=f"{prefix}{name}.")
        else:
            flags += _flag(f"{prefix}{name}", value, is_switch=types[name] is bool)
    return flags


def _flag(name: str, value: Any, *, is_switch: bool) -> list[str]:
    if is_switch and isinstance(value, bool):
        outer, dot, last = name.rpartition(".")
        return [f"--{name}"] if value else [f"--{outer}{dot}no-{last}"]
    if isinstance(value, bool):  # What YAML makes of `exhaustive: no`.
        value = "yes" if value else "no"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [f"--{name}", *map(str, value)]
    return [f"--{name}={value}"]


if __name__ == "__main__":
    sys.exit(main())
