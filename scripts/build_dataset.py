"""Build a dataset of negated captions, counterbalanced questions and retrieval queries from captioned images.

    notclip build-dataset --source drawn-world --out build/data
    notclip build-dataset --source photos/ --detector yolox_nano.onnx --out build/photos
    notclip build-dataset --source photos/ --llm http://127.0.0.1:8000/v1 --llm-model Qwen/Qwen3-8B --out build/photos

A build that was stopped, even killed, goes on where it was when the same command is given again.

The folder loads with `datasets.load_dataset(OUT, "questions")` (or "captions", "retrieval"). `build.json` says what
was built from what, `skipped.jsonl` lists rows that were left out. Exit status: 0 built, 2 bad input.
"""

import sys
from typing import Any

from notclip.recaption.build_config import BuildConfig
from notclip.recaption.sources.splits import SPLITS
from notclip.scripts.command_line import command, parse


@command(again="The same command goes on where it was, to the same bytes.")
def main(argv: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    config = parse(
        BuildConfig,
        argv,
        prog="notclip build-dataset",
        description="Captioned photos to negated captions, counterbalanced questions and retrieval queries.",
    )
    from notclip.recaption.builder import build_dataset

    summary = build_dataset(config)
    if summary is None:
        print(f"Submitted to Slurm: `squeue` shows the jobs, and {config.out} appears when the last one is done.")
        return 0
    print(_table(summary))
    print(f"\nWritten to {config.out}. Load it with datasets.load_dataset({str(config.out)!r}, 'questions').")
    if summary["skipped"]:
        print(f"{summary['skipped']} rows or captions were left out; {config.out / 'skipped.jsonl'} lists them.")
    return 0


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
    if summary["llm"]:
        said = summary["llm"]
        lines.append(
            f"{said['model']} worded {said['accepted']:,} of {said['captions']:,} negated captions and queries; in "
            f"{said['fell_back']:,} no answer passed the checks, and the grammar's caption stayed."
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
