"""What decides a model's vectors, as keys for those that are kept: weights, settings, code and libraries."""

import json
from typing import Any

from notclip.files.derived import derived_key
from notclip.provenance import weights_sha256
from notclip.remote.modeling_notclip import NotClipModel

# What a model's files say of where they came from, which decides nothing.
_NAMES = frozenset({"_name_or_path", "backbone_name", "_commit_hash", "transformers_version"})
_READERS = (
    "notclip.remote.caption_frames",
    "notclip.remote.composition_notclip",
    "notclip.remote.negation_scope",
    "notclip.remote.reading_tagger",
)


def image_tower_fingerprint(model: NotClipModel, *code: str) -> str:
    """Of what decides a photo's embedding; adapters of the text tower share it.

    Args:
        model: the model.
        code: full names of the modules that embed, beside the model's own.
    """
    return derived_key(
        "notclip.remote.modeling_notclip",
        *code,
        apart_from=_READERS,  # They read captions.
        of={
            "weights": weights_sha256(model.backbone, apart_from=("text_model.", "text_projection.")),
            "config": _settings(model.backbone.config.to_dict()),
            "preprocessing": json.loads(model.processor.image_processor.to_json_string()),
            "device": model.device.type,  # A GPU's last digits are others.
        },
        libraries=("numpy", "pillow", "torch", "transformers"),
    )


def text_fingerprint(model: NotClipModel, *code: str) -> str:
    """Of what decides a caption's vector, its composition included; `code` as of the image tower."""
    return derived_key(
        "notclip.remote.modeling_notclip",
        *code,
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
