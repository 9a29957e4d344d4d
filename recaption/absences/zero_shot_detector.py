"""Presence scores from any zero-shot detector of transformers: OWL-ViT, OWLv2, Grounding DINO and their kin."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from notclip.errors import BadInputError
from notclip.remote.photo_notclip import open_photo

# Their text tower is run once for all labels; of the others, text and photo are seen together, one label at a time.
_TWO_TOWERS = ("owlvit", "owlv2")
_TOGETHER = ("grounding-dino", "mm-grounding-dino")
_PROMPTS = 64  # Labels whose prompts are encoded at once.


class ZeroShotDetector:
    """A detector that is told in words what to look for, read as "how surely does this photo show it anywhere".

    The score of a label is the largest of its probabilities over all boxes (and, where text and photo are seen
    together, over all tokens of the prompt); boxes are not needed.

    Args:
        model: a folder, or an id on the Hub.
        labels: names of concepts.
        phrases: each with its article, as a prompt has it: "a dog".
        batch_size: photos that are scored at once.

    Raises:
        BadInputError: the model cannot be loaded, or is no zero-shot detector of a known kind.
    """

    def __init__(
        self, model: Path | str, labels: Sequence[str], phrases: Sequence[str], *, batch_size: int = 8
    ) -> None:
        import torch
        from transformers import AutoModelForZeroShotObjectDetection, AutoProcessor

        from notclip.model_folder import check_config, reading_model
        from notclip.remote.pretrained_notclip import check_loading, read_config, read_pretrained

        name = str(model)
        with reading_model("detector", name):
            config = read_config(name)
            check_config(config.to_dict(), where=f"`detector` {name}: config.json")
            if config.model_type not in (*_TWO_TOWERS, *_TOGETHER):
                raise BadInputError(
                    f"`detector` must be an ONNX file or a zero-shot detector "
                    f"({', '.join((*_TWO_TOWERS, *_TOGETHER))}), got {name} of type {config.model_type!r}."
                )
            self._processor = read_pretrained(AutoProcessor, name, backend="pil")
            loaded, report = read_pretrained(
                AutoModelForZeroShotObjectDetection, name, dtype=torch.float32, output_loading_info=True
            )
            check_loading(name, loaded, report)
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._model: Any = loaded.to(self._device).eval()
        self._kind = config.model_type
        self.labels: Sequence[str] = tuple(labels)
        self.batch_size = batch_size
        self.fingerprint = _fingerprint(self._model, self._processor, phrases)
        self._prompts = [f"{phrase}." if self._kind in _TOGETHER else f"a photo of {phrase}" for phrase in phrases]
        self._queries: Any = self._encoded_prompts() if self._kind in _TWO_TOWERS else None  # (L, D)

    def scores(self, images: Sequence[bytes]) -> np.ndarray:
        """Presence score in [0, 1] of each label in each encoded image, shape (N, L)."""
        import torch

        photos = [open_photo(image) for image in images]
        with torch.inference_mode():
            found = self._of_two_towers(photos) if self._queries is not None else self._of_pairs(photos)
        return found.float().cpu().numpy().round(4)

    def _encoded_prompts(self) -> Any:
        import torch

        base = getattr(self._model, self._kind)
        found = []
        with torch.inference_mode():
            for start in range(0, len(self._prompts), _PROMPTS):
                tokens = self._processor.tokenizer(
                    self._prompts[start : start + _PROMPTS],
                    padding="max_length",
                    max_length=base.config.text_config.max_position_embeddings,
                    truncation=True,
                    return_tensors="pt",
                ).to(self._device)
                found.append(base.get_text_features(**tokens).pooler_output)
        return torch.cat(found)

    def _of_two_towers(self, photos: Sequence[Image.Image]) -> Any:
        pixels = self._processor.image_processor(images=list(photos), return_tensors="pt").pixel_values
        features = self._model.image_embedder(pixel_values=pixels.to(self._device))[0]  # (N, height, width, D)
        patches = features.flatten(1, 2)
        logits = self._model.class_predictor(patches, self._queries.expand(len(photos), -1, -1))[0]  # (N, P, L)
        return logits.sigmoid().amax(dim=1)

    def _of_pairs(self, photos: Sequence[Image.Image]) -> Any:
        import torch

        found = []
        for prompt in self._prompts:
            inputs = self._processor(images=list(photos), text=[prompt] * len(photos), return_tensors="pt")
            logits = self._model(**inputs.to(self._device)).logits  # (N, boxes, tokens), -inf where there is no token
            found.append(logits.sigmoid().amax(dim=(1, 2)))
        return torch.stack(found, dim=1)


def _fingerprint(model: Any, processor: Any, phrases: Sequence[str]) -> str:
    """SHA-256 over weights, settings and phrases, whatever the files are called."""
    config = {name: str(value) for name, value in model.config.to_dict().items() if name != "_name_or_path"}
    settings = [sorted(config.items()), processor.image_processor.to_json_string(), processor.tokenizer.get_vocab()]
    digest = hashlib.sha256(json.dumps([settings, list(phrases)], sort_keys=True).encode())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
