"""Python code as a model: encoders, a function of pairs, and what is said of code that returns something else."""

import numpy as np
import pytest
import torch
from PIL import Image

from notclip.embedding_store import EmbeddingStore
from notclip.errors import BadInputError
from notclip.loading import load_model
from notclip.scoring.cache import EmbeddingCache, open_cache
from notclip.scoring.python_model import CallableEncoders, CallableScorer, load_callable
from notclip.scoring.score import score_suite
from notclip.scoring.suites.suite import Clip, PhotoFile, Query, Suite, SuiteQuestion

COLOURS = ("red", "lime", "blue")
TEXTS = {"red": (1, 0, 0), "lime": (0, 1, 0), "blue": (0, 0, 1), "nothing": (1, 1, 1)}


def encode_images(images):
    return [np.asarray(image, dtype=float).mean(axis=(0, 1)) + 1 for image in images]


def encode_texts(texts):
    return torch.tensor([TEXTS[text] for text in texts], dtype=torch.float64)


def score(images, texts):
    vectors = np.array(encode_images(images))
    return (
        vectors
        / np.linalg.norm(vectors, axis=1, keepdims=True)
        @ np.array([np.array(TEXTS[text]) / np.linalg.norm(TEXTS[text]) for text in texts]).T
    )


@pytest.fixture
def suite(tmp_path):
    photos, questions = {}, []
    for colour in COLOURS:
        Image.new("RGB", (8, 8), colour).save(tmp_path / f"{colour}.png")
        photos[colour] = PhotoFile(tmp_path / f"{colour}.png", colour)
        others = tuple(other for other in COLOURS if other != colour)
        questions.append(SuiteQuestion(colour, (colour, *others), 0, ("affirmation", "negation", "hybrid")))
    queries = [Query(colour, colour) for colour in COLOURS]
    return Suite("colours", photos, questions, queries, queries, gallery=list(photos))


def figures(model, suite, **options):
    return score_suite(model, suite, progress=False, n_resamples=50, **options)


def test_encoders_and_a_function_of_pairs_that_say_the_same_get_the_same_figures(suite):
    by_encoders = figures(CallableEncoders(encode_images, encode_texts), suite)
    by_pairs = figures(CallableScorer(score), suite)
    assert by_encoders.metrics["accuracy"] == by_encoders.metrics["recall@1"] == 1
    assert by_pairs.metrics == by_encoders.metrics
    assert np.allclose(by_pairs.predictions.scores, by_encoders.predictions.scores, atol=1e-6)
    assert "calibration_error" not in by_encoders.metrics
    assert "calibration_error" in figures(CallableScorer(score, logit_scale=10), suite).metrics


def test_pairs_are_asked_for_once_and_only_those_that_are_needed(suite):
    asked = []

    def counting(images, texts):
        asked.extend(texts)
        return score(images, texts)

    questions_alone = Suite("q", suite.photos, suite.questions)
    cache = EmbeddingCache(texts=EmbeddingStore())
    figures(CallableScorer(counting), questions_alone, cache=cache)
    assert len(asked) == 9  # three texts with three photos, their own and the exchanged one's alike
    figures(CallableScorer(counting), suite, cache=cache)
    assert len(asked) == 9


def test_a_videos_embedding_is_the_mean_of_its_frames(suite, tmp_path):
    frames = tuple(suite.photos[colour] for colour in ("red", "red", "lime"))
    video = Suite("v", {"film": Clip(frames, "v")}, [SuiteQuestion("film", tuple(TEXTS), 0, ("affirmation",) * 4)])
    scored = figures(CallableEncoders(encode_images, encode_texts), video)
    vectors = np.array(encode_images([Image.open(frame.path) for frame in frames]))
    mean = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).mean(axis=0)
    expected = [mean @ TEXTS[text] / np.linalg.norm(TEXTS[text]) / np.linalg.norm(mean) for text in TEXTS]
    assert scored.predictions.scores[0] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ([[1.0, 2.0]], r"numbers of shape \(1, 3\), got \(1, 2\)"),
        ([1.0, 2.0, 3.0], r"numbers of shape \(1, 3\), got \(3,\)"),
        ([[1.0, float("nan"), 0.0]], "finite numbers, got .* in row 0"),
        ("text", "numbers, got str"),
        (None, r"must return"),
    ],
)
def test_what_a_function_returns_is_checked(suite, returned, message):
    with pytest.raises(BadInputError, match=rf"`model` mine .*{message}"):
        figures(CallableScorer(lambda images, texts: returned, name="mine"), suite)


def test_an_api_that_is_down_is_bad_input_and_no_missed_gate(suite):
    def score(images, texts):
        raise ConnectionError("quota exceeded")

    def encode(items):
        raise TimeoutError("too slow")

    place = r"\(.*test_callable_model\.py, line \d+\)"
    with pytest.raises(BadInputError, match=f"`model` mine .*quota exceeded {place}"):
        figures(CallableScorer(score, name="mine"), suite)
    with pytest.raises(BadInputError, match=f"`model` mine: `encode_images` .*too slow {place}"):
        figures(CallableEncoders(encode, encode, name="mine"), suite)


def test_python_code_without_a_name_in_it_is_told_how_to_name_one(tmp_path):
    (tmp_path / "mine.py").write_text("def score(images, texts): ...")
    with pytest.raises(BadInputError, match=r"`model` .*mine\.py:NAME"):
        load_model(str(tmp_path / "mine.py"))


def test_code_is_loaded_by_file_and_name(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "def score(images, texts):\n    return [[0.0] * len(texts)]\n"
        "class Encoders:\n    logit_scale = 100\n"
        "    def encode_images(self, images):\n        return [[1.0]] * len(images)\n"
        "    def encode_texts(self, texts):\n        return [[1.0]] * len(texts)\n"
        "number = 3\n"
    )
    assert isinstance(load_callable(f"{file}:score"), CallableScorer)
    encoders = load_callable(f"{file}:Encoders")
    assert isinstance(encoders, CallableEncoders)
    assert float(encoders.logit_scale.exp()) == pytest.approx(100)
    assert encoders.fingerprint != load_callable(f"{file}:score").fingerprint
    for name, message in {
        f"{file}:nothing": "has no 'nothing'",
        f"{file}:number": "must be a function of images and texts, or have `encode_images`",
        f"{tmp_path}/none.py:score": "does not exist",
    }.items():
        with pytest.raises(BadInputError, match=message):
            load_callable(name)
    file.write_text("import nothing_at_all")
    with pytest.raises(BadInputError, match="cannot be run: ModuleNotFoundError"):
        load_callable(f"{file}:score")


def test_a_model_whose_helper_changed_is_another_model_to_the_cache(tmp_path):
    (tmp_path / "weighed.py").write_text("WEIGHT = 1\n")
    (tmp_path / "mine.py").write_text("import weighed\n\n\ndef score(images, texts):\n    return [[weighed.WEIGHT]]\n")
    before = load_callable(f"{tmp_path}/mine.py:score").fingerprint
    (tmp_path / "weighed.py").write_text("WEIGHT = 2\n")
    assert load_callable(f"{tmp_path}/mine.py:score").fingerprint != before


def test_nothing_is_kept_of_models_that_nothing_tells_apart(tmp_path):
    assert open_cache(CallableEncoders(encode_images, encode_texts), tmp_path).photos.folder is None
    named = open_cache(CallableEncoders(encode_images, encode_texts, fingerprint="mine"), tmp_path)
    assert named.photos.folder.parent == tmp_path
