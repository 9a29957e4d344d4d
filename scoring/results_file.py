"""A results file, read back: the one reader, by which whatever is shown, compared or published was checked.

Files come from other people. What is no figure of ours, or lies outside its range, is refused by name before it stands
on a card.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from notclip.errors import BadInputError
from notclip.files.json_files import read_json
from notclip.scoring.measures import KINDS, Measure, measure_named

PARTS = ("model", "suite", "metrics", "confidence_intervals", "provenance")
NAMES = ("adapter", "backbone", "composition", "revision", "weights_sha256")  # what provenance says in words
MOST_BYTES = 64 * 2**20  # a file of ours has some 10 KB, and 100 bytes for each photo that was left out
ROUNDING = 1e-9
TEST = Measure("photos")  # of a p-value: from 0 to 1
_COMPARED = re.compile(r"(?P<measured>\w+?)_(?P<of>difference|p_value)(?P<at>@\d+)?")


def read_results(path: Path, *, argument: str = "results") -> dict[str, Any]:
    """Read what `notclip score-model` wrote.

    Args:
        path: of the file.
        argument: what the user named it by, for messages.

    Raises:
        BadInputError: it is missing, no JSON, lacks a part, or holds a figure that is none or outside its range.
    """
    where = f"`{argument}` {path}"
    content: dict[str, Any] = read_json(path, f"`{argument}`", largest=MOST_BYTES)
    check_results(content, where)
    return content


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
    names |= {f"provenance/options/{name}": options.get(name) for name in ("adapter", "composition")}
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
