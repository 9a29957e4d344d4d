"""Score a model on a suite: every figure comes from the functions that `evaluate.load` gives as well."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from notclip.evaluate_metrics.negated_mcq.negated_mcq import score_questions
from notclip.evaluate_metrics.negated_retrieval.negated_retrieval import score_retrieval
from notclip.predictions import Predictions, query_key, question_key
from notclip.ranking import rank_images
from notclip.recaption.suite import Query, Question, Suite
from notclip.suite_embedding import DualScorer, EmbeddedTexts, embed_photos

DEPTHS = (1, 5, 10)
PAIRS_AT_ONCE = 65_536  # of an image and a caption: bounds the memory of a question's scores
# What the retrieval metric says of the queries that it is given first; here those are the negated ones.
_OF_NEGATED_QUERIES = ("recall", "mrr", "median_rank")


@dataclass
class SuiteScores:
    """A model's figures on a suite, and what they were computed from.

    Args:
        metrics: name -> figure, or name -> kind -> figure.
        confidence_intervals: the same names -> [low, high].
        comparisons: label of another model -> differences (this model less that one), tests, and intervals.
        predictions: what the model answered, for a later comparison.
        skipped: what was left out, one line each.
    """

    metrics: dict[str, Any]
    confidence_intervals: dict[str, Any]
    comparisons: dict[str, dict[str, Any]]
    predictions: Predictions
    skipped: Sequence[str]

    def add(self, figures: Mapping[str, Any], names: Mapping[str, str] | None = None) -> None:
        """Enter what a metric computed, under other names where `names` has them."""
        names = {} if names is None else names
        intervals = figures.get("confidence_intervals", {})
        for name, value in figures.items():
            if name not in ("confidence_intervals", "n_images", "n_queries"):
                self.metrics[names.get(name, name)] = value
        self.confidence_intervals.update({names.get(name, name): bounds for name, bounds in intervals.items()})

    def add_differences(self, label: str, figures: Mapping[str, Any], prefix: str = "") -> None:
        """Enter how this model differs from another; `prefix` says of which queries recall and ranks are."""
        entry = self.comparisons.setdefault(label, {"confidence_intervals": {}})
        for name, value in figures.items():
            if "_difference" in name or name.endswith("_p_value"):
                full = prefix + name if name.startswith(_OF_NEGATED_QUERIES) else name
                entry[full] = value
                if name in figures.get("confidence_intervals", {}):
                    entry["confidence_intervals"][full] = figures["confidence_intervals"][name]


@torch.inference_mode()
def score_suite(
    model: DualScorer,
    suite: Suite,
    *,
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
        seed: of the bootstrap, of the exchange of images, and of the order of ties.
        batch_size: photos encoded at once; of texts four times as many.
        n_resamples: of the bootstrap over images; 0 leaves the intervals out.
        on_bad_photo: stop at a photo that cannot be decoded, or leave it out and list it.
        compared: label -> what another model answered to the same suite.
        progress: show bars.

    Raises:
        BadInputError: a photo cannot be decoded, or `compared` answers another suite.
    """
    skip_bad = on_bad_photo == "skip"
    suite, images = embed_photos(model, suite, batch_size=batch_size, skip_bad=skip_bad, progress=progress)
    answered = Predictions(
        question_keys=[question_key(question) for question in suite.questions],
        negated_keys=[query_key(query) for query in suite.negated_queries],
        ordinary_keys=[query_key(query) for query in suite.ordinary_queries],
    )
    compared = {} if compared is None else compared
    for label, others in compared.items():
        answered.must_answer_the_same(others, label)

    queries = [*suite.negated_queries, *suite.ordinary_queries]
    choices = [choice for question in suite.questions for choice in question.choices]
    wanted = choices + [query.text for query in queries]
    texts = EmbeddedTexts(model, wanted, batch_size=4 * batch_size, progress=progress)
    scores = SuiteScores({"n_images": len(suite.photos)}, {}, {}, answered, suite.skipped)
    bootstrap = {"n_resamples": n_resamples, "seed": seed}
    if suite.questions:
        scale = float(model.logit_scale.detach().exp())
        _score_questions(scores, suite, texts, images, compared, logit_scale=scale, **bootstrap)
    if queries:
        _score_retrieval(scores, suite, texts, images, compared, progress=progress, **bootstrap)
    return scores


def _score_questions(
    scores: SuiteScores,
    suite: Suite,
    texts: EmbeddedTexts,
    images: Tensor,
    compared: Mapping[str, Predictions],
    *,
    logit_scale: float,
    n_resamples: int,
    seed: int,
) -> None:
    position = {name: row for row, name in enumerate(suite.photos)}
    own = np.array([position[question.image_id] for question in suite.questions])
    predictions = choice_scores(suite.questions, texts, images[own])
    scores.predictions.scores = predictions
    others = other_images(own, seed=seed)
    columns = _question_columns(suite.questions) | {"n_resamples": n_resamples, "seed": seed}
    shuffled = None if others is None else choice_scores(suite.questions, texts, images[others])
    scores.add(score_questions(predictions, shuffled_predictions=shuffled, logit_scale=logit_scale, **columns))
    for label, answers in compared.items():
        figures = score_questions(predictions, compared_predictions=answers.scores, **columns)
        scores.add_differences(label, figures)


