"""Accuracy on multiple-choice questions about what an image shows and does not show, scored with honest statistics.

The numbers are computed by plain numpy functions; `NegatedMCQ` at the end is the thin `evaluate` module around them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import erfc, sqrt
from statistics import NormalDist
from typing import Any

import datasets
import evaluate
import numpy as np
from numpy.typing import ArrayLike, NDArray

KINDS = ("affirmation", "negation", "hybrid")
EACH = "question"

# Two made-up images, one all right and one all wrong, join every variance: 0.5 is the sum of their squared distances
# from the mean. Of images that are all right they are all that says how far the answers about one image agree, and two
# models that failed together once need not do so again. Over thousands of images they are not to be seen.
MADE_UP = 0.5

Statistic = tuple[NDArray[np.float64], NDArray[np.float64]]


def choice_shares(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """How often each choice is picked when ties are settled by lot: 1/m for each of m best choices.

    Taking `argmax` instead picks the first of the best, and the right answer of NegBench's released files is always
    the first, so that a scorer that knows nothing gets 100 %:

    >>> knows_nothing, answers = np.zeros((3, 4)), np.array([0, 0, 0])
    >>> float((knows_nothing.argmax(axis=1) == answers).mean())
    1.0
    >>> float(choice_shares(knows_nothing)[np.arange(3), answers].mean())
    0.25

    Args:
        scores: one row a question, `-inf` where it has fewer choices than others, shape (N, C).

    Returns:
        Shares that sum to 1 in each row, shape (N, C).
    """
    best = scores == scores.max(axis=1, keepdims=True)
    return best / best.sum(axis=1, keepdims=True)


def mcnemar_p_value(first_right: NDArray[np.bool_], second_right: NDArray[np.bool_]) -> float:
    """Exact two-sided McNemar test that two models are right equally often on the same questions.

    >>> mcnemar_p_value(np.array([True] * 6), np.array([False] * 6))
    0.03125
    """
    only_first = int((first_right & ~second_right).sum())
    only_second = int((second_right & ~first_right).sum())
    disagreements = only_first + only_second
    tail, term = 0, 1  # whole numbers of any length: exact, where floats overflow from 1,024 disagreements on
    for k in range(min(only_first, only_second) + 1):
        tail += term
        term = term * (disagreements - k) // (k + 1)
    return min(1.0, 2 * tail / 2**disagreements)


def holm_adjusted(p_values: Mapping[str, float]) -> dict[str, float]:
    """P-values that may be read side by side: the chance that any of them is called small for nothing (Holm 1979).

    The smallest of m is multiplied by m, the next by m - 1, and so on, and none falls below the one before it.

    >>> holm_adjusted({"a": 0.01, "b": 0.04, "c": 0.03})
    {'a': 0.03, 'b': 0.06, 'c': 0.06}

    Args:
        p_values: name of each comparison -> its p-value, 0 to 1.

    Returns:
        The same names in the same order -> adjusted p-values, 0 to 1.
    """
    adjusted, least = {}, 0.0
    for done, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        least = max(least, min(1.0, (len(p_values) - done) * p_values[name]))
        adjusted[name] = least
    return {name: adjusted[name] for name in p_values}


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


def expected_calibration_error(
    scores: NDArray[np.float64], credit: NDArray[np.float64], *, logit_scale: float, bins: int = 15
) -> float:
    """Mean distance between the confidence in the picked choice and how often it is right, over bins of confidence."""
    weights = np.exp(logit_scale * (scores - scores.max(axis=1, keepdims=True)))
    confidence = 1 / weights.sum(axis=1)  # (N,): softmax of the best choice
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(bin_of, weights=confidence - credit, minlength=bins)
    return float(np.abs(gaps).sum() / len(scores))


def resample_ratios(
    statistics: Mapping[str, Statistic], images: NDArray[np.intp], *, n_resamples: int, seed: int
) -> Uncertain:
    """Bootstrap over images: how statistics, a sum over questions over another sum, vary on resampled sets of images.

    Questions about one image stand or fall together, so that whole images are drawn, with the same draws for every
    statistic: differences of two of them are paired.

    Args:
        statistics: name -> (numerators (N,), denominators (N,)).
        images: the number of each question's image, 0..G-1, shape (N,).
        n_resamples: how many sets to draw.
        seed: of the draws.
    """
    n_images = int(images.max()) + 1
    sums = np.empty((2, n_images, len(statistics)))
    for column, parts in enumerate(statistics.values()):
        for row, part in enumerate(parts):
            sums[row, :, column] = np.bincount(images, weights=part, minlength=n_images)
    shares, units = sums[0].sum(axis=0) / sums[1].sum(axis=0), np.count_nonzero(sums[1], axis=0)
    generator = np.random.default_rng(seed)
    covariance = np.zeros((len(statistics), len(statistics)))
    rows = max(1, 4_000_000 // n_images)  # resamples at a time: bounds the memory at some 100 MB
    for start in range(0, n_resamples, rows):
        count = min(rows, n_resamples - start)
        draws = generator.integers(0, n_images, size=(count, n_images))
        draws += n_images * np.arange(count)[:, None]
        weights = np.bincount(draws.ravel(), minlength=count * n_images).reshape(count, -1).astype(float)
        with np.errstate(invalid="ignore"):  # a set without such a question says nothing
            distances = np.nan_to_num((weights @ sums[0]) / (weights @ sums[1]) - shares)
        covariance += distances.T @ distances / n_resamples
    # The bootstrap's variance is that of a sample that has its own mean: too small by one unit.
    scale = np.sqrt(units / np.maximum(units - 1, 1))
    return Uncertain(shares, covariance * np.outer(scale, scale), units.astype(float))


def crossed_groups(
    values: NDArray[np.float64], members: Sequence[NDArray[np.intp]], images: NDArray[np.intp]
) -> Uncertain:
    """How means over groups vary where an image is in several groups, so that groups are not independent.

    What a group's value has from each of its images and what it has of its own are told apart by moments, as is done
    for crossed random effects (Gao and Owen 2017): groups that share images vary together by as much as they do here.
    A bootstrap has no such draws. That of images takes groups apart, that of groups takes them for independent, and
    that of all that is linked has one unit.

    >>> apart = [np.array([0, 1]), np.array([2, 3]), np.array([4, 5]), np.array([6, 7])]
    >>> values = np.array([[1.0], [0.0], [1.0], [0.0]])
    >>> crossed_groups(values, apart, np.arange(8)).covariance.round(4)  # the variance of a mean: 1/3 / 4
    array([[0.0833]])

    Args:
        values: of the groups, one column a statistic, shape (M, S).
        members: the numbers of each group's questions.
        images: the number of each question's image, shape (N,).
    """
    count = len(members)
    sets = [tuple(np.unique(images[questions]).tolist()) for questions in members]
    numbers = {names: number for number, names in enumerate(dict.fromkeys(sets))}
    set_of = np.array([numbers[names] for names in sets])  # groups of the very same images count as one
    of_set = np.bincount(set_of).astype(float)
    group_of = np.repeat(np.arange(count), [len(names) for names in sets])
    image_of = np.unique([image for names in sets for image in names], return_inverse=True)[1]
    of_image = np.bincount(image_of).astype(float)
    left = values - values.mean(axis=0)

    def products(owner: NDArray[np.intp], rows: NDArray[np.float64]) -> NDArray[np.float64]:
        sums = np.stack([np.bincount(owner, weights=column) for column in rows.T]).astype(np.float64)
        return sums @ sums.T

    observed = np.stack([products(set_of, left), products(image_of, left[group_of])])
    # What they are expected to be for a variance of 1 of a set's own, and of 1 of each image: traces of products of
    # the matrices "of the same set" and "images in common", (M, M), of which row sums are all that is needed here.
    rows = np.stack([of_set[set_of], np.bincount(group_of, weights=of_image[image_of])])
    common: Counter[tuple[int, int]] = Counter()  # in how many groups two images are together
    for own in np.split(image_of, np.cumsum([len(names) for names in sets])[:-1]):
        common.update(product(own.tolist(), repeat=2))
    mixed = rows[0] @ [len(names) for names in sets]
    traces = np.array([[rows[0].sum(), mixed], [mixed, sum(times**2 for times in common.values())]])
    of_mean = rows.sum(axis=1) / count**2  # the part of each in the variance of the mean over groups
    expected = traces - 2 * rows @ rows.T / count + np.outer(of_mean, of_mean) * count**2
    shares = np.linalg.lstsq(expected, of_mean, rcond=1e-9)[0]
    covariance = np.tensordot(shares, observed, axes=1)
    # The images' part cannot be negative: not less than where there is none.
    least = np.diag(observed[0]) * of_mean[0] / max(expected[0, 0], 1e-9)
    np.fill_diagonal(covariance, np.maximum(np.diag(covariance), least))
    units = min(count, len(of_image) * count / len(group_of))  # so many groups would have images of their own
    return Uncertain(values.mean(axis=0), covariance, np.full(values.shape[1], units))


def score_questions(
    predictions: ArrayLike | Sequence[ArrayLike],
    references: ArrayLike,
    *,
    kinds: Iterable[str | int] | None = None,
    choice_kinds: Iterable[Iterable[str | int]] | None = None,
    forms: Iterable[str] | None = None,
    image_ids: Iterable[Any] | None = None,
    groups: Iterable[Any] | None = None,
    shuffled_predictions: ArrayLike | Sequence[ArrayLike] | None = None,
    compared_predictions: ArrayLike | Sequence[ArrayLike] | None = None,
    compared_shuffled_predictions: ArrayLike | Sequence[ArrayLike] | None = None,
    logit_scale: float | None = None,
    n_resamples: int = 1000,
    confidence_level: float = 0.95,
    seed: int = 0,
) -> dict[str, Any]:
    """Score a model's picks; the arguments and the figures are described in `_INPUTS` and in docs/metrics.md."""
    _check_options(n_resamples, confidence_level, logit_scale)
    if compared_shuffled_predictions is not None and (compared_predictions is None or shuffled_predictions is None):
        raise ValueError(
            "`compared_shuffled_predictions` must be given with `compared_predictions` and `shuffled_predictions`: "
            "they are compared with both."
        )
    scores, sizes = _padded_scores("predictions", predictions)
    count, rows = len(scores), np.arange(len(scores))
    answers = _checked_answers(references, sizes)
    right_kinds, kinds_of_choices = _checked_kinds(kinds, choice_kinds, answers, sizes)
    images = np.arange(count)
    if image_ids is not None:
        names = _of_length("image_ids", image_ids, count)
        for row in [row for row, name in enumerate(names) if _is_missing(name)][:1]:
            raise ValueError(f"`image_ids` row {row} must name the question's image, got {names[row]}.")
        images = np.unique([str(name) for name in names], return_inverse=True)[1]

    ones, shares = np.ones(count), choice_shares(scores)
    credit = shares[rows, answers]
    statistics: dict[str, Statistic] = {"accuracy": (credit, ones)}
    if right_kinds is not None:
        for number, kind in enumerate(KINDS):
            if np.any(chosen := right_kinds == number):
                statistics[f"kind {kind}"] = (credit * chosen, ones * chosen)
    questions_of: dict[str, int] = {}
    if forms is not None:
        form_of = np.array([str(form) for form in _of_length("forms", forms, count)])
        for form in sorted(set(form_of.tolist())):
            statistics[f"form {form}"] = (credit * (form_of == form), ones * (form_of == form))
            questions_of[form] = int((form_of == form).sum())
    if kinds_of_choices is not None:
        affirmative = kinds_of_choices == KINDS.index("affirmation")
        statistics["affirmative picks"] = ((shares * affirmative).sum(axis=1), ones)
        statistics["affirmative answers"] = (affirmative[rows, answers] * ones, ones)
    if shuffled_predictions is not None:
        blind_scores = _padded_like("shuffled_predictions", shuffled_predictions, sizes)
        statistics["blind"] = (choice_shares(blind_scores)[rows, answers], ones)
    if compared_predictions is not None:
        other_shares = choice_shares(_padded_like("compared_predictions", compared_predictions, sizes))
        other_credit = other_shares[rows, answers]
        statistics["compared"] = (other_credit, ones)
        if kinds_of_choices is not None:
            other_picks = (other_shares * affirmative).sum(axis=1)
            statistics["compared affirmative picks"] = (other_picks, ones)
        for name in [name for name in statistics if name.startswith("kind ")]:
            chosen_ones = statistics[name][1]
            statistics[f"compared {name}"] = (other_credit * chosen_ones, chosen_ones)
    if compared_shuffled_predictions is not None:
        other_blind = _padded_like("compared_shuffled_predictions", compared_shuffled_predictions, sizes)
        statistics["compared blind"] = (choice_shares(other_blind)[rows, answers], ones)

    by_group: dict[str, NDArray[np.float64]] = {}
    if groups is not None and (members := _members(_of_length("groups", groups, count))):
        by_group["group"] = _all_right(credit, members)
        if compared_predictions is not None:
            by_group["compared group"] = _all_right(other_credit, members)

    ratios = {name: np.float64(n.sum() / d.sum()) for name, (n, d) in statistics.items()}
    ratios |= {name: np.float64(values.sum() / len(values)) for name, values in by_group.items()}
    results = _plain(_figures(ratios))
    results["tie_rate"] = float((shares.max(axis=1) < 1).mean())
    results["chance"] = float((1 / sizes).mean())
    results["n_questions"], results["n_images"] = count, int(images.max()) + 1
    if questions_of:
        results["n_questions_by_form"] = questions_of
    if by_group:
        results["group_chance"] = float(_all_right(1 / sizes, members).mean())
        results["n_groups"] = len(members)
    if kinds_of_choices is not None:
        results["confusion"] = _confusion(shares, kinds_of_choices, kinds_of_choices[rows, answers])
    if logit_scale is not None:
        results["calibration_error"] = expected_calibration_error(scores, credit, logit_scale=logit_scale)
    if compared_predictions is not None:
        # A tie counts as wrong here: McNemar's test knows right and wrong only.
        results["mcnemar_p_value"] = mcnemar_p_value(credit == 1, other_credit == 1)
    if n_resamples:
        measured = [(resample_ratios(statistics, images, n_resamples=n_resamples, seed=seed), list(statistics))]
        if by_group:
            measured.append(
                (crossed_groups(np.stack(list(by_group.values()), axis=1), members, images), list(by_group))
            )
        results["confidence_intervals"] = {}
        for uncertain, names in measured:
            # Every figure is a weighted sum of the statistics: of the one with a 1, the figure is its weight.
            units = dict(zip(names, np.eye(len(names)), strict=True))
            for figure, weights in _figures(units).items():
                results["confidence_intervals"][figure] = _intervals(uncertain, weights, confidence_level)
                if figure.endswith("_difference") and not isinstance(weights, dict):
                    tested = figure.removesuffix("_difference")
                    name = "bootstrap_p_value" if tested == "accuracy" else f"{tested}_p_value"
                    results[name] = uncertain.p_value(weights)
    return results


