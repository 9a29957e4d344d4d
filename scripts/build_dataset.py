"""Build a dataset of negated captions, counterbalanced questions and retrieval queries from captioned images.

    notclip build-dataset --source drawn-world --out build/data
    notclip build-dataset --source photos/ --detector yolox_nano.onnx --out build/photos
    notclip build-dataset --source photos/ --llm http://127.0.0.1:8000/v1 --llm-model Qwen/Qwen3-8B --out build/photos

A build that was stopped, even killed, goes on where it was when the same command is given again.

The folder loads with `datasets.load_dataset(OUT, "questions")` (or "captions", "retrieval"). `build.json` says what
was built from what, `skipped.jsonl` lists rows that were left out. Exit status: 0 built, 2 bad input.
"""

import sys
from collections.abc import Mapping
from typing import Any

from notclip.command_line import command, parse
from notclip.dataset.splits import SPLITS
from notclip.errors import shortened
from notclip.files.escapes import terminal_text
from notclip.recaption.building.config import BuildConfig

_NAMED = 20  # Columns of one kind that are named.


@command(again="The same command goes on where it was, to the same bytes.")
def main(argv: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    config = parse(
        BuildConfig,
        argv,
        prog="notclip build-dataset",
        description="Captioned photos to negated captions, counterbalanced questions and retrieval queries.",
    )
    from notclip.recaption.building.builder import build_dataset

    summary = build_dataset(config, on_columns=lambda columns: print(terminal_text(_columns(columns)), flush=True))
    if summary is None:
        print(f"Submitted to Slurm: `squeue` shows the jobs, and {config.out} appears when the last one is done.")
        return 0
    print(terminal_text(_table(summary)))
    print(f"\nWritten to {config.out}. Load it with datasets.load_dataset({str(config.out)!r}, 'questions').")
    if summary["skipped"]:
        print(f"{summary['skipped']} rows or captions were left out; {config.out / 'skipped.jsonl'} lists them:")
        for reason, count in list(summary["skipped_reasons"].items())[:5]:
            print(terminal_text(f"{count:>9,}  {reason}"))
    return 0


def _columns(columns: Mapping[str, str]) -> str:
    """What each column was taken for, a line for each kind."""
    names: dict[str, list[str]] = {}
    for name, what in columns.items():
        names.setdefault(what, []).append(name)
    lines = ["Columns were taken for:"]
    for what, own in names.items():
        more = f" and {len(own) - _NAMED:,} more" if len(own) > _NAMED else ""
        lines.append(f"  {what}: {', '.join(map(shortened, own[:_NAMED]))}{more}")
    return "\n".join(lines)


def _table(summary: dict[str, Any]) -> str:
    lines = [f"{'':<12}{'images':>9}{'captions':>10}{'negated':>10}{'questions':>11}{'queries':>9}{'blind':>8}"]
    for split in SPLITS:
        images = summary["images"][split]
        counts = {name: summary["counts"][name][split] for name in summary["counts"]}
        blind = max(result["accuracy"] for result in summary["blind"][split])
        lines.append(
            f"{split:<12}{images:>9,}{counts['captions']['rows']:>10,}{counts['captions']['negated captions']:>10,}"
            f"{counts['questions']['rows']:>11,}{counts['retrieval']['queries']:>9,}{blind:>8.1%}"
        )
    evidence = summary["counts"]["captions"]["train"].get("by_evidence", {})
    shares = ", ".join(f"{method} {count:,}" for method, count in evidence.items())
    lines += ["", f"Absences of the train captions verified by: {shares}."]
    for label, name in summary["source"]["denials"].items():
        lines.append(f"The class {label!r} is read as " + (f"no {name}." if name else "a denial of what is no class."))
    if partly := summary["verification"]["annotated_images"].get("listed classes"):
        lines.append(f"Of {partly:,} annotated images only those absences count that the annotation lists.")
    if too_long := sum(summary["too_long_captions"].values()):
        seen = summary["config"]["text_tokens"]
        lines.append(
            f"{too_long:,} captions are longer than a text tower of {seen} tokens sees; their negated versions and "
            "queries are made of the beginning that leaves room for the negation (--text-tokens)."
        )
    if summary["llm"]:
        said = summary["llm"]
        lines.append(
            f"{said['model']} worded {said['accepted']:,} of {said['captions']:,} negated captions and queries; in "
            f"{said['fell_back']:,} no answer passed the checks, and the grammar's caption stayed."
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
