"""Accuracy on multiple-choice questions about what an image shows and does not show, scored with honest statistics.

Plain numpy from end to end. `Questions.read` checks columns and makes arrays of them; `score_questions` computes every
figure for all models at once and how sure it is; `NegatedMCQ` at the end is the door of `evaluate`.

Shapes: N questions with C choices each, M models (one, or two that are compared), G images, S statistics.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import erfc, sqrt
from statistics import NormalDist
from typing import Any

import datasets
import evaluate
import numpy as np
from numpy.typing import NDArray

KINDS = ("affirmation", "negation", "hybrid")

# Two made-up images, one all right and one all wrong, join every variance: 0.5 is the sum of their squared distances
# from the mean. Of images that are all right they are all that says how far the answers about one image agree, and two
# models that failed together once need not do so again. Over thousands of images they are not to be seen.
MADE_UP = 0.5


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
        scores: one row a question, `-inf` where it has fewer choices than others, shape (..., C).

    Returns:
        Shares that sum to 1 in each row, shape (..., C).
    """
    best = scores == scores.max(axis=-1, keepdims=True)
    return best / best.sum(axis=-1, keepdims=True)


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


def resample_images(sums: NDArray[np.float64], *, n_resamples: int, seed: int) -> Uncertain:
    """Bootstrap over images: how ratios of two sums vary on resampled sets of images.

    Questions about one image stand or fall together, so that whole images are drawn, with the same draws for every
    statistic: differences of two of them are paired.

    Args:
        sums: numerators and denominators of each statistic, summed over the questions of each image, shape (2, S, G).
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
        with np.errstate(invalid="ignore"):  # a set without such a question says nothing
            distances = np.nan_to_num((weights @ above) / (weights @ below) - shares)
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
    group_of: NDArray[np.intp] = np.repeat(np.arange(count), [len(names) for names in sets])
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


def expected_calibration_error(
    scores: NDArray[np.float64], credit: NDArray[np.float64], *, logit_scale: float, bins: int = 15
) -> float:
    """Mean distance between the confidence in the picked choice and how often it is right, over bins of confidence.

    Args:
        scores: of the choices, shape (N, C); times `logit_scale` they are logits, whose softmax is the confidence.
        credit: share of each question that is right, shape (N,).
        logit_scale: inverse temperature.
        bins: of equal width (Guo et al. 2017).
    """
    weights = np.exp(logit_scale * (scores - scores.max(axis=1, keepdims=True)))
    confidence = 1 / weights.sum(axis=1)  # (N,): softmax of the best choice
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(bin_of, weights=confidence - credit, minlength=bins)
    return float(np.abs(gaps).sum() / len(scores))


# -- what was asked: columns in, arrays out ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Questions:
    """Questions and the scores of all models, checked."""

    scores: NDArray[np.float64]  # (M, N, C): for the question's own image, `-inf` beyond its last choice
    blind_scores: NDArray[np.float64]  # (0 to M, N, C): for another image, of the models that have them
    sizes: NDArray[np.intp]  # (N,): how many choices each has
    answers: NDArray[np.intp]  # (N,): the number of the right choice
    kinds: NDArray[np.intp] | None  # (N,): of the right choice, an index into `KINDS`
    choice_kinds: NDArray[np.intp] | None  # (N, C): of every choice, -1 beyond the last
    images: NDArray[np.intp]  # (N,): the number of the question's image, 0..G-1
    forms: NDArray[np.str_] | None  # (N,): any label
    groups: list[NDArray[np.intp]]  # the questions of each group of two or more

    @classmethod
    def read(cls, columns: Mapping[str, Any]) -> "Questions":
        """Check the columns that `_INPUTS` describes, of lists, arrays, tensors or tables, and make arrays of them."""
        columns = _given(columns)
        both = {"compared_predictions", "shuffled_predictions"}
        if "compared_shuffled_predictions" in columns and not both <= set(columns):
            raise ValueError(
                "`compared_shuffled_predictions` must be given with `compared_predictions` and "
                "`shuffled_predictions`: they are compared with both."
            )
        own, sizes = _scores("predictions", columns.get("predictions"))
        answers = _answers(columns.get("references"), sizes)
        kinds, choice_kinds = _kinds(columns, answers, sizes)
        listed = {name: _listed(name, columns[name], len(own)) for name in _LABELS if name in columns}
        images = np.arange(len(own))
        if "image_ids" in listed:
            images = np.unique(_image_names(listed["image_ids"]), return_inverse=True)[1]
        forms = np.array([str(form) for form in listed["forms"]]) if "forms" in listed else None
        members: dict[str, list[int]] = {}
        for question, group in enumerate(listed.get("groups", ())):
            if not _is_missing(group) and group != "":
                members.setdefault(str(group), []).append(question)
        groups = [np.array(questions) for questions in members.values() if len(questions) > 1]
        more = {name: _scores(name, columns[name], sizes)[0] for name in _MORE_SCORES if name in columns}
        scores = np.stack([own, *(padded for name, padded in more.items() if "shuffled" not in name)])
        blind_scores = np.array([padded for name, padded in more.items() if "shuffled" in name])
        return cls(scores, blind_scores, sizes, answers, kinds, choice_kinds, images, forms, groups)


_LABELS = ("image_ids", "forms", "groups")
_MORE_SCORES = ("shuffled_predictions", "compared_predictions", "compared_shuffled_predictions")


def _given(columns: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that are not None, all of known names."""
    if unknown := sorted(set(columns) - set(_FEATURES)):
        raise ValueError(f"Columns must be among {', '.join(_FEATURES)}, got {', '.join(map(str, unknown))}.")
    return {name: values for name, values in columns.items() if values is not None}