def _figures(ratios: dict[str, Any]) -> dict[str, Any]:
    """The figures that the statistics make, alike for the estimates (scalars) and for their weights (S,)."""
    figures: dict[str, Any] = {"accuracy": ratios["accuracy"]} if "accuracy" in ratios else {}
    by_kind = {kind: ratios[f"kind {kind}"] for kind in KINDS if f"kind {kind}" in ratios}
    if by_kind:
        figures["macro_accuracy"] = np.mean(list(by_kind.values()), axis=0)
        figures["accuracy_by_kind"] = by_kind
    by_form = {name.removeprefix("form "): value for name, value in ratios.items() if name.startswith("form ")}
    if by_form:
        figures["accuracy_by_form"] = by_form
    if "affirmative picks" in ratios:
        figures["affirmation_bias"] = ratios["affirmative picks"] - ratios["affirmative answers"]
    if "blind" in ratios:
        figures["blind_accuracy"] = ratios["blind"]
        figures["vision_gain"] = ratios["accuracy"] - ratios["blind"]
    if "compared affirmative picks" in ratios:  # the affirmative answers are the same for both
        figures["affirmation_bias_difference"] = ratios["affirmative picks"] - ratios["compared affirmative picks"]
    if "compared blind" in ratios:
        other_gain = ratios["compared"] - ratios["compared blind"]
        figures["vision_gain_difference"] = figures["vision_gain"] - other_gain
    if "group" in ratios:
        figures["group_score"] = ratios["group"]
    if "compared group" in ratios:
        figures["compared_group_score"] = ratios["compared group"]
        figures["group_score_difference"] = ratios["group"] - ratios["compared group"]
    if "compared" in ratios:
        figures["compared_accuracy"] = ratios["compared"]
        figures["accuracy_difference"] = ratios["accuracy"] - ratios["compared"]
        if by_kind:
            other = np.mean([ratios[f"compared kind {kind}"] for kind in by_kind], axis=0)
            figures["compared_macro_accuracy"] = other
            figures["macro_accuracy_difference"] = figures["macro_accuracy"] - other
            figures["accuracy_by_kind_difference"] = {
                kind: value - ratios[f"compared kind {kind}"] for kind, value in by_kind.items()
            }
    return figures


