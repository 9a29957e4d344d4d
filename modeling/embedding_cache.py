"""Image embeddings of a frozen tower, computed once and kept by content.

A part file holds the embeddings of some images and the SHA-256 of each image's bytes; its folder is named after the
tower's weights and preprocessing. A run that is killed keeps the parts that it finished.
"""

import hashlib
import io
import os
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor
from tqdm import tqdm

from notclip.modeling_notclip import NotClipModel

IMAGES_PER_PART = 2048


def image_tower_fingerprint(model: NotClipModel) -> str:
    """Hash what decides an image's embedding: all weights outside the text tower, and the preprocessing."""
    digest = hashlib.sha256(model.processor.image_processor.to_json_string().encode())
    for name, tensor in sorted(model.backbone.state_dict().items()):
        if not name.startswith(("text_model.", "text_projection.")):
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def cached_image_embeds(
    model: NotClipModel, image_bytes: Sequence[bytes], digests: Sequence[bytes], folder: Path, *, batch_size: int = 64
) -> Tensor:
    """Embed encoded images, reading from `folder` those that it already has.

    Args:
        model: the model whose image tower embeds.
        image_bytes: encoded images (JPEG, PNG, …), I in all.
        digests: SHA-256 of each of them.
        folder: the cache; made when absent.
        batch_size: images embedded at once.

    Returns:
        Unit-norm embeddings on the CPU, shape (I, D).
    """
    shelf = folder / image_tower_fingerprint(model)
    known = _read_parts(shelf)
    missing = [index for index, digest in enumerate(digests) if digest not in known]
    with tqdm(total=len(missing), desc="embed images", unit="image", disable=not missing) as progress:
        for start in range(0, len(missing), IMAGES_PER_PART):
            part = missing[start : start + IMAGES_PER_PART]
            embeds = []
            for batch_start in range(0, len(part), batch_size):
                batch = part[batch_start : batch_start + batch_size]
                images = [Image.open(io.BytesIO(image_bytes[index])) for index in batch]
                embeds.append(model.encode_images(images, batch_size=batch_size).float().cpu())
                progress.update(len(batch))
            _write_part(shelf, [digests[index] for index in part], torch.cat(embeds))
            known.update(zip([digests[index] for index in part], torch.cat(embeds), strict=True))
    return torch.stack([known[digest] for digest in digests])


def _read_parts(shelf: Path) -> dict[bytes, Tensor]:
    known: dict[bytes, Tensor] = {}
    for file in sorted(shelf.glob("*.safetensors")):
        part = load_file(file)
        keys = part["digests"].numpy()
        known.update((keys[row].tobytes(), embed) for row, embed in enumerate(part["embeds"]))
    return known


def _write_part(shelf: Path, digests: Sequence[bytes], embeds: Tensor) -> None:
    shelf.mkdir(parents=True, exist_ok=True)
    keys = torch.frombuffer(bytearray(b"".join(digests)), dtype=torch.uint8).reshape(len(digests), -1)
    name = hashlib.sha256(b"".join(digests)).hexdigest()[:16]
    partial = shelf / f"{name}.partial-{os.getpid()}"
    save_file({"digests": keys, "embeds": embeds.contiguous()}, partial)
    partial.rename(shelf / f"{name}.safetensors")
