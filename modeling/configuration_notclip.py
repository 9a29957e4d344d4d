"""What a NotCLIP checkpoint is made of: a dual encoder, and how it reads negation.

The scalars of the composition are plain numbers here, so that a person can read in `config.json` how strongly the
model excludes; the statistics of the image embeddings that they are measured against are weights.
"""

import math
from typing import Any, Literal

from transformers import AutoConfig, PreTrainedConfig
from transformers.configuration_utils import SubConfigSpec

COMPOSITIONS = ("scope", "none")


class NotClipConfig(PreTrainedConfig):
    """Configuration of [`NotClipModel`].

    Args:
        dual_encoder_config: configuration of the wrapped dual encoder, of any type that `AutoConfig` knows.
        embedding_dim: size D of the shared embedding space.
        composition: `"scope"` reads each caption's negation scope and composes its parts; `"none"` is the plain dual
            encoder.
        hybrid_weights: how a caption with an affirmed part scores: (share of the whole caption's embedding, weight of
            each excluded concept's standardised similarity, divided by the number of affirmed words, bonus for each
            excluded concept at its mean similarity).
        negation_weights: the same three for a caption that only negates, whose share is a weight, not a mix.
        negation_bias: score of a caption that only negates before its concepts are looked at.
        exclusion_sharing: κ of the composition: what K excluded concepts add is multiplied by K^-κ, so that at 0 each
            counts in full and at 1 their mean counts.
        negation_strength: a dial that multiplies the weight of every excluded concept; 1 is as calibrated.
        backbone_name: where the backbone came from, for the record; never read back.
    """

    model_type = "notclip"
    sub_configs_defaults = {"dual_encoder_config": SubConfigSpec(config_class=AutoConfig, model_type="clip")}

    dual_encoder_config: dict | PreTrainedConfig | None = None
    embedding_dim: int = 512
    composition: Literal["scope", "none"] = "scope"
    hybrid_weights: list[float] | tuple[float, ...] = (0.5, 0.1, 0.0)
    negation_weights: list[float] | tuple[float, ...] = (0.0, 0.04, 0.0)
    negation_bias: float = 0.2
    exclusion_sharing: float = 0.0
    negation_strength: float = 1.0
    backbone_name: str | None = None

    def __post_init__(self, **kwargs: Any) -> None:
        super().__post_init__(**kwargs)
        if self.composition not in COMPOSITIONS:
            raise ValueError(f"`composition` must be one of {COMPOSITIONS}, got {self.composition!r}.")
        for name in ("hybrid_weights", "negation_weights"):
            values = getattr(self, name)
            if not isinstance(values, list | tuple) or len(values) != 3 or not all(map(_is_finite, values)):
                raise ValueError(f"`{name}` must hold 3 numbers, got {values!r}.")
        for name in ("negation_bias", "exclusion_sharing", "negation_strength"):
            if not _is_finite(getattr(self, name)):
                raise ValueError(f"`{name}` must be a number, got {getattr(self, name)!r}.")
        if self.negation_strength < 0:
            raise ValueError(f"`negation_strength` must be a number from 0, got {self.negation_strength}.")


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


__all__ = ["COMPOSITIONS", "NotClipConfig"]
