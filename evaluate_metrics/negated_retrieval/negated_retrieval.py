"""Recall and violations of image retrieval by captions that say what must not be seen.

The numbers are computed by plain numpy functions; `NegatedRetrieval` at the end is the thin `evaluate` module.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import erfc, sqrt
from statistics import NormalDist
from typing import Any

import datasets
import evaluate
import numpy as np
from numpy.typing import ArrayLike, NDArray

# Two made-up images, one all right and one all wrong, join every variance: 0.5 is the sum of their squared distances
# from the mean. Of images that are all right they are all that says how far the answers about one image agree, and two
# models that failed together once need not do so again. Over thousands of images they are not to be seen.
MADE_UP = 0.5
EACH = "query"

Lists = Sequence[Sequence[str]]
Statistic = tuple[NDArray[np.float64], NDArray[np.intp]]


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
    """Shares that were measured on the same sample, and how far they vary together.

    Args:
        shares: means of values from 0 to 1, shape (S,).
        covariance: of these means over samples, shape (S, S).
        units: of how many independent units each is a mean, shape (S,).
    """

    shares: NDArray[np.float64]
    covariance: NDArray[np.float64]
    units: NDArray[np.float64]

    def limits(self, weights: NDArray[np.float64], quantile: float) -> tuple[float, float]:
        """Confidence limits of a weighted sum of the shares.

        A sum whose weights have one sign is a share itself, and has Wilson's limits for the number of independent
        answers that its variance speaks of (Korn and Graubard 1998). Of a difference, the distances of both sides to
        their limits take the place of standard errors in its variance (MOVER: Newcombe 1998, Zou and Donner 2008).

        Args:
            weights: of the shares in the sum, 1 and -1 in a difference, shape (S,).
            quantile: of the normal distribution, 1.96 for 95 %.
        """
        sides = np.stack([np.maximum(weights, 0), np.maximum(-weights, 0)])  # what is added, what is taken away
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

    def interval(self, weights: NDArray[np.float64], confidence_level: float) -> list[float]:
        """The interval of a weighted sum of the shares, [low, high]."""
        return list(self.limits(weights, NormalDist().inv_cdf((1 + confidence_level) / 2)))

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


def resample_means(statistics: dict[str, Statistic], *, n_resamples: int, seed: int) -> Uncertain:
    """Bootstrap over images: how means over queries vary on resampled sets of images, the same for every statistic.

    The queries of one image stand or fall together, so that whole images are drawn; negated and standard queries of an
    image are drawn together, so that their difference is paired.

    Args:
        statistics: name -> (values (Q,), the number of each query's image (Q,)).
        n_resamples: how many sets to draw.
        seed: of the draws.
    """
    n_images = 1 + max(int(images.max()) for _, images in statistics.values())
    sums = np.empty((2, n_images, len(statistics)))
    for column, (values, images) in enumerate(statistics.values()):
        sums[0, :, column] = np.bincount(images, weights=values, minlength=n_images)
        sums[1, :, column] = np.bincount(images, minlength=n_images)
    shares, units = sums[0].sum(axis=0) / sums[1].sum(axis=0), np.count_nonzero(sums[1], axis=0)
    generator = np.random.default_rng(seed)
    covariance = np.zeros((len(statistics), len(statistics)))
    rows = max(1, 4_000_000 // n_images)  # resamples at a time: bounds the memory at some 100 MB
    for start in range(0, n_resamples, rows):
        count = min(rows, n_resamples - start)
        draws = generator.integers(0, n_images, size=(count, n_images))
        draws += n_images * np.arange(count)[:, None]
        weights = np.bincount(draws.ravel(), minlength=count * n_images).reshape(count, -1).astype(float)
        with np.errstate(invalid="ignore"):  # a set without such a query says nothing
            distances = np.nan_to_num((weights @ sums[0]) / (weights @ sums[1]) - shares)
        covariance += distances.T @ distances / n_resamples
    # The bootstrap's variance is that of a sample that has its own mean: too small by one unit.
    scale = np.sqrt(units / np.maximum(units - 1, 1))
    return Uncertain(shares, covariance * np.outer(scale, scale), units.astype(float))


def score_retrieval(
    predictions: Lists,
    references: Lists,
    *,
    excluded: Lists | None = None,
    ranks: ArrayLike | None = None,
    image_ids: Iterable[Any] | None = None,
    compared_predictions: Lists | None = None,
    compared_ranks: ArrayLike | None = None,
    standard_predictions: Lists | None = None,
    standard_references: Lists | None = None,
    standard_ranks: ArrayLike | None = None,
    standard_image_ids: Iterable[Any] | None = None,
    gallery_size: int | None = None,
    ks: Sequence[int] = (1, 5, 10),
    n_resamples: int = 1000,
    confidence_level: float = 0.95,
    seed: int = 0,
) -> dict[str, Any]:
    """Score rankings of images; the arguments and the figures are described in `_INPUTS` and in docs/metrics.md."""
    _check_options(ks, n_resamples, confidence_level, gallery_size)
    relevant = _relevant_lists("references", references)
    owners = _owners("image_ids", image_ids, relevant)
    searches = {"": _Search.checked("", predictions, relevant, ranks, longest=max(ks))}
    if compared_predictions is not None:
        if (ranks is None) != (compared_ranks is None):
            raise ValueError("`ranks` and `compared_ranks` must be given together, got only one.")
        found = _Search.checked("compared_", compared_predictions, relevant, compared_ranks, longest=max(ks))
        searches["compared_"] = found
    if (standard_predictions is None) != (standard_references is None):
        raise ValueError("`standard_predictions` and `standard_references` must be given together, got only one.")
    standard_owners: list[str] = []
    if standard_predictions is not None and standard_references is not None:
        wanted = _relevant_lists("standard_references", standard_references)
        standard_owners = _owners("standard_image_ids", standard_image_ids, wanted)
        found = _Search.checked("standard_", standard_predictions, wanted, standard_ranks, longest=max(ks))
        searches["standard_"] = found

    # One numbering for the images of both kinds of query, since the bootstrap draws them together.
    image_names, numbers = np.unique(owners + standard_owners, return_inverse=True)
    images = {prefix: numbers[: len(owners)] for prefix in searches} | {"standard_": numbers[len(owners) :]}
    unwanted: list[set[str]] = []
    if excluded is not None:
        unwanted = _of_length("excluded", _sets("excluded", excluded), len(owners))
    named = max(map(len, [*unwanted, *(row for search in searches.values() for row in search.ranked)]))
    if gallery_size is not None and gallery_size < named:
        raise ValueError(
            f"`gallery_size` must be at least the {named} images that one query names, got {gallery_size}."
        )
    statistics: dict[str, Statistic] = {}
    results: dict[str, Any] = {}
    for prefix, search in searches.items():
        shares = search.shares([] if prefix == "standard_" else unwanted, ks)
        statistics |= {f"{prefix}{n}": (values, images[prefix][of]) for n, (values, of) in shares.items()}
        # The drop compares the two kinds of query on the images that have both.
        both = np.flatnonzero(np.isin(images[prefix], images["" if prefix else "standard_"]))
        if prefix != "compared_" and len(both):
            recalls = {n: values[both] for n, (values, _) in shares.items() if n.startswith("recall")}
            statistics |= {f"shared_{prefix}{n}": (v, images[prefix][both]) for n, v in recalls.items()}
        for k in ks:
            means, own = mean_of_each(shares[f"recall@{k}"][0], images[prefix])
            statistics[f"{prefix}recall_per_image@{k}"] = (means, own)
        if np.isfinite(middle := float(np.median(search.first))):
            results[f"{prefix}median_rank"] = middle

    results |= _figures({name: float(values.mean()) for name, (values, _) in statistics.items()})
    if gallery_size is not None and any(unwanted):
        results["violation_chance"] = float(np.mean([len(names) for names in unwanted if names]) / gallery_size)
    results["n_queries"], results["n_images"] = len(owners), len(image_names)
    if n_resamples:
        uncertain = resample_means(statistics, n_resamples=n_resamples, seed=seed)
        # Every figure is a weighted sum of the statistics: of the one with a 1, the figure is its weight.
        weights_of = _figures(dict(zip(statistics, np.eye(len(statistics)), strict=True)))
        results["confidence_intervals"] = {
            name: uncertain.interval(weights, confidence_level) for name, weights in weights_of.items()
        }
        results |= {
            name.replace("_difference", "_p_value"): uncertain.p_value(weights)
            for name, weights in weights_of.items()
            if "_difference" in name
        }
    return results


@dataclass(frozen=True)
class _Search:
    """What one model found for one set of queries."""

    ranked: list[list[str]]
    first: NDArray[np.float64]  # rank of each query's first relevant image, (Q,)

    @classmethod
    def checked(
        cls, prefix: str, predictions: Lists, relevant: list[list[str]], ranks: ArrayLike | None, *, longest: int
    ) -> "_Search":
        ranked = _ranked_lists(f"{prefix}predictions", predictions, len(relevant), longest)
        return cls(ranked, _checked_ranks(f"{prefix}ranks", ranks, first_relevant_ranks(ranked, relevant), ranked))

    def shares(
        self, unwanted: list[set[str]], ks: Sequence[int]
    ) -> dict[str, tuple[NDArray[np.float64], NDArray[np.intp]]]:
        """Name -> each query's value and the numbers of the queries that have one."""
        every = np.arange(len(self.ranked))
        shares = {f"recall@{k}": ((self.first <= k).astype(np.float64), every) for k in ks} | {
            "mrr": (1 / self.first, every)
        }
        # A query whose exclusion no image shows cannot be violated.
        asking = np.array([query for query, names in enumerate(unwanted) if names], dtype=np.intp)
        if len(asking):
            ranked, names = [self.ranked[query] for query in asking], [unwanted[query] for query in asking]
            shares |= {f"violation@{k}": (violation_shares(ranked, names, k=k), asking) for k in ks}
        return shares


def _figures(means: dict[str, Any]) -> dict[str, Any]:
    """The figures that the means make, alike for the estimates (scalars) and for their weights (S,)."""
    figures = {name: value for name, value in means.items() if not name.startswith("shared_")}
    for name, value in means.items():
        what, at, k = name.partition("@")
        if f"shared_standard_{name}" in means:
            figures[f"negation_drop@{k}"] = means[f"shared_standard_{name}"] - means[f"shared_{name}"]
        if f"compared_{name}" in means:
            figures[f"{what}_difference{at}{k}"] = value - means[f"compared_{name}"]
    return figures


def _check_options(ks: Sequence[int], n_resamples: int, confidence_level: float, gallery_size: int | None) -> None:
    whole = isinstance(ks, Iterable) and all(isinstance(k, int | np.integer) and k >= 1 for k in ks)
    if not whole or not len(ks):
        raise ValueError(f"`ks` must be a list of whole numbers of at least 1, got {ks!r}.")
    if isinstance(n_resamples, bool) or not isinstance(n_resamples, int | np.integer) or n_resamples < 0:
        raise ValueError(
            f"`n_resamples` must be a whole number of at least 0 (0 leaves the intervals out), got {n_resamples}."
        )
    if not 0 < confidence_level < 1:
        raise ValueError(f"`confidence_level` must lie between 0 and 1, got {confidence_level}.")
    if gallery_size is not None and gallery_size < 1:
        raise ValueError(f"`gallery_size` must be at least 1, got {gallery_size}.")


def _plain_values(name: str, values: Any) -> Any:
    """Rows of a tensor, an array or a table of any library, with or without a gradient, in any precision."""
    if hasattr(values, "detach"):  # numpy knows no bfloat16
        values = values.detach().cpu()
        values = (values.double() if values.is_floating_point() else values).numpy()
    elif hasattr(values, "to_numpy"):  # a DataFrame would be read by its columns' names
        values = values.to_numpy()
    elif hasattr(values, "__array__") and not isinstance(values, np.ndarray | np.generic):  # JAX
        values = np.asarray(values)
    if (
        isinstance(values, str | bytes | Mapping)
        or not hasattr(values, "__iter__")
        or getattr(values, "shape", 0) == ()
    ):
        raise ValueError(f"`{name}` must have one row for each {EACH}, got {_shown(values)}.")
    return values


def _is_listed(values: Any) -> bool:
    """Whether it has rows; text and dictionaries would be read by their letters and names."""
    one = isinstance(values, str | bytes | Mapping) or getattr(values, "shape", None) == ()
    return hasattr(values, "__iter__") and not one


def _shown(value: Any) -> str:
    """A value in a message of one line."""
    text = " ".join(repr(value.item() if isinstance(value, np.generic) else value).split())
    return text if len(text) <= 80 else f"{text[:79]}…"


def _of_length(name: str, values: Any, count: int) -> list[Any]:
    values = list(_plain_values(name, values))
    if len(values) != count:
        raise ValueError(f"`{name}` must have one row for each of the {count} queries, got {len(values)}.")
    return values


def _lists(name: str, lists: Iterable[Iterable[Any]]) -> list[list[str]]:
    rows = [_ids(name, number, row) for number, row in enumerate(_plain_values(name, lists))]
    if not rows:
        raise ValueError(f"`{name}` must hold at least one query, got none.")
    return rows


def _ids(name: str, number: int, row: Any) -> list[str]:
    if not _is_listed(row):
        raise ValueError(f"`{name}` row {number} must be a list of image ids, got {_shown(row)}.")
    return [image if type(image) is str else _id(name, number, image) for image in row]


def _id(name: str, number: int, image: Any) -> str:
    """An id as text. An array's or a tensor's number is the number: "tensor(3)" would never be found."""
    plain = image.item() if hasattr(image, "item") and getattr(image, "size", 0) == 1 else image
    if hasattr(image, "numel") and image.numel() == 1:
        plain = image.item()
    if not isinstance(plain, str | int):
        raise ValueError(f"`{name}` row {number} must hold image ids, text or whole numbers, got {_shown(plain)}.")
    return str(plain)


def _sets(name: str, lists: Iterable[Iterable[Any]]) -> list[set[str]]:
    """The rows as sets; rows that are one object make one set, so that long lists may be shared between queries."""
    rows = list(_plain_values(name, lists))
    sets: dict[int, set[str]] = {}
    for number, row in enumerate(rows):
        if id(row) not in sets:
            sets[id(row)] = set(_ids(name, number, row))
    return [sets[id(row)] for row in rows]


def _relevant_lists(name: str, lists: Iterable[Iterable[Any]]) -> list[list[str]]:
    rows = _lists(name, lists)
    for number, row in enumerate(rows):
        if not row:
            raise ValueError(f"`{name}` row {number} must name at least one relevant image, got none.")
    return rows


def _ranked_lists(name: str, lists: Iterable[Iterable[Any]], count: int, longest: int) -> list[list[str]]:
    rows = _of_length(name, _lists(name, lists), count)
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


def _checked_ranks(
    name: str, ranks: ArrayLike | None, found: NDArray[np.float64], ranked: list[list[str]]
) -> NDArray[np.float64]:
    """The exact ranks that were given, where the lists do not contradict them; those in the lists otherwise."""
    if ranks is None:
        return found
    exact = np.array([_rank(name, number, rank) for number, rank in enumerate(_of_length(name, ranks, len(found)))])
    beyond = np.array([len(row) for row in ranked]) + 1
    for query in np.flatnonzero(np.where(np.isfinite(found), exact != found, ~(exact >= beyond)))[:1]:
        place = f"{found[query]:g}" if np.isfinite(found[query]) else f"at least {beyond[query]}"
        raise ValueError(f"`{name}` row {query} must be {place}, as its ranked list has it, got {exact[query]:g}.")
    return exact


def _rank(name: str, number: int, rank: Any) -> float:
    try:
        return float(rank)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        raise ValueError(f"`{name}` row {number} must be a rank, 1 or more, got {_shown(rank)}.") from None


def _owners(name: str, image_ids: Iterable[Any] | None, relevant: list[list[str]]) -> list[str]:
    """The image to which each query belongs in the bootstrap: its first relevant one, unless it is said."""
    if image_ids is None:
        return [row[0] for row in relevant]
    return [_id(name, number, image) for number, image in enumerate(_of_length(name, image_ids, len(relevant)))]


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

_REQUIRED_COLUMNS = {
    "predictions": datasets.List(datasets.Value("string")),
    "references": datasets.List(datasets.Value("string")),
}
_OPTIONAL_COLUMNS = {
    "excluded": datasets.List(datasets.Value("string")),
    "ranks": datasets.Value("float64"),
    "image_ids": datasets.Value("string"),
    "compared_predictions": datasets.List(datasets.Value("string")),
    "compared_ranks": datasets.Value("float64"),
}


@evaluate.utils.file_utils.add_start_docstrings(_DESCRIPTION, _INPUTS)
class NegatedRetrieval(evaluate.Metric):
    """`score_retrieval` as a module of `evaluate`; `add` and `add_batch` take a query's optional columns as well."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=datasets.Features(_REQUIRED_COLUMNS | _OPTIONAL_COLUMNS),
            reference_urls=["https://arxiv.org/abs/2501.09425"],
        )

    def _feature_names(self) -> list[str]:
        # The columns of the rows held so far: evaluate would demand every one of `features` in every call.
        return list(self.selected_feature_format or _REQUIRED_COLUMNS)

    def _infer_feature_from_example(self, example: dict[str, Any]) -> datasets.Features:
        return datasets.Features({name: self.features[name] for name in example})

    _infer_feature_from_batch = _infer_feature_from_example

    def _select_columns(self, columns: dict[str, Any]) -> None:
        if unknown := sorted(set(columns) - set(_OPTIONAL_COLUMNS)):
            raise ValueError(f"Columns must be among {', '.join(_OPTIONAL_COLUMNS)}, got {', '.join(unknown)}.")
        names = [*_REQUIRED_COLUMNS, *columns]
        if self.writer is None:
            self.selected_feature_format = self._infer_feature_from_example(dict.fromkeys(names))
        elif set(names) != set(self.selected_feature_format):
            held = ", ".join(self.selected_feature_format)
            raise ValueError(f"Every batch must have the columns of the first, {held}; got {', '.join(names)}.")

    def add_batch(self, *, predictions: Any = None, references: Any = None, **columns: Any) -> None:
        """Hold a batch of queries, with the same optional columns in every batch."""
        if predictions is None or references is None:
            raise ValueError("`predictions` and `references` must be given together.")
        columns = {name: values for name, values in columns.items() if values is not None}
        self._select_columns(columns)
        columns |= {"predictions": predictions, "references": references}
        stored = {
            name: [_stored(name, n, value) for n, value in enumerate(_plain_values(name, values))]
            for name, values in columns.items()
        }
        evaluate.Metric.add_batch(self, **stored)

    def add(self, *, prediction: Any = None, reference: Any = None, **columns: Any) -> None:
        """Hold one query."""
        columns = {name: value for name, value in columns.items() if value is not None}
        self._select_columns(columns)
        columns |= {"prediction": prediction, "reference": reference}
        evaluate.Metric.add(self, **{name: _stored(name, 0, value) for name, value in columns.items()})

    def _compute(self, predictions: Any, references: Any, **options: Any) -> dict[str, Any]:
        held = {name: self.data[name][:] for name in self.data.column_names if name in _OPTIONAL_COLUMNS}
        if twice := sorted(set(held) & {name for name, value in options.items() if value is not None}):
            raise ValueError(f"`{twice[0]}` was given with the batches and must not be given to `compute` again.")
        return score_retrieval(predictions, references, **{**options, **held})


def _stored(name: str, number: int, value: Any) -> Any:
    """One row of a column in the type that `evaluate` stores: text for ids, whatever their own type."""
    if name.endswith("ranks"):
        return _rank(name, number, value)
    return _id(name, number, value) if name == "image_ids" else _ids(name, number, value)