def _members(groups: Sequence[Any]) -> list[NDArray[np.intp]]:
    """The questions of each group of two or more; a question whose group is None or empty belongs to none."""
    members: dict[str, list[int]] = {}
    for question, group in enumerate(groups):
        if not _is_missing(group) and group != "":
            members.setdefault(str(group), []).append(question)
    return [np.array(questions) for questions in members.values() if len(questions) > 1]


def _is_missing(value: Any) -> bool:
    """Whether a table has nothing there: pandas writes NaN, NaT or NA."""
    return (
        value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and value != value)
    )


def _all_right(credit: NDArray[np.float64], members: Sequence[NDArray[np.intp]]) -> NDArray[np.float64]:
    """Chance that all questions of each group are right when ties are settled by lot, (groups,)."""
    return np.array([credit[questions].prod() for questions in members])


def _plain(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) if isinstance(value, dict) else float(value) for name, value in figures.items()}


def _intervals(uncertain: Uncertain, weights: Any, confidence_level: float) -> Any:
    if isinstance(weights, dict):
        return {name: _intervals(uncertain, inner, confidence_level) for name, inner in weights.items()}
    return uncertain.interval(weights, confidence_level)


def _confusion(
    shares: NDArray[np.float64], kinds_of_choices: NDArray[np.intp], right_kinds: NDArray[np.intp]
) -> dict[str, dict[str, float]]:
    """For each kind of question, the shares of its picks that fall on choices of each kind; they sum to 1."""
    return {
        kind: {
            chosen: float((shares * (kinds_of_choices == column))[right_kinds == row].sum(axis=1).mean())
            for column, chosen in enumerate(KINDS)
        }
        for row, kind in enumerate(KINDS)
        if np.any(right_kinds == row)
    }