def _plain(values: Any) -> Any:
    """Lists of Python's own numbers and text: of a tensor, an array or a table of any library, in any precision."""
    if type(values) is list and {*map(type, values)} <= {float, int, str}:  # as most are, and quick
        return values
    if hasattr(values, "to_numpy"):  # a DataFrame would be read by its columns' names
        values = values.to_numpy()
    if hasattr(values, "tolist"):
        mixed, values = values.dtype == object, values.tolist()
        if not mixed:
            return values
    one = isinstance(values, str | bytes | Mapping) or not hasattr(values, "__iter__")
    return values if one else [_plain(value) for value in values]


def _listed(name: str, values: Any, count: int | None = None) -> list[Any]:
    rows = _plain(values)
    if not isinstance(rows, list):
        raise _refused(f"`{name}`", "have one row for each question", rows)
    if count is not None and len(rows) != count:
        raise ValueError(f"`{name}` must have one row for each of the {count} predictions, got {len(rows)}.")
    return rows


def _refused(place: str, rule: str, got: Any, advice: str = "") -> ValueError:
    shown = " ".join(repr(got).split())
    return ValueError(f"{place} must {rule}, got {shown if len(shown) <= 80 else f'{shown[:79]}…'}.{advice}")


def _score_rows(name: str, scores: Any, count: int | None = None) -> list[list[float]]:
    rows = _listed(name, scores, count)
    for number, row in enumerate(rows):
        place = f"`{name}` row {number}"
        if not isinstance(row, list) or all(isinstance(score, list) for score in row):
            raise _refused(place, "hold at least two scores", row)
        if not set(map(type, row)) <= {float}:
            rows[number] = _numbers(place, row)
        if len(row) < 2:
            raise _refused(place, "hold at least two scores", row)
    return rows


def _numbers(place: str, row: list[Any]) -> list[float]:
    try:
        if any(isinstance(value, str | bytes) for value in row):
            raise TypeError(f"got {row}")  # float would read text
        return [float(value) for value in row]
    except (TypeError, ValueError, OverflowError) as error:
        said = " ".join(str(error).split()).rstrip(".")
        raise ValueError(f"{place} must be a list of numbers, the choices' scores: {said}.") from None


