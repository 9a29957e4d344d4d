"""Recall@k of many queries over many images: time and peak memory beside the one-hot way.

    python benchmarks/retrieval_memory.py                                  # 25,014 queries over 5,000 images
    python benchmarks/retrieval_memory.py --both-directions                # and captions found by images, as NegBench
    python benchmarks/retrieval_memory.py --queries 1000000 --images 100000 --dimensions 64 --skip-one-hot

Random unit vectors of 512 numbers, as ViT-B/32 has them, unless told otherwise. The one-hot way is that of CLIP-
benchmark and of NegBench's scorer: the whole matrix of scores, a matrix of pairs, and for each k a one-hot tensor of
texts × k × images for a batch of 64 texts. NegBench asks for k of 1 and 5, CLIP-benchmark's tables for 10 as well.

Three comparisons, since recall@k can be had of vectors, of scores, and of what was found:
- `one-hot` and `ranks` start from vectors. Both multiply them, which alone takes what `product` takes.
- Beyond the product, they start from the same scores.
- `one-hot of lists` and `metric of lists` start from the ten images that each query found; the latter is
  `evaluate.load("negated_retrieval")`, with everything else that it computes and checks, but no intervals.

Each way runs in a process of its own, whose peak is read from the system; `base` is that of a process that imports
torch and makes the vectors. Seconds are of the processor, which a busy machine does not lengthen much.
`--measure` times the first so many queries and says what all would take.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

DEPTHS = (1, 5, 10)
METRIC = Path(__file__).parents[1] / "evaluate_metrics" / "negated_retrieval"


def vectors(count: int, dimensions: int, seed: int):  # noqa: D103
    import torch

    made = torch.randn(count, dimensions, generator=torch.Generator().manual_seed(seed))
    return made.div_(made.norm(dim=1, keepdim=True))


def one_hot_recall(top, positive):
    """CLIP-benchmark's `recall_at_k` of the columns found, (texts, k), with its order of operations."""
    import torch

    positives = positive.sum(dim=1)
    one_hot = torch.nn.functional.one_hot(top, num_classes=positive.shape[1])  # (texts, k, images)
    true_positives = (one_hot * positive[:, None, :]).sum(dim=(1, 2))
    return true_positives / positives


def pairs(own, images: int):
    """Which image is right for which query, (Q, I)."""
    import torch

    positive = torch.zeros(len(own), images, dtype=torch.bool)
    positive[torch.arange(len(own)), own] = True
    return positive


def in_batches(positive, top_of_batch, name: str = "recall"):
    """The mean over queries for each k; `top_of_batch` gives what a slice of the queries found."""
    import torch

    recalls = {}
    for k in DEPTHS:
        batches = [slice(start, start + 64) for start in range(0, len(positive), 64)]
        found = [one_hot_recall(top_of_batch(batch, k), positive[batch]) for batch in batches]
        recalls[f"{name}@{k}"] = (torch.cat(found) > 0).float().mean().item()
    return recalls


def by_one_hot(queries, images, own, both: bool):
    """NegBench's way, from vectors."""
    import torch

    scores = queries @ images.T
    positive = pairs(own, len(images))
    recalls = in_batches(positive, lambda batch, k: torch.topk(scores[batch], k, dim=1)[1])
    if both:
        turned = scores.T
        found = in_batches(positive.T, lambda batch, k: torch.topk(turned[batch], k, dim=1)[1], "caption_recall")
        recalls |= found
    return recalls


