"""Predictions files of strangers: answers, or one sentence; nothing is unpickled."""

import io
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notclip.errors import BadInputError
from notclip.scoring.predictions import Found, Predictions

GOOD = Predictions(
    question_keys=["a", "b"],
    negated_keys=["n"],
    ordinary_keys=[],
    scores=[[0.5, 0.25], [0.5, 0.25, 0.125]],
    shuffled_scores=[[0.5, 0.25], [0.5, 0.25, 0.125]],
    pair_keys=["p"],
    pair_scores=[[[1.0, 0.0], [0.0, 1.0]]],
    found={"negated": Found([["x", "y"]], [1])},
)


def arrays_of(path):
    with np.load(path) as arrays:
        return dict(arrays)


@pytest.fixture
def good(tmp_path):
    GOOD.save(tmp_path / "good.npz")
    return tmp_path / "good.npz"


def test_what_was_saved_is_read(good):
    assert Predictions.load(good) == GOOD


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("scores", np.full(5, np.nan, dtype=np.float32), "scores must be finite"),
        ("scores", np.zeros(4, dtype=np.float32), r"scores .*numbers of shape \(5,\)"),
        ("scores", np.array(["a"] * 5), "scores must be numbers"),
        ("choices", np.array([5]), r"choices .*numbers of shape \(2,\)"),
        ("choices", np.array([-1, 6]), "choices .*finite and at least 1"),
        ("question_keys", np.array([1, 2]), "question_keys .*row of text"),
        ("pair_scores", np.zeros((1, 2), dtype=np.float32), r"pair_scores .*numbers of shape \(1, 2, 2\)"),
        ("negated_found", np.array([["x"], ["y"]]), "negated_ranks .*numbers of shape"),
        ("negated_ranks", np.array([0]), "negated_ranks .*finite and at least 1"),
        ("question_keys", np.array([{"a": 1}, None], dtype=object), "Object arrays"),
    ],
)
def test_an_array_that_save_does_not_write_is_refused(good, name, array, message):
    np.savez(good, **(arrays_of(good) | {name: array}))
    with pytest.raises(BadInputError, match=rf"`compare` needs .*good\.npz.* it cannot be read: .*{message}"):
        Predictions.load(good)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("notclip.scoring.predictions.MOST_BYTES", 1000)
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("scores.npy", bytes(2_000_000))
    with pytest.raises(BadInputError, match="this one unpacks to 1 MB"):
        Predictions.load(tmp_path / "bomb.npz")


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1), change=st.binary(min_size=1, max_size=30), cut=st.booleans())
def test_any_damage_is_one_sentence_or_harmless(good, place, change, cut):
    content = good.read_bytes()
    start = int(place * len(content))
    damaged = good.with_name("damaged.npz")
    damaged.write_bytes(content[:start] if cut else content[:start] + change + content[start + len(change) :])
    try:
        Predictions.load(damaged)
    except BadInputError as error:
        assert "\n" not in str(error)


def test_a_single_array_is_no_predictions_file(tmp_path):
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    (tmp_path / "x.npz").write_bytes(buffer.getvalue())
    with pytest.raises(BadInputError, match=r"x\.npz"):
        Predictions.load(tmp_path / "x.npz")
