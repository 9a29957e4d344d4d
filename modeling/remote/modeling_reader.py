"""notclip-reader: the reader's tagger as a model of transformers.

    reader = pipeline("token-classification", "…/notclip-reader", trust_remote_code=True)

The same network and the same weights that NotCLIP reads texts with (reading_tagger.py); here its labels are those of
each word piece alone, there the likeliest ones of the words that make sense together.
"""

from typing import Any

from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import TokenClassifierOutput

from .reading_tagger import TaggerNetwork


class ReaderConfig(PreTrainedConfig):
    """Configuration of [`ReaderForTokenClassification`].

    Args:
        vocab_size: how many word pieces there are.
        embedding_size: size of a piece's embedding.
        hidden_size: width of the convolutions.
        dilations: how far apart the places are that each convolution sees.
    """

    model_type = "notclip-reader"

    vocab_size: int = 30522
    embedding_size: int = 64
    hidden_size: int = 128
    dilations: list[int] | tuple[int, ...] = (1, 2, 4, 1, 2)


class ReaderForTokenClassification(PreTrainedModel):
    """Scores of affirmed, denied (begin, inside, shared head), cue and dropped for each word piece.

    Args:
        config: the configuration.
    """

    config_class = ReaderConfig
    base_model_prefix = "tagger"

    def __init__(self, config: ReaderConfig) -> None:
        super().__init__(config)
        self.tagger = TaggerNetwork(config.vocab_size, config.embedding_size, config.hidden_size, config.dilations)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        return_dict: bool | None = None,
        **ignored: Any,
    ) -> TokenClassifierOutput | tuple[Tensor, ...]:
        """Scores, shape (B, L, 6); with `labels`, -100 where none counts, their mean cross-entropy."""
        if attention_mask is not None:
            input_ids = input_ids * attention_mask
        logits = self.tagger(input_ids)
        loss = None if labels is None else nn.functional.cross_entropy(logits.transpose(1, 2), labels)
        if return_dict is False:
            return (logits,) if loss is None else (loss, logits)
        return TokenClassifierOutput(loss=loss, logits=logits)

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
        if isinstance(module, nn.LayerNorm):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)


# In the order of LABELS, as pipelines join them into phrases.
ID_TO_LABEL = dict(enumerate(("affirmed", "B-denied", "I-denied", "B-shared", "cue", "dropped")))
__all__ = ["ID_TO_LABEL", "ReaderConfig", "ReaderForTokenClassification"]
