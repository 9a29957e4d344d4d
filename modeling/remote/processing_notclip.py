"""Text and images in, tensors out: the backbone's own tokenizer and image processor behind CLIP's processor calls.

The negation is not read here. The model reads it from the tokens, so that a caption means the same whether it comes
through this processor, a bare tokenizer or a pipeline.
"""

from pathlib import Path
from typing import Any

from PIL import Image
from transformers.processing_utils import ProcessorMixin

from .photo_notclip import PHOTO_SUFFIXES, open_photo


class NotClipProcessor(ProcessorMixin):
    """A tokenizer and an image processor, called as `processor(text=[...], images=[...], return_tensors="pt")`."""

    def __init__(self, image_processor: Any = None, tokenizer: Any = None, **kwargs: Any):
        super().__init__(image_processor, tokenizer)

    def __call__(self, images: Any = None, text: Any = None, **kwargs: Any) -> Any:
        """Turn images and texts into tensors, as every processor of transformers; see `open_photo` for the images.

        Raises:
            PhotoError: a photo cannot be opened.
        """
        return super().__call__(images=_opened(images), text=text, **kwargs)

    def save_pretrained(self, save_directory: str | Path, push_to_hub: bool = False, **kwargs: Any) -> Any:
        """Write tokenizer and image processor, as every processor of transformers."""
        # A tokenizer also writes down how its last call cut and padded, and warns those who load it of a `max_length`
        # that they never set; one that came with a length of its own keeps it.
        backend = getattr(self.tokenizer, "backend_tokenizer", None)
        if backend is not None and "max_length" not in self.tokenizer.init_kwargs:
            backend.no_truncation()
            backend.no_padding()
        return super().save_pretrained(save_directory, push_to_hub=push_to_hub, **kwargs)


def _opened(images: Any) -> Any:
    """PIL images, paths and encoded photos opened as everywhere here; the rest is left to transformers."""
    if isinstance(images, (list, tuple)):
        return [_opened(image) for image in images]
    is_path = isinstance(images, Path) or (isinstance(images, str) and Path(images).suffix.lower() in PHOTO_SUFFIXES)
    if isinstance(images, (Image.Image, bytes)) or (is_path and "://" not in str(images)):
        return open_photo(images)
    return images


__all__ = ["NotClipProcessor"]
