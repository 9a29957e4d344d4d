import doctest
import math

import numpy as np
import pytest

from notclip.evaluate_metrics.negated_retrieval import negated_retrieval
from notclip.evaluate_metrics.negated_retrieval.negated_retrieval import score_retrieval


def random_search(seed=0, queries=80, images=25):
    """Scores of a random model, their rankings, one to three relevant images a query, and what must not be shown."""
    generator = np.random.default_rng(seed)
    scores = generator.normal(size=(queries, images))
    relevant = [
        [f"i{image}" for image in generator.choice(images, generator.integers(1, 4), replace=False)]
        for _ in range(queries)
    ]
    excluded = [
        [f"i{image}" for image in generator.choice(images, generator.integers(0, 9), replace=False)]
        for _ in range(queries)
    ]
    ranked = [[f"i{image}" for image in np.argsort(-row)] for row in scores]
    return scores, {"predictions": ranked, "references": relevant, "excluded": excluded}


def negbench_recall(scores, relevant, k):
    """NegBench's own definition (benchmarks/src/evaluation/retrieval.py): one-hot top k against a matrix of pairs."""
    positive = np.zeros(scores.shape, dtype=bool)
    for query, images in enumerate(relevant):
        positive[query, [int(image[1:]) for image in images]] = True
    top = np.argsort(-scores, axis=1)[:, :k]
    one_hot = np.eye(scores.shape[1], dtype=int)[top]  # (Q, k, I)
    true_positives = (one_hot * positive[:, None, :]).sum(axis=(1, 2))
    return float((true_positives / positive.sum(axis=1) > 0).mean())


def slow_figures(predictions, references, excluded, ks):
    figures = {}
    ranks = []
    for ranked, relevant in zip(predictions, references, strict=True):
        places = [ranked.index(image) + 1 for image in relevant if image in ranked]
        ranks.append(min(places) if places else math.inf)
    for k in ks:
        figures[f"recall@{k}"] = sum(rank <= k for rank in ranks) / len(ranks)
        shares = [
            len([image for image in ranked[:k] if image in unwanted]) / k
            for ranked, unwanted in zip(predictions, excluded, strict=True)
            if unwanted
        ]
        figures[f"violation@{k}"] = sum(shares) / len(shares)
    figures["mrr"] = sum(1 / rank for rank in ranks) / len(ranks)
    figures["median_rank"] = float(np.median(ranks))
    return figures


def test_the_docstrings_tell_the_truth():
    outcome = doctest.testmod(negated_retrieval)
    assert outcome.attempted >= 7
    assert outcome.failed == 0


@pytest.mark.parametrize("seed", range(5))
def test_every_figure_equals_its_slow_definition(seed):
    _, search = random_search(seed)
    figures = score_retrieval(search, n_resamples=0)
    for name, expected in slow_figures(**search, ks=(1, 5, 10)).items():
        assert figures[name] == pytest.approx(expected, abs=1e-12), name


@pytest.mark.parametrize("seed", range(3))
def test_recall_is_that_of_negbench_to_the_last_digit(seed):
    scores, search = random_search(seed, queries=300)
    figures = score_retrieval(search, n_resamples=0)
    for k in (1, 5, 10):
        assert figures[f"recall@{k}"] == negbench_recall(scores, search["references"], k)


def test_recall_per_image_counts_an_image_once_however_many_queries_it_has():
    search = {"predictions": [["a"], ["a"], ["a"], ["b"]], "references": [["a"], ["a"], ["a"], ["c"]]}
    figures = score_retrieval(search, ks=[1])
    assert figures["recall@1"] == 3 / 4
    assert figures["recall_per_image@1"] == 1 / 2
    low, high = figures["confidence_intervals"]["recall_per_image@1"]
    assert low < 1 / 2 < high


