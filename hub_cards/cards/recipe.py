"""The commands that make a release again, with the options that the run recorded and ids in place of local folders."""

import dataclasses
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from notclip.hub_cards.staging.release import Release
from notclip.training.config import TrainConfig

_NAMED = ("detector", "domain", "lexicon")
DATA, AWAY, TRAINED, RESULTS = "build/data", "build/away", "build/train", "build/results"


def commands(release: Release) -> list[str]:
    """Build, train, score and stage, one command each."""
    base, options = release.base.repo_id, _options(TrainConfig, release.training["config"])
    suite = f"--suite {DATA} --out {RESULTS}"
    away = release.training.get("away_build")
    other = [] if away is None else [_build(away["source"], away, AWAY)]
    judged = "" if away is None else f" --away {AWAY}"
    return [
        build_command(release),
        *other,
        f"notclip train-adapter --base {base} --data {DATA} --out {TRAINED}{options}{judged}",
        f"notclip score-model --model {base} {suite}/base.json",
        f"notclip score-model --model {TRAINED}/backbone {suite}/backbone.json",
        f"notclip score-model --model {TRAINED}/model {suite}/notclip.json --compare {RESULTS}/base.json",
        f"notclip stage-release --model {TRAINED} --data {DATA} --results {RESULTS}/*.json "
        f"--namespace {release.namespace} --name {release.name} --out build/hub",
    ]


def build_command(release: Release) -> str:
    """How the dataset was built."""
    return _build(release.dataset.source_name, release.dataset.build["config"], DATA)


def _build(source: str, recorded: Mapping[str, Any], out: str) -> str:
    source = Path(source).name if Path(source).exists() else source
    named = "".join(f" --{option} {_named(recorded[option])}" for option in _NAMED if recorded.get(option))
    # Those of the defaults as well, which another version may have otherwise.
    told = {option: value for option, value in recorded.items() if value is not None}
    return f"notclip build-dataset --source {source} --out {out}{named}{_flags(told)}"


def _named(value: str) -> str:
    """A file without where it lies on this machine; a name of the package or an id on the Hub as it is."""
    return Path(value).name if Path(value).suffix in (".onnx", ".yaml", ".yml") else value


def _options(config_class: type, recorded: Mapping[str, Any]) -> str:
    """Flags for what a run was told and the defaults would not say."""
    defaults = {field.name: field.default for field in dataclasses.fields(config_class)}
    return _flags({name: recorded[name] for name in defaults if recorded.get(name, []) not in (defaults[name], [])})


def _flags(values: Mapping[str, Any]) -> str:
    # Folders differ from machine to machine; the others do not change what comes out.
    omitted = {"base", "data", "source", "out", "cache", "away", "resume", "workers", "progress", *_NAMED}
    flags = []
    for name, value in values.items():
        if name not in omitted:
            words = value if isinstance(value, list) else [value]
            flags.append(f" --{name.replace('_', '-')} {shlex.join(map(str, words))}")
    return "".join(flags)
