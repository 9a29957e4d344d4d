"""The gate before a deployment: which figures a model must reach, decided on the side of the interval that is worse.

`macro_accuracy>=0.7` is met when the lower confidence bound reaches 0.7: the data must show it, not merely allow it.
"""

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree

from notclip.errors import BadInputError
from notclip.files.escapes import xml_text
from notclip.files.whole_files import write_whole
from notclip.scoring.measures import MEASURES, measure_named
from notclip.scoring.results import Results, nested_value
from notclip.scoring.suites.suite import Suite

_FORM = re.compile(
    r"(?P<figure>[\w@/ .-]+?)\s*(?P<relation>>=|<=)\s*"
    r"(?P<limit>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?)(?P<percent>\s*%)?"
)


@dataclass(frozen=True)
class Requirement:
    """A figure, and what it must reach.

    Args:
        figure: its name in the results; a figure inside another after a slash, `accuracy_by_kind/negation`.
        relation: `>=` for what must be high, `<=` for what must be low.
        limit: a fraction, as in the results.
    """

    figure: str
    relation: Literal[">=", "<="]
    limit: float

    @classmethod
    def parse(cls, text: str) -> "Requirement":
        """Read `macro_accuracy>=0.7`, `violation@5<=0.1` or `accuracy_by_kind/negation>=60%`.

        Raises:
            BadInputError: it has another form, no figure has that name, a percentage stands without its sign, or the
                limit is one that the figure cannot reach or cannot miss.
        """
        match = _FORM.fullmatch(text.strip())
        if match is None:
            raise BadInputError(
                f"`require` must be a figure, >= or <=, and a number, such as macro_accuracy>=0.7; got {text!r}."
            )
        figure, relation, limit = match["figure"].strip(), match["relation"], float(match["limit"])
        name = _name(figure)
        if name not in MEASURES:
            near = difflib.get_close_matches(name, MEASURES, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "docs/metrics.md lists them."
            raise BadInputError(f"`require` {text!r}: no figure is called {figure!r}; {hint}")
        measure = measure_named(figure)
        if measure is None:
            depths = f"is measured at a depth: {name}@5" if MEASURES[name].at_depths else f"has no depth: {name}"
            raise BadInputError(f"`require` {text!r}: {name} {depths}.")
        if match["percent"]:
            limit /= 100
        elif 1 < limit <= 100 and measure.high == 1:
            raise BadInputError(f"`require` {text!r}: shares are fractions; write {limit / 100:g} or {limit:g}%.")
        lowest = min(measure.low, 0)  # Of ranks too: 0 is what one writes to let a figure pass.
        if not lowest <= limit <= measure.high:
            raise BadInputError(
                f"`require` {text!r}: {figure} is from {lowest:g} to {measure.high:g}; that decides nothing."
            )
        return cls(figure, ">=" if relation == ">=" else "<=", limit)

    def __str__(self) -> str:
        return f"{self.figure}{self.relation}{self.limit:g}"


@dataclass(frozen=True)
class Verdict:
    """What came of a requirement.

    Args:
        requirement: what was required.
        value: the figure.
        interval: its confidence interval, [low, high]; None for a figure that has none, such as a count.
    """

    requirement: Requirement
    value: float
    interval: tuple[float, float] | None

    @property
    def decisive(self) -> float:
        """The number that decides: the bound on the worse side, and the figure itself where it has no interval."""
        if self.interval is None:
            return self.value
        return self.interval[0] if self.requirement.relation == ">=" else self.interval[1]

    @property
    def short_by(self) -> float:
        """How far the decisive number is from the limit; 0 or less where it is met."""
        gap = self.requirement.limit - self.decisive
        return gap if self.requirement.relation == ">=" else -gap

    @property
    def met(self) -> bool:
        """Whether the requirement is met."""
        return self.short_by <= 0

    def __str__(self) -> str:
        bounds = "" if self.interval is None else f" [{self.interval[0]:.4g}, {self.interval[1]:.4g}]"
        side = "lower bound" if self.requirement.relation == ">=" else "upper bound"
        what = "it" if self.interval is None else f"its {side}"
        distance = "by" if self.met else "misses it by"
        outcome = f"{what} meets it {distance}" if self.met else f"{what} {distance}"
        return f"{self.requirement}: {self.value:.4g}{bounds}, {outcome} {abs(self.short_by):.4g}"

    def as_json(self) -> dict[str, Any]:
        """The verdict for the results file."""
        return {
            "requirement": str(self.requirement),
            "value": self.value,
            "interval": None if self.interval is None else list(self.interval),
            "decided_on": self.decisive,
            "met": self.met,
            "short_by": max(self.short_by, 0.0),
        }


def must_be_measured(requirements: Sequence[Requirement], suite: Suite) -> None:
    """Refuse what a suite cannot measure, before it is scored.

    What depends on more than the suite's parts, such as the depths of a search, is left to `judge`.

    Raises:
        BadInputError: a requirement is about questions, queries or pairs, and the suite has none.
    """
    for requirement in requirements:
        part = MEASURES[_name(requirement.figure)].part
        if not getattr(suite, part):
            parts = dict.fromkeys(measure.part for measure in MEASURES.values())
            has = ", ".join(other.replace("_", " ") for other in parts if getattr(suite, other))
            raise BadInputError(
                f"`require` {requirement}: it is measured on {part.replace('_', ' ')}, and {suite.name} has {has}."
            )


def judge(requirements: Sequence[Requirement], results: Results) -> list[Verdict]:
    """Decide each requirement on a model's results.

    Raises:
        BadInputError: a figure was not measured on this suite, or is no single number.
    """
    verdicts, metrics = [], results.content["metrics"]
    for requirement in requirements:
        value = nested_value(metrics, requirement.figure)
        if isinstance(value, Mapping):
            inner = ", ".join(f"{requirement.figure}/{name}" for name in value)
            raise BadInputError(f"`require` {requirement}: it holds several figures; name one of {inner}.")
        if not isinstance(value, int | float) or not math.isfinite(value):
            measured = ", ".join(sorted(metrics))
            raise BadInputError(f"`require` {requirement}: this suite does not measure it; it measures {measured}.")
        bounds = nested_value(results.content["confidence_intervals"], requirement.figure)
        verdicts.append(Verdict(requirement, float(value), None if bounds is None else (bounds[0], bounds[1])))
    return verdicts


def junit_xml(verdicts: Sequence[Verdict], *, model: str, suite: str) -> str:
    """The verdicts as a test report that CI systems show: one case a requirement, a failure where it is missed."""
    outcomes = {
        str(verdict.requirement): ("system-out" if verdict.met else "failure", "requirement", str(verdict))
        for verdict in verdicts
    }
    return _junit(outcomes, model=model, suite=suite)


def junit_error_xml(requirements: Sequence[str], error: Exception, *, model: str, suite: str) -> str:
    """The report of a run that broke off before anything was decided: an error, which is no failure, for each case."""
    said = str(error) or type(error).__name__
    return _junit(dict.fromkeys(requirements, ("error", type(error).__name__, said)), model=model, suite=suite)


def _junit(outcomes: Mapping[str, tuple[str, str, str]], *, model: str, suite: str) -> str:
    """Cases by name -> (system-out, failure or error; its type; what is said of it)."""
    kinds = [kind for kind, _, _ in outcomes.values()]
    counts = {name: str(kinds.count(name.removesuffix("s"))) for name in ("failures", "errors")}
    counts = {"tests": str(len(outcomes))} | counts
    root = ElementTree.Element("testsuites", {"name": "notclip score-model", **counts})
    name = xml_text(f"{model} on {suite}")
    group = ElementTree.SubElement(root, "testsuite", {"name": name, **counts, "skipped": "0"})
    for requirement, (kind, type_name, said) in outcomes.items():
        attributes = {"classname": f"notclip.{_plain(model)}", "name": xml_text(requirement), "time": "0"}
        case = ElementTree.SubElement(group, "testcase", attributes)
        about = {} if kind == "system-out" else {"type": type_name, "message": xml_text(said)}
        ElementTree.SubElement(case, kind, about).text = xml_text(said)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def write_junit(path: Path, report: str) -> None:
    """Write a report of `junit_xml` or `junit_error_xml` to a file.

    Raises:
        BadInputError: the file cannot be written.
    """
    try:
        write_whole(path, report)
    except OSError as error:
        raise BadInputError(f"`junit` {path} cannot be written: {error.strerror}.") from error


def _name(figure: str) -> str:
    """A figure without what stands after @ or a slash."""
    return figure.partition("/")[0].partition("@")[0]


def _plain(name: str) -> str:
    return re.sub(r"[^\w-]+", "_", name).strip("_")