def _question_columns(questions: Sequence[Question]) -> dict[str, Any]:
    forms = [question.form for question in questions]
    return {
        "references": [question.answer for question in questions],
        "choice_kinds": [question.choice_kinds for question in questions],
        "image_ids": [question.image_id for question in questions],
        "forms": None if None in forms else forms,
    }


def choice_scores(questions: Sequence[Question], texts: EmbeddedTexts, images: Tensor) -> list[list[float]]:
    """Score each question's choices against one image, shape (N, D) for N questions."""
    counts = [len(question.choices) for question in questions]
    owners = torch.arange(len(questions)).repeat_interleave(torch.tensor(counts)).to(images.device)
    rows = texts.rows([choice for question in questions for choice in question.choices])
    flat = []
    for start in range(0, len(rows), PAIRS_AT_ONCE):
        some, own = rows[start : start + PAIRS_AT_ONCE], owners[start : start + PAIRS_AT_ONCE]
        flat.append((texts.vectors[some] * images[own]).sum(-1) + texts.biases[some])
    return [row.tolist() for row in torch.cat(flat).cpu().split(counts)]


def other_images(images: NDArray[np.intp], *, seed: int) -> NDArray[np.intp] | None:
    """Give each question another's image, all questions of one image the same; None where there is only one image.

    Args:
        images: the number of each question's image, shape (N,).
        seed: of the exchange.
    """
    distinct = np.random.default_rng(seed).permutation(np.unique(images))
    if len(distinct) < 2:
        return None
    exchanged = dict(zip(distinct.tolist(), np.roll(distinct, 1).tolist(), strict=True))
    return np.array([exchanged[image] for image in images.tolist()])


@dataclass
class _Searches:
    """The searches of one suite: the same images for negated and ordinary queries."""

    texts: EmbeddedTexts
    images: Tensor
    gallery: Sequence[str]
    ks: list[int]
    seed: int
    progress: bool
    position: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.position = {name: row for row, name in enumerate(self.gallery)}

    def find(self, queries: Sequence[Query]) -> dict[str, Any]:
        """The columns of the retrieval metric; empty without queries."""
        if not queries:
            return {}
        vectors = self.texts.vectors[self.texts.rows([query.text for query in queries])]
        relevant = [
            [self.position[name] for name in query.relevant or (query.image_id,) if name in self.position]
            for query in queries
        ]
        ranking = rank_images(vectors, self.images, relevant, k=max(self.ks), seed=self.seed, progress=self.progress)
        return {
            "predictions": [[self.gallery[row] for row in found] for found in ranking.top.tolist()],
            "references": [[self.gallery[row] for row in rows] for rows in relevant],
            "image_ids": [query.image_id for query in queries],
            "ranks": ranking.ranks.tolist(),
        }


def _score_retrieval(
    scores: SuiteScores,
    suite: Suite,
    texts: EmbeddedTexts,
    images: Tensor,
    compared: Mapping[str, Predictions],
    *,
    n_resamples: int,
    seed: int,
    progress: bool,
) -> None:
    position = {name: row for row, name in enumerate(suite.photos)}
    ks = [k for k in DEPTHS if k <= len(suite.gallery)]
    searched = images[[position[name] for name in suite.gallery]]
    search = _Searches(texts, searched, suite.gallery, ks, seed, progress)
    negated, ordinary = search.find(suite.negated_queries), search.find(suite.ordinary_queries)
    answered = scores.predictions
    answered.negated_found, answered.negated_ranks = negated.get("predictions", []), negated.get("ranks", [])
    answered.ordinary_found, answered.ordinary_ranks = ordinary.get("predictions", []), ordinary.get("ranks", [])
    options: dict[str, Any] = {"ks": ks, "n_resamples": n_resamples, "seed": seed}
    if negated and any(query.excluded for query in suite.negated_queries):
        negated |= {
            "excluded": [query.excluded for query in suite.negated_queries],
            "gallery_size": len(suite.gallery),
        }
    if negated:
        columns = negated | {f"standard_{name}": column for name, column in ordinary.items()}
        scores.add(*_renamed(score_retrieval(**columns, **options)))
    else:
        scores.add(score_retrieval(**ordinary, **options))
    scores.metrics |= {"n_queries": len(suite.negated_queries), "n_ordinary_queries": len(suite.ordinary_queries)}
    for label, others in compared.items():
        found = [(negated, others.negated_found, others.negated_ranks, "negated_")]
        found += [(ordinary, others.ordinary_found, others.ordinary_ranks, "")]
        for columns, images_found, ranks, prefix in found:
            if columns:
                other: dict[str, Any] = {"compared_predictions": images_found, "compared_ranks": ranks}
                scores.add_differences(label, score_retrieval(**columns, **other, **options), prefix)


def _renamed(figures: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Figures with the names of results: `recall@k` is that of ordinary queries, `negated_recall@k` the other."""
    if "negation_drop@5" in figures:
        figures["negation_drop"] = figures["negation_drop@5"]
        if "confidence_intervals" in figures:
            figures["confidence_intervals"]["negation_drop"] = figures["confidence_intervals"]["negation_drop@5"]
    names = {name: name.removeprefix("standard_") for name in figures if name.startswith("standard_")}
    names |= {name: f"negated_{name}" for name in figures if name.startswith(_OF_NEGATED_QUERIES)}
    return figures, names
