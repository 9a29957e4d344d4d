"""How long the Space takes for one search over 8,000 photos, beside an ordinary search by sentence-transformers.

    python benchmarks/space_search_speed.py                                        # the drawn world's encoder
    python benchmarks/space_search_speed.py --base ../shared/models/flickr8k-dual-encoder

Unit vectors stand in for the photos' embeddings, in files that are memory-mapped as the Space's own are, one for each
of its two models. A search of the Space reads the query, encodes it whole for the ordinary model, and whole and in
parts for NotCLIP, and takes the best twelve of each; no answer comes from its cache. The alternative encodes the query
once and calls `sentence_transformers.util.semantic_search` over vectors in memory: one model, and no negation read.
Both take turns in one process. `CPU` is the processor's time, which a busy machine does not lengthen much.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

THINGS = ("dog", "car", "tree", "boat", "cat", "cloud", "house", "bird", "ball", "flower")
TOP = 12


def queries(count: int) -> Iterator[str]:
    """Different queries, each with one thing wanted and one or two excluded."""
    for number in range(count):
        wanted, *excluded = (THINGS[(number // step) % len(THINGS)] for step in (1, 10, 100))
        yield f"a {wanted} number {number} with no {excluded[0]}s" + (f" and no {excluded[1]}s" if number % 2 else "")


def main() -> int:
    """Time both ways and print a table; 1 when the median search took more than 300 ms of the clock."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", help="a dual encoder; the drawn world's by default")
    parser.add_argument("--photos", type=int, default=8_000)
    parser.add_argument("--searches", type=int, default=100)
    parser.add_argument("--threads", type=int, default=max(1, (os.cpu_count() or 1) // 2), help="as app.py sets them")
    options = parser.parse_args()

    import torch
    from sentence_transformers.util import semantic_search

    from notclip.loading import load_model
    from notclip.scoring.suites.suite import Suite
    from notclip.space.engine import Embedded, Engine
    from notclip.space.photo_set import PhotoSet
    from notclip.space.settings import ENCODER

    torch.set_num_threads(options.threads)
    name = options.base or str(ENCODER)
    base = load_model(name, composition="none").eval()
    notclip = load_model(name, composition="scope").eval()
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        mapped = []
        for model in ("base", "notclip"):
            vectors = rng.standard_normal((options.photos, base.config.embedding_dim), dtype=np.float32)
            file = Path(folder) / f"{model}.npy"
            np.save(file, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
            mapped.append(np.load(file, mmap_mode="r"))
        photos = PhotoSet(folder, "random vectors", Suite("random vectors", {}, gallery=[]), {}, None)
        engine = Engine(base, notclip, photos, Embedded(*mapped))
        in_memory = torch.from_numpy(np.array(mapped[0]))

        def space(query: str) -> None:
            engine.search(query, 1.0)

        def ordinary(query: str) -> None:
            semantic_search(base.encode_texts([query]), in_memory, top_k=TOP)

        ways: dict[str, Callable[[str], None]] = {"Space, both models": space, "semantic_search": ordinary}
        clock: dict[str, list[float]] = {way: [] for way in ways}
        processor: dict[str, list[float]] = {way: [] for way in ways}
        for number, query in enumerate(queries(options.searches + 5)):
            for way, search in ways.items():
                started, cpu = time.perf_counter(), time.process_time()
                search(query)
                if number >= 5:  # The first ones wake libraries up.
                    clock[way].append(1000 * (time.perf_counter() - started))
                    processor[way].append(1000 * (time.process_time() - cpu))

    print(
        f"{options.searches} searches over {options.photos:,} photos by {Path(name).name}, threads: {options.threads}"
    )
    print(f"{'ms a search':22}{'median':>9}{'95 %':>9}{'CPU, median':>13}")
    for way in ways:
        median, late = np.percentile(clock[way], (50, 95))
        print(f"{way:22}{median:9.1f}{late:9.1f}{np.median(processor[way]):13.1f}")
    cpu_ratio = np.median(processor["Space, both models"]) / np.median(processor["semantic_search"])
    print(f"ratio of processor time: {cpu_ratio:.2f}")
    return int(np.median(clock["Space, both models"]) > 300)


if __name__ == "__main__":
    sys.exit(main())
