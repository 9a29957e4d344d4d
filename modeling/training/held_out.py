"""A domain held out of the training to judge by, for those who have no other photos at hand.

A domain is what the base thinks alike: photos of a cluster and of the clusters nearest to it (kitchens, water, dogs on
grass, …), with their captions, and with every group of questions that has one of them, for a group in part would teach
which of its texts is the likelier answer.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from notclip.remote.composition_notclip import image_statistics
from notclip.training.data import TrainingSplit
from notclip.training.judging import Judged

LEAST_QUESTIONS = 100  # Of fewer a figure is noise.
MOST_PHOTOS = 200_000  # What is kept of the texts is held in memory: larger sets are judged by `away`.


@dataclass(frozen=True)
class Domain:
    """Clusters of photos that lie near each other.

    Args:
        centres: unit-norm means of all clusters, shape (N, D).
        taken: which of them are of the domain, bool, shape (N,).
    """

    centres: Tensor
    taken: Tensor

    def photos(self, image_embeds: Tensor) -> set[int]:
        """Rows of the embeddings, shape (I, D), that lie in the domain."""
        inside = self.taken[(image_embeds @ self.centres.T).argmax(1)]
        return set(inside.nonzero()[:, 0].tolist())


def hold_out(
    train: Judged, validation: Judged, *, share: float, seed: int
) -> tuple[TrainingSplit, TrainingSplit, TrainingSplit | None]:
    """Hold a domain out of the training.

    Args:
        train: what would be learnt from.
        validation: what is judged by; its photos of the domain are away.
        share: about which part of the training photos the domain takes, in [0, 1).
        seed: decides which domain.

    Returns:
        what remains to learn from, what remains of validation, and what the domain has of it; all as it was, and
        None, where too little would be left of any of them, or there are more than 200,000 photos.
    """
    if share > 0 and len(train.image_embeds) <= MOST_PHOTOS:
        of_train, of_validation = train.image_embeds[:], validation.image_embeds[:]
        domain = find_domain(of_train, share=share, seed=seed)
        held = domain.photos(of_validation)
        kept = _without(train.split, domain.photos(of_train))
        home, away = _without(validation.split, held), _only(validation.split, held)
        if min(len(split.questions) for split in (kept, home, away)) >= LEAST_QUESTIONS:
            return kept, home, away
    return train.split, validation.split, None


def find_domain(image_embeds: Tensor, *, share: float, seed: int) -> Domain:
    """A cluster that the seed chooses, and the nearest to it until they have about `share` of the photos."""
    statistics = image_statistics(image_embeds)
    used = statistics.shares > 0
    centres, shares = torch.nn.functional.normalize(statistics.centres[used], dim=-1), statistics.shares[used]
    first = int(np.random.default_rng(seed).integers(len(centres)))
    nearest = (centres @ centres[first]).argsort(descending=True)
    before = shares[nearest].cumsum(0) - shares[nearest]
    taken = torch.zeros(len(centres), dtype=torch.bool)
    taken[nearest[before < share]] = True
    return Domain(centres, taken)


def _without(split: TrainingSplit, photos: set[int]) -> TrainingSplit:
    return replace(
        split,
        captions=[caption for caption in split.captions if caption.image not in photos],
        question_groups=[g for g in split.question_groups if all(q.image not in photos for q in g)],
        negated_queries=[(query, image) for query, image in split.negated_queries if image not in photos],
    )


def _only(split: TrainingSplit, photos: set[int]) -> TrainingSplit:
    groups = [[question for question in group if question.image in photos] for group in split.question_groups]
    return replace(
        split,
        captions=[caption for caption in split.captions if caption.image in photos],
        question_groups=[group for group in groups if group],
        negated_queries=[(query, image) for query, image in split.negated_queries if image in photos],
    )
