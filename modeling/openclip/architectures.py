"""OpenCLIP's names for architectures, and its description of a model beside that of transformers.

A state dict tells the sizes of its layers but neither how many heads share them nor which GELU stands between them.
OpenCLIP keeps both under a name ("ViT-B-32-quickgelu"), or in an `open_clip_config.json` beside the weights. The file
`architectures.json` holds those descriptions for the families that transformers computes alike: CLIP with a vision
transformer, and SigLIP (1 and 2, fixed resolution), whose image tower is timm's.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import CLIPConfig, PreTrainedConfig, SiglipConfig

from notclip.errors import BadInputError

# OpenCLIP pools where a token's id is largest. With CLIP's vocabulary that is the end of text; for any other,
# transformers does the same where the end of text is said to be 2, as in CLIP's first configurations.
_END_OF_TEXT = {49408: 49407}

Description = dict[str, Any]  # `model_cfg` of an open_clip_config.json


@dataclass(frozen=True)
class TimmTower:
    """A SigLIP image tower of timm: what its name stands for."""

    patch: int
    width: int
    layers: int
    heads: int
    mlp_ratio: float
    activation: str
    """As transformers calls it: `gelu` is exact, `gelu_pytorch_tanh` its approximation."""


_BASE = (768, 12, 12, 4.0)
_LARGE = (1024, 24, 16, 4.0)
_SO400M = (1152, 27, 16, 3.7362)
_GIANT_OPT = (1536, 40, 16, 4.0)
_EXACT, _TANH = "gelu", "gelu_pytorch_tanh"
TIMM_TOWERS: dict[str, TimmTower] = {
    **{f"vit_base_patch16_siglip_{size}": TimmTower(16, *_BASE, _EXACT) for size in (224, 256, 384, 512)},
    "vit_base_patch32_siglip_256": TimmTower(32, *_BASE, _TANH),
    **{f"vit_large_patch16_siglip_{size}": TimmTower(16, *_LARGE, _EXACT) for size in (256, 384)},
    "vit_large_patch16_siglip_512": TimmTower(16, *_LARGE, _TANH),
    **{f"vit_so400m_patch14_siglip_{size}": TimmTower(14, *_SO400M, _EXACT) for size in (224, 378, 384)},
    **{f"vit_so400m_patch16_siglip_{size}": TimmTower(16, *_SO400M, _TANH) for size in (256, 384, 512)},
    **{f"vit_giantopt_patch16_siglip_{size}": TimmTower(16, *_GIANT_OPT, _TANH) for size in (256, 384)},
}
# OpenCLIP 3.3's own description of each architecture that converts, by name; the tests compare them with an open_clip.
ARCHITECTURES: dict[str, Description] = json.loads(
    Path(__file__).with_name("architectures.json").read_text(encoding="utf-8")
)
# What a description may say beside the sizes; anything else changes what is computed.
_CLIP_KEYS = {
    "vision_cfg": {"image_size", "layers", "width", "patch_size", "head_width", "mlp_ratio"},
    "text_cfg": {"context_length", "vocab_size", "width", "heads", "layers", "mlp_ratio", "pool_type", "eos_id"},
}
_SIGLIP_KEYS = {
    "vision_cfg": {"image_size", "timm_model_name", "timm_model_pretrained", "timm_pool", "timm_proj"},
    "text_cfg": {"context_length", "vocab_size", "width", "heads", "layers", "mlp_ratio", "pool_type"}
    | {"no_causal_mask", "proj_bias", "norm_kwargs", "act_kwargs", "tokenizer_kwargs"},
}
_EITHER = {"hf_tokenizer_name", "output_tokens"}


def describe_architecture(name: str) -> Description:
    """OpenCLIP's description of an architecture by its name.

    Raises:
        BadInputError: the name is none of `ARCHITECTURES`.
    """
    if name not in ARCHITECTURES:
        import difflib

        near = difflib.get_close_matches(name, ARCHITECTURES, n=3, cutoff=0.4)
        hint = f"Did you mean {' or '.join(near)}?" if near else f"Known are {', '.join(sorted(ARCHITECTURES))}."
        raise BadInputError(
            f"`architecture` {name!r} is none that converts (CLIP with a vision transformer, SigLIP, SigLIP 2). {hint}"
        )
    return ARCHITECTURES[name]


def is_siglip(description: Description) -> bool:
    """Whether a description is one of SigLIP: its image tower is timm's, pooled by attention."""
    return "timm_model_name" in description.get("vision_cfg", {})


