"""Photos for an image tower that learns: decoded by the loader's workers, embedded with gradients in the step."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from notclip.dataset.clips import unpack_clip
from notclip.embedding_shards import EmbeddedRows, EmbeddingShards, embed_photos
from notclip.remote.modeling_notclip import IMAGES_AT_ONCE_ON_A_CPU, NotClipModel
from notclip.remote.photo_notclip import open_photo
from notclip.training.data import TrainingSplit
from notclip.training.lora import IMAGE, learning_towers


class PhotoReader:
    """Photos of a split as its image processor makes them into pixels.

    Args:
        photos: encoded photos or clips.
        image_processor: of the model.
    """

    def __init__(self, photos: Sequence[bytes], image_processor: Any) -> None:
        self._photos, self._image_processor = photos, image_processor

    def read(self, rows: Sequence[int]) -> dict[str, Any]:
        """What `embed` takes: `inputs` of the image tower for F frames, and how many `frames` each of P photos has."""
        # In their order in the files: photos that lie side by side are read at once.
        in_order = {row: self._frames(row) for row in sorted(set(rows))}
        frames = [in_order[row] for row in rows]
        every = [frame for own in frames for frame in own]
        inputs = self._image_processor(images=every, return_tensors="pt")
        return {"inputs": dict(inputs), "frames": [len(own) for own in frames]}

    def _frames(self, row: int) -> list[Any]:
        encoded = self._photos[row]
        return unpack_clip(encoded) or [open_photo(encoded)]


def embed(model: NotClipModel, photos: dict[str, Any], *, at_once: int) -> Tensor:
    """Unit-norm embeddings of photos, differentiable in the image tower; of a clip the mean of its frames.

    Args:
        model: the model.
        photos: what `PhotoReader.read` made of P photos, on the model's device.
        at_once: frames that are embedded at once.

    Returns:
        embeddings of shape (P, D), in single precision at least.
    """
    inputs, embeds = photos["inputs"], []
    if model.device.type == "cpu":
        at_once = min(at_once, IMAGES_AT_ONCE_ON_A_CPU)
    for start in range(0, len(inputs["pixel_values"]), at_once):
        some = {name: value[start : start + at_once] for name, value in inputs.items()}
        pixels = some.pop("pixel_values").to(model.dtype)
        if pixels.ndim == 4:
            pixels = pixels.contiguous(memory_format=torch.channels_last)
        embeds.append(model.get_image_features(pixels, **some).pooler_output)
    every = torch.cat(embeds)
    every = nn.functional.normalize(every.to(torch.promote_types(every.dtype, torch.float32)), dim=-1)
    if len(photos["frames"]) == len(every):
        return every
    means = torch.stack([own.mean(0) for own in every.split(photos["frames"])])
    return nn.functional.normalize(means, dim=-1)


def embeds_by(
    model: NotClipModel, split: TrainingSplit, image_embeds: Tensor | EmbeddingShards
) -> Tensor | EmbeddingShards | EmbeddedRows:
    """Embeddings of the images that a split's rows name: those given or, where the image tower learns, made anew.

    Args:
        model: the model as it is.
        split: captions, questions and queries.
        image_embeds: embeddings of its images before the training, shape (I, D).
    """
    if IMAGE not in learning_towers(model.backbone):
        return image_embeds
    of_rows = [caption.image for caption in split.captions] + [image for _, image in split.negated_queries]
    of_rows += [question.image for group in split.question_groups for question in group]
    return embed_rows(model, split, np.unique(of_rows))


def embed_rows(model: NotClipModel, split: TrainingSplit, rows: np.ndarray) -> EmbeddedRows:
    """Embeddings of some images of a split, whose positions ascend, by the model as it is."""
    photos = [split.image_bytes[row] for row in rows.tolist()]
    return EmbeddedRows(rows, embed_photos(model, photos, batch_size=64).cpu(), count=len(split.digests))
