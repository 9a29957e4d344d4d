"""How often the 95 % intervals of both metrics hold the truth, on made-up models whose true figures are known.

    python benchmarks/interval_coverage.py                 # all designs, one table: half an hour
    python benchmarks/interval_coverage.py --runs 200      # a rough look

Photos are drawn from a population without end. Each photo has a difficulty that its questions or queries share, and
each question a luck of its own; a model is right where both together lie below the level at which it is good. Truth is
the figure over the population, computed on very many photos. Questions are uneven: one to four a photo. The level
changes from run to run within the range of its column, since the coverage of any interval for a share jumps with the
truth (Brown, Cai and DasGupta 2001): what can be asked for is its mean over a range.
"""

import argparse
from collections.abc import Callable, Iterator
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from notclip.evaluate_metrics.negated_mcq.negated_mcq import score_questions
from notclip.evaluate_metrics.negated_retrieval.negated_retrieval import score_retrieval

LEVELS = {"low": (0.01, 0.1), "middle": (0.3, 0.7), "high": (0.9, 0.99)}
PHOTO_SHARE = 0.4  # of the variance of what makes a question hard: what its photo has to do with it
OTHER = 0.7  # correlation of what two models find hard
POPULATION = 10_000

Figures = dict[str, Any]
Design = Callable[[int, float, np.random.Generator], Figures]


def draws(generator: np.random.Generator, photos: NDArray[np.intp], *, models: int = 1) -> NDArray[np.float64]:
    """How hard each question is for each model, standard normal, shape (models, N)."""

    def correlated(count: int) -> NDArray[np.float64]:
        common = generator.standard_normal(count)
        own = generator.standard_normal((models, count))
        return np.sqrt(OTHER) * common + np.sqrt(1 - OTHER) * own

    of_photo = correlated(int(photos.max()) + 1)[:, photos]
    return np.sqrt(PHOTO_SHARE) * of_photo + np.sqrt(1 - PHOTO_SHARE) * correlated(len(photos))


def uneven(generator: np.random.Generator, n_photos: int) -> NDArray[np.intp]:
    """The photo of each question: one to four questions a photo, shape (N,)."""
    return np.repeat(np.arange(n_photos), generator.integers(1, 5, n_photos))


def threshold(level: float) -> float:
    """Below which a standard normal number lies with this chance."""
    return NormalDist().inv_cdf(level)


def questions(n_photos: int, level: float, generator: np.random.Generator) -> Figures:
    """Two models on questions of three kinds, with their photos and with others; every figure of the metric."""
    photos = uneven(generator, n_photos)
    count = len(photos)
    kinds = generator.choice(3, count, p=[0.3, 0.5, 0.2])
    answers = generator.integers(0, 3, count)
    choice_kinds = (np.arange(3) + (kinds - answers)[:, None]) % 3  # the answer's kind is the question's
    hard = draws(generator, photos, models=4)
    bounds = [threshold(level), threshold(0.9 * level), threshold(0.3), threshold(0.25)]
    scored = []
    for one, bound in zip(hard, bounds, strict=True):
        right = one < bound + 0.2 * (kinds == 0)
        picked = np.where(right, answers, (answers + 1 + generator.integers(0, 2, count)) % 3)
        scored.append(np.eye(3)[picked])
    return score_questions(
        {
            "predictions": scored[0],
            "references": answers,
            "choice_kinds": choice_kinds,
            "forms": [("no", "without")[number] for number in (generator.random(count) < 0.3).astype(int)],
            "image_ids": photos,
            "compared_predictions": scored[1],
            "shuffled_predictions": scored[2],
            "compared_shuffled_predictions": scored[3],
        }
    )


