"""Encode each distinct photo and caption of a suite once."""

from collections.abc import Sequence
from typing import Protocol

import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from notclip.errors import BadInputError
from notclip.recaption.suite import Suite, open_photo

TEXTS_AT_ONCE = 8192  # between two steps of the progress bar; parts of captions are encoded once in each


class DualScorer(Protocol):
    """A model whose score of an image and a text is affine in the image embedding: `image @ vector + bias`."""

    @property
    def logit_scale(self) -> Tensor:
        """Logarithm of the factor that makes logits of scores, scalar."""
        ...

    def encode_images(self, images: Sequence[Image.Image], *, batch_size: int) -> Tensor:
        """Unit-norm embeddings, shape (I, D)."""
        ...

    def encode_queries(self, texts: Sequence[str], *, batch_size: int) -> tuple[Tensor, Tensor]:
        """Vectors, shape (T, D), and biases, shape (T,)."""
        ...


class EmbeddedTexts:
    """Vectors and biases of distinct texts, found by text."""

    def __init__(self, model: DualScorer, texts: Sequence[str], *, batch_size: int, progress: bool) -> None:
        # Texts of one length share a batch, so that little of it is padding.
        distinct = sorted(set(texts), key=lambda text: (len(text), text))
        self._rows = {text: row for row, text in enumerate(distinct)}
        vectors, biases = [], []
        with tqdm(total=len(distinct), desc="encode texts", unit="text", disable=not progress) as bar:
            for start in range(0, len(distinct), TEXTS_AT_ONCE):
                chunk = distinct[start : start + TEXTS_AT_ONCE]
                chunk_vectors, chunk_biases = model.encode_queries(chunk, batch_size=batch_size)
                vectors.append(chunk_vectors.float())
                biases.append(chunk_biases.float())
                bar.update(len(chunk))
        self.vectors, self.biases = torch.cat(vectors), torch.cat(biases)  # (T, D), (T,)

    def rows(self, texts: Sequence[str]) -> Tensor:
        """Rows of texts in `vectors` and `biases`, shape (len(texts),)."""
        return torch.tensor([self._rows[text] for text in texts], device=self.vectors.device)


def embed_photos(
    model: DualScorer, suite: Suite, *, batch_size: int, skip_bad: bool, progress: bool
) -> tuple[Suite, Tensor]:
    """Embed a suite's photos in their order, which is the order in which files hold them.

    Args:
        model: the model.
        suite: whose photos are embedded.
        batch_size: photos decoded and encoded at once.
        skip_bad: leave out photos that cannot be decoded, with their questions and queries, instead of stopping.
        progress: show a bar.

    Returns:
        The suite without what was left out, and the embeddings of its photos, shape (I, D).

    Raises:
        BadInputError: a photo cannot be decoded, and is not to be skipped; or all were skipped.
    """
    names, embeds, bad = list(suite.photos), [], {}
    with tqdm(total=len(names), desc="encode photos", unit="photo", disable=not progress) as bar:
        for start in range(0, len(names), batch_size):
            batch = names[start : start + batch_size]
            images = []
            for name in batch:
                try:
                    images.append(open_photo(suite.photos[name]))
                except BadInputError as error:
                    if not skip_bad:
                        raise
                    bad[name] = str(error)
            if images:
                embeds.append(model.encode_images(images, batch_size=batch_size).float())
            bar.update(len(batch))
    if not embeds:
        raise BadInputError(
            f"`suite` {suite.name} has no photo that can be decoded; the first: {next(iter(bad.values()))}"
        )
    return suite.without(bad) if bad else suite, torch.cat(embeds)
