"""Text and images in, tensors out: the backbone's own tokenizer and image processor behind CLIP's processor calls.

The negation is not read here. The model reads it from the tokens, so that a caption means the same whether it comes
through this processor, a bare tokenizer or a pipeline.
"""

from pathlib import Path
from typing import Any

from transformers.processing_utils import ProcessorMixin


class NotClipProcessor(ProcessorMixin):
    """A tokenizer and an image processor, called as `processor(text=[...], images=[...], return_tensors="pt")`."""

    def __init__(self, image_processor: Any = None, tokenizer: Any = None, **kwargs: Any):
        super().__init__(image_processor, tokenizer)

    def save_pretrained(self, save_directory: str | Path, push_to_hub: bool = False, **kwargs: Any) -> Any:
        """Write tokenizer and image processor, as every processor of transformers."""
        # A tokenizer also writes down how its last call cut and padded, and warns those who load it of a `max_length`
        # that they never set; one that came with a length of its own keeps it.
        backend = getattr(self.tokenizer, "backend_tokenizer", None)
        if backend is not None and "max_length" not in self.tokenizer.init_kwargs:
            backend.no_truncation()
            backend.no_padding()
        return super().save_pretrained(save_directory, push_to_hub=push_to_hub, **kwargs)


__all__ = ["NotClipProcessor"]