def groups(size: int, share: float) -> Design:
    """Groups of so many photos, one question each; a photo is in 1 / `share` groups on average."""

    def design(n_photos: int, level: float, generator: np.random.Generator) -> Figures:
        n_groups = max(2, round(n_photos / size / share))
        if n_photos > 10_000:  # the population: groups of photos of their own have the same score
            members = np.arange(n_photos // size * size).reshape(-1, size)
        else:
            members = np.array([generator.choice(n_photos, size, replace=False) for _ in range(n_groups)])
        photos = members.ravel()
        hard = draws(generator, photos, models=2)
        bounds = (threshold(level ** (1 / size)), threshold(0.9 * level ** (1 / size)))
        scored = [
            np.stack([one < bound, one >= bound], axis=1).astype(float)
            for one, bound in zip(hard, bounds, strict=True)
        ]
        return score_questions(
            {
                "predictions": scored[0],
                "references": np.zeros(len(photos), dtype=int),
                "image_ids": photos,
                "groups": np.repeat(np.arange(len(members)), size),
                "compared_predictions": scored[1],
            }
        )

    return design


def searches(n_photos: int, level: float, generator: np.random.Generator) -> Figures:
    """Two models on negated queries of all photos and ordinary ones of most; every figure of the metric."""
    photos, standard_photos = uneven(generator, n_photos), uneven(generator, max(2, int(0.8 * n_photos)))
    everyone = np.concatenate([photos, standard_photos])
    hard = draws(generator, everyone, models=2)
    searched = 10_000

    def found(one: NDArray[np.float64], bound: float) -> tuple[list[list[str]], NDArray[np.float64]]:
        # The first photo's rank: 1 where the model is right at once, and the further back the harder it is.
        ranks = np.where(one < bound, 1, np.minimum(1 + np.ceil(3 * np.exp(2 * (one - bound))), searched))
        lists = []
        for number, rank in enumerate(ranks):
            row = [f"x{place}" for place in range(10)]  # other photos; the right one is "right"
            violated = generator.random(10) < level / (1 + number % 2)
            row = [f"bad{place}" if bad else name for place, (name, bad) in enumerate(zip(row, violated, strict=True))]
            if rank <= 10:
                row[int(rank) - 1] = "right"
            lists.append(row)
        return lists, ranks

    n = len(photos)
    (own, ranks), (other, other_ranks), (standard, standard_ranks) = (
        found(hard[0, :n], threshold(level)),
        found(hard[1, :n], threshold(0.9 * level)),
        found(hard[0, n:], threshold(min(0.995, 1.05 * level))),
    )
    bad = [f"bad{place}" for place in range(10)]
    columns = {
        "predictions": own,
        "references": [["right"]] * n,
        "ranks": ranks,
        "image_ids": photos,
        "excluded": [bad] * n,
        "compared_predictions": other,
        "compared_ranks": other_ranks,
        "standard_predictions": standard,
        "standard_references": [["right"]] * (len(everyone) - n),
        "standard_ranks": standard_ranks,
        "standard_image_ids": standard_photos,
    }
    return score_retrieval(columns, ks=[1, 5])


DESIGNS: dict[str, Design] = {
    "questions": questions,
    "pairs of photos, each in one pair": groups(2, 1.0),
    "pairs of photos, each in three pairs": groups(2, 1 / 3),
    "groups of four photos, each in two groups": groups(4, 1 / 2),
    "groups of three photos, each in six groups": groups(3, 1 / 6),
    "searches": searches,
}


def flat(figures: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Figures or intervals by name, those inside another after a slash."""
    for name, value in figures.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}/")
        else:
            yield prefix + name, value


def coverage(design: Design, n_photos: int, levels: tuple[float, float], *, runs: int, seed: int) -> dict[str, Any]:
    """Share of the runs whose interval holds the truth, and the mean width of the intervals, for each figure.

    Args:
        design: makes and scores one set of photos.
        n_photos: of each run.
        levels: range of the level; its truth is computed at four places.
        runs: how many sets are drawn.
        seed: of everything.
    """
    generator = np.random.default_rng(seed)
    places = [float(place) for place in np.linspace(*levels, 4)]
    truths = [dict(flat(design(POPULATION, place, generator))) for place in places]
    held: dict[str, list[tuple[bool, float]]] = {}
    for run in range(runs):
        figures = design(n_photos, places[run % 4], generator)
        for name, (low, high) in flat(figures["confidence_intervals"]):
            held.setdefault(name, []).append((low <= truths[run % 4][name] <= high, high - low))
    return {name: np.array(found, dtype=float).mean(axis=0) for name, found in held.items()}


def main(argv: list[str] | None = None) -> int:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=600, help="sets of photos of each cell")
    parser.add_argument("--photos", type=int, nargs="+", default=[30, 60, 300], help="photos of a set")
    parser.add_argument("--designs", nargs="+", choices=sorted(DESIGNS), default=list(DESIGNS))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    columns = [f"{count} photos, {level}" for count in options.photos for level in LEVELS]
    print(f"| design | figure | {' | '.join(columns)} |\n|---|---|{'---:|' * len(columns)}")
    for name in options.designs:
        cells = [
            coverage(DESIGNS[name], count, levels, runs=options.runs, seed=options.seed)
            for count in options.photos
            for levels in LEVELS.values()
        ]
        for figure in cells[-1]:
            if name.startswith(("pairs", "groups")) and "group" not in figure:
                continue
            shown = [f"{100 * cell[figure][0]:.1f} ({100 * cell[figure][1]:.1f})" for cell in cells]
            print(f"| {name} | {figure} | {' | '.join(shown)} |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
