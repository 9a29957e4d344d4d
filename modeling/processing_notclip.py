"""Text and images in, tensors out: the backbone's own tokenizer and image processor behind CLIP's processor calls.

The negation is not read here. The model reads it from the tokens, so that a caption means the same whether it comes
through this processor, a bare tokenizer or a pipeline.
"""

from typing import Any

from transformers.processing_utils import ProcessorMixin


class NotClipProcessor(ProcessorMixin):
    """A tokenizer and an image processor, called as `processor(text=[...], images=[...], return_tensors="pt")`."""

    def __init__(self, image_processor: Any = None, tokenizer: Any = None, **kwargs: Any):
        super().__init__(image_processor, tokenizer)


__all__ = ["NotClipProcessor"]
