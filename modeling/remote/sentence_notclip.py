"""NotCLIP in sentence-transformers: loaded by the release's modules.json, and by nothing else.

    encoder = SentenceTransformer("…", trust_remote_code=True)
    encoder.similarity(encoder.encode(images), encoder.encode(["a street with no cars"]))   # the model's own scores

A query is affine in the image embedding, s = v · e + b. One more coordinate makes it linear: a text becomes (v, b), an
image (e, 1), and their dot product is s. All images keep the same norm, so that cosine ranks them alike.

It encodes; it does not train, since the parts of a query are embedded without gradients.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from sentence_transformers.base.modality import infer_batch_modality
from sentence_transformers.base.modules import InputModule
from transformers.image_utils import load_image

from .modeling_notclip import NotClipModel
from .pretrained_notclip import read_pretrained


class NotClipSentences(InputModule):
    """The module that encodes texts and PIL images to vectors of D + 1 coordinates."""

    def __init__(self, model: NotClipModel):
        super().__init__()
        self.model = model

    @classmethod
    def load(  # type: ignore[override]  # every name that sentence-transformers hands over, those unused too
        cls,
        model_name_or_path: str,
        subfolder: str = "",
        token: bool | str | None = None,
        cache_folder: str | None = None,
        revision: str | None = None,
        local_files_only: bool = False,
        trust_remote_code: bool = False,
        model_kwargs: dict[str, Any] | None = None,
        processor_kwargs: dict[str, Any] | None = None,
        config_kwargs: dict[str, Any] | None = None,
        backend: str = "torch",
    ) -> "NotClipSentences":
        """Load the NotCLIP model of a release, from a folder or the Hub.

        Raises:
            ValueError: another backend than torch is asked for.
        """
        if backend != "torch":
            raise ValueError(f"`backend` must be 'torch' for a NotCLIP model, got {backend!r}.")
        model = read_pretrained(
            NotClipModel,
            model_name_or_path,
            token=token,
            cache_dir=cache_folder,
            revision=revision or "main",
            local_files_only=local_files_only,
            **(model_kwargs or {}),
        )
        return cls(model.eval())

    @property
    def modalities(self) -> list[Any]:
        """Texts and images."""
        return ["text", "image"]

    @property
    def tokenizer(self) -> Any:  # type: ignore[override]
        """The backbone's tokenizer."""
        return self.model.processor.tokenizer

    @property
    def processor(self) -> Any:
        """Tokenizer and image processor."""
        return self.model.processor

    def get_embedding_dimension(self) -> int:
        """D + 1."""
        return self.model.config.embedding_dim + 1

    def preprocess(self, inputs: Sequence[Any], prompt: str | None = None, **kwargs: Any) -> dict[str, Any]:
        """Hand texts or images on: the negation is read in the words, before there are tokens.

        What is an image is told as by sentence-transformers' own models, so that the name of a photo's file is the
        photo here too, and no caption.
        """
        kind = infer_batch_modality(inputs, supported_modalities=self.modalities)
        values = [each.get(kind, each) if isinstance(each, dict) else each for each in inputs]
        if kind == "image":
            return {"images": [load_image(image) if _is_address(image) else image for image in values]}
        return {"texts": [f"{prompt or ''}{text}" if isinstance(text, str) else text for text in values]}

    def forward(self, features: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """Add `sentence_embedding`, shape (inputs, D + 1)."""
        if "texts" in features:
            vectors, biases = self.model.encode_queries(features["texts"])
        else:
            vectors = self.model.encode_images(features["images"])
            biases = vectors.new_ones(len(vectors))
        return features | {"sentence_embedding": torch.cat([vectors, biases[:, None]], dim=1)}

    def save(self, output_path: str, *args: Any, safe_serialization: bool = True, **kwargs: Any) -> None:
        """Write the model with its processor and its code."""
        self.model.save_pretrained(output_path)


def _is_address(image: Any) -> bool:
    """Whether a string is a URL or base64, which transformers fetches and decodes, and no file."""
    return isinstance(image, str) and not Path(image[:4096]).is_file()


__all__ = ["NotClipSentences"]