def by_product(queries, images, own, both: bool):
    """The scores alone, in the blocks that ours takes."""
    import torch

    from notclip.scoring.ranking import SCORES_AT_ONCE

    rows = max(1, SCORES_AT_ONCE // len(images))
    block = torch.empty(rows, len(images))
    for start in range(0, len(queries), rows):
        some = queries[start : start + rows]
        torch.mm(some, images.T, out=block[: len(some)])
    return {}


def by_ranks(queries, images, own, both: bool):
    """Ours, from vectors: blocks of scores, and ranks; the other direction multiplies once more."""
    from notclip.scoring.ranking import rank_images

    ranking = rank_images(queries, images, own[:, None].tolist(), k=max(DEPTHS), seed=0)
    recalls = {f"recall@{k}": (ranking.ranks <= k).float().mean().item() for k in DEPTHS}
    if both:
        captions: list[list[int]] = [[] for _ in images]
        for caption, image in enumerate(own.tolist()):
            captions[image].append(caption)
        ranking = rank_images(images, queries, captions, k=max(DEPTHS), seed=0)
        recalls |= {f"caption_recall@{k}": (ranking.ranks <= k).float().mean().item() for k in DEPTHS}
    return recalls


def lists_by_one_hot(top, own, images: int):
    """The one-hot way, from what was found."""
    return in_batches(pairs(own, images), lambda batch, k: top[batch, :k])


def lists_by_metric(top, own, images: int):
    """Ours, from what was found."""
    import evaluate

    metric = evaluate.load(str(METRIC))
    found = metric.compute(predictions=top.tolist(), references=own[:, None].tolist(), ks=DEPTHS, n_resamples=0)
    return {name: found[name] for name in (f"recall@{k}" for k in DEPTHS)}


FROM_VECTORS = {"base": lambda *_: {}, "product": by_product, "one-hot": by_one_hot, "ranks": by_ranks}
FROM_LISTS = {"one-hot of lists": lists_by_one_hot, "metric of lists": lists_by_metric}


def measure(options: argparse.Namespace, measured: int) -> None:
    """One way, in this process; prints JSON."""
    import torch

    torch.set_num_threads(1)
    made, searched = vectors(measured, options.dimensions, 1), vectors(options.images, options.dimensions, 2)
    own = torch.arange(measured) % options.images
    for start in range(0, measured, 1000):  # so that recall is neither 0 nor 1
        made[start : start + 1000] += 0.16 * searched[own[start : start + 1000]]
    if options.way in FROM_VECTORS:
        started = time.process_time()
        recalls = FROM_VECTORS[options.way](made, searched, own, options.both_directions)
    else:
        import evaluate  # noqa: F401

        from notclip.scoring.ranking import rank_images

        top = rank_images(made, searched, own[:, None].tolist(), k=max(DEPTHS), seed=0).top
        started = time.process_time()
        recalls = FROM_LISTS[options.way](top, own, options.images)
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    every = seconds * options.queries / measured
    print(json.dumps({"seconds": seconds, "all_seconds": every, "peak_mb": peak, "recalls": recalls}))


def main() -> int:
    """Run each way in a fresh process and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=25_014)
    parser.add_argument("--images", type=int, default=5_000)
    parser.add_argument("--measure", type=int, help="time only the first so many queries")
    parser.add_argument("--dimensions", type=int, default=512)
    parser.add_argument("--both-directions", action="store_true", help="captions found by images, too")
    parser.add_argument("--skip-one-hot", action="store_true")
    parser.add_argument("--way", choices=(*FROM_VECTORS, *FROM_LISTS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    measured = options.measure or options.queries
    if options.both_directions and measured < options.images:
        parser.error(f"--both-directions needs a query for each of {options.images} images, got {measured}")
    if options.way:
        measure(options, measured)
        return 0
    print(f"{options.queries:,} queries over {options.images:,} images, {measured:,} of them timed, one thread")
    print(f"{'':18}{'seconds':>10}{'for all':>10}{'peak MB':>10}   recall@1, 5, 10", flush=True)
    seconds, recalls = {}, {}
    ways = (*FROM_VECTORS, *FROM_LISTS)
    for way in (way for way in ways if not (options.skip_one_hot and (way == "one-hot" or way in FROM_LISTS))):
        done = subprocess.run(
            [sys.executable, __file__, *sys.argv[1:], "--way", way], stdout=subprocess.PIPE, check=True
        )
        found = json.loads(done.stdout)
        seconds[way], recalls[way] = found["seconds"], found["recalls"]
        shown = ", ".join(f"{value:.6f}" for value in found["recalls"].values())
        times = f"{found['seconds']:10.2f}{found['all_seconds']:10.1f}"
        print(f"{way:18}{times}{found['peak_mb']:10,.0f}   {shown}", flush=True)
    if options.skip_one_hot:
        return 0
    products = seconds["product"]
    print(
        f"From vectors, ranks take 1/{seconds['one-hot'] / seconds['ranks']:.1f} of the one-hot way's time; ", end=""
    )
    beyond = (seconds["one-hot"] - products) / (seconds["ranks"] - (1 + options.both_directions) * products)
    print(f"beyond the products of vectors, 1/{beyond:.0f}; ", end="")
    print(f"from lists, the metric 1/{seconds['one-hot of lists'] / seconds['metric of lists']:.1f}.")
    same = all(
        abs(recalls[fast][name] - value) < 5e-7
        for slow, fast in (("one-hot", "ranks"), ("one-hot of lists", "metric of lists"))
        for name, value in recalls[slow].items()
    )
    print("Recall is the same." if same else "Recall differs.")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
