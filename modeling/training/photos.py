"""Photos for an image tower that learns: decoded by the loader's workers, embedded with gradients in the step."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from notclip.remote.modeling_notclip import NotClipModel
from notclip.training.data import TrainingSplit
from notclip.training.embedding_shards import EmbeddedRows, EmbeddingShards, embed_frames, frames_of
from notclip.training.lora import IMAGE, learning_towers

_AT_ONCE = 64


class PhotoReader:
    """Photos of a split as its image processor makes them into pixels.

    Args:
        split: the split.
        image_processor: of the model.
    """

    def __init__(self, split: TrainingSplit, image_processor: Any) -> None:
        self._split, self._image_processor = split, image_processor

    def read(self, rows: Sequence[int]) -> dict[str, Any]:
        """What `embed` takes: `inputs` of the image tower for F frames, and how many `frames` each of P photos has.

        Raises:
            BadInputError: a photo is none, by file and row.
        """
        # In their order in the files: photos that lie side by side are read at once.
        in_order = {row: _frames(self._split, row) for row in sorted(set(rows))}
        frames = [in_order[row] for row in rows]
        every = [frame for own in frames for frame in own]
        inputs = self._image_processor(images=every, return_tensors="pt")
        return {"inputs": dict(inputs), "frames": [len(own) for own in frames]}


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
        at_once = min(at_once, model.config.cpu_image_batch)
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
    embeds = []
    for start in range(0, len(rows), _AT_ONCE):
        frames = [_frames(split, row) for row in rows[start : start + _AT_ONCE].tolist()]
        embeds.append(embed_frames(model, frames, batch_size=_AT_ONCE).cpu())
    return EmbeddedRows(rows, torch.cat(embeds), count=len(split.digests))


def _frames(split: TrainingSplit, row: int) -> list[Image.Image]:
    return frames_of(split.image_bytes[row], split.place(row))
