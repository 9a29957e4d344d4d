"""PEFT adapters as files: LoRA weights or whole modules, and of what stands beside them only what they need.

peft takes `target_modules` and three more settings as regular expressions, imports a module by a name from the file,
and reads pickles. So which layers an adapter changes, and by what rank, is read from its weights here.
"""

import re
import sys
from pathlib import Path
from typing import Any

from peft import LoraConfig, PeftModel
from peft.utils.constants import DUMMY_TARGET_MODULES
from safetensors import SafetensorError, safe_open
from torch import nn

from notclip.errors import BadInputError
from notclip.files.json_files import read_json

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
LARGEST_BYTES = 2**20
_NAME = re.compile(r"[\w.]{1,300}")
_FACTOR = re.compile(r"(?:base_model\.model\.)?(?P<module>[\w.]{1,300})\.lora_(?:embedding_)?A(?:\.weight)?")
# What the effect of the weights depends on; all else that peft knows must be as when it is not given.
_NUMBERS = ("lora_alpha", "lora_dropout")
_SWITCHES = ("use_rslora", "use_dora", "fan_in_fan_out", "lora_bias")
# What counts for training alone, or is read from the weights.
_WITHOUT_EFFECT = (
    *("peft_type", "task_type", "peft_version", "auto_mapping", "base_model_name_or_path", "revision"),
    *("inference_mode", "init_lora_weights", "loftq_config", "eva_config", "corda_config", "lora_ga_config"),
    *("runtime_config", "megatron_core", "qalora_group_size", "ensure_weight_tying"),
    *("r", "rank_pattern", "target_modules", "exclude_modules", "layers_to_transform", "layers_pattern"),
)


def put_adapter(backbone: nn.Module, folder: Path) -> PeftModel:
    """Put a LoRA adapter (DoRA and rsLoRA among them) on the backbone that it was trained on.

    Raises:
        BadInputError: a file is missing or damaged, or the adapter does more than LoRA's low-rank updates.
        ValueError: it changes layers that the backbone does not have.
    """
    if not (folder / CONFIG).is_file():
        raise BadInputError(f"`adapter` {folder} holds no {CONFIG}: not a PEFT adapter.")
    if not (folder / WEIGHTS).is_file():
        raise BadInputError(f"`adapter` {folder} holds no {WEIGHTS}; weights in other formats can hold code.")
    said = _read_config(folder / CONFIG)
    ranks = _ranks(folder / WEIGHTS)
    known = dict(backbone.named_modules())
    config = _lora_config(folder / CONFIG, said, ranks)
    whole = [] if ranks else config.modules_to_save or []
    strange = [module for module in [*ranks, *whole] if module not in known]
    if strange:
        raise ValueError(f"Its weights are for {strange[0]}, which {type(backbone).__name__} does not have.")
    return PeftModel.from_pretrained(backbone, str(folder), config=config)


def _read_config(file: Path) -> dict[str, Any]:
    content = read_json(file, "The adapter's", largest=LARGEST_BYTES)
    if not isinstance(content, dict) or content.get("peft_type") != "LORA":
        kind = content.get("peft_type") if isinstance(content, dict) else type(content).__name__
        raise BadInputError(f"{file}: `peft_type` must be LORA, got {kind!r}.")
    return content


def _ranks(file: Path) -> dict[str, int]:
    """Module -> rank of its update."""
    try:
        with safe_open(file, framework="pt") as weights:
            factors = {match["module"]: name for name in weights.keys() if (match := _FACTOR.fullmatch(name))}
            ranks = {module: weights.get_slice(name).get_shape()[0] for module, name in sorted(factors.items())}
    except (SafetensorError, OSError) as error:
        raise BadInputError(f"{file} is damaged: {error}") from error
    return ranks


def _is_number(value: object) -> bool:
    """Whether a value is a number that a float can be; an integer of a thousand digits is none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _lora_config(file: Path, said: dict[str, Any], ranks: dict[str, int]) -> LoraConfig:
    default = LoraConfig().to_dict()
    for name in _NUMBERS:
        value = said.get(name, 0)
        if not _is_number(value):
            raise BadInputError(f"{file}: `{name}` must be a number, got {value!r:.100}.")
    for name in _SWITCHES:
        if not isinstance(said.get(name, False), bool):
            raise BadInputError(f"{file}: `{name}` must be true or false, got {said[name]!r:.100}.")
    # Of a module without its own α, the default; keys are taken by peft as expressions, and a name is one of itself.
    alphas = said.get("alpha_pattern") or {}
    if not isinstance(alphas, dict) or not all(
        _NAME.fullmatch(name) and _is_number(alpha) for name, alpha in alphas.items()
    ):
        raise BadInputError(f"{file}: `alpha_pattern` must give names of modules numbers, got {alphas!r:.100}.")
    saved = said.get("modules_to_save") or []
    if not isinstance(saved, list) or not all(isinstance(name, str) and _NAME.fullmatch(name) for name in saved):
        raise BadInputError(f"{file}: `modules_to_save` must be a list of names of modules, got {saved!r:.100}.")
    if said.get("bias", "none") not in ("none", "all", "lora_only"):
        raise BadInputError(f"{file}: `bias` must be none, all or lora_only, got {said['bias']!r:.100}.")
    taken = {*_NUMBERS, *_SWITCHES, *_WITHOUT_EFFECT, "alpha_pattern", "modules_to_save", "bias"}
    for name, value in said.items():
        if name not in taken and value and value != default.get(name):
            raise BadInputError(f"{file}: `{name}` does more than LoRA, and is not read; got {value!r:.100}.")
    if not ranks and not saved:
        raise BadInputError(f"{file.parent / WEIGHTS} holds no LoRA weights.")
    rank = max(ranks.values(), default=LoraConfig().r)
    return LoraConfig(
        r=rank,
        rank_pattern={module: each for module, each in ranks.items() if each != rank},
        target_modules=sorted(ranks) or DUMMY_TARGET_MODULES,
        alpha_pattern=alphas,
        modules_to_save=saved or None,
        bias=said.get("bias", "none"),
        inference_mode=True,
        **{name: said[name] for name in (*_NUMBERS, *_SWITCHES) if name in said},
    )
