import json
from dataclasses import replace

import evaluate
import numpy as np
import pytest
import torch
from PIL import Image

from notclip.embedding_store import EmbeddingStore
from notclip.errors import BadInputError
from notclip.fingerprints import image_tower_fingerprint, text_fingerprint
from notclip.remote.modeling_notclip import NotClipModel
from notclip.scoring import embed as suite_embedding
from notclip.scoring.answers import other_images
from notclip.scoring.cache import EmbeddingCache, open_cache
from notclip.scoring.predictions import Predictions
from notclip.scoring.score import score_suite
from notclip.scoring.suites.read import read_suite
from notclip.scoring.suites.suite import PhotoFile, Query, Suite, SuiteQuestion, open_suite_photo

METRICS = "evaluate_metrics"


class CountingModel:
    """A NotCLIP model that counts what it encodes."""

    def __init__(self, model):
        self.model, self.images, self.texts = model, 0, []
        self.logit_scale = model.logit_scale

    def encode_images(self, images, *, batch_size):
        self.images += len(images)
        return self.model.encode_images(images, batch_size=batch_size)

    def encode_queries(self, texts, *, batch_size):
        self.texts += texts
        return self.model.encode_queries(texts, batch_size=batch_size)


@pytest.fixture
def model(clip, processor):
    return NotClipModel.from_backbone(clip, processor=processor, composition="scope")


@pytest.fixture
def suite(data):
    return read_suite(data)


def score(model, suite, **options):
    return score_suite(model, suite, progress=False, **options)


def test_each_distinct_photo_and_text_is_encoded_once(model, suite, monkeypatch):
    monkeypatch.setattr(suite_embedding, "TEXTS_AT_ONCE", 5)
    counting = CountingModel(model)
    score(counting, suite, batch_size=5)
    asked = [choice for question in suite.questions for choice in question.choices]
    asked += [query.text for query in (*suite.negated_queries, *suite.ordinary_queries)]
    assert counting.images == len(suite.photos) == 12
    assert sorted(counting.texts) == sorted(set(asked))


@pytest.mark.parametrize("composition", ["scope", "none"])
def test_scores_are_those_that_the_model_gives_one_question_at_a_time(model, suite, composition):
    model.config.composition = composition
    answered = score(model, suite, n_resamples=0).predictions
    for question, scores in zip(suite.questions, answered.scores, strict=True):
        alone = model.score([open_suite_photo(suite.photos[question.image_id])], question.choices)[0]
        assert scores == pytest.approx(alone.tolist(), abs=1e-5)
    for query, found, rank in zip(
        suite.negated_queries, answered.found["negated"].found, answered.found["negated"].ranks, strict=True
    ):
        photos = [open_suite_photo(suite.photos[name]) for name in suite.gallery]
        order = model.score(photos, [query.text])[:, 0].argsort(descending=True)
        assert found == [suite.gallery[row] for row in order[:10]]
        assert suite.gallery[order[rank - 1]] == query.image_id


@pytest.mark.parametrize("kind", ["negated", "ordinary"])
def test_captions_are_found_by_images_as_by_sorting_all_scores(model, suite, kind):
    scored = score(model, suite, n_resamples=0)
    queries = getattr(suite, f"{kind}_queries")
    captions = list(dict.fromkeys(query.text for query in queries))
    ranks = []
    for name in suite.gallery:
        scores = model.score([open_suite_photo(suite.photos[name])], captions)[0]
        own = {query.text for query in queries if query.image_id == name}
        best = max(float(scores[captions.index(text)]) for text in own)
        ranks.append(1 + sum(float(value) > best + 1e-6 for value in scores))
    prefix = "negated_caption_" if kind == "negated" else "caption_"
    assert scored.metrics[f"{prefix}recall@1"] == sum(rank <= 1 for rank in ranks) / len(ranks)
    assert scored.metrics[f"{prefix}mrr"] == pytest.approx(np.mean([1 / rank for rank in ranks]))


def test_what_the_cache_holds_is_not_encoded_again(model, suite, tmp_path):
    def run(**options):
        counting = CountingModel(model)
        cache = EmbeddingCache(EmbeddingStore(tmp_path / "photos"), EmbeddingStore(tmp_path / "texts"))
        return score(counting, suite, cache=cache, n_resamples=0, **options), counting

    first, counted = run()
    assert counted.images == 12
    again, counted = run(seed=1)
    assert (counted.images, counted.texts) == (0, [])
    assert again.predictions.scores == first.predictions.scores


def test_groups_of_a_dataset_count_together_while_they_are_whole(model, suite):
    grouped = replace(suite, questions=[replace(one, group=f"pair {k // 2}") for k, one in enumerate(suite.questions)])
    metrics = score(model, grouped, n_resamples=0).metrics
    assert (metrics["n_groups"], metrics["group_chance"]) == (6, 1 / 16)
    cut = grouped.limited(5)
    assert [question.group for question in cut.questions] == ["pair 0", "pair 0", "pair 1", "pair 1", None]


