"""Which part of NotCLIP brings what: one Markdown table from the results of base, composition, adapter and both.

    notclip train-adapter --base BASE --data DATA --out build/composition --epochs 0    # fits the composition alone
    notclip score-model --model build/composition/model --suite DATA --out RESULTS/composition.json
    python benchmarks/ablation.py RESULTS                              # prints the table
    python benchmarks/ablation.py docs/results/{drawn-world,flickr8k} --into docs/log.md docs/findings.md

RESULTS is a folder with base.json, composition.json, backbone.json (the adapter merged in, nothing composed) and
notclip.json, as `notclip score-model` wrote them, all of the same questions. With `--into`, the table of
docs/results/NAME replaces what stands between `<!-- ablation NAME -->` and `<!-- end of ablation -->` in a page, and
its lines of most weight what stands after `<!-- ablation NAME, in short -->`.

The lower half is accuracy by the form in which the right choice negates. Forms held out of training are marked and
summed up apart from those seen; each sum is over questions, and stands beside their number.
"""

import argparse
import re
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from notclip.dataset.negation_forms import AFFIRMED
from notclip.errors import BadInputError
from notclip.recaption.english.phrasing import HELD_OUT_FORMS
from notclip.scoring.measures import shown_figures
from notclip.scoring.report.number_format import count, percent, percent_with_interval
from notclip.scoring.results import Results

COLUMNS = {
    "base": "base",
    "composition": "composition alone",
    "backbone": "adapter alone",
    "notclip": "both: NotCLIP",
}
HELD_OUT_MARK = "†"
IN_SHORT = ", in short"


def ablation_table(folder: Path, *, held_out: Collection[str] = HELD_OUT_FORMS, in_short: bool = False) -> str:
    """The table of one folder of results, as Markdown.

    Args:
        folder: of the results.
        held_out: forms of negation that no training saw.
        in_short: leave out the lines of each kind of question and of each form.

    Raises:
        BadInputError: a results file is missing, lacks a figure, or answers other questions than the first.
    """
    scored = {column: Results.read(folder / f"{column}.json") for column in COLUMNS}
    first = scored["base"]
    for results in scored.values():
        if results.provenance.get("data") != first.provenance.get("data"):
            raise BadInputError(
                f"`results` {results.path} scores other data than {first.path}: the hashes under provenance.data "
                f"differ. Score {results.content['model']} again on the suite of {first.path}."
            )
    lines = [f"| test split | {' | '.join(COLUMNS.values())} |", "|---|" + "---:|" * len(COLUMNS)]
    for name, measure, shown in shown_figures():
        if not shown.card or shown.optional or measure.better is None or (in_short and measure.inside):
            continue
        cells = (percent_with_interval(results.figure(name)) for results in scored.values())
        lines.append(_line(shown.card, cells))
    questions = questions_of_forms(scored.values())
    seen = [form for form in questions if form not in held_out]
    unseen = [form for form in questions if form in held_out]
    for label, forms in (("**Negation in forms seen in training**", seen), ("**in forms held out**", unseen)):
        if forms:
            sums = (accuracy_over(forms, results, questions) for results in scored.values())
            lines.append(_line(f"{label} ({_total(forms, questions)})", map(percent, sums)))
    for form in () if in_short else [*seen, *unseen]:
        label = f"… {form.replace('_', ' ')}{HELD_OUT_MARK if form in held_out else ''} ({_total([form], questions)})"
        lines.append(
            _line(label, (percent(results.figure(f"accuracy_by_form/{form}")) for results in scored.values()))
        )
    return "\n".join(lines)


def questions_of_forms(scored: Collection[Results]) -> dict[str, int]:
    """How many questions have each form of negation, those of most questions first.

    Raises:
        BadInputError: no results count them.
    """
    for results in scored:
        counts: Mapping[str, int] = results.content["metrics"].get("n_questions_by_form", {})
        if counts:
            negating = ((form, number) for form, number in counts.items() if form != AFFIRMED)
            return dict(sorted(negating, key=lambda pair: (-pair[1], pair[0])))
    paths = ", ".join(str(results.path) for results in scored)
    raise BadInputError(
        f"`results` none of {paths} counts the questions of each form (metrics.n_questions_by_form): score one of "
        "these models again with `notclip score-model`, on a suite whose questions have forms."
    )


def accuracy_over(forms: Collection[str], results: Results, questions: Mapping[str, int]) -> float:
    """Share of questions of several forms that are answered rightly."""
    right = sum(results.figure(f"accuracy_by_form/{form}").value * questions[form] for form in forms)
    return right / sum(questions[form] for form in forms)


def tables_of(folders: Iterable[Path]) -> dict[str, str]:
    """Name -> table of each folder, and the same in short."""
    return {
        f"{folder.resolve().name}{IN_SHORT if in_short else ''}": ablation_table(folder, in_short=in_short)
        for folder in folders
        for in_short in (False, True)
    }


def with_tables(page: str, tables: Mapping[str, str]) -> str:
    """A page's text with each table that has markers there between them, whole or in short.

    Raises:
        BadInputError: a table has no place on the page, nor the same in short.
    """
    for name, table in tables.items():
        marked = re.compile(rf"(<!-- ablation {re.escape(name)} -->\n).*?(<!-- end of ablation -->)", flags=re.DOTALL)
        page = marked.sub(lambda match, table=table: f"{match[1]}\n{table}\n\n{match[2]}", page)
    for name in tables:
        whole = name.removesuffix(IN_SHORT)
        if f"<!-- ablation {whole} -->" not in page and f"<!-- ablation {whole}{IN_SHORT} -->" not in page:
            raise BadInputError(
                f"`into` has no place for {name!r}: write `<!-- ablation {name} -->` and `<!-- end of ablation -->` "
                "there, each on its own line."
            )
    return page


def _line(label: str, cells: Iterable[str]) -> str:
    return f"| {label} | {' | '.join(cells)} |"


def _total(forms: Collection[str], questions: Mapping[str, int]) -> str:
    return count(sum(questions[form] for form in forms))


def main(argv: list[str] | None = None) -> int:
    """Print the table of each folder, or write all of them into a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", metavar="RESULTS")
    parser.add_argument("--into", type=Path, nargs="+", help="pages whose marked tables are written anew")
    options = parser.parse_args(argv)
    try:
        if options.into is None:
            print("\n\n".join(map(ablation_table, options.folders)))
            return 0
        tables = tables_of(options.folders)
        written = {page: with_tables(page.read_text(encoding="utf-8"), tables) for page in options.into}
        for page, text in written.items():
            page.write_text(text, encoding="utf-8")
    except BadInputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
