"""LoRA on the towers of a dual encoder through peft: which layers, wrapped how, merged back into plain weights."""

import re
from typing import Literal

from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn
from transformers import PreTrainedModel

Tower = Literal["text", "vision"]


def lora_targets(backbone: PreTrainedModel, towers: tuple[Tower, ...] = ("text",)) -> list[str]:
    """Name every linear layer of the towers, projections into the shared space included.

    Both towers of CLIP use the same module names, so the full names are listed: a short name would also match the
    other tower's layers.

    Raises:
        ValueError: a tower has no linear layer under the names that transformers gives dual encoders.
    """
    names: list[str] = []
    for tower in towers:
        projection = {"text": "text_projection", "vision": "visual_projection"}[tower]
        inside = re.compile(rf"{tower}_model\..+|{projection}")
        found = [
            name
            for name, module in backbone.named_modules()
            # Subclasses of Linear (such as MultiheadAttention's output) are called in ways that bypass LoRA.
            if type(module) is nn.Linear and inside.fullmatch(name)
        ]
        if not found:
            kind = type(backbone).__name__
            raise ValueError(f"`towers` names {tower!r}, but {kind} has no linear layer in a `{tower}_model`.")
        names.extend(found)
    return names


def add_lora(
    backbone: PreTrainedModel,
    *,
    rank: int = 16,
    alpha: int = 32,
    dropout: float = 0.0,
    variant: Literal["lora", "dora", "rslora"] = "lora",
    towers: tuple[Tower, ...] = ("text",),
) -> PeftModel:
    """Freeze the backbone and give the towers' linear layers trainable low-rank updates (Hu et al. 2021).

    Args:
        backbone: the dual encoder; changed in place, as peft does.
        rank: rank r of each update.
        alpha: updates are scaled by alpha / rank (alpha / √rank for rsLoRA).
        dropout: dropout on the input of each update, in [0, 1).
        variant: plain LoRA, DoRA (Liu et al. 2024) or rank-stabilised LoRA (Kalajdzievski 2023).
        towers: which towers learn; the others stay frozen and can be encoded once.
    """
    if rank < 1:
        raise ValueError(f"`rank` must be at least 1, got {rank}.")
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        lora_dropout=dropout,
        use_dora=variant == "dora",
        use_rslora=variant == "rslora",
        target_modules=lora_targets(backbone, towers),
    )
    return get_peft_model(backbone, config)
