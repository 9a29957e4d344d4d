"""A results file: what `notclip score-model` measured, written all or nothing and read back by one reader.

Files come from other people. What is no figure of ours, or lies outside its range, is refused by name before it is
shown, compared or published.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from notclip.errors import BadInputError
from notclip.files.json_files import read_json
from notclip.files.whole_files import clear_partials, write_whole
from notclip.scoring.measures import KINDS, Measure, difference_name, measure_named

if TYPE_CHECKING:
    from notclip.scoring.score import SuiteScores

PARTS = ("model", "suite", "metrics", "confidence_intervals", "provenance")
OPTIONAL_PARTS = ("comparisons",)
# What provenance says in words.
NAMES = ("adapter", "adapter_sha256", "backbone", "composition", "revision", "role", "weights_sha256")
# Options that make another model of the one that is named.
_MAKE_A_MODEL = ("adapter", "composition", "calibrate")
MOST_BYTES = 64 * 2**20  # a file of ours has some 10 KB, and 100 bytes for each photo that was left out
ROUNDING = 1e-9
TEST = Measure("photos")  # of a p-value: from 0 to 1
_COMPARED = re.compile(r"(?P<measured>\w+?)_(?P<of>difference|p_value)(?P<at>@\d+)?")


@dataclass(frozen=True)
class Figure:
    """One measured number, a share or a difference of shares, with the ends of its confidence interval."""

    value: float
    low: float | None = None
    high: float | None = None

    @property
    def whiskers(self) -> tuple[float, float]:
        """How far the interval reaches below and above the value; not at all where there is none."""
        low = self.value if self.low is None else self.low
        high = self.value if self.high is None else self.high
        return max(0.0, self.value - low), max(0.0, high - self.value)


@dataclass(frozen=True)
class Results:
    """One results JSON: one model on one suite.

    Args:
        path: of its file, whose name without .json reports call the model by.
        content: of the file.
    """

    path: Path
    content: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path, *, argument: str = "results") -> "Results":
        """Read a file that `notclip score-model` wrote.

        Args:
            path: of the file.
            argument: what the user named it by, for messages.

        Raises:
            BadInputError: it is missing, no JSON, lacks a part, or holds a figure that is none or outside its range.
        """
        content: dict[str, Any] = read_json(path, f"`{argument}`", largest=MOST_BYTES)
        check_results(content, f"`{argument}` {path}")
        return cls(path, content)

    @property
    def suite(self) -> str:
        """What was asked."""
        return str(self.content["suite"])

    @property
    def model(self) -> str:
        """What was scored: the model, with the adapter that was put on it and the composition that was asked for."""
        options = self.provenance.get("options") or {}
        parts = {name: options.get(name) for name in _MAKE_A_MODEL}
        named = [f"{name} {value}" for name, value in parts.items() if value]
        return str(self.content["model"]) + (f" with {' and '.join(named)}" if named else "")

    @property
    def published(self) -> dict[str, Any]:
        """The content that goes out with a model: figures and where they come from, without each question's scores."""
        return {name: self.content[name] for name in PARTS + OPTIONAL_PARTS if name in self.content}

    @property
    def label(self) -> str:
        """What results that were compared with these call them: the model, and the name of this file."""
        return f"{self.content['model']} ({self.path.stem})"

    @property
    def role(self) -> str:
        """Which model of a release was scored: `base`, `backbone` or `notclip`; else `composition` or `python`.

        Raises:
            BadInputError: the file does not say.
        """
        if (role := self.provenance.get("role")) is None:
            raise BadInputError(
                f"`results` {self.path} does not say which model of a release {self.content['model']} is, as files of "
                "an earlier version do not: score it again with `notclip score-model`."
            )
        return str(role)

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Where the numbers come from: seed, hashes and revisions of model, data and code."""
        return self.content["provenance"]

    def has(self, name: str) -> bool:
        """Whether a metric was measured; names of metrics inside another are joined by a slash."""
        return isinstance(nested_value(self.content["metrics"], name), int | float)

    def difference(self, name: str, other: "Results") -> Figure:
        """How far a metric is above another model's: by the paired comparison, with interval, where there is one."""
        paired = self.paired_difference(name, other.label)
        return Figure(self.figure(name).value - other.figure(name).value) if paired is None else paired

    def paired_difference(self, name: str, label: str) -> Figure | None:
        """How far a metric is above that of the compared model of that label; None where it was not compared."""
        compared = self.content.get("comparisons", {}).get(label, {})
        value = nested_value(compared, difference_name(name))
        if value is None:
            return None
        low, high = nested_value(compared.get("confidence_intervals"), difference_name(name)) or (None, None)
        return Figure(value, low, high)

    def p_value(self, name: str, label: str) -> float | None:
        """Of no difference from the compared model of that label; None where no test was made."""
        test = "bootstrap_p_value" if name == "accuracy" else difference_name(name, of="p_value")
        found: float | None = self.content.get("comparisons", {}).get(label, {}).get(test)
        return found

    def figure(self, name: str) -> Figure:
        """A metric and its confidence interval, where it has one: counts and chance have none.

        Raises:
            BadInputError: it was not measured, so that no card may show it.
        """
        value = nested_value(self.content["metrics"], name)
        if not isinstance(value, int | float):
            raise BadInputError(
                f"`results` {self.path} has no metric {name!r}, which the cards show. Score {self.content['model']} "
                "again with `notclip score-model`, on the dataset that `notclip build-dataset` wrote."
            )
        interval = nested_value(self.content["confidence_intervals"], name)
        if isinstance(interval, Sequence) and len(interval) == 2:
            return Figure(float(value), float(interval[0]), float(interval[1]))
        return Figure(float(value))