def test_evaluate_gives_the_same_figures(model, suite, request):
    scores = score(model, suite)
    answered = scores.predictions
    root = request.config.rootpath / METRICS
    questions = evaluate.load(str(root / "negated_mcq")).compute(
        predictions=answered.scores,
        references=[question.answer for question in suite.questions],
        choice_kinds=[list(question.choice_kinds) for question in suite.questions],
        image_ids=[question.image_id for question in suite.questions],
    )
    for name in ("accuracy", "macro_accuracy", "accuracy_by_kind", "affirmation_bias", "confusion", "tie_rate"):
        assert scores.metrics[name] == questions[name], name
    assert scores.confidence_intervals["accuracy"] == questions["confidence_intervals"]["accuracy"]
    retrieval = evaluate.load(str(root / "negated_retrieval")).compute(
        predictions=answered.found["negated"].found,
        references=[list(query.relevant or [query.image_id]) for query in suite.negated_queries],
        ranks=answered.found["negated"].ranks,
        image_ids=[query.image_id for query in suite.negated_queries],
        excluded=[sorted(query.excluded) for query in suite.negated_queries],
        standard_predictions=answered.found["ordinary"].found,
        standard_references=[list(query.relevant or [query.image_id]) for query in suite.ordinary_queries],
        standard_ranks=answered.found["ordinary"].ranks,
        standard_image_ids=[query.image_id for query in suite.ordinary_queries],
        gallery_size=12,
    )
    for own, theirs in {
        "recall@5": "standard_recall@5",
        "negated_recall@5": "recall@5",
        "negated_mrr": "mrr",
        "median_rank": "standard_median_rank",
        "violation@5": "violation@5",
        "violation_chance": "violation_chance",
        "negation_drop": "negation_drop@5",
    }.items():
        assert scores.metrics[own] == retrieval[theirs], own
    bounds = scores.confidence_intervals["negated_recall@5"]
    assert bounds == retrieval["confidence_intervals"]["recall@5"]


def test_every_interval_has_its_figure_and_all_of_it_is_json(model, suite):
    scores = score(model, suite)
    json.dumps([scores.metrics, scores.confidence_intervals], allow_nan=False)
    assert set(scores.confidence_intervals) < set(scores.metrics)
    assert scores.metrics["n_questions"] == len(suite.questions)
    assert scores.metrics["n_queries"] == len(suite.negated_queries)
    assert scores.metrics["n_ordinary_queries"] == len(suite.ordinary_queries)


