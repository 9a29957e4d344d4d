"""What decides a model's vectors, as keys for those that are kept: weights, settings, code and libraries."""

import hashlib
import json
from typing import Any

import torch

from notclip.files.derived import derived_key
from notclip.remote.modeling_notclip import NotClipModel
from notclip.scoring.provenance import weights_sha256

# What a model's files say of where they came from, which decides nothing.
_NAMES = frozenset({"_name_or_path", "backbone_name", "_commit_hash", "transformers_version"})
_READERS = ("notclip.remote.caption_frames", "notclip.remote.composition_notclip", "notclip.remote.negation_scope")


def image_tower_fingerprint(model: NotClipModel) -> str:
    """Of what decides a photo's embedding; adapters of the text tower share it."""
    weights = hashlib.sha256()
    for name, tensor in sorted(model.backbone.state_dict().items()):
        if not name.startswith(("text_model.", "text_projection.")):
            weights.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            weights.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return derived_key(
        "notclip.remote.modeling_notclip",
        "notclip.embedding_shards",
        "notclip.scoring.embed",
        apart_from=_READERS,  # They read captions.
        of={
            "weights": weights.hexdigest(),
            "config": _settings(model.backbone.config.to_dict()),
            "preprocessing": json.loads(model.processor.image_processor.to_json_string()),
            "device": model.device.type,  # A GPU's last digits are others.
        },
        libraries=("numpy", "pillow", "torch", "transformers"),
    )


def text_fingerprint(model: NotClipModel) -> str:
    """Of what decides a caption's vector, its composition included."""
    return derived_key(
        "notclip.remote.modeling_notclip",
        "notclip.scoring.embed",
        of={
            "weights": weights_sha256(model),
            "config": _settings(model.config.to_dict()),
            "tokenizer": _tokenizer_settings(model.processor.tokenizer),
            "device": model.device.type,
        },
        libraries=("tokenizers", "torch", "transformers"),
    )


def _settings(config: Any) -> Any:
    """A configuration without names, as plain JSON."""
    if isinstance(config, dict):
        return {str(name): _settings(value) for name, value in config.items() if name not in _NAMES}
    if isinstance(config, list | tuple):
        return [_settings(value) for value in config]
    return config if config is None or isinstance(config, bool | int | float | str) else str(config)


def _tokenizer_settings(tokenizer: Any) -> Any:
    """Vocabulary and rules of a tokenizer; what a call before set of padding and length is none of them."""
    backend = getattr(tokenizer, "backend_tokenizer", None)  # Those written in Python have none.
    rules = json.loads(backend.to_str()) if backend is not None else sorted(tokenizer.get_vocab().items())
    if isinstance(rules, dict):
        rules = {name: value for name, value in rules.items() if name not in ("padding", "truncation")}
    return [type(tokenizer).__name__, rules, tokenizer.model_max_length, tokenizer.padding_side]