def _check_options(n_resamples: int, confidence_level: float, logit_scale: float | None) -> None:
    if isinstance(n_resamples, bool) or not isinstance(n_resamples, int | np.integer) or n_resamples < 0:
        raise ValueError(
            f"`n_resamples` must be a whole number of at least 0 (0 leaves the intervals out), got {n_resamples}."
        )
    if not 0 < confidence_level < 1:
        raise ValueError(f"`confidence_level` must lie between 0 and 1, got {confidence_level}.")
    if logit_scale is not None and not logit_scale > 0:
        raise ValueError(f"`logit_scale` must be above 0, got {logit_scale}.")


def _of_length(name: str, values: Any, count: int) -> list[Any]:
    values = list(_plain_values(name, values))
    if len(values) != count:
        raise ValueError(f"`{name}` must have one row for each of the {count} predictions, got {len(values)}.")
    return values


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


def _score_rows(name: str, scores: Any) -> list[NDArray[np.float64]]:
    """The scores of each question's choices, as they were given or as `evaluate` stored them."""
    table = _plain_values(name, scores)
    if isinstance(table, np.ndarray) and table.ndim == 2 and table.dtype.kind in "biuf":
        return list(table.astype(np.float64))
    rows = []
    for number, row in enumerate(table):
        if not _is_listed(row):
            raise ValueError(f"`{name}` row {number} must hold at least two scores, got {_shown(row)}.")
        try:
            rows.append(_numbers(_plain_values(name, row)))
        except (TypeError, ValueError, OverflowError, RuntimeError) as error:
            said = " ".join(str(error).split()).rstrip(".")
            raise ValueError(
                f"`{name}` row {number} must be a list of numbers, the choices' scores: {said}."
            ) from None
    return rows