def nested_value(content: Any, name: str) -> Any:
    """What stands in nested results under a name, `accuracy_by_kind/negation`; None where nothing does."""
    if not isinstance(content, Mapping) or name in content:
        return content[name] if isinstance(content, Mapping) else None
    outer, slash, inner = name.partition("/")
    return nested_value(content.get(outer), inner) if slash else None


def results_content(*, model: str, scores: "SuiteScores", provenance: dict[str, Any]) -> dict[str, Any]:
    """What a results file holds, in DESIGN's form.

    Args:
        model: what the user named as the model.
        scores: what it scored.
        provenance: where the numbers come from, as `provenance_of` makes it.
    """
    content = {
        "model": model,
        "suite": scores.suite.name,
        "metrics": scores.metrics,
        "confidence_intervals": scores.confidence_intervals,
        "provenance": provenance | {"data": scores.suite.files, "n_skipped": len(scores.suite.skipped)},
    }
    if scores.comparisons:
        content["comparisons"] = scores.comparisons
    if scores.suite.skipped:
        content["skipped"] = list(scores.suite.skipped)
    return content


def write_results(path: Path, content: dict[str, Any], scores: "SuiteScores") -> None:
    """Write the results and, beside them, the predictions; each file all or nothing.

    Raises:
        BadInputError: the folder cannot be written to.
    """
    from notclip.scoring.predictions import predictions_path

    # NaN is no JSON, and no figure is NaN; were one, the file must not be written.
    text = json.dumps(content, indent=2, allow_nan=False) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        clear_partials(path.parent, predictions_path(path).name)
        scores.predictions.save(predictions_path(path))
        write_whole(path, text)
    except OSError as error:
        raise BadInputError(f"`out` {path} cannot be written: {error.strerror}.") from error


