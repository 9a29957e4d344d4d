"""What of a dual encoder learns, through peft: low-rank updates of linear layers, or all weights of a tower.

By default the text tower's. Then the image tower stays frozen, so that each image is encoded once for a whole training
run, and every index of images that stands stays valid.
"""

import math
import re
from collections.abc import Sequence
from typing import Literal

from peft import LoraConfig, PeftModel, get_peft_model
from peft.utils.constants import DUMMY_TARGET_MODULES
from torch import nn
from transformers import PreTrainedModel

Layers = Literal["all", "attention", "upper_half", "upper_quarter"]
Towers = Literal["text", "image", "both"]
TEXT, IMAGE = "text", "image"
_PARTS = {TEXT: ("text_model", "text_projection"), IMAGE: ("vision_model", "visual_projection")}
_ATTENTION = re.compile(r"\.(?:self_)?att(?:entio)?n\.")
_BLOCK = re.compile(r"\.layers?\.(\d+)\.")
_UPPER = {"upper_half": 1 / 2, "upper_quarter": 1 / 4}


def lora_targets(backbone: PreTrainedModel, layers: Layers = "all", towers: Towers = "text") -> list[str]:
    """Name the linear layers that learn, a tower's projection into the shared space always among them.

    Both towers of CLIP use the same module names, so the full names are listed: a short name would also match the
    other tower's layers. A convolution of one pixel (MobileNet) is a linear layer, too.

    Args:
        backbone: the dual encoder.
        layers: `"all"`; `"attention"` leaves out what follows the attention of a block; `"upper_half"` and
            `"upper_quarter"` are the last blocks alone: no gradient goes through those before, nor are their
            activations kept.
        towers: whose layers.

    Raises:
        ValueError: a tower has no linear layer under the names that transformers gives dual encoders.
    """
    return [name for tower in _named(towers) for name in _targets_of(backbone, tower, layers)]


def _targets_of(backbone: PreTrainedModel, tower: str, layers: Layers) -> list[str]:
    found = [
        name for name, module in backbone.named_modules() if name.startswith(_PARTS[tower]) and _is_linear(module)
    ]
    if not found:
        raise ValueError(
            f"`backbone` must have a linear layer in its `{_PARTS[tower][0]}`, got {type(backbone).__name__}."
        )
    block = {name: int(match[1]) for name in found if (match := _BLOCK.search(name))}
    if layers == "attention":
        return [name for name in found if name not in block or _ATTENTION.search(name)]
    if layers in _UPPER:
        blocks = max(block.values(), default=0) + 1
        first = blocks - math.ceil(blocks * _UPPER[layers])
        return [name for name in found if block.get(name, first) >= first]
    return found


def _is_linear(module: nn.Module) -> bool:
    # Subclasses of Linear (such as MultiheadAttention's output) are called in ways that bypass LoRA.
    one_pixel = type(module) is nn.Conv2d and module.kernel_size == (1, 1) and module.groups == 1
    return type(module) is nn.Linear or one_pixel


def add_lora(
    backbone: PreTrainedModel,
    *,
    rank: int = 16,
    alpha: int = 32,
    dropout: float = 0.0,
    variant: Literal["lora", "dora", "rslora"] = "lora",
    layers: Layers = "all",
    towers: Towers = "text",
) -> PeftModel:
    """Freeze the backbone and give its towers' linear layers trainable low-rank updates (Hu et al. 2021).

    Args:
        backbone: the dual encoder; changed in place, as peft does.
        rank: rank r of each update.
        alpha: updates are scaled by alpha / rank (alpha / √rank for rsLoRA).
        dropout: dropout on the input of each update, in [0, 1).
        variant: plain LoRA, DoRA (Liu et al. 2024) or rank-stabilised LoRA (Kalajdzievski 2023).
        layers: which layers learn, as in `lora_targets`.
        towers: which towers learn.
    """
    if rank < 1:
        raise ValueError(f"`rank` must be at least 1, got {rank}.")
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        lora_dropout=dropout,
        use_dora=variant == "dora",
        use_rslora=variant == "rslora",
        target_modules=lora_targets(backbone, layers, towers),
    )
    return get_peft_model(backbone, config)


def add_full_copies(backbone: PreTrainedModel, *, towers: Towers = "text") -> PeftModel:
    """Freeze the backbone and let a copy of all weights of its towers learn, which peft puts in their place.

    The frozen ones stay beside it: the anchor needs to know where they put texts and images.

    Args:
        backbone: the dual encoder; changed in place, as peft does.
        towers: which towers learn.
    """
    children = dict(backbone.named_children())
    parts = [part for tower in _named(towers) for part in _PARTS[tower] if part in children]
    # peft goes by the end of a name, which a tower that holds a tower has twice.
    if any(name.endswith(f".{part}") for part in parts for name, _ in backbone.named_modules()):
        raise ValueError(f"`backbone` {type(backbone).__name__} has a tower within a tower: train it with LoRA.")
    return get_peft_model(backbone, LoraConfig(target_modules=DUMMY_TARGET_MODULES, modules_to_save=parts))


def learning_towers(backbone: nn.Module) -> tuple[str, ...]:
    """Which towers have parameters that learn: `"text"`, `"image"`, both or none."""
    learning = [f".{name}" for name, parameter in backbone.named_parameters() if parameter.requires_grad]
    return tuple(
        tower for tower, parts in _PARTS.items() if any(f".{part}." in name for part in parts for name in learning)
    )


def _named(towers: Towers) -> Sequence[str]:
    return (TEXT, IMAGE) if towers == "both" else (towers,)