def test_captions_are_found_by_images_with_the_roles_swapped():
    scores, search = random_search(queries=60, images=12)  # rows are captions here, columns images
    captions_of = {
        image: [q for q, images in enumerate(search["references"]) if image in images] for image in "i0 i7".split()
    }
    ranked = [[f"q{q}" for q in np.argsort(-scores[:, int(image[1:])])] for image in captions_of]
    relevant = [[f"q{q}" for q in queries] for queries in captions_of.values()]
    figures = score_retrieval(
        {"predictions": ranked, "references": relevant, "image_ids": list(captions_of)}, n_resamples=0
    )
    best = [max(captions_of[image], key=lambda q, i=image: scores[q, int(i[1:])]) for image in captions_of]
    ranks = [(scores[:, int(i[1:])] >= scores[q, int(i[1:])]).sum() for q, i in zip(best, captions_of, strict=True)]
    assert figures["mrr"] == pytest.approx(np.mean([1 / rank for rank in ranks]))


def test_the_affirmative_half_of_a_query_is_enough_for_recall_but_not_for_violations():
    ranked = [["street", *[f"street with car {k}" for k in range(9)]]]
    figures = score_retrieval(
        {"predictions": ranked, "references": [["street"]], "excluded": [ranked[0][1:]]}, n_resamples=0
    )
    assert figures["recall@1"] == 1
    assert figures["violation@10"] == 0.9


def test_queries_whose_exclusion_is_shown_nowhere_do_not_count_as_obeyed():
    search = {"predictions": [["a", "b"], ["a", "b"]], "references": [["a"], ["b"]]}
    figures = score_retrieval(search | {"excluded": [["b"], []]}, gallery_size=4, ks=[2], n_resamples=0)
    assert figures["violation@2"] == 0.5
    assert figures["violation_chance"] == 0.25
    assert "violation@2" not in score_retrieval(search | {"excluded": [[], []]}, ks=[2])


def test_exact_ranks_make_shortened_lists_exact():
    _, search = random_search()
    whole = score_retrieval(search, n_resamples=0)
    ranks = [
        min(row.index(image) for image in images) + 1
        for row, images in zip(search["predictions"], search["references"], strict=True)
    ]
    search["predictions"] = [row[:10] for row in search["predictions"]]
    assert score_retrieval(search | {"ranks": ranks}, n_resamples=0) == whole
    assert score_retrieval(search, n_resamples=0)["mrr"] < whole["mrr"]


def test_a_median_rank_beyond_the_lists_is_left_out():
    figures = score_retrieval({"predictions": [["a"], ["a"], ["a"]], "references": [["a"], ["b"], ["b"]]}, ks=[1])
    assert "median_rank" not in figures


def test_the_negation_drop_is_ordinary_recall_less_negated_recall():
    _, search = random_search()
    _, ordinary = random_search(1, queries=200)
    figures = score_retrieval(
        search
        | {
            "image_ids": ["one image"] * 80,
            "standard_predictions": ordinary["predictions"],
            "standard_references": ordinary["references"],
            "standard_image_ids": ["one image"] * 200,
        }
    )
    alone = score_retrieval(
        {"predictions": ordinary["predictions"], "references": ordinary["references"]}, n_resamples=0
    )
    for k in (1, 5, 10):
        assert figures[f"standard_recall@{k}"] == alone[f"recall@{k}"]
        assert figures[f"negation_drop@{k}"] == figures[f"standard_recall@{k}"] - figures[f"recall@{k}"]
    assert figures["standard_mrr"] == alone["mrr"]
    assert set(figures["confidence_intervals"]) >= {"negation_drop@5", "standard_recall@5", "violation@5", "mrr"}


def test_the_negation_drop_looks_at_images_with_both_kinds_of_query_alone():
    figures = score_retrieval(
        {
            "predictions": [["a"], ["c"]],
            "references": [["a"], ["b"]],
            "standard_predictions": [["a"], ["a"]],
            "standard_references": [["a"], ["c"]],
        },
        ks=[1],
        n_resamples=0,
    )
    assert (figures["recall@1"], figures["standard_recall@1"]) == (0.5, 0.5)
    assert figures["negation_drop@1"] == 0  # found by either query of "a"; "b" and "c" have one each


