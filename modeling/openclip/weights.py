"""The same weights under OpenCLIP's names and under those of transformers.

Both compute alike but pack differently: OpenCLIP keeps query, key and value in one tensor, transformers in three;
OpenCLIP multiplies by its projections from the right, transformers from the left; timm keeps position embeddings with
a leading dimension. One list of pairs describes it, and is read in either direction.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from transformers import CLIPConfig, SiglipConfig

from notclip.openclip.architectures import towers_of

Weights = Mapping[str, Tensor]
# Written by old versions beside the weights; nothing is computed from them.
IGNORED = ("attn_mask", "input_resolution", "context_length", "vocab_size")


@dataclass(frozen=True)
class TensorPair:
    """Tensors of OpenCLIP that hold, joined along their first dimension, what these of transformers hold joined.

    Args:
        openclip: names, each with its share of the joined rows.
        transformers: names, of equal shares.
        form: `transposed`: OpenCLIP's is the transpose; `scalar`: OpenCLIP's has no dimension, transformers' that of
            `transformers_shape`; `batched`: OpenCLIP's has a leading dimension of 1.
        transformers_shape: of a scalar.
    """

    openclip: tuple[tuple[str, int], ...]
    transformers: tuple[str, ...]
    form: Literal["same", "transposed", "scalar", "batched"] = "same"
    transformers_shape: tuple[int, ...] = ()


def to_transformers(weights: Weights, config: CLIPConfig | SiglipConfig) -> dict[str, Tensor]:
    """OpenCLIP's weights under the names of transformers.

    Raises:
        KeyError: a weight is missing; its argument is OpenCLIP's name for it.
    """
    found = _without_text_prefix(weights) if isinstance(config, CLIPConfig) else dict(weights)
    converted = {}
    for pair in _pairs(config):
        parts = [found.pop(name) for name, _ in pair.openclip]
        if pair.form == "scalar":
            converted[pair.transformers[0]] = parts[0].reshape(pair.transformers_shape)
            continue
        joined = parts[0] if len(parts) == 1 else torch.cat(parts)
        joined = joined.T if pair.form == "transposed" else joined[0] if pair.form == "batched" else joined
        pieces = [joined] if len(pair.transformers) == 1 else joined.chunk(len(pair.transformers))
        converted |= {name: piece.contiguous() for name, piece in zip(pair.transformers, pieces, strict=True)}
    unknown = [name for name in found if name.rpartition(".")[2] not in IGNORED]
    # Kept under their own names, so that loading them reports what the architecture has no place for.
    return converted | {name: found[name] for name in unknown}


def to_openclip(weights: Weights, config: CLIPConfig | SiglipConfig) -> dict[str, Tensor]:
    """Weights of transformers under OpenCLIP's names."""
    converted = {}
    for pair in _pairs(config):
        parts = [weights[name] for name in pair.transformers]
        if pair.form == "scalar":
            converted[pair.openclip[0][0]] = parts[0].reshape(())
            continue
        joined = parts[0] if len(parts) == 1 else torch.cat(parts)
        joined = joined.T if pair.form == "transposed" else joined[None] if pair.form == "batched" else joined
        rows = joined.shape[0] // sum(share for _, share in pair.openclip)
        sizes = [joined.shape[0]] if len(pair.openclip) == 1 else [share * rows for _, share in pair.openclip]
        pieces = joined.split(sizes)
        converted |= {name: piece.contiguous() for (name, _), piece in zip(pair.openclip, pieces, strict=True)}
    return converted


def _without_text_prefix(weights: Weights) -> dict[str, Tensor]:
    """OpenCLIP's CustomTextCLIP keeps CLIP's text tower under `text.`, its plain CLIP at the top."""
    return {name.removeprefix("text."): tensor for name, tensor in weights.items()}


def _pairs(config: CLIPConfig | SiglipConfig) -> Iterator[TensorPair]:
    if isinstance(config, CLIPConfig):
        yield from _clip_pairs(config)
    else:
        yield from _siglip_pairs(config)


def _same(openclip: str, transformers: str) -> TensorPair:
    return TensorPair(((openclip, 1),), (transformers,))


def _affine(openclip: str, transformers: str) -> Iterator[TensorPair]:
    for part in ("weight", "bias"):
        yield _same(f"{openclip}.{part}", f"{transformers}.{part}")