def transformers_config(description: Description) -> CLIPConfig | SiglipConfig:
    """The configuration of transformers that computes what OpenCLIP computes.

    Raises:
        BadInputError: the description asks for what transformers' CLIP and SigLIP cannot compute.
    """
    vision, text = description.get("vision_cfg"), description.get("text_cfg")
    if not (isinstance(vision, dict) and isinstance(text, dict) and "embed_dim" in description):
        raise BadInputError("`model_cfg` of an OpenCLIP description must hold `embed_dim`, `vision_cfg`, `text_cfg`.")
    allowed = _SIGLIP_KEYS if is_siglip(description) else _CLIP_KEYS
    for part, keys in allowed.items():
        for key, value in description[part].items():
            if key not in keys | _EITHER and value not in (None, False, 0):
                family = "SigLIP" if is_siglip(description) else "CLIP"
                raise BadInputError(f"`{part}` sets `{key}` to {value!r}, which transformers' {family} lacks.")
    if isinstance(vision.get("layers"), list):
        raise BadInputError("`vision_cfg` describes a ResNet, which transformers' CLIP lacks.")
    return _siglip_config(description) if is_siglip(description) else _clip_config(description)


def openclip_description(config: PreTrainedConfig) -> tuple[Description, list[str]]:
    """OpenCLIP's description of a CLIP or SigLIP model of transformers, and what OpenCLIP will compute otherwise.

    Raises:
        BadInputError: OpenCLIP has no such model.
    """
    if isinstance(config, CLIPConfig):
        return _describe_clip(config), []
    if isinstance(config, SiglipConfig):
        return _describe_siglip(config)
    raise BadInputError(
        f"`model` of type {config.model_type!r} does not convert to OpenCLIP; CLIP and SigLIP (fixed resolution) do."
    )


def towers_of(config: CLIPConfig | SiglipConfig) -> tuple[Any, Any]:
    """The configurations of the image tower and of the text tower; transformers types them as maybe absent."""
    return config.vision_config, config.text_config


def _clip_config(description: Description) -> CLIPConfig:
    vision, text, embed_dim = description["vision_cfg"], description["text_cfg"], description["embed_dim"]
    activation = "quick_gelu" if description.get("quick_gelu") else "gelu"
    vocabulary, pooling = text.get("vocab_size", 49408), text.get("pool_type", "argmax")
    if pooling not in ("argmax", "eos"):
        raise BadInputError(f"`text_cfg` pools by {pooling!r}, which transformers' CLIP lacks.")
    return CLIPConfig(
        projection_dim=embed_dim,
        vision_config={
            "hidden_size": vision["width"],
            "intermediate_size": int(vision["width"] * vision.get("mlp_ratio", 4.0)),
            "num_hidden_layers": vision["layers"],
            "num_attention_heads": vision["width"] // vision.get("head_width", 64),
            "image_size": vision["image_size"],
            "patch_size": vision["patch_size"],
            "projection_dim": embed_dim,
            "hidden_act": activation,
        },
        text_config={
            "vocab_size": vocabulary,
            "hidden_size": text["width"],
            "intermediate_size": int(text["width"] * text.get("mlp_ratio", 4.0)),
            "num_hidden_layers": text["layers"],
            "num_attention_heads": text["heads"],
            "max_position_embeddings": text.get("context_length", 77),
            "projection_dim": embed_dim,
            "hidden_act": activation,
            "bos_token_id": vocabulary - 2,
            "eos_token_id": text.get("eos_id", 2) if pooling == "eos" else _END_OF_TEXT.get(vocabulary, 2),
            "pad_token_id": vocabulary - 1,
        },
    )


def _siglip_config(description: Description) -> SiglipConfig:
    vision, text, embed_dim = description["vision_cfg"], description["text_cfg"], description["embed_dim"]
    name = vision["timm_model_name"]
    tower = TIMM_TOWERS.get(name)
    pools = (vision.get("timm_pool"), vision.get("timm_proj"), text.get("pool_type"))
    if tower is None or pools != ("map", "none", "last"):
        raise BadInputError(f"`timm_model_name` {name!r} with pooling {pools} is none of SigLIP's image towers.")
    if not (text.get("no_causal_mask") and text.get("proj_bias")):
        raise BadInputError("`text_cfg` of SigLIP must set `no_causal_mask` and `proj_bias`.")
    approximate = (text.get("act_kwargs") or {}).get("approximate") == "tanh"
    return SiglipConfig(
        vision_config={
            "hidden_size": tower.width,
            "intermediate_size": int(tower.width * tower.mlp_ratio),
            "num_hidden_layers": tower.layers,
            "num_attention_heads": tower.heads,
            "image_size": vision["image_size"],
            "patch_size": tower.patch,
            "hidden_act": tower.activation,
        },
        text_config={
            "vocab_size": text["vocab_size"],
            "hidden_size": text["width"],
            "intermediate_size": int(text["width"] * text.get("mlp_ratio", 4.0)),
            "num_hidden_layers": text["layers"],
            "num_attention_heads": text["heads"],
            "max_position_embeddings": text["context_length"],
            "projection_size": embed_dim,
            "hidden_act": _TANH if approximate else _EXACT,
            "bos_token_id": None,
            "eos_token_id": 1,
            "pad_token_id": 1 if text["vocab_size"] == 32000 else 0,
            "layer_norm_eps": (text.get("norm_kwargs") or {}).get("eps", 1e-5),
        },
    )


