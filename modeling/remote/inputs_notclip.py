"""What the model's calls on strings and images take, and what they say to the rest.

A string is a sequence of strings to Python, and a generator is empty when it is read again: without these checks both
come back as scores of the wrong shape.
"""

from collections.abc import Iterable, Sequence, Sized
from os import PathLike
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .photo_notclip import PhotoError, open_photo


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
    """Refuse what is neither a sequence of photos nor a batch of pixel values.

    Raises:
        ValueError: one image or path stands for the sequence, or what should be pixel values are none.
    """
    if isinstance(images, Tensor):
        if images.ndim != 4 or images.shape[1] != 3:
            raise ValueError(
                f"`images` as pixel values must have the shape (images, 3, height, width), got {tuple(images.shape)}."
            )
        check_pixel_values(images, name="images")
        if not images.isfinite().all():
            raise ValueError("`images` as pixel values must be finite, got NaN or infinity.")
    elif isinstance(images, (str, bytes, PathLike, Image.Image)):
        raise ValueError(f"`images` must be a list of photos, got one {type(images).__name__}: put it in a list.")
    elif not isinstance(images, Sized):
        raise ValueError(f"`images` must be a list of photos, got {type(images).__name__}.")
    elif isinstance(images, np.ndarray) and images.ndim != 4:
        raise ValueError(
            f"`images` must be a list of photos, or an array of shape (images, height, width, 3), got one of shape "
            f"{images.shape}: put a single photo in a list."
        )


def check_pixel_values(pixel_values: Tensor, *, name: str = "pixel_values") -> None:
    """Refuse a tensor that holds pictures rather than what the image processor makes of them.

    Raises:
        ValueError: it is one of integers.
    """
    if not pixel_values.is_floating_point():
        raise ValueError(
            f"`{name}` as a tensor must be pixel values as the image processor makes them, in floating point, got "
            f"{str(pixel_values.dtype).removeprefix('torch.')}: hand pictures over as PIL images or numpy arrays."
        )


def open_photos(images: Sequence[Any], *, first: int = 0) -> list[Image.Image]:
    """Open a batch of photos.

    Args:
        images: the batch; of PIL images, paths, bytes or arrays, see `open_photo`.
        first: position of its first photo in the whole sequence, for the message.

    Raises:
        ValueError: one of them cannot be opened.
    """
    photos = []
    for position, image in enumerate(images, start=first):
        try:
            photos.append(open_photo(image))
        except PhotoError as error:
            raise ValueError(f"`images` at position {position}: {error}.") from error
    return photos


def as_exclusions(exclude: Any, text: str) -> list[Any]:
    """Read what a query excludes, in words or as photos.

    Raises:
        ValueError: one thing stands for the list, or some words are empty or the query itself.
    """
    if isinstance(exclude, (str, bytes, PathLike, Image.Image)) or not isinstance(exclude, Iterable):
        raise ValueError(f"`exclude` must be a list of texts and photos, got {exclude!r}: put it in a list.")
    things = list(exclude)
    for thing in things:
        if isinstance(thing, str) and thing.strip().lower() in ("", text.strip().lower()):
            raise ValueError(f"`exclude` must name something else than the query {text!r}, got {thing!r}.")
    return things


def check_unit_rows(rows: Tensor, what: str, *, width: int | None = None) -> None:
    """Refuse what are no embeddings.

    Args:
        rows: shape (N, D).
        what: what a message calls them.
        width: D, where it is known.

    Raises:
        ValueError: they have another shape, are not finite or not of unit norm.
    """
    if rows.ndim != 2 or width not in (None, rows.shape[1]):
        raise ValueError(f"{what} must have the shape (rows, {width or 'D'}), got {tuple(rows.shape)}.")
    if not rows.isfinite().all():
        row = int((~rows.isfinite()).any(1).nonzero()[0])
        raise ValueError(f"{what} must be finite, got NaN or infinity in row {row}.")
    length = rows.float().norm(dim=-1)
    if len(rows) and not torch.allclose(length, torch.ones_like(length), atol=1e-2):
        row = int((length - 1).abs().argmax())
        raise ValueError(
            f"{what} must have rows of unit norm, got {length[row]:.3g} in row {row}: divide each row by its norm"
            + (" (a row of zeros affirms or excludes nothing)." if length[row] == 0 else ".")
        )


def check_photos_to_measure(images: Any, *, least: int, width: int) -> None:
    """Refuse photos or embeddings that no statistics can be measured on.

    Raises:
        ValueError: there are too few, or embeddings are no finite unit vectors of the model's width.
    """
    if isinstance(images, Tensor) and images.ndim == 2:
        check_unit_rows(images, "`images` as embeddings", width=width)
    else:
        check_images(images)
    if len(images) < least:
        raise ValueError(
            f"`images` must be at least {least} photos to measure their statistics, got {len(images)}: "
            "without `calibrate` the composition needs none."
        )
