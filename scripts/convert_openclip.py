"""Turn an OpenCLIP checkpoint into a model of transformers, or a model of transformers into OpenCLIP's format.

    notclip convert-openclip --model epoch_5.pt --architecture ViT-B-32 --out build/backbone
    notclip convert-openclip --model build/trained/backbone --out build/openclip

The direction follows what `--model` is. What goes to OpenCLIP is the dual encoder alone, adapter merged: OpenCLIP
knows no composition, so it has what training taught the text tower and not what reading the negation adds.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from notclip.command_line import command, parse
from notclip.errors import BadInputError


@dataclass(frozen=True)
class ConvertConfig:
    """Options of `notclip convert-openclip`."""

    model: str
    """OpenCLIP checkpoint (.safetensors, .pt, .pth, .bin, .ckpt, or a folder with open_clip_config.json) to convert to
    transformers; or a Hub id or folder of CLIP, SigLIP or a NotCLIP model around one, to convert to OpenCLIP."""
    out: Path
    """Folder to write: config.json, model.safetensors and processor for transformers, or open_clip_config.json,
    open_clip_model.safetensors and tokenizer for `open_clip.create_model("local-dir:OUT")`."""
    architecture: str | None = None
    """OpenCLIP's name for what a file of weights alone is of, such as ViT-B-32-quickgelu."""
    tokenizer: str | None = None
    """Hub id or folder of the tokenizer, from OpenCLIP; by default that beside the weights, or the architecture's."""
    normalization: Literal["openai", "inception"] | None = None
    """How pixels were normalised in training, from OpenCLIP: by default as open_clip_config.json says, else `openai`
    for CLIP and `inception` (mean and deviation 0.5) for SigLIP. LAION's ViT-L-14 on laion2b needs `inception`."""
    adapter: Path | None = None
    """PEFT adapter to merge into the model first, to OpenCLIP."""


@command(again="What was not whole is gone; the same command starts from the beginning.")
def main(argv: list[str] | None = None) -> int:
    """Convert, and say what was written and how it is loaded."""
    config = parse(
        ConvertConfig,
        argv,
        prog="notclip convert-openclip",
        description="OpenCLIP's checkpoints to transformers, and back.",
    )
    from notclip.openclip.files import is_openclip

    return _from_openclip(config) if is_openclip(config.model) else _to_openclip(config)


def _from_openclip(config: ConvertConfig) -> int:
    from notclip.openclip.convert import convert_to_transformers

    if config.adapter is not None:
        raise BadInputError(
            "`adapter` is merged on the way to OpenCLIP; convert first, then put it on what comes out."
        )
    backbone = convert_to_transformers(
        Path(config.model),
        config.out,
        architecture=config.architecture,
        tokenizer=config.tokenizer,
        normalization=config.normalization,
    )
    parameters = sum(parameter.numel() for parameter in backbone.parameters())
    activation = backbone.config.text_config.hidden_act
    print(
        f"Written: {config.out}, a {type(backbone).__name__} of {parameters / 1e6:.1f} M parameters with {activation}."
    )
    print(f'Load it with `NotClipModel.from_backbone("{config.out}")`, or name it as --base or --model.')
    return 0


def _to_openclip(config: ConvertConfig) -> int:
    for name in ("architecture", "tokenizer", "normalization"):
        if getattr(config, name) is not None:
            raise BadInputError(f"`{name}` is for OpenCLIP checkpoints; {config.model} says itself what it is.")
    from notclip.loading import load_model
    from notclip.openclip.convert import save_openclip

    model = load_model(config.model, adapter=config.adapter)
    for difference in save_openclip(model.backbone, model.processor, config.out):
        print(f"Mind: {difference}", file=sys.stderr)
    print(f"Written: {config.out}, the dual encoder without composition.")
    print(f'Load it with `open_clip.create_model_and_transforms("local-dir:{config.out}")`.')
    return 0


if __name__ == "__main__":
    sys.exit(main())
