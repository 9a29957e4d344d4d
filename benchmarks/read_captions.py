"""Captions of built datasets for a person to read: drawn at random over all patterns, the same ones each time.

    notclip build-dataset --source ../shared/data/flickr8k --limit 700 --images referenced --out build/read/flickr8k
    notclip build-dataset --source drawn-world --limit 300 --images referenced --out build/read/drawn-world
    python benchmarks/read_captions.py build/read/flickr8k build/read/drawn-world --count 200 --seed 0

Reads the negated captions, the questions' choices and the queries of every split. Each pattern of the table comes once
before any comes twice, and the datasets take turns. Prints number, pattern and caption.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pyarrow.parquet as pq

_TEXTS = {
    "captions": ("negated_captions", "patterns"),
    "questions": ("choices", "choice_patterns"),
    "retrieval": ("captions", "patterns"),
}


def main() -> int:
    """Print the captions."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", type=Path, nargs="+", metavar="DATASET", help="folder that build-dataset wrote")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for number, (pattern, text) in enumerate(sample(options.datasets, options.count, options.seed), start=1):
        print(f"{number:4} {pattern}\n     {text}")
    return 0


def sample(datasets: list[Path], count: int, seed: int) -> list[tuple[str, str]]:
    """Pattern and caption, `count` of them or all that there are."""
    rng = Random(seed)
    by_dataset = [_by_pattern(dataset) for dataset in datasets]
    for texts in by_dataset:
        for of_one in texts.values():
            rng.shuffle(of_one)
    patterns = sorted({pattern for texts in by_dataset for pattern in texts})
    drawn: list[tuple[str, str]] = []
    while len(drawn) < count and any(any(texts.values()) for texts in by_dataset):
        rng.shuffle(patterns)
        for pattern in patterns:
            own = [texts[pattern] for texts in by_dataset if texts.get(pattern)]
            if own:
                drawn.append((pattern, own[len(drawn) % len(own)].pop()))
    return drawn[:count]


def _by_pattern(dataset: Path) -> dict[str, list[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for text, pattern in _texts(dataset):
        found[pattern].add(text)
    return {pattern: sorted(texts) for pattern, texts in sorted(found.items())}


def _texts(dataset: Path) -> Iterator[tuple[str, str]]:
    for config, columns in _TEXTS.items():
        for file in sorted((dataset / config).glob("*.parquet")):
            table = pq.read_table(file, columns=list(columns))
            for texts, patterns in zip(*(table[column].to_pylist() for column in columns), strict=True):
                yield from zip(texts, patterns, strict=True)


if __name__ == "__main__":
    sys.exit(main())
