"""What the drawn world's encoder has learnt, and what it has not: retrieval, presence, affirmation bias."""

import numpy as np
from sklearn.metrics import roc_auc_score


def recall_at_k(image_embeds: np.ndarray, caption_embeds: np.ndarray, *, owners: np.ndarray, k: int) -> float:
    """Share of captions whose picture is among the k nearest.

    Args:
        image_embeds: unit-norm, shape (I, D).
        caption_embeds: unit-norm, shape (N, D).
        owners: index of the picture that each caption was written for, shape (N,).
        k: how many pictures to look at.

    >>> recall_at_k(np.eye(3), np.eye(3), owners=np.array([0, 1, 0]), k=1)
    0.6666666666666666
    """
    scores = caption_embeds @ image_embeds.T
    own = np.take_along_axis(scores, owners[:, None], axis=1)
    # A picture that ties with the right one counts as nearer, so that a constant encoder gets nothing.
    nearer = (scores >= own).sum(axis=1) - 1
    return float((nearer < k).mean())


def presence_auc(scores: np.ndarray, present: np.ndarray) -> np.ndarray:
    """For each object, the chance that a picture with it scores above a picture without it; ties count half.

    Args:
        scores: score of each picture for each object, shape (I, K).
        present: whether the picture shows the object, shape (I, K); each object both present and absent somewhere.

    >>> presence_auc(np.array([[0.9], [0.2], [0.5]]), np.array([[True], [False], [False]]))
    array([1.])
    """
    return np.array([roc_auc_score(shown, column) for shown, column in zip(present.T, scores.T, strict=True)])


def linear_readout(embeds: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Ridge weights (of strength 1) that read each object's presence off the embedding.

    Args:
        embeds: image embeddings, shape (I, D).
        present: whether the picture shows the object, shape (I, K).

    Returns:
        Weights of shape (D + 1, K); the last row is the constant.
    """
    inputs = np.concatenate([embeds, np.ones((len(embeds), 1))], axis=1)
    gram = inputs.T @ inputs + np.eye(inputs.shape[1])
    return np.linalg.solve(gram, inputs.T @ present.astype(float))


def affirmation_bias(denial_scores: np.ndarray, present: np.ndarray) -> float:
    """How often the false "no dog" beats the true "no cat" on a picture of a dog without a cat.

    Over all pictures, and all pairs of an object that is present and one that is absent. An encoder that reads "no"
    comes near 0, one that cannot tell the two apart scores 0.5, one that reads only the noun comes near 1.

    Args:
        denial_scores: score of each picture with "no <object>", shape (I, K).
        present: whether the picture shows the object, shape (I, K).

    >>> affirmation_bias(np.array([[0.9, 0.1]]), np.array([[True, False]]))
    1.0
    """
    wrong, pairs = 0.0, 0
    for scores, shown in zip(denial_scores, present, strict=True):
        difference = scores[shown][:, None] - scores[~shown][None, :]
        wrong += float((difference > 0).sum() + 0.5 * (difference == 0).sum())
        pairs += difference.size
    return wrong / pairs
