"""A few images and texts with their scores, written by the training run: what every later copy is compared with."""

import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from notclip.files.whole_files import write_whole
from notclip.remote.modeling_notclip import NotClipModel

FILE = "reference_scores.json"
TEXTS = (
    "a dog on the grass",
    "a street with no cars",
    "There is no person in this image.",
    "This image features a dog, but no cat.",
    "neither a boat nor a house",
)
SIDE = 8
SHOWN_SIDE = 96


def reference_images() -> list[Image.Image]:
    """Four images of coloured squares, the same on every machine."""
    return [Image.fromarray(image).resize((SHOWN_SIDE, SHOWN_SIDE), Image.Resampling.NEAREST) for image in _pixels()]


def write_reference_scores(model: NotClipModel, folder: Path) -> None:
    """Score them with the model as it is, before anything is merged or saved, and write it down."""
    images = reference_images()
    content = {
        "texts": list(TEXTS),
        "images": _pixels().tolist(),
        "scores": _rounded(model.score(images, TEXTS, composition="scope")),
        "plain_scores": _rounded(model.score(images, TEXTS, composition="none")),
    }
    write_whole(folder / FILE, json.dumps(content) + "\n")


def _pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (4, SIDE, SIDE, 3), dtype=np.uint8)


def _rounded(scores: torch.Tensor) -> list[list[float]]:
    return [[round(score, 7) for score in row] for row in scores.tolist()]
