"""Texts that a text tower does not see to their end: a negation that stands there does not exist for the model."""

from collections.abc import Iterable

from notclip.remote.modeling_notclip import NotClipModel


def texts_cut(model: NotClipModel, texts: Iterable[str]) -> tuple[int, int]:
    """How many texts have more tokens than the text tower sees, and how many it sees.

    Args:
        model: the model with its tokenizer.
        texts: the texts; equal ones count once.
    """
    tokenizer = model.processor.tokenizer
    text_config = getattr(model.backbone.config, "text_config", model.backbone.config)
    seen = min(tokenizer.model_max_length, text_config.max_position_embeddings)
    # No tokenizer makes more tokens than there are bytes, and most texts are short.
    long = list(dict.fromkeys(text for text in texts if len(text.encode()) + 2 > seen))
    if not long:
        return 0, seen
    tokens = tokenizer(long, padding=False, truncation=False, verbose=False)["input_ids"]
    return sum(len(own) > seen for own in tokens), seen