def _scores(
    name: str, scores: Any, like: NDArray[np.intp] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Scores as one array, `-inf` where a question has fewer choices, (N, C), and each question's choices, (N,)."""
    rows = _score_rows(name, scores, None if like is None else len(like))
    if not rows:
        raise ValueError(f"`{name}` must hold at least one question, got none.")
    sizes = np.array([len(row) for row in rows])
    padded = np.full((len(rows), sizes.max()), -np.inf)
    inside = np.arange(sizes.max()) < sizes[:, None]
    padded[inside] = [score for row in rows for score in row]
    for number, choice in np.argwhere(~np.isfinite(padded) & inside)[:1]:
        raise _refused(f"`{name}` row {number}, choice {choice}", "be a finite score", rows[number][choice])
    if like is not None:
        for number in np.flatnonzero(sizes != like)[:1]:
            rule = f"score the same {like[number]} choices as `predictions`"
            raise _refused(f"`{name}` row {number}", rule, rows[number])
    return padded, sizes


def _answers(references: Any, sizes: NDArray[np.intp]) -> NDArray[np.intp]:
    answers = _listed("references", references)
    if len(answers) != len(sizes):
        raise _refused("`references`", f"be one number for each of {len(sizes)} questions", len(answers))
    for row, (answer, size) in enumerate(zip(answers, sizes.tolist(), strict=True)):
        if type(answer) is not int:
            raise _refused("`references`", "be the whole numbers of the right choices", answer)
        if not 0 <= answer < size:
            raise _refused(f"`references` row {row}", f"be one of its choices, 0 to {size - 1}", answer)
    return np.array(answers)


def _kind_number(place: str, kind: Any) -> int:
    if kind in KINDS:
        return KINDS.index(kind)
    if kind in range(len(KINDS)):  # the number of a ClassLabel
        return int(kind)
    advice = " NegBench's 'positive' and 'negative' are affirmation and negation."
    raise _refused(place, f"be one of {', '.join(KINDS)}, or its number", kind, advice)


def _kind_rows(name: str, kinds: Any, count: int | None = None) -> list[list[int]]:
    """The numbers of each question's choices' kinds, or of its own kind alone."""
    rows = []
    for number, row in enumerate(_listed(name, kinds, count)):
        listed = [row] if name == "kinds" else row
        if not isinstance(listed, list):
            raise _refused(f"`{name}` row {number}", "be a list of kinds", row)
        rows.append([_kind_number(f"`{name}` row {number}", kind) for kind in listed])
    return rows


def _kinds(
    columns: Mapping[str, Any], answers: NDArray[np.intp], sizes: NDArray[np.intp]
) -> tuple[NDArray[np.intp] | None, NDArray[np.intp] | None]:
    """Numbers of the questions' kinds, (N,), and of the choices' kinds with -1 beyond the last choice, (N, C)."""
    given = {n: _kind_rows(n, columns[n], len(sizes)) for n in ("kinds", "choice_kinds") if n in columns}
    kinds = np.array(given["kinds"])[:, 0] if "kinds" in given else None
    if "choice_kinds" not in given:
        return kinds, None
    of_choices = np.full((len(sizes), sizes.max()), -1)
    for row, numbers in enumerate(given["choice_kinds"]):
        if len(numbers) != sizes[row]:
            raise ValueError(f"`choice_kinds` row {row} must name {sizes[row]} kinds, got {len(numbers)}.")
        of_choices[row, : sizes[row]] = numbers
    implied = of_choices[np.arange(len(sizes)), answers]
    if kinds is not None:
        for row in np.flatnonzero(implied != kinds)[:1]:
            rule = f"be the kind of the right choice, {KINDS[implied[row]]} by `choice_kinds`"
            raise _refused(f"`kinds` row {row}", rule, KINDS[kinds[row]])
    return implied, of_choices


def _is_missing(value: Any) -> bool:
    """Whether a table has nothing there: pandas writes NaN or NA."""
    return value is None or type(value).__name__ == "NAType" or value != value


def _image_names(image_ids: Sequence[Any]) -> list[str]:
    for row in [row for row, name in enumerate(image_ids) if _is_missing(name)][:1]:
        raise _refused(f"`image_ids` row {row}", "name the question's image", image_ids[row])
    return [str(name) for name in image_ids]


# -- figures ----------------------------------------------------------------------------------------------------------


def score_questions(
    columns: Mapping[str, Any],
    *,
    logit_scale: float | None = None,
    n_resamples: int = 1000,
    confidence_level: float = 0.95,
    seed: int = 0,
) -> dict[str, Any]:
    """Score the picks of one model, or of two that are compared.

    >>> figures = score_questions({"predictions": [[0.9, 0.2], [0.5, 0.5]], "references": [0, 0]}, n_resamples=0)
    >>> figures["accuracy"], figures["tie_rate"]
    (0.75, 0.5)

    Args:
        columns: predictions, references and what else `_INPUTS` describes, by name.
        logit_scale: factor that makes the scores logits, for the calibration error.
        n_resamples: resamples of the bootstrap over images; 0 leaves intervals and tests out.
        confidence_level: of the intervals.
        seed: of the bootstrap.

    Returns:
        Name -> figure, a fraction from 0 to 1 where docs/metrics.md, which defines each, says nothing else.
    """
    _check_options(n_resamples, confidence_level, logit_scale)
    asked = Questions.read(columns)
    shares = choice_shares(asked.scores)  # (M, N, C)
    credit = _of_answers(shares, asked)  # (M, N)
    by_group = np.array([credit[:, questions].prod(axis=1) for questions in asked.groups])  # (groups, M)
    names, numerators, denominators = _statistics(asked, shares, credit)  # S names, (S, N) each
    figures = _figures(names, numerators.sum(axis=1) / denominators.sum(axis=1))
    figures |= {"tie_rate": (shares[0].max(axis=1) < 1).mean(), "chance": (1 / asked.sizes).mean()}
    counts = {"n_questions": len(asked.answers), "n_images": int(asked.images.max()) + 1}
    if len(by_group):
        figures |= _compared({"group_score": by_group.sum(axis=0) / len(by_group)})
        figures["group_chance"] = np.mean([(1 / asked.sizes[questions]).prod() for questions in asked.groups])
        counts["n_groups"] = len(by_group)
    if asked.forms is not None:
        counts |= {f"n_questions_by_form/{form}": int((asked.forms == form).sum()) for form in np.unique(asked.forms)}
    if logit_scale is not None:
        figures["calibration_error"] = expected_calibration_error(asked.scores[0], credit[0], logit_scale=logit_scale)
    if len(credit) > 1:
        # A tie counts as wrong here: McNemar's test knows right and wrong only.
        figures["mcnemar_p_value"] = mcnemar_p_value(credit[0] == 1, credit[1] == 1)
    results = _nested({name: float(value) for name, value in figures.items()} | counts)
    if asked.choice_kinds is not None:
        results["confusion"] = _confusion(shares[0], asked.choice_kinds, asked.kinds)
    if not n_resamples:
        return results

    sums = np.array([[np.bincount(asked.images, row) for row in part] for part in (numerators, denominators)])
    # Every figure is a weighted sum of the statistics: of the one with a 1, the figure is its weight.
    measured = [(resample_images(sums, n_resamples=n_resamples, seed=seed), _figures(names, np.eye(len(names))))]
    if len(by_group):
        weights = _compared({"group_score": np.eye(len(credit))})
        measured.append((crossed_groups(by_group, asked.groups, asked.images), weights))
    intervals: dict[str, list[float]] = {}
    for uncertain, figures in measured:
        intervals |= uncertain.intervals(figures, confidence_level)
        for name, weights in figures.items():
            if name.endswith("_difference"):
                tested = "bootstrap" if name == "accuracy_difference" else name.removesuffix("_difference")
                results[f"{tested}_p_value"] = uncertain.p_value(weights)
    return results | {"confidence_intervals": _nested(intervals)}


def _of_answers(shares: NDArray[np.float64], asked: Questions) -> NDArray[np.float64]:
    return shares[:, np.arange(len(asked.answers)), asked.answers]


def _statistics(
    asked: Questions, shares: NDArray[np.float64], credit: NDArray[np.float64]
) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    """Ratios of which figures are made: S names, once for each model, and numerators and denominators, (S, N) each."""
    every = np.ones(len(asked.answers))
    found = {"accuracy": (credit, every)}  # values, (M or fewer, N), and where they count, (N,)
    if asked.kinds is not None:
        of_kind = {kind: (asked.kinds == number).astype(float) for number, kind in enumerate(KINDS)}
        found |= {f"accuracy_by_kind/{kind}": (credit, among) for kind, among in of_kind.items() if among.any()}
    if asked.forms is not None:
        of_form = {form: (asked.forms == form).astype(float) for form in np.unique(asked.forms)}
        found |= {f"accuracy_by_form/{form}": (credit[:1], among) for form, among in of_form.items()}
    if asked.choice_kinds is not None:
        affirmative = (asked.choice_kinds == KINDS.index("affirmation")).astype(float)
        found["affirmative picks"] = ((shares * affirmative).sum(axis=-1), every)
        found["affirmative answers"] = (_of_answers(affirmative[None], asked), every)
    if len(asked.blind_scores):
        found["blind"] = (_of_answers(choice_shares(asked.blind_scores), asked), every)
    parts = [
        (name, values[model] * among, among)
        for model in range(len(credit))
        for name, (values, among) in found.items()
        if model < len(values)
    ]
    names, numerators, denominators = zip(*parts, strict=True)
    return list(names), np.array(numerators), np.array(denominators)


def _figures(names: Sequence[str], statistics: NDArray[np.float64]) -> dict[str, Any]:
    """The figures that statistics make, alike for their estimates, (S,), and for weights of statistics, (S, S)."""
    mean = {name: statistics[[place for place, other in enumerate(names) if other == name]] for name in names}
    models = {name: values for name, values in mean.items() if name.startswith("accuracy")}  # axis 0 is the model
    if by_kind := [values for name, values in models.items() if name.startswith("accuracy_by_kind/")]:
        models["macro_accuracy"] = np.mean(by_kind, axis=0)
    if "affirmative picks" in mean:
        models["affirmation_bias"] = mean["affirmative picks"]
    if "blind" in mean:
        models["blind_accuracy"] = mean["blind"][:1]
        models["vision_gain"] = mean["accuracy"][: len(mean["blind"])] - mean["blind"]
    figures = _compared(models)
    if "affirmative answers" in mean:  # the same for both models: a difference is one of picks
        figures["affirmation_bias"] = figures["affirmation_bias"] - mean["affirmative answers"][0]
    return figures


def _compared(models: Mapping[str, NDArray[np.float64]]) -> dict[str, Any]:
    """Each figure of the first model and, where there are two, the first's less the second's; axis 0 is the model."""
    figures = {}
    for name, values in models.items():
        figures[name] = values[0]
        if len(values) > 1:
            what, slash, part = name.partition("/")
            figures[f"{what}_difference{slash}{part}"] = values[0] - values[1]
            if name in ("accuracy", "macro_accuracy", "group_score"):
                figures[f"compared_{name}"] = values[1]
    return figures


def _confusion(
    shares: NDArray[np.float64], choice_kinds: NDArray[np.intp], kinds: NDArray[np.intp]
) -> dict[str, dict[str, float]]:
    """For each kind of question, the shares of its picks that fall on choices of each kind; they sum to 1."""
    picks = {kind: (shares * (choice_kinds == number)).sum(axis=1) for number, kind in enumerate(KINDS)}
    asked = {kind: kinds == number for number, kind in enumerate(KINDS) if np.any(kinds == number)}
    return {row: {kind: float(picks[kind][among].mean()) for kind in KINDS} for row, among in asked.items()}


def _nested(figures: Mapping[str, Any]) -> dict[str, Any]:
    """`accuracy_by_kind/negation` as an entry of a dictionary `accuracy_by_kind`."""
    nested: dict[str, Any] = {}
    for name, value in figures.items():
        what, slash, part = name.partition("/")
        nested |= {what: nested.get(what, {}) | {part: value}} if slash else {what: value}
    return nested


def _check_options(n_resamples: int, confidence_level: float, logit_scale: float | None) -> None:
    if isinstance(n_resamples, bool) or not isinstance(n_resamples, int | np.integer) or n_resamples < 0:
        rule = "be a whole number of at least 0 (0 leaves the intervals out)"
        raise _refused("`n_resamples`", rule, n_resamples)
    if not 0 < confidence_level < 1:
        raise _refused("`confidence_level`", "lie between 0 and 1", confidence_level)
    if logit_scale is not None and not logit_scale > 0:
        raise _refused("`logit_scale`", "be above 0", logit_scale)


# -- the door of `evaluate` -------------------------------------------------------------------------------------------

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

_SCORES, _TEXT = datasets.List(datasets.Value("float64")), datasets.Value("string")
_REQUIRED = ("predictions", "references")
_OPTIONS = ("logit_scale", "n_resamples", "confidence_level", "seed")
_FEATURES = {
    "predictions": _SCORES,
    "references": datasets.Value("int64"),
    "kinds": _TEXT,
    "choice_kinds": datasets.List(_TEXT),
    "forms": _TEXT,
    "image_ids": _TEXT,
    "groups": _TEXT,
    "shuffled_predictions": _SCORES,
    "compared_predictions": _SCORES,
    "compared_shuffled_predictions": _SCORES,
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
        """Columns, the same in every batch, in the types that `evaluate` stores."""
        columns = _given(columns)
        if not {*_REQUIRED} <= set(columns):
            raise ValueError("`predictions` and `references` must be given together.")
        stored = {name: _stored(name, values) for name, values in columns.items()}
        if len(stored["predictions"]) or len(stored["references"]):  # evaluate would cut 1.5 to 1, and name no row
            sizes = _scores("predictions", stored["predictions"])[1]
            stored["references"] = _answers(stored["references"], sizes)
        if self.writer is None:
            self.selected_feature_format = self._infer_feature_from_example(stored)
        elif set(stored) != set(self.selected_feature_format):
            held = ", ".join(self.selected_feature_format)
            raise ValueError(f"Every batch must have the columns of the first, {held}; got {', '.join(stored)}.")
        return stored

    def add_batch(self, *, predictions: Any = None, references: Any = None, **columns: Any) -> None:
        """Hold a batch of questions, with the same optional columns in every batch."""
        held = self._stored({"predictions": predictions, "references": references, **columns})
        evaluate.Metric.add_batch(self, **held)

    def add(self, *, prediction: Any = None, reference: Any = None, **columns: Any) -> None:
        """Hold one question."""
        given = {name: [value] for name, value in columns.items() if value is not None}
        held = self._stored({"predictions": [prediction], "references": [reference], **given})
        evaluate.Metric.add(self, **{name: values[0] for name, values in held.items()})

    def _compute(self, predictions: Any, references: Any, **given: Any) -> dict[str, Any]:
        options = {name: given.pop(name) for name in sorted(given) if name in _OPTIONS}
        held = {name: self.data[name][:] for name in self.data.column_names if name not in _REQUIRED}
        if twice := sorted(set(held) & set(_given(given))):
            raise ValueError(f"`{twice[0]}` was given with the batches and must not be given to `compute` again.")
        return score_questions({"predictions": predictions, "references": references, **given, **held}, **options)


def _stored(name: str, values: Any) -> list[Any]:
    """A column in the type that `evaluate` stores: names of kinds for numbers, text for ids, "" for no group."""
    if name.endswith("predictions"):
        return _score_rows(name, values)
    if name.endswith("kinds"):
        named = [[KINDS[number] for number in row] for row in _kind_rows(name, values)]
        return [kind for row in named for kind in row] if name == "kinds" else named
    rows = _listed(name, values)
    if name in ("references", "image_ids"):
        return rows if name == "references" else _image_names(rows)
    return ["" if name == "groups" and _is_missing(value) else str(value) for value in rows]
