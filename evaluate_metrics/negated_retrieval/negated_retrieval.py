"""Recall and violations of image retrieval by captions that say what must not be seen.

Plain numpy from end to end. `Searches.read` checks columns; `score_retrieval` computes every figure for all models at
once and how sure it is; `NegatedRetrieval` at the end is the door of `evaluate`.

Shapes: Q queries, M models (one, or two that are compared), G images, S statistics.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import erfc, sqrt
from statistics import NormalDist
from typing import Any

import datasets
import evaluate
import numpy as np
from numpy.typing import NDArray

# Two made-up images, one all right and one all wrong, join every variance: 0.5 is the sum of their squared distances
# from the mean. Of images that are all right they are all that says how far the answers about one image agree, and two
# models that failed together once need not do so again. Over thousands of images they are not to be seen.
MADE_UP = 0.5

Lists = Sequence[Sequence[str]]


def first_relevant_ranks(ranked: Lists, relevant: Lists) -> NDArray[np.float64]:
    """1-based place of the first relevant image of each query, infinite where its list holds none, shape (Q,).

    >>> first_relevant_ranks([["a", "b", "c"], ["c", "b", "a"], ["b", "c"]], [["b"], ["a", "b"], ["a"]])
    array([ 2.,  2., inf])
    """
    ranks = np.full(len(ranked), np.inf)
    for query, (images, wanted) in enumerate(zip(ranked, relevant, strict=True)):
        wanted_set = set(wanted)
        ranks[query] = next((place for place, image in enumerate(images, start=1) if image in wanted_set), np.inf)
    return ranks


def violation_shares(ranked: Lists, excluded: Sequence[Iterable[str]], *, k: int) -> NDArray[np.float64]:
    """Share of each query's first k images that show what it excludes, shape (Q,).

    A model that finds the right image by the affirmative half of the query and overlooks the "no dog" has perfect
    recall; only this figure sees it:

    >>> ranked, dogs = [["street", "street with dog", "park with dog"]], [["street with dog", "park with dog"]]
    >>> first_relevant_ranks(ranked, [["street"]])
    array([1.])
    >>> violation_shares(ranked, dogs, k=3).round(2)
    array([0.67])
    """
    unwanted = [images if isinstance(images, set | frozenset) else set(images) for images in excluded]
    hits = [sum(image in bad for image in images[:k]) for images, bad in zip(ranked, unwanted, strict=True)]
    return np.array(hits) / k


def wilson_limits(
    share: NDArray[np.float64], size: NDArray[np.float64], quantile: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Wilson's limits of shares (1927), which lie between 0 and 1 and keep their width where all is right.

    >>> low, high = wilson_limits(np.array([0.5, 1.0]), np.array([40.0, 40.0]), 1.96)
    >>> low.round(3), high.round(3)
    (array([0.352, 0.912]), array([0.648, 1.   ]))

    Args:
        share: means of values from 0 to 1, shape (S,).
        size: of how many independent right-or-wrong answers each is as sure, shape (S,).
        quantile: of the normal distribution, 1.96 for 95 %.
    """
    middle = share + quantile**2 / (2 * size)
    half = quantile * np.sqrt(np.maximum(share * (1 - share), 0) / size + quantile**2 / (4 * size**2))
    scale = 1 + quantile**2 / size
    return np.clip((middle - half) / scale, 0, share), np.clip((middle + half) / scale, share, 1)


