"""The report of a scoring run: one page with table, pictures and worst examples, and the same for programs."""

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from notclip.errors import BadInputError
from notclip.files.whole_files import clear_partials, partial_folder
from notclip.scoring.predictions import Predictions
from notclip.scoring.report.figures import draw_comparison
from notclip.scoring.report.number_format import percent_with_interval
from notclip.scoring.report.table import (
    FigureRow,
    as_csv,
    as_json,
    as_markdown,
    compare_results,
    with_test,
)
from notclip.scoring.report.worst_examples import worst_examples
from notclip.scoring.results import Results
from notclip.scoring.suites.suite import Suite

TEMPLATE = Path(__file__).parent / "templates" / "report.html.jinja"


def write_report(
    folder: Path, first: Results, others: Sequence[Results], suite: Suite, answers: Mapping[str, Predictions]
) -> list[FigureRow]:
    """Write report.html, comparison.md, comparison.json, comparison.csv and the pictures.

    Args:
        folder: where they go.
        first: results of the model that is reported, compared with the others.
        others: their results.
        suite: what was asked.
        answers: file name of each results file, without .json -> what the model answered; the reported one first.

    Returns:
        The table, for the terminal.

    Raises:
        BadInputError: the folder cannot be written to, or two results files have the same name.
    """
    scored = {result.path.stem: result for result in (first, *others)}
    if len(scored) < 1 + len(others):
        raise BadInputError("`compare` must name results files of different names: a report calls models by these.")
    rows = compare_results(first, others)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        clear_partials(folder)
        with partial_folder(folder / "report") as partial:
            pictures = draw_comparison(scored, partial)
            (partial / "comparison.md").write_text(as_markdown(rows), encoding="utf-8")
            (partial / "comparison.csv").write_text(as_csv(rows), encoding="utf-8")
            content = json.dumps(as_json(rows, first, others), indent=2, ensure_ascii=False, allow_nan=False)
            (partial / "comparison.json").write_text(content + "\n", encoding="utf-8")
            page = _page(first, rows, scored, pictures, suite, answers)
            (partial / "report.html").write_text(page, encoding="utf-8")
            for file in sorted(partial.iterdir()):  # The page comes last, and then all that it belongs to is there.
                file.replace(folder / file.name)
    except OSError as error:
        raise BadInputError(f"`report` {folder} cannot be written to: {error.strerror}.") from error
    return rows


def _page(
    first: Results,
    rows: Sequence[FigureRow],
    scored: Mapping[str, Results],
    pictures: Mapping[str, Path],
    suite: Suite,
    answers: Mapping[str, Predictions],
) -> str:
    import jinja2

    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=True, keep_trailing_newline=True)
    environment.filters |= {"in_percent": percent_with_interval, "with_test": with_test}
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        suite=first.suite,
        metrics=first.content["metrics"],
        rows=rows,
        others=list(scored)[1:],
        models={label: results.model for label, results in scored.items()},
        pictures={title: _data_address(path) for title, path in pictures.items()},
        examples=worst_examples(suite, answers),
        asks_questions=bool(suite.questions),
    )


def _data_address(picture: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture.read_bytes()).decode()}"
