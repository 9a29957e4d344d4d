import subprocess
import sys

import numpy as np
import pytest
import torch

import notclip
from notclip.errors import BadInputError


def unit(rows, width=8, seed=0):
    x = np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_without_statistics_the_exclusion_is_what_the_affirmed_part_does_not_say():
    affirmed, excluded = np.eye(2, dtype=np.float32)[:1], np.array([[0.6, 0.8]], dtype=np.float32)
    vectors, biases = notclip.compose(affirmed, [excluded])
    np.testing.assert_allclose(vectors, [[1.0, -0.6 * 0.8]], atol=1e-6)  # n - (a·n) a = (0, 0.8)
    assert biases.tolist() == [0.0] and isinstance(vectors, np.ndarray)


def test_torch_in_torch_out_and_a_query_that_excludes_nothing_is_left_untouched():
    affirmed = torch.from_numpy(unit(2))
    statistics = notclip.image_statistics(torch.from_numpy(unit(150, seed=1)))
    vectors, biases = notclip.compose(affirmed, [unit(1, seed=2), np.empty((0, 8))], statistics=statistics)
    assert torch.equal(vectors[1], affirmed[1]) and biases[1] == 0
    assert not torch.allclose(vectors[0], affirmed[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((unit(2), [unit(1)]), r"for each of the 2 .*`affirmed`, got 1"),
        ((unit(1), [unit(1, 7)]), r"`excluded\[0\]` .*shape \(rows, 8\), got \(1, 7\)"),
        ((unit(1) * 3, [unit(1, seed=1)]), r"`affirmed` .*unit norm, got 3 in row 0"),
        ((unit(1) * 0, [unit(1, seed=1)]), r"a row of zeros"),
        ((unit(1) * np.nan, [unit(1, seed=1)]), r"`affirmed` must be finite"),
        ((unit(1), [unit(1)]), r"`excluded\[0\]` .*from the query"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_by_name(arguments, message):
    with pytest.raises(BadInputError, match=message):
        notclip.compose(*arguments)


def test_statistics_need_photos_enough_and_of_the_same_width():
    with pytest.raises(BadInputError, match="at least 100 photos, got 99"):
        notclip.image_statistics(unit(99))
    with pytest.raises(BadInputError, match="of the width of `affirmed`, 8, got 7"):
        notclip.compose(unit(1), [unit(1, seed=1)], statistics=notclip.image_statistics(unit(100, 7)))
    with pytest.raises(BadInputError, match=r"`strength` .*number from 0"):
        notclip.compose(unit(1), [unit(1, seed=1)], strength=-1)


def test_importing_notclip_brings_no_torch():
    code = "import sys, notclip; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
