"""What training reads of a built dataset: distinct images, their captions, and counterbalanced question groups."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from notclip.dataset.reader import read_split
from notclip.dataset.rows import CaptionRow, QuestionRow, RetrievalRow


@dataclass(frozen=True)
class Caption:
    """A source caption, its negated versions, and the position of its image."""

    image: int
    text: str
    negated: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """Choices of which one is true of the image; `kind` is the kind of the true one."""

    image: int
    choices: tuple[str, ...]
    answer: int
    kind: str


@dataclass(frozen=True)
class TrainingSplit:
    """One split, with each distinct image once.

    Args:
        image_bytes: encoded images, I in all.
        digests: SHA-256 of each image's bytes, the key of its cached embedding.
        captions: captions in file order.
        question_groups: questions that share their set of choices, which a batch keeps together.
        negated_queries: (query, position of its image).
    """

    image_bytes: Sequence[bytes]
    digests: list[bytes]
    captions: list[Caption]
    question_groups: list[list[Question]]
    negated_queries: list[tuple[str, int]]

    @property
    def questions(self) -> list[Question]:
        """All questions, group after group."""
        return [question for group in self.question_groups for question in group]

    def captions_by_image(self) -> list[list[Caption]]:
        """Captions of each image that has any."""
        by_image: dict[int, list[Caption]] = {}
        for caption in self.captions:
            by_image.setdefault(caption.image, []).append(caption)
        return [by_image[image] for image in sorted(by_image)]


def read_training_split(data: Path, split: str) -> TrainingSplit:
    """Read one split of a folder that `notclip build-dataset` wrote.

    Raises:
        BadInputError: a config's file, or one of its parts, is missing or lacks a column.
    """
    images = _DistinctImages()
    captions = [
        Caption(images.position(row), row.caption, tuple(row.negated_captions))
        for row, _ in read_split(data, CaptionRow, split, ["image", "image_id", "caption", "negated_captions"])
    ]
    groups: dict[tuple[str, ...], list[Question]] = {}
    for asked, _ in read_split(data, QuestionRow, split, ["image", "image_id", "choices", "answer", "kind"]):
        question = Question(images.position(asked), tuple(asked.choices), asked.answer, asked.kind)
        groups.setdefault(tuple(sorted(asked.choices)), []).append(question)
    queries = [
        (query, images.position(searched))
        for searched, _ in read_split(data, RetrievalRow, split, ["image", "image_id", "captions"])
        for query in searched.captions
    ]
    return TrainingSplit(images.image_bytes, images.digests, captions, list(groups.values()), queries)


class _DistinctImages:
    """Positions of images in order of first appearance; one image_id is one image."""

    def __init__(self) -> None:
        self.image_bytes: list[bytes] = []
        self.digests: list[bytes] = []
        self._positions: dict[str, int] = {}

    def position(self, row: CaptionRow | QuestionRow | RetrievalRow) -> int:
        position = self._positions.setdefault(row.image_id, len(self.image_bytes))
        if position == len(self.image_bytes):
            assert row.image is not None and row.image["bytes"] is not None  # noqa: S101  # as the reader checked
            encoded = row.image["bytes"]
            self.image_bytes.append(encoded)
            self.digests.append(hashlib.sha256(encoded).digest())
        return position


def epoch_batches(count: int, batch: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Shuffle `count` positions into full batches, dropping the incomplete last one (all in one when too few)."""
    order = rng.permutation(count)
    if count <= batch:
        return [order]
    return [order[start : start + batch] for start in range(0, count - batch + 1, batch)]
