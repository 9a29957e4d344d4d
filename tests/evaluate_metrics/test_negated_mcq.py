import doctest
import math
import random

import numpy as np
import pytest

from notclip.evaluate_metrics.negated_mcq import negated_mcq
from notclip.evaluate_metrics.negated_mcq.negated_mcq import KINDS, holm_adjusted, mcnemar_p_value, score_questions


def random_questions(seed=0, count=60, *, ties=True, choices=4):
    """Scores, answers, kinds of choices and image ids; with scores so coarse that many questions have ties."""
    generator = np.random.default_rng(seed)
    scores = generator.integers(0, 5, (count, choices)) / 4 if ties else generator.normal(size=(count, choices))
    return {
        "predictions": scores,
        "references": generator.integers(0, choices, count),
        "choice_kinds": [[KINDS[k] for k in row] for row in generator.integers(0, 3, (count, choices))],
        "image_ids": [f"image {k}" for k in generator.integers(0, count // 3, count)],
        "shuffled_predictions": generator.integers(0, 5, (count, choices)) / 4,
    }


def slow_shares(scores):
    best = [choice for choice, score in enumerate(scores) if score == max(scores)]
    return {choice: 1 / len(best) if choice in best else 0.0 for choice in range(len(scores))}


def mean(values):
    values = list(values)
    return math.fsum(values) / len(values)


def slow_figures(predictions, references, choice_kinds, shuffled_predictions, **_):
    """Every figure by its definition, one question at a time."""
    questions = list(zip(predictions, references, choice_kinds, shuffled_predictions, strict=True))
    picks = [slow_shares(scores) for scores in predictions]
    credit = [pick[answer] for pick, answer in zip(picks, references, strict=True)]
    kind_of = [kinds[answer] for _, answer, kinds, _ in questions]
    by_kind = {k: mean(c for c, of in zip(credit, kind_of, strict=True) if of == k) for k in KINDS if k in kind_of}
    confusion = {
        kind: {
            chosen: mean(
                sum(share for choice, share in pick.items() if kinds[choice] == chosen)
                for pick, kinds, of in zip(picks, choice_kinds, kind_of, strict=True)
                if of == kind
            )
            for chosen in KINDS
        }
        for kind in by_kind
    }
    picked = mean(
        sum(share for choice, share in pick.items() if kinds[choice] == "affirmation")
        for pick, kinds in zip(picks, choice_kinds, strict=True)
    )
    blind = mean(slow_shares(scores)[answer] for _, answer, _, scores in questions)
    return {
        "accuracy": mean(credit),
        "accuracy_by_kind": by_kind,
        "macro_accuracy": mean(by_kind.values()),
        "confusion": confusion,
        "affirmation_bias": picked - mean(of == "affirmation" for of in kind_of),
        "tie_rate": mean(max(pick.values()) < 1 for pick in picks),
        "chance": mean(1 / len(scores) for scores in predictions),
        "blind_accuracy": blind,
        "vision_gain": mean(credit) - blind,
    }


def negbench_accuracy(scores, answers):
    """NegBench's own definition (benchmarks/src/evaluation/mcq.py): argmax, compared with the answer."""
    return sum(int(np.argmax(row)) == answer for row, answer in zip(scores, answers, strict=True)) / len(answers)


def test_the_docstrings_tell_the_truth():
    outcome = doctest.testmod(negated_mcq)
    assert outcome.attempted >= 9
    assert outcome.failed == 0


@pytest.mark.parametrize("seed", range(5))
def test_every_figure_equals_its_slow_definition(seed):
    questions = random_questions(seed)
    figures = score_questions(questions, n_resamples=0)
    expected = slow_figures(**questions)
    for kind, row in expected.pop("confusion").items():
        assert figures["confusion"][kind] == pytest.approx(row, abs=1e-12)
    for name, value in expected.items():
        assert figures[name] == pytest.approx(value, abs=1e-12), name


def test_without_ties_accuracy_is_that_of_negbench_to_the_last_digit():
    questions = random_questions(1, 1000, ties=False)
    figures = score_questions(questions, n_resamples=0)
    assert figures["tie_rate"] == 0
    assert figures["accuracy"] == negbench_accuracy(questions["predictions"], questions["references"])


def test_a_constant_scorer_gets_chance_where_negbench_gives_it_everything():
    scores, answers = np.zeros((100, 4)), np.zeros(100, dtype=int)
    assert negbench_accuracy(scores, answers) == 1.0
    figures = score_questions({"predictions": scores, "references": answers}, n_resamples=0)
    assert (figures["accuracy"], figures["chance"], figures["tie_rate"]) == (0.25, 0.25, 1.0)


def test_where_the_answer_stands_does_not_matter():
    questions = random_questions(3)
    order = random.Random(0).sample(range(4), 4)
    moved = {
        **questions,
        "predictions": questions["predictions"][:, order],
        "shuffled_predictions": questions["shuffled_predictions"][:, order],
        "references": np.array([order.index(answer) for answer in questions["references"]]),
        "choice_kinds": [[kinds[k] for k in order] for kinds in questions["choice_kinds"]],
    }
    assert score_questions(moved, n_resamples=50) == score_questions(questions, n_resamples=50)


def test_questions_may_have_different_numbers_of_choices():
    figures = score_questions(
        {"predictions": [[1.0, 0.0], [0.2, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4]], "references": [0, 1, 0]}, n_resamples=0
    )
    assert figures["accuracy"] == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert figures["chance"] == pytest.approx((1 / 2 + 1 / 3 + 1 / 4) / 3)


def test_a_model_that_never_looks_has_no_vision_gain():
    questions = random_questions()
    questions["shuffled_predictions"] = questions["predictions"]
    assert score_questions(questions, n_resamples=0)["vision_gain"] == 0


def test_a_scorer_that_always_affirms_is_as_biased_as_questions_lack_affirmations():
    kinds = ["affirmation", "negation", "hybrid"]
    figures = score_questions(
        {"predictions": [[1, 0, 0]] * 3, "references": [0, 1, 2], "choice_kinds": [kinds] * 3}, n_resamples=0
    )
    assert figures["affirmation_bias"] == pytest.approx(1 - 1 / 3)
    assert figures["confusion"]["negation"] == {"affirmation": 1.0, "negation": 0.0, "hybrid": 0.0}


def test_accuracy_by_form_takes_any_labels():
    figures = score_questions(
        {"predictions": [[1, 0], [1, 0], [0, 1]], "references": [0, 1, 1], "forms": ["no X", "without X", "no X"]}
    )
    assert figures["accuracy_by_form"] == {"no X": 1.0, "without X": 0.0}
    assert figures["n_questions_by_form"] == {"no X": 2, "without X": 1}
    assert set(figures["confidence_intervals"]["accuracy_by_form"]) == {"no X", "without X"}


def test_kinds_may_be_the_numbers_of_a_class_label():
    by_name = score_questions(
        {"predictions": [[1, 0], [0, 1]], "references": [0, 0], "kinds": ["affirmation", "hybrid"]}, n_resamples=0
    )
    numbers = {"predictions": [[1, 0], [0, 1]], "references": [0, 0], "kinds": np.array([0, 2])}
    assert score_questions(numbers, n_resamples=0) == by_name


def test_a_calibrated_model_has_no_calibration_error():
    # Two choices, logits 0 and log 3: confidence 3/4, and right three times of four.
    scores = [[math.log(3), 0.0]] * 4
    figures = score_questions({"predictions": scores, "references": [0, 0, 0, 1]}, logit_scale=1.0, n_resamples=0)
    assert figures["calibration_error"] == pytest.approx(0)
    sure = score_questions({"predictions": scores, "references": [0, 0, 0, 1]}, logit_scale=100.0, n_resamples=0)
    assert sure["calibration_error"] == pytest.approx(0.25)


# -- intervals -------------------------------------------------------------------------------------------------------


def test_intervals_are_the_same_under_the_same_seed_and_hold_their_estimates():
    questions = random_questions()
    first, again = score_questions(questions, seed=4), score_questions(questions, seed=4)
    assert first == again
    assert first != score_questions(questions, seed=5)
    for name, bounds in first["confidence_intervals"].items():
        for estimate, (low, high) in (
            zip(first[name].values(), bounds.values(), strict=True)
            if isinstance(bounds, dict)
            else [(first[name], bounds)]
        ):
            assert low <= estimate <= high


def slow_bootstrap(credit, images, *, n_resamples, seed):
    """Resample images with replacement, four made-up ones among them, and average their questions' credits."""
    by_image = {}
    for value, image in zip(credit, images, strict=True):
        by_image.setdefault(image, []).append(value)
    per_image = len(credit) / len(by_image)
    sums = [(math.fsum(values), len(values)) for values in by_image.values()]
    sums += [(per_image, per_image)] * 2 + [(0, per_image)] * 2
    source = random.Random(seed)
    means = []
    for _ in range(n_resamples):
        drawn = source.choices(sums, k=len(sums))
        means.append(math.fsum(right for right, _ in drawn) / math.fsum(count for _, count in drawn))
    return np.quantile(means, [0.025, 0.975])


def test_the_interval_is_that_of_a_slow_bootstrap_over_images():
    generator = np.random.default_rng(0)
    images = np.repeat(np.arange(100), 4)
    right = generator.random(100)[images] < generator.random(400)
    scores = np.stack([right * 2.0, np.ones(400)], axis=1)
    figures = score_questions(
        {"predictions": scores, "references": np.zeros(400, dtype=int), "image_ids": images}, n_resamples=4000
    )
    expected = slow_bootstrap(right.astype(float), images, n_resamples=4000, seed=1)
    assert figures["confidence_intervals"]["accuracy"] == pytest.approx(expected, abs=0.01)


def test_questions_that_share_an_image_count_as_one_where_they_agree():
    right = np.random.default_rng(0).random(100) < 0.7
    scores = np.stack([right * 2.0, np.ones(100)], axis=1)
    once = score_questions({"predictions": scores, "references": np.zeros(100, dtype=int)})
    tenfold = {"predictions": np.repeat(scores, 10, axis=0), "references": np.zeros(1000, dtype=int)}
    by_image = score_questions(tenfold | {"image_ids": np.repeat(np.arange(100), 10)})
    by_question = score_questions(tenfold)
    assert by_image["confidence_intervals"]["accuracy"] == pytest.approx(
        once["confidence_intervals"]["accuracy"], abs=0.02
    )
    assert np.ptp(by_question["confidence_intervals"]["accuracy"]) < 0.4 * np.ptp(
        by_image["confidence_intervals"]["accuracy"]
    )


def test_twelve_right_answers_of_twelve_do_not_prove_perfection():
    figures = score_questions({"predictions": [[1, 0]] * 12, "references": [0] * 12})
    low, high = figures["confidence_intervals"]["accuracy"]
    assert 0.6 < low < 0.8
    assert high == 1.0


def chance_of(right, images, accuracy):
    return math.comb(images, right) * accuracy**right * (1 - accuracy) ** (images - right)


@pytest.mark.parametrize(("images", "accuracy"), [(12, 0.5), (12, 0.9), (30, 0.95), (60, 0.98)])
def test_intervals_of_few_images_hold_the_truth_where_a_plain_bootstrap_does_not(images, accuracy):
    generator = np.random.default_rng(0)
    covered = plainly_covered = 0.0  # exactly, over every number of right answers that can come out
    for right in range(images + 1):
        scores = np.stack([(np.arange(images) < right) * 2.0, np.ones(images)], axis=1)
        figures = score_questions({"predictions": scores, "references": np.zeros(images, dtype=int)})
        low, high = figures["confidence_intervals"]["accuracy"]
        covered += chance_of(right, images, accuracy) * (low <= accuracy <= high)
        low, high = np.quantile(generator.binomial(images, right / images, 1000) / images, [0.025, 0.975])
        plainly_covered += chance_of(right, images, accuracy) * (low <= accuracy <= high)
    assert covered > 0.92
    assert covered >= plainly_covered


# -- two models ------------------------------------------------------------------------------------------------------


def test_a_model_does_not_differ_from_itself():
    questions = random_questions()
    figures = score_questions(questions | {"compared_predictions": questions["predictions"]})
    assert figures["accuracy_difference"] == 0
    assert figures["mcnemar_p_value"] == 1
    assert figures["bootstrap_p_value"] > 0.5


def test_a_better_model_is_found_better_by_both_tests():
    generator = np.random.default_rng(0)
    worse, better = (np.stack([(generator.random(300) < share) * 2.0, np.ones(300)], axis=1) for share in (0.5, 0.7))
    figures = score_questions(
        {
            "predictions": better,
            "references": np.zeros(300, dtype=int),
            "kinds": ["negation"] * 300,
            "compared_predictions": worse,
        }
    )
    other = score_questions({"predictions": worse, "references": np.zeros(300, dtype=int)}, n_resamples=0)
    assert figures["compared_accuracy"] == other["accuracy"]
    assert figures["accuracy_difference"] == pytest.approx(figures["accuracy"] - other["accuracy"])
    assert figures["macro_accuracy_difference"] == pytest.approx(figures["accuracy_difference"])
    assert figures["mcnemar_p_value"] < 0.001
    assert figures["bootstrap_p_value"] <= 0.002
    assert figures["confidence_intervals"]["accuracy_difference"][0] > 0


def test_mcnemar_is_the_exact_binomial_test_on_the_disagreements():
    first = np.array([True] * 8 + [False] * 2 + [True] * 30)
    second = np.array([False] * 8 + [True] * 2 + [True] * 30)
    tail = sum(math.comb(10, k) for k in range(3)) / 2**10
    assert mcnemar_p_value(first, second) == pytest.approx(2 * tail)
    assert mcnemar_p_value(np.arange(5000) < 2600, np.arange(5000) >= 2600) == pytest.approx(0.0049, abs=0.0002)


@pytest.mark.parametrize("seed", range(20))
def test_holm_is_the_step_down_test_at_every_level(seed):
    generator = np.random.default_rng(seed)
    p_values = {f"model {k}": round(float(p), 2) for k, p in enumerate(generator.random(6) ** 3)}
    adjusted = holm_adjusted(p_values)
    for level in np.linspace(0.005, 0.995, 34):
        rejected = set()  # Holm's own words: go up from the smallest until one is above level / (hypotheses left)
        for name in sorted(p_values, key=p_values.get):
            if p_values[name] > level / (len(p_values) - len(rejected)):
                break
            rejected.add(name)
        assert {name for name, p in adjusted.items() if p <= level} == rejected


def test_kinds_are_compared_each_for_itself():
    kinds = ["affirmation"] * 40 + ["negation"] * 40
    first = np.stack([np.ones(80), np.repeat([0.0, 2.0], 40)], axis=1)  # affirmation right, negation wrong
    second = np.tile([1.0, 0.0], (80, 1))  # all right
    figures = score_questions(
        {"predictions": first, "references": np.zeros(80, dtype=int), "kinds": kinds, "compared_predictions": second}
    )
    assert figures["accuracy_by_kind_difference"] == {"affirmation": 0.0, "negation": -1.0}
    assert figures["macro_accuracy_difference"] == -0.5
    assert figures["macro_accuracy_p_value"] <= 0.002
    assert figures["confidence_intervals"]["accuracy_by_kind_difference"]["negation"][1] < -0.7


@pytest.mark.parametrize("seed", range(3))
def test_biases_and_vision_gains_of_two_models_are_compared_on_the_same_images(seed):
    questions = random_questions(seed)
    others = random_questions(seed + 100)
    generator = np.random.default_rng(seed)
    n, choices = np.shape(questions["predictions"])
    columns = {
        "references": questions["references"],
        "choice_kinds": np.array(["affirmation", "negation", "hybrid"])[generator.integers(0, 3, (n, choices))],
        "image_ids": generator.integers(0, n // 3, n),
    }
    blind, other_blind = generator.random((2, n, choices))
    first = score_questions(
        {"predictions": questions["predictions"], "shuffled_predictions": blind} | columns, n_resamples=0
    )
    second = score_questions(
        {"predictions": others["predictions"], "shuffled_predictions": other_blind} | columns, n_resamples=0
    )
    both = score_questions(
        {
            "predictions": questions["predictions"],
            "shuffled_predictions": blind,
            "compared_predictions": others["predictions"],
            "compared_shuffled_predictions": other_blind,
        }
        | columns
    )
    for figure in ("affirmation_bias", "vision_gain"):
        difference = both[f"{figure}_difference"]
        assert difference == pytest.approx(first[figure] - second[figure], abs=1e-12)
        low, high = both["confidence_intervals"][f"{figure}_difference"]
        assert low <= difference <= high
        assert (both[f"{figure}_p_value"] < 0.05) == (not low <= 0 <= high)


def test_a_model_that_looks_gains_more_than_one_that_reads_captions_alone():
    answers = np.arange(200) % 2
    looks, knows_the_answer_by_heart = np.eye(2)[answers], np.eye(2)[answers]
    figures = score_questions(
        {
            "predictions": looks,
            "references": answers,
            "shuffled_predictions": np.eye(2)[1 - answers],
            "compared_predictions": knows_the_answer_by_heart,
            "compared_shuffled_predictions": knows_the_answer_by_heart,
        }
    )
    assert figures["accuracy_difference"] == 0
    assert figures["vision_gain_difference"] == 1
    assert figures["vision_gain_p_value"] <= 0.002


# -- questions that count together -----------------------------------------------------------------------------------


def slow_group_score(predictions, references, groups):
    """Settle every tie by lot in all ways, and count how often each whole group is right."""
    shares = []
    for group in sorted({group for group in groups if group is not None}):
        own = [row for row, name in enumerate(groups) if name == group]
        if len(own) > 1:
            shares.append(math.prod(slow_shares(predictions[row])[references[row]] for row in own))
    return mean(shares)


@pytest.mark.parametrize("seed", range(5))
def test_the_group_score_equals_its_slow_definition(seed):
    questions = random_questions(seed)
    generator = np.random.default_rng(seed)
    groups = [None if k == 0 else f"group {k}" for k in generator.integers(0, 25, 60)]
    figures = score_questions(questions | {"groups": groups}, n_resamples=200)
    expected = slow_group_score(questions["predictions"].tolist(), questions["references"].tolist(), groups)
    assert figures["group_score"] == pytest.approx(expected, abs=1e-12)
    low, high = figures["confidence_intervals"]["group_score"]
    assert low <= expected <= high


def test_who_prefers_a_caption_whatever_the_image_has_no_pair_right():
    pairs = {"references": [0, 1] * 50, "groups": np.repeat(np.arange(50), 2).tolist()}
    figures = score_questions({"predictions": [[0.9, 0.1]] * 100} | pairs)
    assert (figures["accuracy"], figures["group_score"], figures["group_chance"]) == (0.5, 0.0, 0.25)
    assert figures["n_groups"] == 50
    looking = score_questions(
        {"predictions": [[0.9, 0.1], [0.1, 0.9]] * 50} | pairs | {"compared_predictions": [[0.9, 0.1]] * 100}
    )
    assert looking["group_score_difference"] == 1.0
    assert looking["group_score_p_value"] <= 0.002


def test_groups_that_share_an_image_are_resampled_together():
    right = np.random.default_rng(0).random(40) < 0.5
    scores = np.repeat(np.stack([right * 2.0, np.ones(40)], axis=1), 10, axis=0)  # ten questions, five pairs an image
    pairs = {"references": np.zeros(400, dtype=int), "groups": np.arange(400) // 2}
    linked = score_questions({"predictions": scores} | pairs | {"image_ids": np.arange(400) // 10})
    apart = score_questions({"predictions": scores} | pairs | {"image_ids": np.arange(400)})
    width = np.ptp(linked["confidence_intervals"]["group_score"])
    assert np.ptp(apart["confidence_intervals"]["group_score"]) < 0.6 * width
    alone = score_questions({"predictions": scores} | pairs | {"groups": [None] * 400})
    assert "group_score" not in alone


# -- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"predictions": [[0.1, float("nan")], [0.2, 0.3]]}, "`predictions` row 0, choice 1 .* finite .* nan"),
        ({"predictions": [[0.1, 0.2], [0.2, float("inf")]]}, "`predictions` row 1, choice 1 .* inf"),
        ({"predictions": [[0.1, 0.2], [0.2]]}, r"`predictions` row 1 .*at least two .*got \[0.2\]"),
        (
            {"predictions": [[0.1, 0.2], ["a", "b"]]},
            "`predictions` row 1 .*list of numbers",
        ),
        ({"predictions": [], "references": []}, "`predictions` .*at least one question"),
        ({"references": [0, 2]}, "`references` row 1 .*of its choices, 0 to 1, got 2"),
        ({"references": [0, -1]}, "`references` row 1 .* got -1"),
        ({"references": [0.0, 1.0]}, "`references` .*whole numbers"),
        ({"references": [0]}, "`references` .*number for each of 2 questions"),
        ({"kinds": ["positive", "negation"]}, "`kinds` row 0 .* got 'positive'.*affirmation and negation"),
        ({"kinds": ["hybrid"]}, "`kinds` .*each of the 2 .*got 1"),
        ({"kinds": [0, 3]}, "`kinds` row 1 .* got 3"),
        ({"choice_kinds": [["hybrid", "negation"], ["hybrid"]]}, "`choice_kinds` row 1 must name 2 kinds, got 1"),
        ({"kinds": [0, 0], "choice_kinds": [[0, 1], [0, 1]]}, "`kinds` row 1 .*right choice"),
        ({"image_ids": ["a"]}, "`image_ids` must have one row"),
        ({"groups": ["a"]}, "`groups` must have one row"),
        ({"predictions": [[[0.1], [0.2]], [[0.1], [0.2]]]}, "`predictions` row 0 .*at least two scores"),
        ({"predictions": [0.1, 0.2]}, "`predictions` row 0 .*at least two .*got 0.1"),
        ({"shuffled_predictions": [[0.1, 0.2]]}, "`shuffled_predictions` must have one row"),
        ({"compared_predictions": [[0.1, 0.2], [0.1, 0.2, 0.3]]}, "`compared_predictions` row 1 .* same 2 choices"),
        ({"compared_shuffled_predictions": [[0.1, 0.2]] * 2}, "must be given with `compared_predictions` and"),
        ({"n_resamples": -1}, "`n_resamples` .*at least 0"),
        ({"confidence_level": 95}, "`confidence_level` must lie between 0 and 1, got 95"),
        ({"logit_scale": 0}, "`logit_scale` must be above 0"),
    ],
)
def test_bad_input_is_refused_by_argument_row_rule_and_value(change, message):
    columns, options = {"predictions": [[0.1, 0.2], [0.2, 0.3]], "references": [0, 1]}, {}
    for name, value in change.items():
        (options if name in ("logit_scale", "n_resamples", "confidence_level") else columns)[name] = value
    with pytest.raises(ValueError, match=message):
        score_questions(columns, **options)
