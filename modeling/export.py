"""The three release forms of a trained model: adapter, merged plain backbone, NotCLIP with its code."""

import json
import re
import shutil
from pathlib import Path

import torch
from peft import PeftModel
from transformers import PreTrainedModel, ProcessorMixin

from notclip.modeling_notclip import NotClipModel

ENTRY_POINTS = ("configuration_notclip.py", "modeling_notclip.py", "processing_notclip.py")
AUTO_MAP = {
    "AutoConfig": "configuration_notclip.NotClipConfig",
    "AutoModel": "modeling_notclip.NotClipModel",
    "AutoModelForZeroShotImageClassification": "modeling_notclip.NotClipModel",
    "AutoProcessor": "processing_notclip.NotClipProcessor",
}
# Read by sentence-transformers alone; nothing else follows from here to a file that imports it.
SENTENCE_CODE = "sentence_notclip.py"
SENTENCE_FILES = {
    "modules.json": [{"idx": 0, "name": "0", "path": "", "type": "sentence_notclip.NotClipSentences"}],
    "config_sentence_transformers.json": {"model_type": "SentenceTransformer", "similarity_fn_name": "dot"},
}


def remote_code() -> list[Path]:
    """The files that travel with the weights: the entry points and all that they import from beside them."""
    here, found = Path(__file__).parent, set()
    waiting = [here / name for name in ENTRY_POINTS]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            # As transformers' loader reads them: flat relative imports, one name a line.
            names = re.findall(r"^from \.(\w+) import", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
            waiting += [here / f"{name}.py" for name in names]
    return sorted(found)


def export_notclip(model: NotClipModel, folder: Path) -> None:
    """Write model, processor and code, to be loaded with `trust_remote_code=True` where this package is absent."""
    # One class registers for one auto class only, so the map is written by hand.
    model.config.auto_map = dict(AUTO_MAP)
    model.save_pretrained(folder)
    model.processor.save_pretrained(folder)
    # AutoProcessor looks here first, and no further where a class is named: without this it returns the tokenizer.
    processor_config = folder / "processor_config.json"
    content = json.loads(processor_config.read_text(encoding="utf-8"))
    content["auto_map"] = {"AutoProcessor": AUTO_MAP["AutoProcessor"]}
    processor_config.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    for file in [*remote_code(), Path(__file__).parent / SENTENCE_CODE]:
        shutil.copyfile(file, folder / file.name)
    for name, sentence_content in SENTENCE_FILES.items():
        (folder / name).write_text(json.dumps(sentence_content, indent=2) + "\n", encoding="utf-8")


def export_backbone(backbone: PreTrainedModel, processor: ProcessorMixin, folder: Path) -> None:
    """Write the dual encoder and its own processor in their plain format, which needs no code of ours."""
    backbone.save_pretrained(folder)
    processor.save_pretrained(folder)


def export_adapter(adapted: PeftModel, folder: Path, *, base: str) -> None:
    """Write the LoRA weights; `base` is the name under which its users find the backbone."""
    for config in adapted.peft_config.values():
        config.base_model_name_or_path = base
    adapted.save_pretrained(str(folder))
    # peft writes its sets in the order of this process.
    file = folder / "adapter_config.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    content["target_modules"] = sorted(content["target_modules"])
    file.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")


@torch.no_grad()
def merge(model: NotClipModel) -> NotClipModel:
    """Fold the adapter inside `model.backbone` into plain weights, in place; moves scores by float rounding only."""
    if isinstance(model.backbone, PeftModel):
        model.backbone = model.backbone.merge_and_unload()
    return model.eval()