@dataclass(frozen=True)
class Uncertain:
    """Shares that were measured on the same sample, and how far they vary together."""

    shares: NDArray[np.float64]  # (S,): means of values from 0 to 1
    covariance: NDArray[np.float64]  # (S, S): of these means, over samples
    units: NDArray[np.float64]  # (S,): of how many independent units each is a mean

    def limits(self, weights: NDArray[np.float64], quantile: float) -> tuple[float, float]:
        """Confidence limits of a weighted sum of the shares.

        A sum whose weights have one sign is a share itself, and has Wilson's limits for the number of independent
        answers that its variance speaks of, p (1 - p) / variance (Korn and Graubard 1998). Of a difference, the
        distances of both sides to their limits take the place of standard errors in its variance (MOVER: Newcombe
        1998, Zou and Donner 2008).

        Args:
            weights: of the shares in the sum, 1 and -1 in a difference, shape (S,).
            quantile: of the normal distribution, 1.96 for 95 %.
        """
        sides = np.stack([np.maximum(weights, 0), np.maximum(-weights, 0)])  # (2, S): what is added, what taken away
        whole = sides.sum(axis=1)
        parts = sides / np.where(whole, whole, 1)[:, None]
        shares = parts @ self.shares
        units = 1 / np.maximum((parts**2 / self.units).sum(axis=1), 1e-12)
        covariance = parts @ self.covariance @ parts.T
        variances = np.maximum(np.diag(covariance), 0) + MADE_UP / units**2
        size = (units * shares * (1 - shares) + MADE_UP) / (units * variances)
        low, high = wilson_limits(shares, size, quantile)
        agreement = float(np.clip(covariance[0, 1] / np.sqrt(variances.prod()), -1, 1))
        below, above = whole * (shares - low), whole * (high - shares)

        def distance(added: float, taken: float) -> float:
            return sqrt(max(0.0, added**2 + taken**2 - 2 * agreement * added * taken))

        centre = float(weights @ self.shares)
        return (
            max(-float(whole[1]), centre - distance(below[0], above[1])),
            min(float(whole[0]), centre + distance(above[0], below[1])),
        )

    def intervals(self, figures: Mapping[str, NDArray[np.float64]], level: float) -> dict[str, list[float]]:
        """Name -> [low, high] of figures that are sums of the shares with these weights, name -> (S,)."""
        quantile = NormalDist().inv_cdf((1 + level) / 2)
        return {name: list(self.limits(weights, quantile)) for name, weights in figures.items()}

    def p_value(self, weights: NDArray[np.float64]) -> float:
        """Two-sided test that a weighted sum is 0: one less the level of the widest interval without a 0."""
        inside, outside = 0.0, 40.0  # quantiles; beyond 38 the chance is no floating-point number above 0
        low, high = self.limits(weights, inside)
        if low <= 0 <= high:
            return 1.0
        for _ in range(40):
            middle = (inside + outside) / 2
            low, high = self.limits(weights, middle)
            inside, outside = (inside, middle) if low <= 0 <= high else (middle, outside)
        return erfc(inside / sqrt(2))


