"""OpenCLIP checkpoints as files: read without running anything that they hold, written as OpenCLIP's folders.

Only tensors are read: safetensors, or `torch.load(weights_only=True)` for .pt, .pth, .bin and .ckpt. A checkpoint that
needs more, such as OpenAI's own TorchScript archives, is refused.
"""

import json
import pickle
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from notclip.errors import BadInputError
from notclip.files.json_files import read_json
from notclip.model_folder import LARGEST_CONFIG_BYTES, check_config
from notclip.openclip.architectures import Description, describe_architecture

CONFIG = "open_clip_config.json"
WRITTEN_WEIGHTS = "open_clip_model.safetensors"
SUFFIXES = (".safetensors", ".pt", ".pth", ".bin", ".ckpt")
# In the order in which OpenCLIP looks for them.
_WEIGHTS = (
    WRITTEN_WEIGHTS,
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
    "open_clip_pytorch_model.pth",
)
# Below which name trainers keep the weights: OpenCLIP and Lightning, plain PyTorch, DeepSpeed.
_CONTAINERS = ("state_dict", "model_state_dict", "model", "module")


@dataclass(frozen=True)
class OpenClipCheckpoint:
    """What an OpenCLIP checkpoint holds.

    Args:
        weights: file of the state dict.
        description: OpenCLIP's `model_cfg`.
        preprocessing: its `preprocess_cfg`; empty where only weights were given.
    """

    weights: Path
    description: Description
    preprocessing: dict[str, Any] = field(default_factory=dict)


def is_openclip(name: str) -> bool:
    """Whether a model's name is that of an OpenCLIP checkpoint: a file of weights, or a folder with its config."""
    path = Path(name)
    if path.is_dir():
        return (path / CONFIG).is_file() and not (path / "config.json").is_file()
    return path.suffix in SUFFIXES


def find_checkpoint(path: Path, architecture: str | None = None) -> OpenClipCheckpoint:
    """Find the weights and the description of a checkpoint.

    Args:
        path: file of weights, or folder that holds them beside open_clip_config.json.
        architecture: OpenCLIP's name; needed where no open_clip_config.json lies beside the weights.

    Raises:
        BadInputError: there is no such file, or nothing says what architecture it is of.
    """
    if not path.exists():
        raise BadInputError(f"`model` {path} does not exist.")
    folder = path if path.is_dir() else path.parent
    weights = path
    if path.is_dir():
        found = [path / name for name in _WEIGHTS if (path / name).is_file()]
        if not found:
            raise BadInputError(f"`model` {path} holds {CONFIG} but none of {', '.join(_WEIGHTS)}.")
        weights = found[0]
    config = _read_config(folder / CONFIG) if (folder / CONFIG).is_file() else {}
    if architecture is not None:
        description = describe_architecture(architecture)
    elif "model_cfg" in config:
        description = config["model_cfg"]
    else:
        raise BadInputError(
            f"`model` {path} holds weights alone: name their `architecture` as OpenCLIP does, for example ViT-B-32, "
            "or ViT-B-32-quickgelu where they were trained with QuickGELU (OpenAI's, MetaCLIP's and DFN's were)."
        )
    return OpenClipCheckpoint(weights, description, config.get("preprocess_cfg", {}))


def read_weights(file: Path) -> dict[str, Tensor]:
    """Read a state dict, and nothing but tensors.

    Raises:
        BadInputError: the file is damaged, or holds more than tensors and plain values.
    """
    try:
        if file.suffix == ".safetensors":
            content = load_file(file)
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of TorchScript, which is refused below
                content = torch.load(file, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, SafetensorError, OSError, EOFError, ValueError) as error:
        # Of a pickle torch's own message advises to unpickle it after all.
        says_why = str(error).strip() and not isinstance(error, pickle.UnpicklingError)
        reason = str(error).strip().splitlines()[0] if says_why else type(error).__name__
        raise BadInputError(
            f"`model` {file} cannot be read as plain tensors, and nothing else is read, for it could run code "
            f"({reason[:200]}). Load it where you trust it and save `model.state_dict()` with safetensors."
        ) from error
    state = _state_dict(content)
    if state is None:
        raise BadInputError(f"`model` {file} holds no state dict.")
    if any("text_model.embeddings." in name for name in state):
        raise BadInputError(
            f"`model` {file} holds weights of transformers, not of OpenCLIP: name the folder that holds them, with "
            "config.json, tokenizer and processor beside them."
        )
    # Trainers hold the model as one part of theirs: what its temperature is called after, so are all its weights.
    wrappers = {name.removesuffix("logit_scale") for name in state if name.endswith("logit_scale")}
    if len(wrappers) > 1:
        raise BadInputError(
            f"`model` {file} holds {len(wrappers)} models ({', '.join(sorted(wrappers))[:200]}): save the weights of "
            "one alone."
        )
    prefix = wrappers.pop() if wrappers else ""
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def _state_dict(content: Any) -> dict[str, Tensor] | None:
    """The weights in what a trainer saved: at the top, or below the names that OpenCLIP, Lightning and others use."""
    for _ in range(3):
        if not isinstance(content, dict):
            return None
        found = {name: value for name, value in content.items() if isinstance(name, str) and isinstance(value, Tensor)}
        if found:
            return found
        content = next((content[name] for name in _CONTAINERS if isinstance(content.get(name), dict)), None)
    return None


def write_checkpoint(
    folder: Path, weights: dict[str, Tensor], description: Description, preprocessing: dict[str, Any]
) -> None:
    """Write into a folder what `open_clip.create_model("local-dir:FOLDER")` loads."""
    save_file({name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}, folder / WRITTEN_WEIGHTS)
    content = {"model_cfg": description, "preprocess_cfg": preprocessing}
    (folder / CONFIG).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _read_config(file: Path) -> dict[str, Any]:
    content = read_json(file, "The config", largest=LARGEST_CONFIG_BYTES)
    check_config(content, where=str(file))
    if not isinstance(content, dict) or not isinstance(content.get("model_cfg"), dict):
        raise BadInputError(f"{file} holds no `model_cfg`: not OpenCLIP's description of a model.")
    return content