def _numbers(row: Any) -> NDArray[np.float64]:
    values = row if isinstance(row, np.ndarray) else None
    if values is None:
        # One by one only where need be: tensors of one number each, of a precision that numpy does not know.
        values = np.array([float(value) for value in row]) if any(map(_is_tensor, row)) else np.asarray(row)
    if values.dtype == object:
        values = np.array([float(value) for value in values])
    if values.dtype.kind in "cmMSU":
        raise TypeError(f"got {_shown(row)}")
    return values.astype(np.float64)


def _is_tensor(value: Any) -> bool:
    return hasattr(value, "detach")


def _padded_scores(name: str, scores: Any) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Scores as one array, `-inf` where a question has fewer choices, (N, C), and each question's choices, (N,)."""
    rows = _score_rows(name, scores)
    if not rows:
        raise ValueError(f"`{name}` must hold at least one question, got none.")
    for number, row in enumerate(rows):
        if row.ndim != 1 or len(row) < 2:
            raise ValueError(f"`{name}` row {number} must hold at least two scores, got {_shown(row.tolist())}.")
    sizes = np.array([len(row) for row in rows])
    padded = np.full((len(rows), sizes.max()), -np.inf)
    inside = np.arange(sizes.max()) < sizes[:, None]
    padded[inside] = np.concatenate(rows)
    for number, choice in np.argwhere(~np.isfinite(padded) & inside)[:1]:
        raise ValueError(
            f"`{name}` row {number}, choice {choice} must be a finite score, got {padded[number, choice]}."
        )
    return padded, sizes


