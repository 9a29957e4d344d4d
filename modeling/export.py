"""The release forms of a trained model that are not its own `save_pretrained`: adapter, and merged plain backbone."""

from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import PreTrainedModel, ProcessorMixin

from notclip.remote.modeling_notclip import NotClipModel


def export_backbone(backbone: PreTrainedModel, processor: ProcessorMixin, folder: Path) -> None:
    """Write the dual encoder and its own processor in their plain format, which needs no code of ours."""
    backbone.save_pretrained(folder)
    processor.save_pretrained(folder)


def export_adapter(adapted: PeftModel, folder: Path, *, base: str) -> None:
    """Write the LoRA weights; `base` is the name under which its users find the backbone."""
    config: Any
    for config in adapted.peft_config.values():
        config.base_model_name_or_path = base
        # peft holds the names in a set, which each process lists in an order of its own.
        if not isinstance(config.target_modules, str):  # peft's word for none
            config.target_modules = sorted(config.target_modules)
    adapted.save_pretrained(str(folder))


@torch.no_grad()
def merge(model: NotClipModel) -> NotClipModel:
    """Fold the adapter inside `model.backbone` into plain weights, in place; moves scores by float rounding only."""
    if isinstance(model.backbone, PeftModel):
        model.backbone = model.backbone.merge_and_unload()
    return model.eval()
