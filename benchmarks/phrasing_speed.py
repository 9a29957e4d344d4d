"""How many source captions a second get three negated captions each, beside a pandas loop that fills one template.

    python benchmarks/phrasing_speed.py
    python benchmarks/phrasing_speed.py --captions 40000 --processes 2 --repeats 3

Captions are put together from a few phrases, each another one, or, with --source, read from the column `captions` of a
Parquet file (Flickr8k's); the absences of each are drawn at random among common nouns. Both ways run in the same
processes on the same captions, by turns. The pandas loop is what one writes first: `df.iterrows()` and an f-string,
three times a caption; it knows no articles, no number and one pattern. Prints one line of JSON: for each way the
captions a second of wall time (median, worst and best of the repeats), and those a second of processor time, of which
idle cores give one each a second.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from random import Random

import pandas as pd
import pyarrow.parquet as pq

from notclip.recaption.concepts.lexicon import load_lexicon
from notclip.recaption.english.phrasing import load_phrasebook

_NOUNS = (
    "dog cat person car tree ball bicycle bench boat bird horse child umbrella snow water food chair table".split()
)
_SUBJECTS = ("A brown dog", "Two boys", "A man in a red shirt", "The little girl", "A group of people", "An old woman")
_ACTIONS = ("is running on", "sits near", "plays beside", "walking along", "stands in front of", "jump over", "on")
_PLACES = ("the grass", "a wooden fence", "a busy street", "the beach", "a stone wall", "some rocks", "a snowy hill")
_PER_CAPTION = 3

Job = tuple[list[str], list[list[str]], int]


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--captions", type=int, default=20_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--source", type=Path, default=None, help="Parquet file with a column `captions`")
    options = parser.parse_args()
    captions = _captions(options.source, options.captions)
    rng = Random(0)
    absences = [rng.sample(_NOUNS, _PER_CAPTION) for _ in captions]
    share = -(-len(captions) // options.processes)
    jobs = [
        (captions[start : start + share], absences[start : start + share], start)
        for start in range(0, len(captions), share)
    ]
    report: dict[str, object] = {"captions": len(captions), "processes": options.processes, "each": _PER_CAPTION}
    measured: dict[str, list[tuple[float, float]]] = {"grammar": [], "pandas_template": []}
    with ProcessPoolExecutor(options.processes) as pool:
        list(pool.map(negated, [(captions[:500], absences[:500], 0)] * options.processes))  # Imports and tables.
        for _ in range(options.repeats):
            for name, way in (("grammar", negated), ("pandas_template", templated)):
                measured[name].append(_timed(pool, way, jobs))
    for name, times in measured.items():
        walls = [len(captions) / wall for wall, _ in times]
        report[name] = {
            "captions_per_second": round(statistics.median(walls)),
            "worst": round(min(walls)),
            "best": round(max(walls)),
            "captions_per_cpu_second": round(statistics.median(len(captions) / cpu for _, cpu in times)),
        }
    print(json.dumps(report))
    return 0


def _timed(pool: ProcessPoolExecutor, way: Callable[[Job], tuple[int, float]], jobs: list[Job]) -> tuple[float, float]:
    """Wall seconds, and CPU seconds of all processes."""
    began = time.perf_counter()
    done = list(pool.map(way, jobs))
    wall = time.perf_counter() - began
    if sum(count for count, _ in done) != _PER_CAPTION * sum(len(job[0]) for job in jobs):
        raise SystemExit("a caption is missing")
    return wall, sum(cpu for _, cpu in done)


def negated(job: Job) -> tuple[int, float]:
    """Number of captions made by the grammar, and CPU seconds."""
    captions, absences, seed = job
    lexicon, book = load_lexicon(), load_phrasebook().of_split("train")
    began, rng = time.process_time(), Random(seed)
    made = [
        book.negate_caption(caption, (name,), lexicon, rng).text
        for caption, names in zip(captions, absences, strict=True)
        for name in names
    ]
    return len(made), time.process_time() - began


def templated(job: Job) -> tuple[int, float]:
    """Number of captions made by the pandas loop, and CPU seconds."""
    captions, absences, _ = job
    began = time.process_time()
    frame = pd.DataFrame({"caption": captions, "absent": absences})
    made = []
    for _, row in frame.iterrows():
        for name in row["absent"]:
            made.append(f"{row['caption']} There is no {name} in the image.")
    return len(made), time.process_time() - began


def _captions(source: Path | None, count: int) -> list[str]:
    """Different captions, as many as wanted or as there are."""
    if source is not None:
        lists = pq.read_table(source, columns=["captions"])["captions"].to_pylist()
        return [caption for captions in lists for caption in captions][:count]
    rng = Random(0)
    return [
        f"{rng.choice(_SUBJECTS)} {rng.choice(_ACTIONS)} {rng.choice(_PLACES)} , number {number} ."
        for number in range(count)
    ]


if __name__ == "__main__":
    sys.exit(main())
