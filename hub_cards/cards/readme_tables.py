"""The result tables of the repository's README, written between their markers from docs/results.

    python -m notclip.hub_cards.cards.readme_tables README.md

A table stands between `<!-- results NAME -->` and `<!-- end of results -->`, and shows docs/results/NAME/base.json,
backbone.json and notclip.json, as `notclip score-model` wrote them. A test fails when README and results differ.
"""

import re
import sys
from pathlib import Path

from notclip.files.whole_files import write_whole
from notclip.scoring.measures import shown_figures
from notclip.scoring.report.number_format import percent_with_interval
from notclip.scoring.results import Results

MARKED = re.compile(r"(<!-- results (?P<name>[\w-]+) -->\n).*?(<!-- end of results -->)", flags=re.DOTALL)
COLUMNS = {"base": "base", "backbone": "merged backbone", "notclip": "NotCLIP"}


def with_tables(readme: str, results: Path) -> str:
    """The README's text with each marked table made anew from the results folder.

    Raises:
        BadInputError: a results file is missing or lacks a metric.
    """
    return MARKED.sub(lambda marked: marked[1] + _table(results / marked["name"]) + marked[3], readme)


def _table(folder: Path) -> str:
    scored = {column: Results.read(folder / f"{column}.json") for column in COLUMNS}
    lines = [f"| test split | {' | '.join(COLUMNS.values())} |", "|---|" + "---:|" * len(COLUMNS)]
    for name, _, shown in shown_figures():
        if shown.card and not shown.optional:
            cells = [percent_with_interval(results.figure(name)) for results in scored.values()]
            lines.append(f"| {shown.card} | {' | '.join(cells)} |")
    return "\n".join(["", *lines, "", ""])


if __name__ == "__main__":
    target = Path(sys.argv[1])
    write_whole(target, with_tables(target.read_text(encoding="utf-8"), target.parent / "docs" / "results"))
