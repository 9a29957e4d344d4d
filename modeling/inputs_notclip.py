"""What the model's calls on strings and images take, and what they say to the rest.

A string is a sequence of strings to Python, and a generator is empty when it is read again: without these checks both
come back as scores of the wrong shape.
"""

from collections.abc import Iterable, Sequence, Sized
from typing import Any

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
