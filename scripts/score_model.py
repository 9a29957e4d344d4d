"""Score any dual encoder on questions and retrieval with negation, with honest statistics.

    notclip score-model --model openai/clip-vit-base-patch32 --suite build/data --out build/base.json
    notclip score-model --model build/adapter/model --suite build/data --out build/ours.json --compare build/base.json
    notclip score-model --model MODEL --suite VOC2007_mcq_llama3.1_rephrased.csv --images VOCdevkit --out voc.json

    notclip score-model --model MODEL --suite my_suite --out mine.json --require "macro_accuracy>=0.7"
    notclip score-model --model my_model.py:score --suite my_suite --out api.json

Exit status: 0 scored, 1 a requirement is missed, 2 bad input, 3 an error of ours. A gate's test report (JUnit) then
holds an error, not a failure.
"""

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from notclip.command_line import command, parse
from notclip.errors import BadInputError
from notclip.scoring.config import ScoreConfig

if TYPE_CHECKING:
    from notclip.scoring.results import Figure

WIDTH = 40
COUNTS = {
    "n_questions": ("question", "questions"),
    "n_pairs": ("pair", "pairs"),
    "n_queries": ("negated query", "negated queries"),
    "n_ordinary_queries": ("ordinary query", "ordinary queries"),
}


@command(again="The same command starts again, and encodes nothing twice that its cache holds.")
def main(argv: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    config = parse(
        ScoreConfig,
        argv,
        prog="notclip score-model",
        description="Score a dual encoder on questions and retrieval with negation, to a results JSON.",
    )
    from notclip.files.escapes import terminal_text

    content = _scored(config, command=["notclip", "score-model", *(sys.argv[1:] if argv is None else argv)])
    print(terminal_text("\n".join(results_table(config.out, content))))
    print(f"\nWritten: {config.out}")
    if report := content.get("report"):
        print(f"Report:  {report}/report.html, with tables as .md, .csv and .json")
    if skipped := content.get("skipped"):
        print(
            f"{len(skipped)} photos were left out, with their questions and queries; the file lists them. The first:"
        )
        print(f"  {terminal_text(skipped[0])}")
    if cut := content["provenance"].get("n_texts_cut"):
        seen = content["provenance"]["text_tokens"]
        print(
            f"{cut:,} captions and queries are longer than the {seen} tokens that this text tower sees: it scored "
            "their beginning alone."
        )
    return _gate(content)


def _scored(config: ScoreConfig, command: list[str]) -> dict[str, Any]:
    """Score; where a run with a gate breaks off, its test report says so, and not that a goal is missed."""
    try:
        from notclip.scoring.run import run_scoring

        return run_scoring(config, command=command)
    except Exception as error:
        if config.junit_file is not None:
            from notclip.scoring.gate import junit_error_xml, write_junit

            report = junit_error_xml(config.require, error, model=config.model, suite=config.suite)
            with contextlib.suppress(BadInputError):  # of what broke the run off is to be heard
                write_junit(config.junit_file, report)
        raise


def _gate(content: dict[str, Any]) -> int:
    """Say what was required and what came of it, and return the exit status."""
    verdicts = content.get("requirements", [])
    if not verdicts:
        return 0
    missed = sum(not verdict["met"] for verdict in verdicts)
    print(f"\nRequired, on the worse end of the interval: {len(verdicts) - missed} of {len(verdicts)} met")
    for verdict in verdicts:
        bounds = verdict["interval"]
        shown = f"{verdict['value']:z.4g}" + ("" if bounds is None else f" [{bounds[0]:z.4g}, {bounds[1]:z.4g}]")
        outcome = "met" if verdict["met"] else f"MISSED by {verdict['short_by']:.4g}"
        print(f"  {verdict['requirement']:36}{shown:28}{outcome}")
    return 1 if missed else 0


def results_table(path: Path, content: dict[str, Any]) -> list[str]:
    """All that was measured and compared, as lines for a terminal."""
    from notclip.evaluate_metrics.negated_mcq.negated_mcq import holm_adjusted
    from notclip.scoring.measures import labels, shown_figures
    from notclip.scoring.results import Results

    results, metrics = Results(path, content), content["metrics"]
    asked = ", ".join(f"{count:,} {what[count > 1]}" for name, what in COUNTS.items() if (count := metrics.get(name)))
    lines = ["", f"{results.model} on {results.suite}: {asked} about {metrics['n_images']:,} images", ""]
    lines += [_line(label, results.figure(name)) for name, label in labels("table").items() if results.has(name)]
    comparisons = content.get("comparisons", {})
    tested = {other: one["bootstrap_p_value"] for other, one in comparisons.items() if "bootstrap_p_value" in one}
    adjusted = holm_adjusted(tested)
    for other, differences in comparisons.items():
        lines += ["", f"Less {other}, in points:", ""]
        lines += [
            _line(shown.table, difference, sign="+")
            for name, _, shown in shown_figures()
            if shown.compared and (difference := results.paired_difference(name, other)) is not None
        ]
        if other in tested:
            lines.append(
                f"  test of equal accuracy: p = {tested[other]:.3g} (bootstrap over images), "
                f"p = {differences['mcnemar_p_value']:.3g} (McNemar over questions)"
                + (f", p = {adjusted[other]:.3g} by Holm over {len(adjusted)} models" if len(adjusted) > 1 else "")
            )
    return lines


def _line(label: str, figure: "Figure", *, sign: str = "") -> str:
    bounds = "" if figure.low is None else f"   [{100 * figure.low:z.1f}, {100 * figure.high:z.1f}]"
    return f"  {label:{WIDTH}}{100 * figure.value:{sign}z7.1f}{bounds}"


if __name__ == "__main__":
    sys.exit(main())