def _describe_clip(config: CLIPConfig) -> Description:
    vision, text = towers_of(config)
    activations = {vision.hidden_act, text.hidden_act}
    if len(activations) > 1 or not activations <= {"gelu", "quick_gelu"}:
        raise BadInputError(
            f"`model` uses the activations {sorted(activations)}; OpenCLIP has one GELU for both towers."
        )
    description: Description = {
        "embed_dim": config.projection_dim,
        "vision_cfg": {
            "image_size": vision.image_size,
            "layers": vision.num_hidden_layers,
            "width": vision.hidden_size,
            "head_width": vision.hidden_size // vision.num_attention_heads,
            "mlp_ratio": _ratio(vision.intermediate_size, vision.hidden_size),
            "patch_size": vision.patch_size,
        },
        "text_cfg": {
            "context_length": text.max_position_embeddings,
            "vocab_size": text.vocab_size,
            "width": text.hidden_size,
            "heads": text.num_attention_heads,
            "layers": text.num_hidden_layers,
            "mlp_ratio": _ratio(text.intermediate_size, text.hidden_size),
        },
    }
    if activations == {"quick_gelu"}:
        description["quick_gelu"] = True
    if text.eos_token_id not in (2, text.vocab_size - 1):  # OpenCLIP's other way of pooling
        description["text_cfg"] |= {"pool_type": "eos", "eos_id": text.eos_token_id}
    return description


def _describe_siglip(config: SiglipConfig) -> tuple[Description, list[str]]:
    vision, text = towers_of(config)
    sizes = (vision.patch_size, vision.hidden_size, vision.num_hidden_layers, vision.num_attention_heads)
    fitting = [
        name
        for name, tower in TIMM_TOWERS.items()
        if (tower.patch, tower.width, tower.layers, tower.heads) == sizes
        and int(tower.width * tower.mlp_ratio) == vision.intermediate_size
    ]
    if not fitting:
        raise BadInputError(
            f"`model` has a SigLIP image tower of patch, width, layers, heads {sizes}, for which timm has no name."
        )
    # The right activation first, then the right size of image; timm resamples for others.
    fitting.sort(
        key=lambda name: (TIMM_TOWERS[name].activation != vision.hidden_act, str(vision.image_size) not in name)
    )
    name = fitting[0]
    differences = []
    if TIMM_TOWERS[name].activation != vision.hidden_act:
        differences.append(
            f"The image tower uses {vision.hidden_act}, but timm's {name} {TIMM_TOWERS[name].activation}: "
            "OpenCLIP's image embeddings will differ by about a thousandth."
        )
    if text.hidden_act not in (_EXACT, _TANH):
        raise BadInputError(
            f"`model` uses the activation {text.hidden_act!r}; OpenCLIP's SigLIP has gelu and its tanh form."
        )
    text_cfg: Description = {
        "context_length": text.max_position_embeddings,
        "vocab_size": text.vocab_size,
        "width": text.hidden_size,
        "heads": text.num_attention_heads,
        "layers": text.num_hidden_layers,
        "mlp_ratio": _ratio(text.intermediate_size, text.hidden_size),
        "no_causal_mask": True,
        "proj_bias": True,
        "pool_type": "last",
        "norm_kwargs": {"eps": text.layer_norm_eps},
    }
    if text.hidden_act == _TANH:
        text_cfg["act_kwargs"] = {"approximate": "tanh"}
    description = siglip_description(text.projection_size, name, vision.image_size, text_cfg)
    return description, differences


def _ratio(inner: int, width: int) -> float:
    """The ratio that OpenCLIP rounds down to `inner`; as short as it can be written."""
    for digits in range(1, 6):
        ratio = math.ceil(inner / width * 10**digits) / 10**digits
        if int(width * ratio) == inner:
            return ratio
    return inner / width


def siglip_description(embed_dim: int, timm_name: str, image_size: int, text_cfg: Description) -> Description:
    """OpenCLIP's description of a SigLIP."""
    return {
        "embed_dim": embed_dim,
        "init_logit_bias": -10,
        "custom_text": True,
        "vision_cfg": {
            "image_size": image_size,
            "timm_model_name": timm_name,
            "timm_model_pretrained": False,
            "timm_pool": "map",
            "timm_proj": "none",
        },
        "text_cfg": text_cfg,
    }
