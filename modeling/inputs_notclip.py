"""What the model's calls on strings and images take, and what they say to the rest.

A string is a sequence of strings to Python, and a generator is empty when it is read again: without these checks both
come back as scores of the wrong shape.
"""

from collections.abc import Iterable, Sequence, Sized
from typing import Any

import torch
from PIL import Image
from torch import Tensor


def as_texts(texts: Iterable[str]) -> list[str]:
    """Read texts once, into a list.

    Raises:
        ValueError: one string stands for the list, or something else than a string is in it.
    """
    if isinstance(texts, str):
        raise ValueError(f"`texts` must be a list of strings, got the one string {texts!r}: put it in a list.")
    if not isinstance(texts, Iterable):
        raise ValueError(f"`texts` must be a list of strings, got {type(texts).__name__}.")
    texts = list(texts)
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            raise ValueError(f"`texts` must be strings, got {type(text).__name__} at position {position}.")
    return texts


def check_images(images: Any) -> None:
    """Refuse what is neither a sequence nor a batch of pixel values.

    Raises:
        ValueError: one image or path stands for the sequence, or pixel values lack a dimension.
    """
    if isinstance(images, Tensor):
        if images.ndim != 4:
            raise ValueError(
                f"`images` as pixel values must have the shape (images, 3, height, width), got {tuple(images.shape)}."
            )
    elif isinstance(images, (str, bytes, Image.Image)):
        raise ValueError(f"`images` must be a list of PIL images, got one {type(images).__name__}: put it in a list.")
    elif not isinstance(images, Sized):
        raise ValueError(f"`images` must be a list of PIL images, got {type(images).__name__}.")


def as_rgb(images: Sequence[Image.Image], *, first: int) -> list[Image.Image]:
    """Turn a batch of pictures into RGB.

    Args:
        images: the batch.
        first: position of its first picture in the whole sequence, for the message.

    Raises:
        ValueError: something else than a PIL image is in it.
    """
    for position, image in enumerate(images, start=first):
        if not isinstance(image, Image.Image):
            raise ValueError(
                f"`images` must be PIL images, got {type(image).__name__} at position {position}: open a file with "
                "`Image.open`, turn an array into a picture with `Image.fromarray`."
            )
    return [image.convert("RGB") for image in images]


def as_exclusions(exclude: Any, text: str) -> list[str | Image.Image]:
    """Read what a query excludes, in words or as photos.

    Raises:
        ValueError: one thing stands for the list, or one of them is empty, the query itself, or of another kind.
    """
    if isinstance(exclude, (str, Image.Image)) or not isinstance(exclude, Iterable):
        raise ValueError(f"`exclude` must be a list of texts and PIL images, got {exclude!r}: put it in a list.")
    things = list(exclude)
    for position, thing in enumerate(things):
        if not isinstance(thing, (str, Image.Image)):
            raise ValueError(
                f"`exclude` must hold texts and PIL images, got {type(thing).__name__} at position {position}."
            )
        if isinstance(thing, str) and thing.strip().lower() in ("", text.strip().lower()):
            raise ValueError(f"`exclude` must name something else than the query {text!r}, got {thing!r}.")
    return things


def check_photos_to_measure(images: Any, *, least: int, width: int) -> None:
    """Refuse photos or embeddings that no statistics can be measured on.

    Raises:
        ValueError: there are too few, or embeddings are no finite unit vectors of the model's width.
    """
    if isinstance(images, Tensor) and images.ndim == 2:
        if images.shape[1] != width:
            raise ValueError(f"`images` as embeddings must have {width} columns, got {images.shape[1]}.")
        if not images.isfinite().all():
            row = int((~images.isfinite()).any(1).nonzero()[0])
            raise ValueError(f"`images` as embeddings must be finite, got NaN or infinity in row {row}.")
        length = images.float().norm(dim=-1)
        if not torch.allclose(length, torch.ones_like(length), atol=1e-2):
            row = int((length - 1).abs().argmax())
            raise ValueError(f"`images` as embeddings must have unit norm, got {length[row]:.3g} in row {row}.")
    else:
        check_images(images)
    if len(images) < least:
        raise ValueError(
            f"`images` must be at least {least} photos to measure their statistics, got {len(images)}: "
            "without `calibrate` the composition needs none."
        )