def _block(openclip: str, transformers: str) -> Iterator[TensorPair]:
    """One layer of OpenCLIP's own transformer, text or image."""
    for part in ("weight", "bias"):
        thirds = tuple(f"{transformers}.self_attn.{letter}_proj.{part}" for letter in "qkv")
        yield TensorPair(((f"{openclip}.attn.in_proj_{part}", 1),), thirds)
    yield from _affine(f"{openclip}.attn.out_proj", f"{transformers}.self_attn.out_proj")
    yield from _affine(f"{openclip}.ln_1", f"{transformers}.layer_norm1")
    yield from _affine(f"{openclip}.ln_2", f"{transformers}.layer_norm2")
    yield from _affine(f"{openclip}.mlp.c_fc", f"{transformers}.mlp.fc1")
    yield from _affine(f"{openclip}.mlp.c_proj", f"{transformers}.mlp.fc2")


def _text_tower(prefix: str, layers: int) -> Iterator[TensorPair]:
    yield _same(f"{prefix}token_embedding.weight", "text_model.embeddings.token_embedding.weight")
    yield _same(f"{prefix}positional_embedding", "text_model.embeddings.position_embedding.weight")
    for layer in range(layers):
        yield from _block(f"{prefix}transformer.resblocks.{layer}", f"text_model.encoder.layers.{layer}")
    yield from _affine(f"{prefix}ln_final", "text_model.final_layer_norm")


def _clip_pairs(config: CLIPConfig) -> Iterator[TensorPair]:
    vision, text = towers_of(config)
    yield TensorPair((("logit_scale", 1),), ("logit_scale",), "scalar")
    yield from _text_tower("", text.num_hidden_layers)
    yield TensorPair((("text_projection", 1),), ("text_projection.weight",), "transposed")
    embeddings = "vision_model.embeddings"
    yield _same("visual.class_embedding", f"{embeddings}.class_embedding")
    yield _same("visual.conv1.weight", f"{embeddings}.patch_embedding.weight")
    yield _same("visual.positional_embedding", f"{embeddings}.position_embedding.weight")
    yield from _affine("visual.ln_pre", "vision_model.pre_layrnorm")
    for layer in range(vision.num_hidden_layers):
        yield from _block(f"visual.transformer.resblocks.{layer}", f"vision_model.encoder.layers.{layer}")
    yield from _affine("visual.ln_post", "vision_model.post_layernorm")
    yield TensorPair((("visual.proj", 1),), ("visual_projection.weight",), "transposed")


def _siglip_pairs(config: SiglipConfig) -> Iterator[TensorPair]:
    vision, text = towers_of(config)
    for name in ("logit_scale", "logit_bias"):
        yield TensorPair(((name, 1),), (name,), "scalar", transformers_shape=(1,))
    yield from _text_tower("text.", text.num_hidden_layers)
    yield from _affine("text.text_projection", "text_model.head")
    trunk = "visual.trunk"
    yield from _affine(f"{trunk}.patch_embed.proj", "vision_model.embeddings.patch_embedding")
    yield TensorPair(((f"{trunk}.pos_embed", 1),), ("vision_model.embeddings.position_embedding.weight",), "batched")
    for layer in range(vision.num_hidden_layers):
        theirs, ours = f"{trunk}.blocks.{layer}", f"vision_model.encoder.layers.{layer}"
        for part in ("weight", "bias"):
            thirds = tuple(f"{ours}.self_attn.{letter}_proj.{part}" for letter in "qkv")
            yield TensorPair(((f"{theirs}.attn.qkv.{part}", 1),), thirds)
        yield from _affine(f"{theirs}.attn.proj", f"{ours}.self_attn.out_proj")
        yield from _affine(f"{theirs}.norm1", f"{ours}.layer_norm1")
        yield from _affine(f"{theirs}.norm2", f"{ours}.layer_norm2")
        yield from _affine(f"{theirs}.mlp.fc1", f"{ours}.mlp.fc1")
        yield from _affine(f"{theirs}.mlp.fc2", f"{ours}.mlp.fc2")
    yield from _affine(f"{trunk}.norm", "vision_model.post_layernorm")
    pool, head = f"{trunk}.attn_pool", "vision_model.head"
    yield _same(f"{pool}.latent", f"{head}.probe")
    for part in ("weight", "bias"):
        yield TensorPair(((f"{pool}.q.{part}", 1), (f"{pool}.kv.{part}", 2)), (f"{head}.attention.in_proj_{part}",))
    yield from _affine(f"{pool}.proj", f"{head}.attention.out_proj")
    yield from _affine(f"{pool}.norm", f"{head}.layernorm")
    yield from _affine(f"{pool}.mlp.fc1", f"{head}.mlp.fc1")
    yield from _affine(f"{pool}.mlp.fc2", f"{head}.mlp.fc2")
