"""Score a model on a suite: every figure comes from the functions that `evaluate.load` gives as well."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from notclip.errors import BadInputError
from notclip.evaluate_metrics.negated_mcq.negated_mcq import score_questions
from notclip.evaluate_metrics.negated_retrieval.negated_retrieval import score_retrieval
from notclip.scoring.answers import captions_found, depths, images_found, other_images, question_scores
from notclip.scoring.cache import EmbeddingCache
from notclip.scoring.embed import DualScorer, TextVectors, embed_photos, embed_texts
from notclip.scoring.predictions import Found, Predictions, pair_key, query_key, question_key
from notclip.scoring.python_model import CallableScorer
from notclip.scoring.python_scores import score_pairs
from notclip.scoring.suites.suite import Suite, SuiteQuestion, without_broken
from notclip.scoring.winoground import pair_scores, score_image_pairs

# What the retrieval metric says of the queries that it is given first: in the results their kind is said.
_OF_QUERIES = ("recall", "mrr", "median_rank")


@dataclass
class SuiteScores:
    """A model's figures on a suite, and what they were computed from.

    Args:
        metrics: name -> figure, or name -> kind -> figure.
        confidence_intervals: the same names -> [low, high].
        comparisons: label of another model -> differences (this model less that one), tests, and intervals.
        predictions: what the model answered, for a later comparison.
        suite: what was asked, without what was left out.
    """

    metrics: dict[str, Any]
    confidence_intervals: dict[str, Any]
    comparisons: dict[str, dict[str, Any]]
    predictions: Predictions
    suite: Suite

    def add(self, figures: Mapping[str, Any], names: Mapping[str, str] | None = None, *, only: bool = False) -> None:
        """Enter what a metric computed, under other names where `names` has them; `only` those, where it says so."""
        names = {} if names is None else names
        if only:
            figures = {name: value for name, value in figures.items() if name in names} | {
                "confidence_intervals": {
                    name: bounds for name, bounds in figures.get("confidence_intervals", {}).items() if name in names
                }
            }
        intervals = figures.get("confidence_intervals", {})
        for name, value in figures.items():
            if name not in ("confidence_intervals", "n_images", "n_queries"):
                self.metrics[names.get(name, name)] = value
        self.confidence_intervals.update({names.get(name, name): bounds for name, bounds in intervals.items()})

    def add_differences(self, label: str, figures: Mapping[str, Any], prefix: str = "") -> None:
        """Enter how this model differs from another; `prefix` says of which queries recall and ranks are."""
        entry = self.comparisons.setdefault(label, {"confidence_intervals": {}})
        for name, value in figures.items():
            if "_difference" in name or "_p_value" in name:
                full = prefix + name if name.startswith(_OF_QUERIES) else name
                entry[full] = value
                if name in figures.get("confidence_intervals", {}):
                    entry["confidence_intervals"][full] = figures["confidence_intervals"][name]


@torch.inference_mode()
def score_suite(
    model: DualScorer | CallableScorer,
    suite: Suite,
    *,
    cache: EmbeddingCache | None = None,
    device: torch.device | str = "cpu",
    seed: int = 0,
    batch_size: int = 64,
    n_resamples: int = 1000,
    on_bad_photo: Literal["stop", "skip"] = "stop",
    compared: Mapping[str, Predictions] | None = None,
    progress: bool = True,
) -> SuiteScores:
    """Answer a suite's questions and queries, and compute every figure that they allow.

    Args:
        model: the model.
        suite: what it is asked.
        cache: what was encoded before, and gets what is encoded now.
        device: where embeddings are compared.
        seed: of the bootstrap, of the exchange of images, and of the order of ties.
        batch_size: photos encoded at once; of texts four times as many.
        n_resamples: of the bootstrap over images; 0 leaves the intervals out.
        on_bad_photo: stop at a photo that cannot be decoded, or leave it out and list it.
        compared: label -> what another model answered to the same suite.
        progress: show bars.

    Raises:
        BadInputError: a photo cannot be decoded, a score is not finite, or `compared` answers another suite.
    """
    skip_bad = on_bad_photo == "skip"
    scale = _temperature(model)
    cache = EmbeddingCache() if cache is None else cache
    options: dict[str, Any] = {"progress": progress}
    if isinstance(model, CallableScorer):
        suite = without_broken(suite) if skip_bad else suite
        wanted = _wanted_pairs(suite, seed=seed)
        texts, images = score_pairs(model, suite, wanted, cache.texts, batch_size=4 * batch_size, **options)
    else:
        suite, images = embed_photos(model, suite, cache.photos, batch_size=batch_size, skip_bad=skip_bad, **options)
        texts = embed_texts(model, _texts(suite), cache.texts, batch_size=4 * batch_size, **options)
    _must_be_finite(model, suite, texts, images)
    texts, images = texts.to(device), images.to(device)
    answered = Predictions(
        question_keys=[question_key(question) for question in suite.questions],
        pair_keys=[pair_key(pair) for pair in suite.pairs],
        negated_keys=[query_key(query) for query in suite.negated_queries],
        ordinary_keys=[query_key(query) for query in suite.ordinary_queries],
    )
    compared = {} if compared is None else compared
    for label, others in compared.items():
        answered.must_answer_the_same(others, label)

    scores = SuiteScores({"n_images": len(suite.photos)}, {}, {}, answered, suite)
    bootstrap = {"n_resamples": n_resamples, "seed": seed}
    if suite.questions:
        _score_questions(scores, suite, texts, images, compared, logit_scale=scale, **bootstrap)
    if suite.pairs:
        _score_pairs(scores, suite, texts, images, compared, **bootstrap)
    if suite.negated_queries or suite.ordinary_queries:
        _score_retrieval(scores, suite, texts, images, compared, progress=progress, **bootstrap)
    return scores


def _must_be_finite(model: DualScorer | CallableScorer, suite: Suite, texts: TextVectors, images: Tensor) -> None:
    """Refuse a broken model by name, with the first question that it cannot answer."""
    bad_photos = {name for name, row in zip(suite.photos, images, strict=True) if not torch.isfinite(row).all()}
    broken = ~torch.isfinite(texts.vectors).all(dim=1) | ~torch.isfinite(texts.biases)
    bad_texts = {text for text, row in texts.row.items() if broken[row]}
    if not bad_photos and not bad_texts:
        return
    asked = [
        *((f"question {n}", one.image_id, one.choices) for n, one in enumerate(suite.questions, start=1)),
        *((f"pair {one.name}", name, one.captions) for one in suite.pairs for name in one.image_ids),
        *(("the query", one.image_id, (one.text,)) for one in (*suite.negated_queries, *suite.ordinary_queries)),
    ]
    for what, photo, captions in asked:
        text = next((caption for caption in captions if caption in bad_texts), captions[0])
        if photo in bad_photos or text in bad_texts:
            raise BadInputError(
                f"`model` {_name_of(model)} gives no finite score to {what}, {text!r}, about {photo}: "
                "its weights, or what it computes from them, hold NaN or infinity. Score another checkpoint."
            )


def _temperature(model: DualScorer | CallableScorer) -> float | None:
    """The factor that makes logits of cosines; None where it is not known."""
    if model.logit_scale is None:
        return None
    scale = float(model.logit_scale.detach().float().exp())
    if not 0 < scale < math.inf:
        raise BadInputError(
            f"`model` {_name_of(model)} has a `logit_scale` whose exponential is {scale:g}, which makes no logits of "
            "cosines. Score another checkpoint."
        )
    return scale


def _name_of(model: DualScorer | CallableScorer) -> str:
    name = getattr(model, "name", None) or getattr(getattr(model, "backbone", None), "name_or_path", "")
    return str(name or type(model).__name__)


def _texts(suite: Suite) -> list[str]:
    asked = [*(question.choices for question in suite.questions), *(pair.captions for pair in suite.pairs)]
    queries = [*suite.negated_queries, *suite.ordinary_queries]
    return [text for choices in asked for text in choices] + [query.text for query in queries]


def _wanted_pairs(suite: Suite, *, seed: int) -> dict[str, list[str]]:
    """Photo -> the texts that it must be scored with: choices about it or exchanged to it, and queries that search."""
    names = list(suite.photos)
    position = {name: row for row, name in enumerate(names)}
    wanted: dict[str, list[str]] = {name: [] for name in names}
    own = np.array([position[question.image_id] for question in suite.questions], dtype=np.intp)
    others = other_images(own, seed=seed) if len(own) else None
    for rows in (own, others) if others is not None else (own,):
        for question, row in zip(suite.questions, rows.tolist(), strict=True):
            wanted[names[row]] += question.choices
    for pair in suite.pairs:
        for name in pair.image_ids:
            wanted[name] += pair.captions
    queries = [query.text for query in (*suite.negated_queries, *suite.ordinary_queries)]
    for name in suite.gallery:
        wanted[name] += queries
    return wanted


def _score_questions(
    scores: SuiteScores,
    suite: Suite,
    texts: TextVectors,
    images: Tensor,
    compared: Mapping[str, Predictions],
    *,
    logit_scale: float | None,
    n_resamples: int,
    seed: int,
) -> None:
    position = {name: row for row, name in enumerate(suite.photos)}
    own = np.array([position[question.image_id] for question in suite.questions])
    predictions = question_scores(suite.questions, texts, images[own])
    scores.predictions.scores = predictions
    others = other_images(own, seed=seed)
    columns = _question_columns(suite.questions) | {"predictions": predictions}
    shuffled = None if others is None else question_scores(suite.questions, texts, images[others])
    scores.predictions.shuffled_scores = shuffled or []
    columns["shuffled_predictions"] = shuffled
    scores.add(score_questions(columns, logit_scale=logit_scale, n_resamples=n_resamples, seed=seed))
    for label, answers in compared.items():
        other_shuffled = (answers.shuffled_scores or None) if shuffled else None
        added = {"compared_predictions": answers.scores, "compared_shuffled_predictions": other_shuffled}
        figures = score_questions(columns | added, n_resamples=n_resamples, seed=seed)
        scores.add_differences(label, figures)


def _score_pairs(
    scores: SuiteScores,
    suite: Suite,
    texts: TextVectors,
    images: Tensor,
    compared: Mapping[str, Predictions],
    **bootstrap: Any,
) -> None:
    predicted = pair_scores(suite.pairs, texts, images, list(suite.photos))
    scores.predictions.pair_scores = predicted
    scores.add(score_image_pairs(predicted, suite.pairs, **bootstrap))
    for label, answers in compared.items():
        if answers.pair_keys:
            figures = score_image_pairs(predicted, suite.pairs, compared=answers.pair_scores, **bootstrap)
            scores.add_differences(label, figures)


def _question_columns(questions: Sequence[SuiteQuestion]) -> dict[str, Any]:
    forms = [question.form for question in questions]
    groups = [question.group for question in questions]
    return {
        "references": [question.answer for question in questions],
        "choice_kinds": [question.choice_kinds for question in questions],
        "image_ids": [question.image_id for question in questions],
        "forms": None if None in forms else forms,
        "groups": groups if any(groups) else None,
    }


@dataclass(frozen=True)
class _Direction:
    """One of the four searches of a suite, with the words of its figures in the results.

    Args:
        name: of its answers in `Predictions`.
        prefix: of its figures.
        columns: what the metric gets of each query.
        options: its depths, and how many images are searched.
    """

    name: str
    prefix: str
    columns: dict[str, Any]
    options: dict[str, Any]


def _score_retrieval(
    scores: SuiteScores,
    suite: Suite,
    texts: TextVectors,
    images: Tensor,
    compared: Mapping[str, Predictions],
    *,
    n_resamples: int,
    seed: int,
    progress: bool,
) -> None:
    position = {name: row for row, name in enumerate(suite.photos)}
    searched = images[[position[name] for name in suite.gallery]]
    ranking: dict[str, Any] = {"seed": seed, "progress": progress}
    bootstrap: dict[str, Any] = {"n_resamples": n_resamples, "seed": seed}
    directions: dict[str, _Direction] = {}
    for name, prefix, queries in (
        ("negated", "negated_", suite.negated_queries),
        ("ordinary", "", suite.ordinary_queries),
    ):
        if not queries:
            continue
        by_query = images_found(queries, texts, searched, suite.gallery, **ranking)
        directions[name] = _Direction(name, prefix, by_query, {"ks": depths(len(suite.gallery))})
        by_image = captions_found(queries, texts, searched, suite.gallery, **ranking)
        captions = len({query.text for query in queries})
        name = f"{name}_captions"
        directions[name] = _Direction(name, f"{prefix}caption_", by_image, {"ks": depths(captions)})
    negated, ordinary = directions.get("negated"), directions.get("ordinary")
    if negated and any(query.excluded for query in suite.negated_queries):
        negated.columns["excluded"] = [query.excluded for query in suite.negated_queries]
        negated.options["gallery_size"] = len(suite.gallery)
    if negated:
        standard = (
            {} if ordinary is None else {f"standard_{name}": column for name, column in ordinary.columns.items()}
        )
        scores.add(*_renamed(score_retrieval(negated.columns | standard, **negated.options, **bootstrap)))
    elif ordinary:
        scores.add(score_retrieval(ordinary.columns, **ordinary.options, **bootstrap))
    for direction in directions.values():
        found = Found(direction.columns["predictions"], direction.columns["ranks"])
        scores.predictions.found[direction.name] = found
        if direction.name.endswith("_captions"):
            figures = score_retrieval(direction.columns, **direction.options, **bootstrap)
            kept = ("recall@", "mrr", "median_rank")
            scores.add(
                figures, {name: direction.prefix + name for name in figures if name.startswith(kept)}, only=True
            )
    scores.metrics |= {"n_queries": len(suite.negated_queries), "n_ordinary_queries": len(suite.ordinary_queries)}
    for label, others in compared.items():
        for direction in directions.values():
            if direction.name in others.found:
                other = others.found[direction.name]
                columns = direction.columns | {"compared_predictions": other.found, "compared_ranks": other.ranks}
                figures = score_retrieval(columns, **direction.options, **bootstrap)
                scores.add_differences(label, figures, direction.prefix)


def _renamed(figures: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Figures with the names of results: `recall@k` is that of ordinary queries, `negated_recall@k` the other."""
    if "negation_drop@5" in figures:
        figures["negation_drop"] = figures["negation_drop@5"]
        if "confidence_intervals" in figures:
            figures["confidence_intervals"]["negation_drop"] = figures["confidence_intervals"]["negation_drop@5"]
    names = {name: name.removeprefix("standard_") for name in figures if name.startswith("standard_")}
    names |= {name: f"negated_{name}" for name in figures if name.startswith(_OF_QUERIES)}
    return figures, names