def _padded_like(name: str, scores: Any, sizes: NDArray[np.intp]) -> NDArray[np.float64]:
    padded, own_sizes = _padded_scores(name, _of_length(name, scores, len(sizes)))
    for number in np.flatnonzero(own_sizes != sizes)[:1]:
        raise ValueError(
            f"`{name}` row {number} must score the same {sizes[number]} choices as `predictions`, "
            f"got {own_sizes[number]} scores."
        )
    return padded


def _checked_answers(references: Any, sizes: NDArray[np.intp]) -> NDArray[np.intp]:
    answers = np.asarray(_plain_values("references", references))
    if answers.dtype == object and all(hasattr(answer, "__index__") for answer in answers.flat):
        answers = np.array([answer.__index__() for answer in answers.flat]).reshape(answers.shape)
    if answers.shape != sizes.shape:
        raise ValueError(f"`references` must be one number for each of {len(sizes)} questions, got {answers.shape}.")
    if not np.issubdtype(answers.dtype, np.integer):
        raise ValueError(f"`references` must be the whole numbers of the right choices, got {answers.dtype} values.")
    for number in np.flatnonzero((answers < 0) | (answers >= sizes))[:1]:
        raise ValueError(
            f"`references` row {number} must be one of its choices, 0 to {sizes[number] - 1}, got {answers[number]}."
        )
    return answers.astype(np.intp)


def _kind_number(name: str, row: int, kind: str | int) -> int:
    if isinstance(kind, str) and kind in KINDS:
        return KINDS.index(kind)
    if not isinstance(kind, str) and np.ndim(kind) == 0 and kind in range(len(KINDS)):  # the number of a ClassLabel
        return int(kind)
    raise ValueError(
        f"`{name}` row {row} must be one of {', '.join(KINDS)}, or its number, got {_shown(kind)}. "
        "NegBench's 'positive' and 'negative' are affirmation and negation."
    )


