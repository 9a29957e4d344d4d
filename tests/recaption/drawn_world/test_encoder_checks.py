import numpy as np
import pytest

from notclip.recaption.drawn_world.encoder_checks import affirmation_bias, linear_readout, presence_auc, recall_at_k


def test_a_constant_encoder_finds_nothing() -> None:
    same = np.ones((10, 1))
    assert recall_at_k(same, same, owners=np.arange(10), k=5) == 0.0


def test_recall_counts_captions_whose_picture_is_near_enough() -> None:
    images = np.eye(3)
    captions = np.array([[0.9, 0.5, 0.1], [0.9, 0.5, 0.1], [0.9, 0.5, 0.1]])
    owners = np.array([0, 1, 2])
    assert [recall_at_k(images, captions, owners=owners, k=k) for k in (1, 2, 3)] == pytest.approx([1 / 3, 2 / 3, 1])


def test_a_linear_readout_finds_a_linear_rule() -> None:
    rng = np.random.default_rng(0)
    embeds = rng.normal(size=(500, 6))
    present = embeds @ rng.normal(size=(6, 2)) > 0.3
    weights = linear_readout(embeds, present)
    assert weights.shape == (7, 2)
    assert presence_auc(embeds @ weights[:-1] + weights[-1], present).min() > 0.98


@pytest.mark.parametrize(("scores", "expected"), [([0.9, 0.1], 1.0), ([0.1, 0.9], 0.0), ([0.5, 0.5], 0.5)])
def test_affirmation_bias_is_how_often_the_false_denial_wins(scores: list[float], expected: float) -> None:
    assert affirmation_bias(np.array([scores]), np.array([[True, False]])) == expected
