"""Recall@k of many queries over many images: time and peak memory beside the one-hot way.

    python benchmarks/retrieval_memory.py                                  # 25,014 queries over 5,000 images
    python benchmarks/retrieval_memory.py --queries 1000000 --images 100000 --dimensions 64 --skip-one-hot

Random unit vectors of 512 numbers, as ViT-B/32 has them, unless told otherwise. The one-hot way is that of CLIP-
benchmark and of NegBench's scorer: the whole matrix of scores, a matrix of pairs, and a one-hot tensor of texts × k ×
images for a batch of 64 texts. Each way runs in a process of its own, whose peak is read from the system; `base` is
that of a process that imports torch and makes the vectors, `product` multiplies them as well, which every way has to
pay. Seconds are of the processor, which a busy machine does not lengthen much.
`--measure` times the first so many queries and says what all would take.
"""

import argparse
import json
import resource
import subprocess
import sys
import time

DEPTHS = (1, 5, 10)


def vectors(count: int, dimensions: int, seed: int):  # noqa: D103
    import torch

    made = torch.randn(count, dimensions, generator=torch.Generator().manual_seed(seed))
    return made.div_(made.norm(dim=1, keepdim=True))


def one_hot_recall(scores, positive, k):
    """CLIP-benchmark's `recall_at_k`, with its names and its order of operations."""
    import torch

    top = torch.topk(scores, k, dim=1)[1]
    positives = positive.sum(dim=1)
    one_hot = torch.nn.functional.one_hot(top, num_classes=scores.shape[1])  # (texts, k, images)
    true_positives = (one_hot * positive[:, None, :]).sum(dim=(1, 2))
    return true_positives / positives


def by_one_hot(queries, images, own):
    """NegBench's way."""
    import torch

    scores = queries @ images.T
    positive = torch.zeros_like(scores, dtype=torch.bool)
    positive[torch.arange(len(queries)), own] = True
    recalls = {}
    for k in DEPTHS:
        batches = [
            one_hot_recall(scores[start : start + 64], positive[start : start + 64], k)
            for start in range(0, len(queries), 64)
        ]
        recalls[f"recall@{k}"] = (torch.cat(batches) > 0).float().mean().item()
    return recalls


def by_product(queries, images, own):
    """The scores alone, in the blocks that ours takes."""
    import torch

    from notclip.ranking import SCORES_AT_ONCE

    rows = max(1, SCORES_AT_ONCE // len(images))
    block = torch.empty(rows, len(images))
    for start in range(0, len(queries), rows):
        some = queries[start : start + rows]
        torch.mm(some, images.T, out=block[: len(some)])
    return {}


def by_ranks(queries, images, own):
    """Ours: blocks of scores, ranks, and the metric without its intervals."""
    from notclip.ranking import rank_images

    ranking = rank_images(queries, images, own[:, None].tolist(), k=10, seed=0)
    return {f"recall@{k}": (ranking.ranks <= k).float().mean().item() for k in DEPTHS}


def measure(way: str, queries: int, images: int, measured: int, dimensions: int) -> None:
    """One way, in this process; prints JSON."""
    import torch

    torch.set_num_threads(1)
    made, searched = vectors(measured, dimensions, 1), vectors(images, dimensions, 2)
    own = torch.randint(images, (measured,), generator=torch.Generator().manual_seed(3))
    for start in range(0, measured, 1000):  # so that recall is neither 0 nor 1
        made[start : start + 1000] += 0.16 * searched[own[start : start + 1000]]
    started = time.process_time()
    ways = {"base": lambda *_: {}, "product": by_product, "one-hot": by_one_hot, "ranks": by_ranks}
    recalls = ways[way](made, searched, own)
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "all_seconds": seconds * queries / measured, "peak_mb": peak} | recalls))


def main() -> int:
    """Run each way in a fresh process and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=25_014)
    parser.add_argument("--images", type=int, default=5_000)
    parser.add_argument("--measure", type=int, help="time only the first so many queries")
    parser.add_argument("--dimensions", type=int, default=512)
    parser.add_argument("--skip-one-hot", action="store_true")
    parser.add_argument("--way", choices=("base", "product", "one-hot", "ranks"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    measured = options.measure or options.queries
    if options.way:
        measure(options.way, options.queries, options.images, measured, options.dimensions)
        return 0
    print(f"{options.queries:,} queries over {options.images:,} images, {measured:,} of them timed, one thread")
    print(f"{'':10}{'seconds':>10}{'for all':>10}{'peak MB':>10}   recall@1, 5, 10")
    seconds = {}
    for way in ("base", "product", "ranks") if options.skip_one_hot else ("base", "product", "one-hot", "ranks"):
        done = subprocess.run([sys.executable, __file__, *sys.argv[1:], "--way", way], capture_output=True, check=True)
        found = json.loads(done.stdout)
        seconds[way] = found["seconds"]
        recalls = ", ".join(f"{found[name]:.6f}" for k in DEPTHS if (name := f"recall@{k}") in found)
        print(f"{way:10}{found['seconds']:10.2f}{found['all_seconds']:10.1f}{found['peak_mb']:10.0f}   {recalls}")
    if not options.skip_one_hot:
        beyond = {way: seconds[way] - seconds["product"] for way in ("one-hot", "ranks")}
        print(f"Ranks take 1/{seconds['one-hot'] / seconds['ranks']:.1f} of the one-hot way's time; ", end="")
        print(f"beyond the product, 1/{beyond['one-hot'] / beyond['ranks']:.0f}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
