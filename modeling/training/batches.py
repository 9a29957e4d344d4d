"""Which images, captions and questions each training step takes: a function of seed, epoch and step alone.

So that a run that is resumed repeats none and skips none, and several processes share a batch without a word.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import BatchSampler, DataLoader, Dataset

from notclip.errors import BadInputError
from notclip.remote.negation_scope import read_scopes
from notclip.remote.reading_tagger import Tagger
from notclip.training.data import TrainingSplit, all_of, pick_one_of_each
from notclip.training.embedding_shards import EmbeddingShards
from notclip.training.photos import PhotoReader


@dataclass(frozen=True)
class Draw:
    """What one process takes in one step, before any of it is read.

    Args:
        step: number of the step since the start of the training.
        images: positions of B images that have captions, shape (B,).
        chances: three numbers in [0, 1) for each: which of its captions, whether negated, which of the negated ones.
        groups: positions of whole groups of questions.
    """

    step: int
    images: np.ndarray
    chances: np.ndarray
    groups: np.ndarray


class GroupBatchSampler(BatchSampler):
    """Batches of different images, and of whole counterbalanced groups of questions.

    The questions of a group share their choices, so that a model which reads only the texts gains nothing by them; in
    parts they would teach which text is the likelier answer.

    Args:
        images: how many images have captions.
        largest_group: questions of the largest group.
        groups: how many groups there are.
        batch_images: images a step, over all processes.
        batch_questions: questions a step, over all processes, at most unless one group has more.
        seed: seed of the order.
        rank: this process.
        world_size: number of processes.

    Raises:
        BadInputError: there is nothing to learn from, or the processes cannot share a batch.
    """

    def __init__(
        self,
        *,
        images: int,
        groups: int,
        largest_group: int,
        batch_images: int,
        batch_questions: int,
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
    ):
        self._images, self._groups, self._seed = images, groups, seed
        self._own = slice(rank, None, world_size)
        # Negatives are gathered, for which every process must have as many.
        self._batch_images = min(batch_images, images) // world_size * world_size
        self._groups_per_step = max(1, batch_questions // max(1, largest_group))
        self._epoch = 0
        if self._batch_images == 0 or self._groups_per_step < world_size:
            raise BadInputError(
                f"{world_size} processes share a step's work, so `batch_images` must be at least {world_size} and "
                f"`batch_questions` at least {world_size * largest_group} (groups have up to {largest_group} "
                f"questions), got {min(batch_images, images)} and {batch_questions}."
            )

    def __len__(self) -> int:
        return self._images // self._batch_images

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch the next iteration is of."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[Any]:  # of Draw, where the base class has lists of positions
        rng = np.random.default_rng((self._seed, self._epoch))
        images = rng.permutation(self._images)
        groups = _in_turns(self._groups, len(self) * self._groups_per_step, rng)
        for step in range(len(self)):
            chosen = images[step * self._batch_images : (step + 1) * self._batch_images]
            asked = groups[step * self._groups_per_step : (step + 1) * self._groups_per_step]
            chances = np.random.default_rng((self._seed, self._epoch, step)).random((len(chosen), 3))
            yield Draw(self._epoch * len(self) + step, chosen[self._own], chances[self._own], asked[self._own])


class EpochLoader(DataLoader):
    """A loader that tells its batch sampler the epoch, as the Trainer tells the loader."""

    def set_epoch(self, epoch: int) -> None:
        """Hand the epoch on."""
        if isinstance(self.batch_sampler, GroupBatchSampler):
            self.batch_sampler.set_epoch(epoch)


class NegationDataset(Dataset):
    """One split with the embeddings of its images, from which a `Draw` becomes a batch.

    Args:
        split: captions and questions.
        image_embeds: unit-norm embeddings of its images, shape (I, D).
        negated_share: share of captions that are replaced by one of their negated versions.
        photos: reads the images, for an image tower that learns.
    """

    def __init__(
        self,
        split: TrainingSplit,
        image_embeds: Tensor | EmbeddingShards,
        *,
        negated_share: float = 0.5,
        photos: PhotoReader | None = None,
    ):
        self.split, self.image_embeds, self._photos = split, image_embeds, photos
        self._by_image, self._negated_share = split.captions_by_image(), negated_share

    def __len__(self) -> int:
        """How many images have captions."""
        return len(self._by_image)

    def __getitems__(self, draw: Draw) -> dict[str, Any]:
        """The batch of one process: what `Learner.forward` takes."""
        which, negate, version = draw.chances.T
        captions = pick_one_of_each(self._by_image, draw.images, which)
        texts = [caption.text for caption in captions]
        affirmative = []
        for row, caption in enumerate(captions):
            if caption.negated and negate[row] < self._negated_share:
                texts[row] = caption.negated[int(version[row] * len(caption.negated))]
            else:
                affirmative.append(row)
        questions = all_of(self.split.question_groups, draw.groups)
        shown, asked = [caption.image for caption in captions], [question.image for question in questions]
        batch = {
            "step": draw.step,
            "texts": texts,
            "affirmative": affirmative,
            "text_images": self.image_embeds[shown],
            "questions": questions,
            "question_images": self.image_embeds[asked],
        }
        if self._photos is not None:
            distinct = list(dict.fromkeys(shown + asked))
            place = {image: position for position, image in enumerate(distinct)}
            batch["photos"] = {
                **self._photos.read(distinct),
                "of_texts": torch.tensor([place[image] for image in shown]),
                "of_questions": torch.tensor([place[image] for image in asked]),
            }
        return batch


class ReadingDataset(Dataset):
    """A dataset whose batches bring along what each of their texts denies.

    Args:
        dataset: the dataset.
        tagger: reads texts.
    """

    def __init__(self, dataset: NegationDataset, tagger: Tagger):
        self._dataset, self._tagger = dataset, tagger

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitems__(self, draw: Draw) -> dict[str, Any]:
        """The batch of one process, `scopes` of all its texts among it."""
        batch = self._dataset.__getitems__(draw)
        texts = [*batch["texts"], *(choice for question in batch["questions"] for choice in question.choices)]
        distinct = list(dict.fromkeys(texts))
        return batch | {"scopes": dict(zip(distinct, read_scopes(distinct, tagger=self._tagger), strict=True))}


def as_it_is(batch: Any) -> dict[str, Any]:
    """What the loader's collator does to a batch that is one already."""
    made: dict[str, Any] = batch
    return made


def _in_turns(count: int, needed: int, rng: np.random.Generator) -> np.ndarray:
    """`needed` of `count` positions in random order, each as often as any other or once more."""
    turns = [rng.permutation(count) for _ in range(-(-needed // count))]
    return np.concatenate(turns)[:needed]