def _checked_kinds(
    kinds: Any, choice_kinds: Any, answers: NDArray[np.intp], sizes: NDArray[np.intp]
) -> tuple[NDArray[np.intp] | None, NDArray[np.intp] | None]:
    """Numbers of the questions' kinds, (N,), and of the choices' kinds with -1 beyond the last choice, (N, C)."""
    right_kinds = kinds_of_choices = None
    if kinds is not None:
        listed = _of_length("kinds", kinds, len(answers))
        right_kinds = np.array([_kind_number("kinds", row, kind) for row, kind in enumerate(listed)])
    if choice_kinds is not None:
        kinds_of_choices = np.full((len(sizes), sizes.max()), -1)
        for row, listed in enumerate(_of_length("choice_kinds", choice_kinds, len(answers))):
            if isinstance(listed, str) or not isinstance(listed, Iterable):
                raise ValueError(f"`choice_kinds` row {row} must be a list of kinds, got {_shown(listed)}.")
            numbers = [_kind_number("choice_kinds", row, kind) for kind in listed]
            if len(numbers) != sizes[row]:
                raise ValueError(f"`choice_kinds` row {row} must name {sizes[row]} kinds, got {len(numbers)}.")
            kinds_of_choices[row, : sizes[row]] = numbers
        implied = kinds_of_choices[np.arange(len(answers)), answers]
        if right_kinds is None:
            right_kinds = implied
        for row in np.flatnonzero(right_kinds != implied)[:1]:
            raise ValueError(
                f"`kinds` row {row} must be the kind of the right choice, {KINDS[implied[row]]} by `choice_kinds`, "
                f"got {KINDS[right_kinds[row]]}."
            )
    return right_kinds, kinds_of_choices


_DESCRIPTION = """
Multiple-choice questions about what an image shows and does not show (NegBench, Alhamoud et al. 2025), scored with
credit for ties by expectation, intervals over images, the bias towards affirmative choices, and the gain
over the same questions asked about other images.
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
    predictions: the scores that the model gives each question's choices, (N, C) or lists of different lengths.
    references: the number of each question's right choice.
    kinds: each question's kind, the kind of its right choice: affirmation, negation or hybrid (or 0, 1, 2).
    choice_kinds: the kind of each choice, one list a question.
    forms: any label of each question, for instance how its right choice negates; gives `accuracy_by_form`.
    image_ids: each question's image; questions without it count as one image each.
    groups: label of the questions that count only together, as the two of a pair; None or "" for a question alone.
    shuffled_predictions: the scores of the same choices for another image than the question's.
    compared_predictions: the scores of a second model, for a paired comparison on the same questions.
    compared_shuffled_predictions: its scores for the same other images, for a paired comparison of vision gains.
    logit_scale: factor that makes the scores logits; gives `calibration_error`.
    n_resamples: resamples of the bootstrap over images, 1000 by default; 0 leaves the intervals out.
    confidence_level: of the intervals, 0.95 by default.
    seed: of the bootstrap, 0 by default.

Returns:
    A dictionary with accuracy, tie_rate, chance, n_questions, n_images, confidence_intervals and, where the columns
    that they need are given, macro_accuracy, accuracy_by_kind, accuracy_by_form, n_questions_by_form, confusion,
    affirmation_bias, blind_accuracy, vision_gain, calibration_error, compared_accuracy, accuracy_difference,
    compared_macro_accuracy, macro_accuracy_difference, accuracy_by_kind_difference, mcnemar_p_value,
    bootstrap_p_value, macro_accuracy_p_value, affirmation_bias_difference, affirmation_bias_p_value,
    vision_gain_difference, vision_gain_p_value and, of groups, group_score, group_chance, n_groups,
    group_score_difference, group_score_p_value. The p-values of
    several comparisons are read side by side after `metric.holm_adjusted({"first": p, "second": p})`.

Examples:
    A scorer that gives every choice the same score has no idea. The right answer stands first, as in the released
    files of NegBench, where `argmax` would credit it with 100 %:

    >>> metric = NegatedMCQ()
    >>> results = metric.compute(predictions=[[0.3, 0.3, 0.3, 0.3]] * 8, references=[0] * 8)
    >>> results["accuracy"], results["tie_rate"], results["chance"]
    (0.25, 1.0, 0.25)

    A scorer that always prefers affirmative captions gets the affirmative question right, with its image or without:

    >>> results = metric.compute(
    ...     predictions=[[0.9, 0.2, 0.4], [0.9, 0.2, 0.4]],
    ...     references=[0, 1],
    ...     choice_kinds=[["affirmation", "negation", "hybrid"]] * 2,
    ...     shuffled_predictions=[[0.9, 0.2, 0.4], [0.9, 0.2, 0.4]],
    ... )
    >>> results["accuracy"], results["affirmation_bias"], results["vision_gain"]
    (0.5, 0.5, 0.0)
    >>> results["accuracy_by_kind"]
    {'affirmation': 1.0, 'negation': 0.0}

    The same two captions for two images, each true of one of them. Whoever prefers one caption whatever the image has
    half of the questions right, and no pair:

    >>> results = metric.compute(predictions=[[0.9, 0.2], [0.9, 0.2]], references=[0, 1], groups=["street", "street"])
    >>> results["accuracy"], results["group_score"], results["group_chance"]
    (0.5, 0.0, 0.25)
"""

