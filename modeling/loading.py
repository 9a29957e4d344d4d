"""One way to load what a user names as a model: ours, any dual encoder of transformers, either with an adapter."""

from pathlib import Path
from typing import Any, Literal

from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError
from transformers import PreTrainedConfig

from notclip.errors import BadInputError
from notclip.modeling_notclip import NotClipModel


def load_model(
    name: str,
    *,
    adapter: Path | str | None = None,
    composition: Literal["scope", "none"] | None = None,
    revision: str | None = None,
) -> NotClipModel:
    """Load a model for scoring, search or training.

    Args:
        name: Hub id or folder of a NotCLIP model or of any dual encoder of transformers.
        adapter: PEFT adapter to put on it.
        composition: `"scope"` or `"none"`; a NotCLIP model's own, and `"none"` for any other, when absent.
        revision: revision of the Hub repository.

    Raises:
        BadInputError: there is no such model, or it is no dual encoder.
    """
    folder = Path(name)
    if folder.exists() and not (folder / "config.json").is_file():
        raise BadInputError(f"`model` {name} is a folder without config.json: not a model of transformers.")
    where: dict[str, Any] = {} if revision is None else {"revision": revision}
    try:
        if _is_notclip(name, where):
            model = NotClipModel.from_pretrained(name, **where).eval()
        else:
            model = NotClipModel.from_backbone(name, composition="none", **where)
        # Read now: a folder without its tokenizer should fail before an hour of work, not after.
        _ = model.processor
    except (OSError, ValueError, HFValidationError, RepositoryNotFoundError) as error:
        raise BadInputError(f"`model` {name} cannot be loaded: {error}") from error
    if adapter is not None:
        if not (Path(adapter) / "adapter_config.json").is_file():
            raise BadInputError(f"`adapter` {adapter} holds no adapter_config.json: not a PEFT adapter.")
        from peft import PeftModel  # only users of adapters need it

        adapted = PeftModel.from_pretrained(model.backbone, str(adapter))
        model.backbone = adapted.merge_and_unload()
    if composition is not None:
        model.config.composition = composition
    return model


def _is_notclip(name: str, where: dict[str, str]) -> bool:
    content, _ = PreTrainedConfig.get_config_dict(name, **where)
    return content.get("model_type") == "notclip"
