"""What models that know nothing score on NegBench's files as released: by its own scorer, and by ours.

    python benchmarks/reference_scorer.py ../shared/data/negbench
    python benchmarks/reference_scorer.py ../shared/data/negbench --write docs/metrics.md

None of these models sees an image. NegBench's scorer takes the `argmax` of each question's four scores, and the right
answer of the released files is always the first choice. `--write` puts the table between its marks in docs/metrics.md.
"""

import argparse
import csv
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FILES = {"VOC2007": "VOC2007_mcq_llama3.1_rephrased.csv", "MSR-VTT": "msr_vtt_mcq_rephrased_llama.csv"}
KINDS = {"positive": "affirmation", "negative": "negation", "hybrid": "hybrid"}
MARKS = ("<!-- reference scorer -->", "<!-- end of reference scorer -->")

Kinds = list[list[str]]
Scores = NDArray[np.floating]


def read_questions(file: Path) -> tuple[NDArray[np.intp], Kinds]:
    """Answers, (N,), and the kinds of each question's four choices, which stand in the order of the released files."""
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    kinds = [[KINDS[row["correct_answer_template"]], "hybrid", "affirmation", "negation"] for row in rows]
    return np.array([int(row["correct_answer"]) for row in rows]), kinds


def coarse(kinds: Kinds) -> Scores:
    """Noise of a thousandth about a cosine similarity of 0.25, kept in half precision as a GPU gives it."""
    noise = np.random.default_rng(0).normal(scale=1e-3, size=(len(kinds), 4))
    return (0.25 + noise).astype(np.float16)


MODELS: dict[str, Callable[[Kinds], Scores]] = {
    "one score for everything": lambda kinds: np.zeros((len(kinds), 4)),
    "NaN for everything": lambda kinds: np.full((len(kinds), 4), np.nan),
    "noise in half precision": coarse,
    "any affirmation, never a denial": lambda kinds: np.array(
        [[kind == "affirmation" for kind in row] for row in kinds]
    ),
    "any denial, never an affirmation": lambda kinds: np.array(
        [[kind == "negation" for kind in row] for row in kinds]
    ),
}


def reference_accuracy(scores: Scores, answers: NDArray[np.intp]) -> float:
    """NegBench's: `argmax`, which takes the first of equal scores, and any NaN before all numbers."""
    return float((scores.argmax(axis=1) == answers).mean())


def table(folder: Path) -> str:
    """A Markdown table: each file and model, scored both ways, in per cent."""
    from notclip.evaluate_metrics.negated_mcq.negated_mcq import score_questions

    lines = [
        "| file | a model that gives | NegBench's scorer | here: accuracy | macro accuracy | vision gain | ties |"
    ]
    lines.append("|---|---|---:|---:|---:|---:|---:|")
    for name, file in FILES.items():
        answers, kinds = read_questions(folder / file)
        for model, score in MODELS.items():
            scores = score(kinds)
            cells = [f"{100 * reference_accuracy(scores, answers):.1f}"]
            try:
                # Another image changes nothing for a model that sees none.
                columns = {"predictions": scores, "references": answers, "choice_kinds": kinds}
                own = score_questions(columns | {"shuffled_predictions": scores}, n_resamples=0)
                figures = ("accuracy", "macro_accuracy", "vision_gain", "tie_rate")
                cells += [f"{100 * own[figure]:.1f}" for figure in figures]
            except ValueError:
                cells += ["refused", "", "", ""]
            lines.append(f"| {name}, {len(answers):,} questions | {model} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> int:
    """Print the table, or put it into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", type=Path, help="page with the marks between which the table goes")
    options = parser.parse_args()
    made = table(options.folder)
    print(made)
    if options.write:
        before, _, rest = options.write.read_text(encoding="utf-8").partition(MARKS[0])
        _, _, after = rest.partition(MARKS[1])
        options.write.write_text(f"{before}{MARKS[0]}\n\n{made}\n\n{MARKS[1]}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