def test_the_same_seed_gives_the_same_figures_and_batches_do_not_matter(model, suite):
    first, again = score(model, suite, seed=1), score(model, suite, seed=1)
    assert (first.metrics, first.confidence_intervals) == (again.metrics, again.confidence_intervals)
    small = score(model, suite, seed=1, batch_size=1)
    assert np.allclose(small.predictions.scores, first.predictions.scores, atol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_no_question_keeps_its_image_when_images_are_exchanged(seed):
    images = np.random.default_rng(seed).integers(0, 7, 50)
    others = other_images(images, seed=seed)
    assert (others != images).all()
    assert set(others) == set(images)
    assert len(set(zip(images, others, strict=True))) == len(set(images))  # all questions of an image, the same other


def test_with_one_image_there_is_no_vision_gain(model, suite):
    (image, *_) = suite.photos
    alone = suite.without({name: "" for name in suite.photos if name != image})
    metrics = score(model, alone).metrics
    assert "accuracy" in metrics
    assert "vision_gain" not in metrics
    assert metrics["recall@1"] == 1
    assert "recall@5" not in metrics


def test_questions_alone_and_queries_alone_are_scored(model, suite):
    questions = Suite("q", suite.photos, questions=suite.questions)
    assert "recall@5" not in score(model, questions).metrics
    ordinary = Suite("o", suite.photos, ordinary_queries=suite.ordinary_queries, gallery=suite.gallery)
    metrics = score(model, ordinary).metrics
    assert metrics["recall@5"] == score(model, suite).metrics["recall@5"]
    assert "negated_recall@5" not in metrics
    assert "accuracy" not in metrics


def test_a_photo_that_cannot_be_decoded_stops_or_is_skipped_and_listed(model, tmp_path):
    Image.new("RGB", (32, 32), "red").save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(b"no photo")
    photos = {
        name: PhotoFile(tmp_path / name, f"own.csv, row {row}") for row, name in enumerate(("bad.png", "good.png"))
    }
    questions = [SuiteQuestion(name, ("a dog", "no dog"), 0, ("affirmation", "negation")) for name in photos]
    queries = [Query("a dog", name) for name in photos]
    suite = Suite("own", photos, questions, ordinary_queries=queries, gallery=list(photos))
    with pytest.raises(BadInputError, match=r"own.csv, row 0: .*cannot be decoded"):
        score(model, suite)
    scores = score(model, suite, on_bad_photo="skip")
    assert (scores.metrics["n_questions"], scores.metrics["n_images"]) == (1, 1)
    (line,) = scores.suite.skipped
    assert line.startswith("own.csv, row 0: the photo cannot be decoded")
    (tmp_path / "good.png").unlink()
    with pytest.raises(BadInputError, match=r"no photo .*decoded"):
        score(model, suite, on_bad_photo="skip")


def test_two_models_are_compared_on_the_answers_that_the_first_one_left(model, suite, tmp_path):
    model.config.composition = "none"
    plain = score(model, suite)
    plain.predictions.save(tmp_path / "plain.predictions.npz")
    model.config.composition = "scope"
    loaded = Predictions.load(tmp_path / "plain.predictions.npz")
    assert loaded.question_keys == plain.predictions.question_keys
    assert loaded.found == plain.predictions.found
    assert np.allclose(loaded.scores, plain.predictions.scores, atol=0)
    assert np.allclose(loaded.shuffled_scores, plain.predictions.shuffled_scores, atol=0)
    scores = score(model, suite, compared={"plain": loaded})
    differences = scores.comparisons["plain"]
    for own, name in {
        "accuracy_difference": "accuracy",
        "macro_accuracy_difference": "macro_accuracy",
        "vision_gain_difference": "vision_gain",
        "affirmation_bias_difference": "affirmation_bias",
        "negated_recall_difference@5": "negated_recall@5",
        "negated_mrr_difference": "negated_mrr",
        "violation_difference@5": "violation@5",
    }.items():
        expected = scores.metrics[name] - plain.metrics[name]
        assert differences[own] == pytest.approx(expected, abs=1e-12), own
        low, high = differences["confidence_intervals"][own]
        assert low <= expected <= high
    # Ordinary captions hold no negation, so that both models read them alike.
    assert differences["recall_difference@5"] == differences["mrr_difference"] == 0
    assert 0 < differences["mcnemar_p_value"] <= 1
    assert differences["recall_p_value@5"] == differences["caption_recall_p_value@5"] == 1
    assert 0 < differences["negated_recall_p_value@5"] <= 1
    assert "negated_caption_recall_difference@5" in differences
    loaded.shuffled_scores = []  # as in a file of before they were kept: the rest is compared
    older = score(model, suite, compared={"plain": loaded}).comparisons["plain"]
    assert set(differences) - set(older) == {"vision_gain_difference", "vision_gain_p_value"}


def test_answers_to_another_suite_are_refused(model, suite, tmp_path):
    others = score(model, suite.limited(6)).predictions
    with pytest.raises(BadInputError, match=r"`compare` small .*12 .*6"):
        score(model, suite, compared={"small": others})
    (tmp_path / "x.predictions.npz").write_bytes(b"nothing")
    with pytest.raises(BadInputError, match=r"`compare` needs .*x.predictions.npz"):
        Predictions.load(tmp_path / "x.predictions.npz")


def test_every_family_of_dual_encoder_is_scored(backbone, processor, suite):
    model = NotClipModel.from_backbone(backbone, processor=processor, composition="scope")
    with torch.no_grad():
        metrics = score(model, suite, n_resamples=0).metrics
    assert 0 <= metrics["accuracy"] <= 1
    assert {"vision_gain", "negated_recall@5", "violation@5"} <= set(metrics)


@pytest.mark.parametrize(
    ("changed", "images", "encodes_texts"),
    [
        (None, 0, False),
        ("notclip.remote.inputs_notclip", 12, True),
        ("notclip.scoring.suites.suite", 12, True),
        ("notclip.remote.reading_tagger", 0, True),
        ("notclip.remote.composition_notclip", 0, True),
    ],
)
def test_what_older_code_encoded_is_not_served(model, suite, tmp_path, change_code, changed, images, encodes_texts):
    score(CountingModel(model), suite, cache=open_cache(model, tmp_path), n_resamples=0)
    if changed is not None:
        change_code(changed)
    again = CountingModel(model)
    score(again, suite, cache=open_cache(model, tmp_path), n_resamples=0)
    assert (again.images, bool(again.texts)) == (images, encodes_texts)


def test_settings_that_change_no_weight_change_the_fingerprints(model):
    before = image_tower_fingerprint(model), text_fingerprint(model)
    model.backbone.config.vision_config.layer_norm_eps *= 10
    assert image_tower_fingerprint(model) != before[0]
    changed = text_fingerprint(model)
    model.processor.tokenizer.model_max_length -= 1
    assert len({before[1], changed, text_fingerprint(model)}) == 3


def test_fingerprints_do_not_depend_on_what_was_encoded_before_or_on_names(model, suite):
    before = image_tower_fingerprint(model), text_fingerprint(model)
    score(model, suite, n_resamples=0)
    model.config.backbone_name = model.backbone.config._name_or_path = "elsewhere"
    assert (image_tower_fingerprint(model), text_fingerprint(model)) == before
