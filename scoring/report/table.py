"""Several models on one suite side by side: every figure with its interval, and paired tests against the first one."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from notclip.evaluate_metrics.negated_mcq.negated_mcq import holm_adjusted
from notclip.files.escapes import csv_cell, markdown_cell
from notclip.scoring.measures import labels
from notclip.scoring.report.number_format import percent_with_interval
from notclip.scoring.results import Figure, Results


@dataclass(frozen=True)
class Difference:
    """The first model less another one, on the same questions or queries.

    Args:
        figure: the difference with its interval, paired over images.
        p_value: of no difference; None where no test is made.
        adjusted: the same after Holm's method over all models that the figure is compared with.
    """

    figure: Figure
    p_value: float | None
    adjusted: float | None


@dataclass(frozen=True)
class FigureRow:
    """One figure of all models.

    Args:
        name: in the results.
        label: in words.
        figures: model -> figure, None where it was not measured.
        differences: model -> how the first one differs from it.
    """

    name: str
    label: str
    figures: Mapping[str, Figure | None]
    differences: Mapping[str, Difference]


def compare_results(first: Results, others: Sequence[Results]) -> list[FigureRow]:
    """Put results side by side, the first model's differences from the results that it was scored with.

    Args:
        first: results that `notclip score-model --compare` wrote.
        others: the results that they were compared with.
    """
    models = {result.path.stem: result for result in (first, *others)}
    rows = []
    for name, label in labels("table").items():
        figures = {model: result.figure(name) if result.has(name) else None for model, result in models.items()}
        if figures[first.path.stem] is None:
            continue
        tested = {other.path.stem: first.p_value(name, other.label) for other in others}
        adjusted = holm_adjusted({model: p_value for model, p_value in tested.items() if p_value is not None})
        differences = {
            model: Difference(figure, tested[model], adjusted.get(model))
            for model, other in models.items()
            if (figure := first.paired_difference(name, other.label)) is not None
        }
        rows.append(FigureRow(name, label, figures, differences))
    return rows


def as_json(rows: Sequence[FigureRow], first: Results, others: Sequence[Results]) -> dict[str, Any]:
    """The comparison for programs."""
    return {
        "suite": first.suite,
        "models": {result.path.stem: result.model for result in (first, *others)},
        "figures": {
            row.name: {
                "label": row.label,
                "models": {model: None if one is None else _numbers(one) for model, one in row.figures.items()},
                "differences": {
                    model: _numbers(one.figure) | {"p_value": one.p_value, "holm_p_value": one.adjusted}
                    for model, one in row.differences.items()
                },
            }
            for row in rows
        },
    }


def as_csv(rows: Sequence[FigureRow]) -> str:
    """The comparison for spreadsheets: a line for each figure of each model."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    head = ["figure", "label", "model", "value", "low", "high"]
    writer.writerow([*head, "difference", "difference_low", "difference_high", "p_value", "holm_p_value"])
    for row in rows:
        for model, figure in row.figures.items():
            numbers = [None] * 3 if figure is None else [figure.value, figure.low, figure.high]
            paired: list[float | None] = [None] * 5
            if (difference := row.differences.get(model)) is not None:
                one = difference.figure
                paired = [one.value, one.low, one.high, difference.p_value, difference.adjusted]
            writer.writerow([csv_cell(cell) for cell in (row.name, row.label, model, *numbers, *paired)])
    return buffer.getvalue()


def as_markdown(rows: Sequence[FigureRow]) -> str:
    """The comparison for people, in per cent, with 95 % intervals in brackets and p-values after Holm's method."""
    models, others = list(rows[0].figures), list(rows[0].figures)[1:]
    head = ["%", *models, *(f"{models[0]} − {other}" for other in others)]
    lines = [f"| {' | '.join(map(markdown_cell, head))} |", f"|---|{'---:|' * (len(head) - 1)}"]
    for row in rows:
        cells = [row.label, *("–" if one is None else percent_with_interval(one) for one in row.figures.values())]
        for other in others:
            difference = row.differences.get(other)
            cells.append("" if difference is None else with_test(difference))
        lines.append(f"| {' | '.join(map(markdown_cell, cells))} |")
    return "\n".join(lines) + "\n"


def with_test(difference: Difference) -> str:
    """`+16.3 [11.9, 20.4], p = 0.001`."""
    shown = percent_with_interval(difference.figure)
    test = "" if difference.adjusted is None else f", p = {difference.adjusted:.2g}"
    return f"{'' if shown.startswith('−') else '+'}{shown}{test}"


def _numbers(figure: Figure) -> dict[str, float | None]:
    return {"value": figure.value, "low": figure.low, "high": figure.high}