def test_negated_and_ordinary_queries_of_an_image_are_resampled_together():
    # Half of the images are found by either kind of query and half by none, so that the drop is 0 in every image.
    images = [f"i{k}" for k in range(200)]
    ranked = [[image if number % 2 else "none"] for number, image in enumerate(images)]
    together = score_retrieval(
        {
            "predictions": ranked,
            "references": [[i] for i in images],
            "standard_predictions": ranked,
            "standard_references": [[i] for i in images],
        },
        ks=[1],
    )
    apart = score_retrieval(
        {
            "predictions": ranked,
            "references": [[i] for i in images],
            "standard_predictions": ranked,
            "standard_references": [[i] for i in images],
            "standard_image_ids": np.roll(images, 1),
        },
        ks=[1],
    )
    width = np.ptp(together["confidence_intervals"]["negation_drop@1"])
    assert width < 0.3 * np.ptp(apart["confidence_intervals"]["negation_drop@1"])


def test_two_models_are_compared_on_the_same_queries():
    _, search = random_search()
    perfect = [
        sorted(row, key=lambda image, r=relevant: image not in r)
        for row, relevant in zip(search["predictions"], search["references"], strict=True)
    ]
    figures = score_retrieval(search | {"predictions": perfect, "compared_predictions": search["predictions"]})
    alone = score_retrieval(search, n_resamples=0)
    assert figures["compared_recall@5"] == alone["recall@5"]
    assert figures["compared_violation@5"] == alone["violation@5"]
    assert figures["recall_difference@1"] == 1 - alone["recall@1"]
    assert figures["confidence_intervals"]["recall_difference@1"][0] > 0
    assert figures["recall_p_value@1"] <= 0.002
    itself = score_retrieval(search | {"compared_predictions": search["predictions"]})
    assert itself["recall_p_value@5"] == itself["violation_p_value@5"] == 1


def test_intervals_are_the_same_under_the_same_seed_and_hold_their_estimates():
    _, search = random_search()
    figures = score_retrieval(search, seed=3)
    assert figures == score_retrieval(search, seed=3)
    for name, (low, high) in figures["confidence_intervals"].items():
        assert low <= figures[name] <= high


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"predictions": [["a"], ["a", "b"]]}, "`predictions` row 0 must rank at least 2 images, got 1.*smaller `ks`"),
        ({"predictions": [["a", "a"], ["a", "b"]]}, "`predictions` row 0 .*each image once, got 'a'"),
        ({"predictions": ["ab", ["a", "b"]]}, "`predictions` row 0 .*list .*got 'ab'"),
        ({"predictions": [["a", "b"]]}, "`predictions` .*each of the 2 .*got 1"),
        ({"references": [["a"], []]}, "`references` row 1 .*at least one"),
        ({"predictions": [], "references": []}, "`references` .*at least one query"),
        ({"excluded": [["a"]]}, "`excluded` must have one row"),
        ({"ranks": [2, 2]}, "`ranks` row 0 .*be 1, .*got 2"),
        ({"references": [["c"], ["b"]], "ranks": [2, 2]}, "`ranks` row 0 must be at least 3"),
        ({"references": [["c"], ["b"]], "ranks": [float("nan"), 2]}, "`ranks` row 0 .* got nan"),
        ({"standard_predictions": [["a", "b"]]}, "`standard_predictions` and `standard_references`"),
        ({"predictions": [["a", 0.5], ["a", "b"]]}, "`predictions` row 0 must hold image ids, .*, got 0.5"),
        ({"references": [["a"], [None]]}, "`references` row 1 must hold image ids, .*, got None"),
        ({"ks": [0]}, "`ks` .*at least 1, got .0."),
        ({"ks": 5}, "`ks` .*at least 1, got 5"),
        ({"gallery_size": 0}, "`gallery_size` must be at least 1"),
        ({"gallery_size": 1}, "`gallery_size` .*at least the 2 .*got 1"),
        ({"n_resamples": -1}, "`n_resamples` .*at least 0"),
        ({"n_resamples": 0.5}, "`n_resamples` .*at least 0"),
        ({"confidence_level": 1.0}, "`confidence_level` must lie between 0 and 1"),
    ],
)
def test_bad_input_is_refused_by_argument_row_rule_and_value(change, message):
    columns = {"predictions": [["a", "b"], ["a", "b"]], "references": [["a"], ["b"]]}
    options = {"ks": [1, 2]}
    for name, value in change.items():
        (options if name in ("ks", "gallery_size", "n_resamples", "confidence_level") else columns)[name] = value
    with pytest.raises(ValueError, match=message):
        score_retrieval(columns, **options)