def check_results(content: Any, where: str) -> None:
    """Refuse what no results file holds.

    Args:
        content: of the file.
        where: names it, for messages.

    Raises:
        BadInputError: a part is missing or has another form, or a figure is none of ours or outside its range.
    """
    for part in PARTS:
        if not isinstance(content, dict) or part not in content:
            raise BadInputError(f"{where} has no {part!r}: not a file that `notclip score-model` wrote.")
    for name in ("model", "suite"):
        if not isinstance(content[name], str) or not content[name].strip():
            raise BadInputError(f"{where}: {name!r} must be a name, got {_shown(content[name])}.")
    for name in ("metrics", "confidence_intervals", "provenance", "comparisons"):
        _mapping(content.get(name, {}), f"{where}: {name!r}")
    provenance = content["provenance"]
    options = provenance.get("options") or {}
    for name in ("options", "data"):
        if provenance.get(name) is not None:
            _mapping(provenance[name], f"{where}: 'provenance/{name}'")
    names = {f"provenance/{name}": provenance.get(name) for name in NAMES}
    names |= {f"provenance/options/{name}": options.get(name) for name in _MAKE_A_MODEL}
    names |= {f"provenance/data/{name}": digest for name, digest in (provenance.get("data") or {}).items()}
    for place, name in names.items():
        if name is not None and not isinstance(name, str):
            raise BadInputError(f"{where}: {place!r} must be a text, got {_shown(name)}.")
    _check_figures(content["metrics"], content["confidence_intervals"], where)
    for label, comparison in content.get("comparisons", {}).items():
        place = f"{where}, compared with {_shown(label)}"
        _mapping(comparison, place)
        figures = {name: value for name, value in comparison.items() if name != "confidence_intervals"}
        intervals = comparison.get("confidence_intervals", {})
        _mapping(intervals, f"{place}: 'confidence_intervals'")
        _check_figures(figures, intervals, place)


def _check_figures(figures: Mapping[str, Any], intervals: Mapping[str, Any], where: str) -> None:
    for name, value in figures.items():
        low, high, measure = _range(name, where)
        _check(value, intervals.get(name), low, high, measure, measure.inside, f"{where}: {name}")
    if strange := sorted(set(intervals) - set(figures)):
        raise BadInputError(f"{where}: it has an interval of {_shown(strange[0])}, which it does not measure.")


def _range(name: str, where: str) -> tuple[float, float, Measure]:
    """Least and greatest value of a figure, of a difference of two, or of a test."""
    if (measure := measure_named(name)) is not None:
        return measure.low, measure.high, measure
    if name in ("bootstrap_p_value", "mcnemar_p_value"):
        return TEST.low, TEST.high, TEST
    compared = _COMPARED.fullmatch(name)
    if compared is not None:
        measure = measure_named(compared["measured"] + (compared["at"] or ""))
        if measure is not None and compared["of"] == "p_value":
            return TEST.low, TEST.high, TEST
        if measure is not None:
            return measure.low - measure.high, measure.high - measure.low, measure
    raise BadInputError(f"{where}: no figure is called {_shown(name)}; docs/metrics.md lists them.")


def _check(
    value: Any, interval: Any, low: float, high: float, measure: Measure, inside: tuple[str, ...], where: str
) -> None:
    if inside:
        _mapping(value, where)
        _mapping({} if interval is None else interval, f"{where}: its interval")
        for name, one in value.items():
            if inside[0] == "kind" and name not in KINDS:
                raise BadInputError(f"{where}: {_shown(name)} must be one of {', '.join(KINDS)}.")
            _check(one, (interval or {}).get(name), low, high, measure, inside[1:], f"{where}/{_shown(name)}")
        return
    _number(value, low, high, where)
    if measure.whole and value != int(value):
        raise BadInputError(f"{where} must be a whole number, got {_shown(value)}.")
    if interval is None:
        return
    if not isinstance(interval, list) or len(interval) != 2:
        raise BadInputError(f"{where}: its interval must be [low, high], got {_shown(interval)}.")
    for end in interval:
        _number(end, low, high, f"{where}: the ends of its interval")
    if not interval[0] - ROUNDING <= value <= interval[1] + ROUNDING:
        raise BadInputError(f"{where}: its interval must hold {value}, got {_shown(interval)}.")


def _number(value: Any, low: float, high: float, where: str) -> None:
    # A bool is an int to Python, and `true` would be published as 1.
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not low - ROUNDING <= value <= high + ROUNDING:  # NaN lies between no two numbers
        raise BadInputError(f"{where} must be a number from {low:g} to {high:g}, got {_shown(value)}.")


def _mapping(value: Any, where: str) -> None:
    if not isinstance(value, dict):
        raise BadInputError(f"{where} must hold names and values, got {_shown(value)}.")


def _shown(value: Any) -> str:
    """A stranger's value in a message: of one line, and not of a million letters."""
    text = "a number of very many digits" if isinstance(value, int) and abs(value) > 10**60 else json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "…"