_REQUIRED_COLUMNS = {"predictions": datasets.List(datasets.Value("float64")), "references": datasets.Value("int64")}
_OPTIONAL_COLUMNS = {
    "kinds": datasets.Value("string"),
    "choice_kinds": datasets.List(datasets.Value("string")),
    "forms": datasets.Value("string"),
    "image_ids": datasets.Value("string"),
    "groups": datasets.Value("string"),
    "shuffled_predictions": datasets.List(datasets.Value("float64")),
    "compared_predictions": datasets.List(datasets.Value("float64")),
    "compared_shuffled_predictions": datasets.List(datasets.Value("float64")),
}


@evaluate.utils.file_utils.add_start_docstrings(_DESCRIPTION, _INPUTS)
class NegatedMCQ(evaluate.Metric):
    """`score_questions` as a module of `evaluate`; `add` and `add_batch` take the optional columns as well."""

    holm_adjusted = staticmethod(holm_adjusted)

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
        """Hold a batch of questions, with the same optional columns in every batch."""
        if predictions is None or references is None:
            raise ValueError("`predictions` and `references` must be given together.")
        predictions = _score_rows("predictions", predictions)
        references = _plain_values("references", references)
        if len(predictions) or len(references):  # evaluate would cut 1.5 to 1, and name neither row nor rule
            references = _checked_answers(references, _padded_scores("predictions", predictions)[1])
        columns = {name: values for name, values in columns.items() if values is not None}
        self._select_columns(columns)
        columns = {
            name: [_stored(name, value) for value in _plain_values(name, values)] for name, values in columns.items()
        }
        evaluate.Metric.add_batch(self, predictions=predictions, references=references, **columns)

    def add(self, *, prediction: Any = None, reference: Any = None, **columns: Any) -> None:
        """Hold one question."""
        (reference,) = _checked_answers([reference], _padded_scores("predictions", [prediction])[1])
        (prediction,) = _score_rows("predictions", [prediction])
        columns = {name: value for name, value in columns.items() if value is not None}
        self._select_columns(columns)
        columns = {name: _stored(name, value) for name, value in columns.items()}
        evaluate.Metric.add(self, predictions=prediction, references=reference, **columns)

    def _compute(self, predictions: Any, references: Any, **options: Any) -> dict[str, Any]:
        held = {name: self.data[name][:] for name in self.data.column_names if name in _OPTIONAL_COLUMNS}
        if twice := sorted(set(held) & {name for name, value in options.items() if value is not None}):
            raise ValueError(f"`{twice[0]}` was given with the batches and must not be given to `compute` again.")
        return score_questions(predictions, references, **{**options, **held})


def _stored(name: str, value: Any) -> Any:
    """One row of a column in the type that `evaluate` stores: names of kinds for numbers, text for ids."""
    if name.endswith("kinds"):
        row = [value] if name == "kinds" else value
        kinds = [kind if isinstance(kind, str) else KINDS[_kind_number(name, 0, kind)] for kind in row]
        return kinds[0] if name == "kinds" else kinds
    if name == "groups" and _is_missing(value):
        return ""  # evaluate stores no None
    return _score_rows(name, [value])[0] if name.endswith("predictions") else str(value)
