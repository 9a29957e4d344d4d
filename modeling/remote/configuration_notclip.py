"""What a NotCLIP checkpoint is made of: a dual encoder, and how it reads negation.

The scalars of the composition are plain numbers here, so that a person can read in `config.json` how strongly the
model excludes; the statistics of the image embeddings that they are measured against are weights.
"""

import sys
from typing import Any, Literal

from transformers import AutoConfig, PreTrainedConfig
from transformers.configuration_utils import SubConfigSpec

COMPOSITIONS = ("scope", "none")
# Who excludes people excludes each kind of them, while "people" alone means a crowd to an encoder: the presence of
# anybody is told with an AUC of 0.80 by "people", 0.85 by "person", 0.91 by the mean of these (docs/log.md).
_ANYBODY = ("a man", "a woman", "a boy", "a girl", "a child", "a person", "people")
PADDINGS = ("longest", "max_length")
COMPOSITION_SCALARS = ("exclusion", "only_exclusion", "level", "sharing", "whole_share")


class NotClipConfig(PreTrainedConfig):
    """Configuration of [`NotClipModel`].

    Args:
        dual_encoder_config: configuration of the wrapped dual encoder, of any type that `AutoConfig` knows.
        embedding_dim: size D of the shared embedding space.
        composition: `"scope"` reads each caption's negation scope and composes its parts; `"none"` is the plain dual
            encoder.
        exclusion: λ, how strongly a concept is excluded beside something affirmed, in spreads of the affirmed part.
        only_exclusion: λ of a text that affirms nothing.
        level: by how many spreads such a text's score is raised, to stand beside affirmations.
        sharing: κ: what K excluded concepts add is multiplied by K^-κ, so that at 0 each counts in full and at 1 their
            mean counts.
        whole_share: w, share of the whole text's own embedding.
        negation_strength: a dial that multiplies the weight of every excluded concept; 1 is as calibrated.
        names: texts whose mean embedding stands for an excluded concept, by the concept in lower case and without
            a plural's s; any other is embedded as it is called.
        text_padding: `"longest"` pads texts to the longest of a batch and masks what is padded, `"max_length"` to the
            backbone's full length without a mask, as SigLIP was trained; told by the backbone's type when absent.
        cpu_image_batch: most images encoded at once on a CPU. Activations of more leave the caches, and each layer
            pays for fresh pages: 2.3 times the time (MobileNetV2).
        reader_bytes: size of the tagger's file among the weights (`reader`); 0 takes the one of the installed package.
        trained_towers: which towers training changed, `"text"` and `"image"`. An index of image embeddings that the
            base made serves this model as long as `"image"` is not among them.
        backbone_name: where the backbone came from, for the record; never read back.
    """

    model_type = "notclip"
    sub_configs_defaults = {"dual_encoder_config": SubConfigSpec(config_class=AutoConfig, model_type="clip")}

    dual_encoder_config: dict | PreTrainedConfig | None = None
    embedding_dim: int = 512
    composition: Literal["scope", "none"] = "scope"
    exclusion: float = 0.6
    only_exclusion: float = 1.0
    level: float = 0.5
    sharing: float = 0.0
    whole_share: float = 0.0
    negation_strength: float = 1.0
    names: dict[str, list[str]] | None = None
    text_padding: Literal["longest", "max_length"] | None = None
    cpu_image_batch: int = 4
    reader_bytes: int = 0
    trained_towers: list[str] | None = None
    backbone_name: str | None = None

    def __post_init__(self, **kwargs: Any) -> None:
        if "hybrid_weights" in kwargs:
            raise ValueError(
                "`hybrid_weights` are of NotCLIP's earlier composition, whose scalars mean something else: train or "
                "wrap the model's backbone again (`NotClipModel.from_backbone`), or use the release that saved it."
            )
        super().__post_init__(**kwargs)
        if self.names is None:
            self.names = {name: list(_ANYBODY) for name in ("person", "people", "human")}
        if self.text_padding is None:
            kind = getattr(self.dual_encoder_config, "model_type", "")
            self.text_padding = "max_length" if kind.startswith("siglip") else "longest"
        if self.composition not in COMPOSITIONS:
            raise ValueError(f"`composition` must be one of {COMPOSITIONS}, got {self.composition!r}.")
        for name in (*COMPOSITION_SCALARS, "negation_strength"):
            if not _is_finite(getattr(self, name)):
                raise ValueError(f"`{name}` must be a finite number, got {getattr(self, name)!r}.")
        if self.text_padding not in PADDINGS:
            raise ValueError(f"`text_padding` must be one of {PADDINGS}, got {self.text_padding!r}.")
        if not isinstance(self.cpu_image_batch, int) or self.cpu_image_batch < 1:
            raise ValueError(f"`cpu_image_batch` must be a whole number from 1, got {self.cpu_image_batch!r}.")
        if self.negation_strength < 0:
            raise ValueError(f"`negation_strength` must be a number from 0, got {self.negation_strength}.")


def _is_finite(value: object) -> bool:
    # An integer of a thousand digits is more than any float.
    return isinstance(value, int | float) and abs(value) <= sys.float_info.max


__all__ = ["COMPOSITIONS", "COMPOSITION_SCALARS", "NotClipConfig"]
