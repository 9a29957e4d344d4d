"""LoRA on the text tower of a dual encoder through peft: which layers, wrapped how.

The image tower stays frozen, so that each image is encoded once for a whole training run, and every index of images
that stands stays valid.
"""

import re
from typing import Literal

from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn
from transformers import PreTrainedModel

Layers = Literal["all", "attention", "upper_half"]
_TEXT_TOWER = re.compile(r"text_model\..+|text_projection")
_ATTENTION = re.compile(r"\.(?:self_)?att(?:entio)?n\.")
_BLOCK = re.compile(r"\.layers?\.(\d+)\.")


def lora_targets(backbone: PreTrainedModel, layers: Layers = "all") -> list[str]:
    """Name the text tower's linear layers that learn, its projection into the shared space always among them.

    Both towers of CLIP use the same module names, so the full names are listed: a short name would also match the
    image tower's layers.

    Args:
        backbone: the dual encoder.
        layers: `"all"`; `"attention"` leaves out what follows the attention of a block; `"upper_half"` leaves out the
            first half of the blocks.

    Raises:
        ValueError: the text tower has no linear layer under the names that transformers gives dual encoders.
    """
    found = [
        name
        for name, module in backbone.named_modules()
        # Subclasses of Linear (such as MultiheadAttention's output) are called in ways that bypass LoRA.
        if type(module) is nn.Linear and _TEXT_TOWER.fullmatch(name)
    ]
    if not found:
        raise ValueError(f"`backbone` must have a linear layer in its `text_model`, got {type(backbone).__name__}.")
    block = {name: int(match[1]) for name in found if (match := _BLOCK.search(name))}
    if layers == "attention":
        return [name for name in found if name not in block or _ATTENTION.search(name)]
    if layers == "upper_half":
        first = (max(block.values(), default=0) + 1) // 2
        return [name for name in found if block.get(name, first) >= first]
    return found


def add_lora(
    backbone: PreTrainedModel,
    *,
    rank: int = 16,
    alpha: int = 32,
    dropout: float = 0.0,
    variant: Literal["lora", "dora", "rslora"] = "lora",
    layers: Layers = "all",
) -> PeftModel:
    """Freeze the backbone and give its text tower's linear layers trainable low-rank updates (Hu et al. 2021).

    Args:
        backbone: the dual encoder; changed in place, as peft does.
        rank: rank r of each update.
        alpha: updates are scaled by alpha / rank (alpha / √rank for rsLoRA).
        dropout: dropout on the input of each update, in [0, 1).
        variant: plain LoRA, DoRA (Liu et al. 2024) or rank-stabilised LoRA (Kalajdzievski 2023).
        layers: which layers learn, as in `lora_targets`.
    """
    if rank < 1:
        raise ValueError(f"`rank` must be at least 1, got {rank}.")
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        lora_dropout=dropout,
        use_dora=variant == "dora",
        use_rslora=variant == "rslora",
        target_modules=lora_targets(backbone, layers),
    )
    return get_peft_model(backbone, config)
