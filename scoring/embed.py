"""Encode each distinct photo and caption of a suite once, and none that the cache already holds."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from PIL import Image
from torch import Tensor, nn
from tqdm import tqdm

from notclip.dataset.photos import decode_photo
from notclip.embedding_store import EmbeddingStore
from notclip.errors import BadInputError
from notclip.scoring.suites.suite import Photo, Suite, frames_to_encode

PIXELS_AT_ONCE = 2**27  # decoded and not yet encoded: 0.5 GB
TEXTS_AT_ONCE = 8192  # between two steps of the progress bar; parts of captions are encoded once in each


class DualScorer(Protocol):
    """A model whose score of an image and a text is affine in the image embedding: `image @ vector + bias`."""

    @property
    def logit_scale(self) -> Tensor | None:
        """Logarithm of the factor that makes logits of scores, scalar; None where it is not known."""
        ...

    def encode_images(self, images: Sequence[Image.Image], *, batch_size: int) -> Tensor:
        """Unit-norm embeddings, shape (I, D)."""
        ...

    def encode_queries(self, texts: Sequence[str], *, batch_size: int) -> tuple[Tensor, Tensor]:
        """Vectors, shape (T, D), and biases, shape (T,)."""
        ...


@dataclass(frozen=True)
class TextVectors:
    """What distinct texts ask of an image embedding.

    Args:
        row: text -> its row.
        vectors: shape (T, D).
        biases: shape (T,).
    """

    row: dict[str, int]
    vectors: Tensor
    biases: Tensor

    def to(self, device: torch.device | str) -> "TextVectors":
        """The same on another device."""
        return TextVectors(self.row, self.vectors.to(device), self.biases.to(device))

    def rows(self, texts: Sequence[str]) -> Tensor:
        """Rows of texts in `vectors` and `biases`, shape (len(texts),)."""
        return torch.tensor([self.row[text] for text in texts], device=self.vectors.device)


def embed_texts(
    model: DualScorer, texts: Sequence[str], store: EmbeddingStore, *, batch_size: int, progress: bool
) -> TextVectors:
    """Turn texts into vectors and biases.

    Args:
        model: the model.
        texts: any texts; each distinct one is encoded once, with others of its length, so that little is padding.
        store: vectors with their bias as last column, by SHA-256 of the text; gets what it lacks.
        batch_size: texts encoded at once.
        progress: show a bar.
    """
    distinct = sorted(set(texts), key=lambda text: (len(text), text))
    digests = [hashlib.sha256(text.encode()).digest() for text in distinct]
    missing = [row for row, digest in enumerate(digests) if digest not in store]
    with tqdm(total=len(missing), desc="encode texts", unit="text", disable=not (progress and missing)) as bar:
        try:
            for start in range(0, len(missing), TEXTS_AT_ONCE):
                chunk = missing[start : start + TEXTS_AT_ONCE]
                vectors, biases = model.encode_queries([distinct[row] for row in chunk], batch_size=batch_size)
                store.add(
                    [digests[row] for row in chunk], torch.cat([vectors.float(), biases.float()[:, None]], dim=1)
                )
                bar.update(len(chunk))
        finally:
            store.flush()
    both = store.vectors(digests)  # (T, D + 1)
    return TextVectors({text: row for row, text in enumerate(distinct)}, both[:, :-1].contiguous(), both[:, -1])


def embed_photos(
    model: DualScorer, suite: Suite, store: EmbeddingStore, *, batch_size: int, skip_bad: bool, progress: bool
) -> tuple[Suite, Tensor]:
    """Embed a suite's photos in their order, which is the order in which files hold them.

    Args:
        model: the model.
        suite: whose photos are embedded.
        store: embeddings by SHA-256 of the encoded photo; gets what it lacks.
        batch_size: photos decoded and encoded at once.
        skip_bad: leave out photos that cannot be decoded, with their questions and queries, instead of stopping.
        progress: show a bar.

    Returns:
        The suite without what was left out, and the unit-norm embeddings of its photos, shape (I, D); a video's is
        the mean of its frames', at unit norm.

    Raises:
        BadInputError: a photo cannot be decoded, and is not to be skipped; or all were skipped.
    """
    frames: dict[str, list[bytes]] = {}  # photo -> digests of what is encoded for it
    waiting: dict[bytes, Image.Image] = {}
    bad: dict[str, str] = {}

    def encode() -> None:
        if waiting:
            store.add(list(waiting), model.encode_images(list(waiting.values()), batch_size=batch_size))
            waiting.clear()

    with tqdm(total=len(suite.photos), desc="encode photos", unit="photo", disable=not progress) as bar:
        try:
            for name, photo in suite.photos.items():
                try:
                    frames[name] = [_read_frame(frame, store, waiting) for frame in frames_to_encode(photo)]
                except BadInputError as error:
                    if not skip_bad:
                        raise
                    bad[name] = str(error)
                # Sixty-four small photos are little; sixty-four from a phone are four gigabytes.
                pixels = sum(image.width * image.height for image in waiting.values())
                if len(waiting) >= batch_size or pixels >= PIXELS_AT_ONCE:
                    encode()
                bar.update()
            encode()
        finally:
            store.flush()
    if not frames:
        raise BadInputError(
            f"`suite` {suite.name} has no photo that can be decoded; the first: {next(iter(bad.values()))}"
        )
    return suite.without(bad) if bad else suite, _mean_of_frames(list(frames.values()), store)


def _read_frame(frame: Photo, store: EmbeddingStore, waiting: dict[bytes, Image.Image]) -> bytes:
    """Digest of a photo, which waits to be encoded if it is not in the store."""
    encoded = frame.read_bytes()
    digest = hashlib.sha256(encoded).digest()
    if digest not in store and digest not in waiting:
        waiting[digest] = decode_photo(encoded, frame.where)
    return digest


def _mean_of_frames(frames: list[list[bytes]], store: EmbeddingStore) -> Tensor:
    every = store.vectors([digest for digests in frames for digest in digests])
    if len(every) == len(frames):
        return every
    owner = torch.arange(len(frames)).repeat_interleave(torch.tensor([len(digests) for digests in frames]))
    return nn.functional.normalize(torch.zeros(len(frames), every.shape[1]).index_add(0, owner, every), dim=-1)