def mean_of_each(
    values: NDArray[np.float64], images: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Mean of the queries of each image, so that an image counts once however many queries it has.

    >>> mean_of_each(np.array([1.0, 0.0, 1.0]), np.array([4, 4, 7]))
    (array([0.5, 1. ]), array([4, 7]))

    Args:
        values: one for each query, shape (Q,).
        images: the number of each query's image, shape (Q,).

    Returns:
        Means and the numbers of their images, shape (G,) each.
    """
    own, query_of = np.unique(images, return_inverse=True)
    return np.bincount(query_of, weights=values) / np.bincount(query_of), own


def resample_images(sums: NDArray[np.float64], *, n_resamples: int, seed: int) -> Uncertain:
    """Bootstrap over images: how ratios of two sums vary on resampled sets of images.

    The queries of one image stand or fall together, so that whole images are drawn; its negated and its standard
    queries are drawn together, so that their difference is paired.

    Args:
        sums: numerators and denominators of each statistic, summed over the queries of each image, shape (2, S, G).
        n_resamples: how many sets to draw.
        seed: of the draws.
    """
    above, below = (np.ascontiguousarray(part.T) for part in sums)  # (G, S)
    n_images, n_statistics = above.shape
    shares, units = above.sum(axis=0) / below.sum(axis=0), np.count_nonzero(below, axis=0)
    generator = np.random.default_rng(seed)
    covariance = np.zeros((n_statistics, n_statistics))
    rows = max(1, 4_000_000 // n_images)  # resamples at a time: bounds the memory at some 100 MB
    for start in range(0, n_resamples, rows):
        count = min(rows, n_resamples - start)
        draws = generator.integers(0, n_images, size=(count, n_images))
        draws += n_images * np.arange(count)[:, None]
        weights = np.bincount(draws.ravel(), minlength=count * n_images).reshape(count, -1).astype(float)
        with np.errstate(invalid="ignore"):  # a set without such a query says nothing
            distances = np.nan_to_num((weights @ above) / (weights @ below) - shares)
        covariance += distances.T @ distances / n_resamples
    # The bootstrap's variance is that of a sample that has its own mean: too small by one unit.
    scale = np.sqrt(units / np.maximum(units - 1, 1))
    return Uncertain(shares, covariance * np.outer(scale, scale), units.astype(float))


# -- what was asked: columns in, lists of ids and arrays out ----------------------------------------------------------


@dataclass(frozen=True)
class Searches:
    """Queries of one kind, negated or ordinary, and what each model found for them, checked."""

    owners: list[str]  # Q: the image to which a query belongs in the bootstrap
    ranked: list[list[list[str]]]  # M lists of Q lists: ids of images, best first
    ranks: NDArray[np.float64]  # (M, Q): of the first relevant image, infinite where it is not known

    @classmethod
    def read(cls, columns: Mapping[str, Any], *, kind: str, models: Sequence[str], longest: int) -> "Searches":
        """Check the columns whose names begin with `kind`, and those of each further model, and make lists of them."""
        name = f"{kind}references"
        relevant = [_ids(name, row, ids) for row, ids in enumerate(_listed(name, columns.get(name)))]
        if not relevant:
            raise ValueError(f"`{name}` must hold at least one query, got none.")
        for row in [row for row, ids in enumerate(relevant) if not ids][:1]:
            raise ValueError(f"`{name}` row {row} must name at least one relevant image, got none.")
        owners, name = [ids[0] for ids in relevant], f"{kind}image_ids"
        if name in columns:
            owners = [_id(name, row, owner) for row, owner in enumerate(_listed(name, columns[name], len(relevant)))]
        ranked = [_ranked(f"{model}predictions", columns, len(relevant), longest) for model in models]
        ranks = [
            _ranks(f"{model}ranks", columns, first_relevant_ranks(lists, relevant), lists)
            for model, lists in zip(models, ranked, strict=True)
        ]
        return cls(owners, ranked, np.array(ranks))


def _given(columns: Mapping[str, Any], known: Iterable[str]) -> dict[str, Any]:
    """The columns that are not None, all of known names."""
    if unknown := sorted(set(columns) - set(known)):
        raise ValueError(f"Columns must be among {', '.join(known)}, got {', '.join(map(str, unknown))}.")
    return {name: values for name, values in columns.items() if values is not None}


def _plain(values: Any) -> Any:
    """The rows of a tensor, an array or a table of any library as a list; one value alone as Python's own."""
    if hasattr(values, "to_numpy"):  # a DataFrame would be read by its columns' names
        values = values.to_numpy()
    if hasattr(values, "tolist"):
        values = values.tolist()
    return values if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__iter__") else list(values)


def _listed(name: str, values: Any, count: int | None = None) -> list[Any]:
    rows = _plain(values)
    if not isinstance(rows, list):
        raise _refused(f"`{name}`", "have one row for each query", rows)
    if count is not None and len(rows) != count:
        raise ValueError(f"`{name}` must have one row for each of the {count} queries, got {len(rows)}.")
    return rows


def _refused(place: str, rule: str, got: Any) -> ValueError:
    shown = " ".join(repr(got).split())
    return ValueError(f"{place} must {rule}, got {shown if len(shown) <= 80 else f'{shown[:79]}…'}.")


def _ids(name: str, row: int, ids: Any) -> list[str]:
    listed = ids if type(ids) is list else _plain(ids)
    if not isinstance(listed, list):
        raise _refused(f"`{name}` row {row}", "be a list of image ids", listed)
    return [image if type(image) is str else _id(name, row, image) for image in listed]


def _id(name: str, row: int, image: Any) -> str:
    """An id as text. An array's or a tensor's number is the number: "tensor(3)" would never be found."""
    plain = image if type(image) is int else _plain(image)
    if not isinstance(plain, str | int):
        raise _refused(f"`{name}` row {row}", "hold image ids, text or whole numbers", plain)
    return str(plain)


def _excluded(columns: Mapping[str, Any], count: int) -> list[set[str]]:
    """The rows as sets; rows that are one object make one set, so that long lists may be shared between queries."""
    rows = _listed("excluded", columns["excluded"], count) if "excluded" in columns else []
    sets: dict[int, set[str]] = {}
    for number, row in enumerate(rows):
        if id(row) not in sets:
            sets[id(row)] = set(_ids("excluded", number, row))
    return [sets[id(row)] for row in rows]


def _ranked(name: str, columns: Mapping[str, Any], count: int, longest: int) -> list[list[str]]:
    rows = [_ids(name, row, ids) for row, ids in enumerate(_listed(name, columns.get(name), count))]
    for number, row in enumerate(rows):
        if len(row) < longest:
            raise ValueError(
                f"`{name}` row {number} must rank at least {longest} images, got {len(row)}; "
                "rank more of them, or give smaller `ks`."
            )
        if len(set(row)) < len(row):
            twice = next(image for image in row if row.count(image) > 1)
            raise ValueError(f"`{name}` row {number} must rank each image once, got {twice!r} more than once.")
    return rows


def _ranks(
    name: str, columns: Mapping[str, Any], found: NDArray[np.float64], ranked: list[list[str]]
) -> NDArray[np.float64]:
    """The exact ranks that were given, where the lists do not contradict them; those in the lists otherwise."""
    if name not in columns:
        return found
    exact = np.array([_rank(name, row, rank) for row, rank in enumerate(_listed(name, columns[name], len(found)))])
    beyond = np.array([len(row) for row in ranked]) + 1
    for query in np.flatnonzero(np.where(np.isfinite(found), exact != found, ~(exact >= beyond)))[:1]:
        place = f"{found[query]:g}" if np.isfinite(found[query]) else f"at least {beyond[query]}"
        raise ValueError(f"`{name}` row {query} must be {place}, as its ranked list has it, got {exact[query]:g}.")
    return exact


def _rank(name: str, row: int, rank: Any) -> float:
    try:
        return float(_plain(rank))
    except (TypeError, ValueError, OverflowError):
        raise _refused(f"`{name}` row {row}", "be a rank, 1 or more", rank) from None


# -- figures ----------------------------------------------------------------------------------------------------------


def score_retrieval(
    columns: Mapping[str, Any],
    *,
    gallery_size: int | None = None,
    ks: Sequence[int] = (1, 5, 10),
    n_resamples: int = 1000,
    confidence_level: float = 0.95,
    seed: int = 0,
) -> dict[str, Any]:
    """Score what one model found, or two that are compared.

    >>> figures = score_retrieval({"predictions": [["a", "b"]], "references": [["b"]]}, ks=[1, 2], n_resamples=0)
    >>> figures["recall@1"], figures["recall@2"], figures["mrr"]
    (0.0, 1.0, 0.5)

    Args:
        columns: predictions, references and what else `_INPUTS` describes, by name.
        gallery_size: how many images are searched, for `violation_chance`.
        ks: the depths.
        n_resamples: resamples of the bootstrap over images; 0 leaves intervals and tests out.
        confidence_level: of the intervals.
        seed: of the bootstrap.

    Returns:
        Name -> figure, a fraction from 0 to 1 where docs/metrics.md, which defines each, says nothing else.
    """
    _check_options(ks, n_resamples, confidence_level, gallery_size)
    columns = _given(columns, _COLUMNS)
    compared = ["compared_"] if "compared_predictions" in columns else []
    for first, second in _TOGETHER[0 if compared else 1 :]:
        if (first in columns) != (second in columns):
            raise ValueError(f"`{first}` and `{second}` must be given together, got only one.")
    searches = {"": Searches.read(columns, kind="", models=["", *compared], longest=max(ks))}
    if "standard_predictions" in columns:
        searches["standard_"] = Searches.read(columns, kind="standard_", models=["standard_"], longest=max(ks))
    unwanted = _excluded(columns, len(searches[""].owners))
    named = max(map(len, [*unwanted, *(row for one in searches.values() for lists in one.ranked for row in lists)]))
    if gallery_size is not None and gallery_size < named:
        rule = f"be at least the {named} images that one query names"
        raise _refused("`gallery_size`", rule, gallery_size)

    # One numbering for the images of both kinds of query, since the bootstrap draws them together.
    names, numbers = np.unique([owner for one in searches.values() for owner in one.owners], return_inverse=True)
    counts = np.cumsum([len(one.owners) for one in searches.values()])[:-1]
    images = dict(zip(searches, np.split(numbers, counts), strict=True))
    statistics: Statistics = {}
    places: list[tuple[str, int]] = []  # S: a statistic and the model of which it is
    results: dict[str, Any] = {}
    for kind, search in searches.items():
        other = images.get("" if kind else "standard_", [])
        found = _statistics(search, images[kind], unwanted if not kind else [], other, ks)
        statistics |= {f"{kind}{name}": values for name, values in found.items()}
        for model in range(len(search.ranked)):
            places += [(f"{kind}{name}", model) for name, (values, _) in found.items() if model < len(values)]
        for prefix, middle in zip((kind, "compared_"), np.median(search.ranks, axis=1), strict=False):
            results |= {f"{prefix}median_rank": float(middle)} if np.isfinite(middle) else {}
    means = np.array([statistics[name][0][model].mean() for name, model in places])
    results |= {name: float(value) for name, value in _figures(places, means).items()}
    if gallery_size is not None and any(unwanted):
        results["violation_chance"] = float(np.mean([len(ids) for ids in unwanted if ids]) / gallery_size)
    results |= {"n_queries": len(searches[""].owners), "n_images": len(names)}
    if not n_resamples:
        return results

    above = [np.bincount(statistics[n][1], statistics[n][0][model], minlength=len(names)) for n, model in places]
    below = [np.bincount(statistics[n][1], minlength=len(names)) for n, _ in places]
    uncertain = resample_images(np.array([above, below]), n_resamples=n_resamples, seed=seed)
    # Every figure is a weighted sum of the statistics: of the one with a 1, the figure is its weight.
    weights = _figures(places, np.eye(len(places)))
    tests = {name: uncertain.p_value(of_figure) for name, of_figure in weights.items() if "_difference" in name}
    results |= {name.replace("_difference", "_p_value"): value for name, value in tests.items()}
    return results | {"confidence_intervals": uncertain.intervals(weights, confidence_level)}


_TOGETHER = (("ranks", "compared_ranks"), ("standard_predictions", "standard_references"))

Statistics = dict[str, tuple[NDArray[np.float64], NDArray[np.intp]]]


def _statistics(
    search: Searches,
    images: NDArray[np.intp],
    unwanted: Sequence[set[str]],
    others: NDArray[np.intp],
    ks: Sequence[int],
) -> Statistics:
    """Name -> the values of each model, (M, Q), of the queries that have one, and the numbers of their images, (Q,).

    Args:
        search: queries of one kind.
        images: the number of each query's image, shape (Q,).
        unwanted: the images that show what each query excludes; empty for queries that exclude nothing.
        others: numbers of the images of the queries of the other kind, with which these are compared.
        ks: the depths.
    """
    recalls = {f"recall@{k}": (search.ranks <= k).astype(np.float64) for k in ks}
    found = {name: (values, images) for name, values in recalls.items()} | {"mrr": (1 / search.ranks, images)}
    # A query whose exclusion no image shows cannot be violated.
    asking = np.array([query for query, ids in enumerate(unwanted) if ids], dtype=np.intp)
    for k in ks if len(asking) else ():
        bad = [unwanted[query] for query in asking]
        shown = [violation_shares([lists[query] for query in asking], bad, k=k) for lists in search.ranked]
        found[f"violation@{k}"] = (np.array(shown), images[asking])
    # The drop compares the two kinds of query on the images that have both.
    if len(both := np.flatnonzero(np.isin(images, others))):
        found |= {f"shared {name}": (values[:1, both], images[both]) for name, values in recalls.items()}
    for k in ks:
        means, own = zip(*(mean_of_each(of_model, images) for of_model in recalls[f"recall@{k}"]), strict=True)
        found[f"recall_per_image@{k}"] = (np.array(means), own[0])
    return found


def _figures(places: Sequence[tuple[str, int]], statistics: NDArray[np.float64]) -> dict[str, Any]:
    """The figures that statistics make, alike for their means, (S,), and for weights of statistics, (S, S)."""
    of: dict[str, list[Any]] = {}  # name -> of each model
    for (name, _), value in zip(places, statistics, strict=True):
        of.setdefault(name, []).append(value)
    figures = {}
    for name, (value, *compared) in of.items():
        what, at, k = name.partition("@")
        if name.startswith("shared "):
            figures[f"negation_drop@{k}"] = of[f"standard_{name}"][0] - value
        elif "shared" not in name:
            figures[name] = value
            for other in compared:
                figures |= {f"compared_{name}": other, f"{what}_difference{at}{k}": value - other}
    return figures


def _check_options(ks: Sequence[int], n_resamples: int, confidence_level: float, gallery_size: int | None) -> None:
    whole = isinstance(ks, Iterable) and all(isinstance(k, int | np.integer) and k >= 1 for k in ks)
    if not whole or not len(ks):
        raise _refused("`ks`", "be a list of whole numbers of at least 1", ks)
    if isinstance(n_resamples, bool) or not isinstance(n_resamples, int | np.integer) or n_resamples < 0:
        rule = "be a whole number of at least 0 (0 leaves the intervals out)"
        raise _refused("`n_resamples`", rule, n_resamples)
    if not 0 < confidence_level < 1:
        raise _refused("`confidence_level`", "lie between 0 and 1", confidence_level)
    if gallery_size is not None and gallery_size < 1:
        raise _refused("`gallery_size`", "be at least 1", gallery_size)


# -- the door of `evaluate` -------------------------------------------------------------------------------------------

_DESCRIPTION = """
Image retrieval by captions that say what must not be seen (NegBench, Alhamoud et al. 2025): recall@k, reciprocal rank,
the drop against ordinary captions of the same images, and the share of the first k images that show what the caption
excludes, with intervals over images.
"""

_CITATION = """
@inproceedings{alhamoud2025vision,
  title     = {Vision-Language Models Do Not Understand Negation},
  author    = {Alhamoud, Kumail and Alshammari, Shaden and Tian, Yonglong and Li, Guohao and Torr, Philip H.S. and
               Kim, Yoon and Ghassemi, Marzyeh},
  booktitle = {Proceedings of the IEEE/CVF Conference on Computer Vision and Pattern Recognition (CVPR)},
  year      = {2025}
}
"""

_INPUTS = """
Args:
    predictions: the ids of the images that each query finds, best first, at least max(ks) of them.
    references: the ids of the images that are right for each query; a query is answered by any one of them.
    excluded: the ids of all images that show what each query excludes; empty where that is not known.
    ranks: the rank of each query's first relevant image, for an exact `mrr` and `median_rank` over shortened lists.
    image_ids: the image to which each query belongs in the bootstrap, its first relevant one by default.
    compared_predictions: what a second model finds for the same queries, for a paired comparison.
    compared_ranks: as `ranks`, for it.
    standard_predictions: what ordinary queries for the same images find, for the negation drop.
    standard_references: the ids of the images that are right for them.
    standard_ranks: as `ranks`, for them.
    standard_image_ids: as `image_ids`, for them.
    gallery_size: how many images are searched; gives `violation_chance`.
    ks: the depths, (1, 5, 10) by default.
    n_resamples: resamples of the bootstrap over images, 1000 by default; 0 leaves the intervals out.
    confidence_level: of the intervals, 0.95 by default.
    seed: of the bootstrap, 0 by default.

Returns:
    A dictionary with recall@k, recall_per_image@k, mrr, median_rank (where half the ranks are known), n_queries,
    n_images, confidence_intervals and, where the columns that they need are given, violation@k, violation_chance,
    standard_recall@k, standard_mrr, standard_median_rank, negation_drop@k and, of a second model, compared_recall@k,
    recall_difference@k, recall_p_value@k and so on.

Examples:
    "A street, but no dog." The model finds the right street first, and then two streets with dogs. Recall is perfect:

    >>> metric = NegatedRetrieval()
    >>> results = metric.compute(
    ...     predictions=[["street 1", "street with dog 1", "street with dog 2", "street 2"]],
    ...     references=[["street 1"]],
    ...     excluded=[["street with dog 1", "street with dog 2"]],
    ...     ks=[1, 4],
    ... )
    >>> results["recall@1"], results["violation@1"], results["violation@4"]
    (1.0, 0.0, 0.5)

    The other direction, captions found by images, has its roles swapped: the ids are those of captions.

    >>> results = metric.compute(
    ...     predictions=[["a street, no dog", "a dog"], ["a street, no dog", "a dog"]],
    ...     references=[["a street, no dog"], ["a dog"]],
    ...     image_ids=["street 1", "park"],
    ...     ks=[1],
    ... )
    >>> results["recall@1"]
    0.5
"""

_LISTS, _NUMBER, _TEXT = datasets.List(datasets.Value("string")), datasets.Value("float64"), datasets.Value("string")
_REQUIRED = ("predictions", "references")
_FEATURES = {
    "predictions": _LISTS,
    "references": _LISTS,
    "excluded": _LISTS,
    "ranks": _NUMBER,
    "image_ids": _TEXT,
    "compared_predictions": _LISTS,
    "compared_ranks": _NUMBER,
}
_COLUMNS = (*_FEATURES, *(f"standard_{name}" for name in ("predictions", "references", "ranks", "image_ids")))
_OPTIONS = ("gallery_size", "ks", "n_resamples", "confidence_level", "seed")


@evaluate.utils.file_utils.add_start_docstrings(_DESCRIPTION, _INPUTS)
class NegatedRetrieval(evaluate.Metric):
    """`score_retrieval` as a module of `evaluate`; `add` and `add_batch` take a query's optional columns as well."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=datasets.Features(_FEATURES),
            reference_urls=["https://arxiv.org/abs/2501.09425"],
        )

    def _feature_names(self) -> list[str]:
        # The columns of the rows held so far: evaluate would demand every one of `features` in every call.
        return list(self.selected_feature_format or _REQUIRED)

    def _infer_feature_from_example(self, example: Mapping[str, Any]) -> datasets.Features:
        return datasets.Features({name: self.features[name] for name in example})

    _infer_feature_from_batch = _infer_feature_from_example

    def _stored(self, columns: Mapping[str, Any]) -> dict[str, Any]:
        """Columns, the same in every batch, in the types that `evaluate` stores: text for ids, whatever their own."""
        columns = _given(columns, _FEATURES)
        if not {*_REQUIRED} <= set(columns):
            raise ValueError("`predictions` and `references` must be given together.")
        if self.writer is None:
            self.selected_feature_format = self._infer_feature_from_example(columns)
        elif set(columns) != set(self.selected_feature_format):
            held = ", ".join(self.selected_feature_format)
            raise ValueError(f"Every batch must have the columns of the first, {held}; got {', '.join(columns)}.")
        read = {"ranks": _rank, "compared_ranks": _rank, "image_ids": _id}
        return {
            name: [read.get(name, _ids)(name, row, value) for row, value in enumerate(_listed(name, values))]
            for name, values in columns.items()
        }

    def add_batch(self, *, predictions: Any = None, references: Any = None, **columns: Any) -> None:
        """Hold a batch of queries, with the same optional columns in every batch."""
        held = self._stored({"predictions": predictions, "references": references, **columns})
        evaluate.Metric.add_batch(self, **held)

    def add(self, *, prediction: Any = None, reference: Any = None, **columns: Any) -> None:
        """Hold one query."""
        given = {name: [value] for name, value in columns.items() if value is not None}
        held = self._stored({"predictions": [prediction], "references": [reference], **given})
        evaluate.Metric.add(self, **{name: values[0] for name, values in held.items()})

    def _compute(self, predictions: Any, references: Any, **given: Any) -> dict[str, Any]:
        options = {name: given.pop(name) for name in sorted(given) if name in _OPTIONS}
        held = {name: self.data[name][:] for name in self.data.column_names if name not in _REQUIRED}
        if twice := sorted(set(held) & set(_given(given, _COLUMNS))):
            raise ValueError(f"`{twice[0]}` was given with the batches and must not be given to `compute` again.")
        return score_retrieval({"predictions": predictions, "references": references, **given, **held}, **options)
