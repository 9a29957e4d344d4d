"""What open_clip itself computes, in a process of its own: `python openclip_reference.py FOLDER`.

open_clip and timm import torchvision, which breaks transformers here and is used for nothing that is computed below:
hollow modules stand in for it. FOLDER/request.json says what is asked; FOLDER/answer.json and, in the folder of each
model, computed.pt are the answers.
"""

import json
import sys
import types
from pathlib import Path
from unittest.mock import MagicMock

import torch


class _AnyAttribute(type):
    def __getattr__(cls, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return f"{cls.__name__}.{name}"


class _Hollow(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _AnyAttribute(name, (torch.nn.Module,), {}) if name[0].isupper() else MagicMock(name=name)


class _Finder:
    """Answers every import of torchvision with a hollow module."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] != "torchvision":
            return None
        from importlib.machinery import ModuleSpec

        return ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return _Hollow(spec.name)

    def exec_module(self, module):
        module.__version__ = "0.0"


def import_open_clip():
    sys.meta_path.insert(0, _Finder())
    sys.modules["transformers"] = None  # open_clip does without, and would find it without torchvision's operators
    import open_clip

    return open_clip


def register_towers(towers):
    """Register image towers with timm: SigLIP's, but small."""
    from timm.models import register_model
    from timm.models.vision_transformer import VisionTransformer

    def register(name, options):
        def build(pretrained=False, *, num_classes, global_pool, **_):
            given = {"num_classes": num_classes, "global_pool": global_pool}
            return VisionTransformer(**options, **given, class_token=False)

        build.__name__, build.__module__ = name, __name__
        register_model(build)

    for name, options in towers.items():
        register(name, options)


@torch.no_grad()
def compute(open_clip, folder):
    """Make the model that the folder describes, write its weights or read those that are there, and run it."""
    from safetensors.torch import load_file

    description = json.loads((folder / "open_clip_config.json").read_text())["model_cfg"]
    kind = open_clip.CustomTextCLIP if description.pop("custom_text", False) else open_clip.CLIP
    model = kind(**description).eval()
    given = folder / "open_clip_model.safetensors"
    if given.exists():
        model.load_state_dict(load_file(given), strict=True)
    else:
        for parameter in model.parameters():  # no bias stays 0 and no norm 1
            parameter.add_(0.05 * torch.randn_like(parameter))
        # As OpenCLIP's training writes it.
        state = {f"module.{name}": tensor for name, tensor in model.state_dict().items()}
        torch.save({"epoch": 1, "name": "a run", "state_dict": state}, folder / "epoch_1.pt")
    inputs = torch.load(folder / "inputs.pt", weights_only=True)
    image, text = model.encode_image(inputs["pixels"]), model.encode_text(inputs["tokens"])
    logits = model.get_logits(inputs["pixels"], inputs["tokens"])[0]
    torch.save({"image": image, "text": text, "logits": logits}, folder / "computed.pt")


def main(folder):
    request = json.loads((folder / "request.json").read_text())
    open_clip = import_open_clip()
    register_towers(request["towers"])
    torch.manual_seed(0)
    for name in request["models"]:
        compute(open_clip, folder / name)
    answer = {
        "tokens": open_clip.tokenize(request["texts"]).tolist(),
        "architectures": {name: open_clip.get_model_config(name) for name in request["architectures"]},
        "activations": {name: _activation(name) for name in request["timm"]},
    }
    (folder / "answer.json").write_text(json.dumps(answer))


def _activation(name):
    """Sizes and activation of a tower of timm, built without memory for its weights."""
    import timm

    with torch.device("meta"):
        tower = timm.create_model(name, num_classes=0)
    block = tower.blocks[0]
    sizes = [tower.patch_embed.patch_size[0], tower.embed_dim, len(tower.blocks), block.attn.num_heads]
    return [*sizes, block.mlp.fc1.out_features, type(block.mlp.act).__name__]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
