"""One way to load what a user names as a model: ours, a dual encoder of transformers or OpenCLIP, with an adapter."""

from pathlib import Path
from typing import Any, Literal

from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError
from transformers import PreTrainedConfig

from notclip.errors import BadInputError
from notclip.modeling_notclip import NotClipModel
from notclip.openclip_files import is_openclip


def load_model(
    name: str,
    *,
    adapter: Path | str | None = None,
    composition: Literal["scope", "none"] | None = None,
    revision: str | None = None,
    architecture: str | None = None,
    argument: str = "model",
) -> NotClipModel:
    """Load a model for scoring, search or training.

    Args:
        name: Hub id or folder of a NotCLIP model or of any dual encoder of transformers; or an OpenCLIP checkpoint:
            a .safetensors, .pt, .pth or .bin file, or a folder with an open_clip_config.json.
        adapter: PEFT adapter to put on it.
        composition: `"scope"` or `"none"`; a NotCLIP model's own, and `"none"` for any other, when absent.
        revision: revision of the Hub repository.
        architecture: OpenCLIP's name of the architecture, such as `ViT-B-32-quickgelu`, for a file of weights alone.
        argument: what the caller's user calls `name`, for messages.

    Raises:
        BadInputError: there is no such model, or it is no dual encoder.
    """
    if is_openclip(name):
        from notclip.openclip import load_openclip  # half a second that others need not wait

        backbone, processor = load_openclip(Path(name), architecture=architecture)
        model = NotClipModel.from_backbone(backbone, processor=processor, composition="none")
        model.config.backbone_name = name
    else:
        if architecture is not None:
            raise BadInputError(f"`architecture` is for OpenCLIP checkpoints; {name} says itself what it is.")
        model = _from_transformers(name, revision, argument)
    if adapter is not None:
        if not (Path(adapter) / "adapter_config.json").is_file():
            raise BadInputError(f"`adapter` {adapter} holds no adapter_config.json: not a PEFT adapter.")
        from peft import PeftModel  # only users of adapters need it

        try:
            adapted = PeftModel.from_pretrained(model.backbone, str(adapter))
        except (OSError, RuntimeError, ValueError) as error:  # of another width, of other layers, without its weights
            raise BadInputError(
                f"`adapter` {adapter} does not fit `{argument}` {name}; name the base that it was trained on. "
                f"{str(error).strip().splitlines()[-1].strip()}"
            ) from error
        model.backbone = adapted.merge_and_unload()
    if composition is not None:
        model.config.composition = composition
    return model


def _from_transformers(name: str, revision: str | None, argument: str) -> NotClipModel:
    folder = Path(name)
    if folder.is_file():
        python = f" Python code is named with what it holds: {name}:NAME." if folder.suffix == ".py" else ""
        raise BadInputError(f"`{argument}` must be a folder, a Hub id or an OpenCLIP checkpoint, got {name}.{python}")
    if folder.exists() and not (folder / "config.json").is_file():
        raise BadInputError(f"`{argument}` {name} is a folder without config.json: not a model of transformers.")
    where: dict[str, Any] = {} if revision is None else {"revision": revision}
    try:
        if _is_notclip(name, where):
            model = NotClipModel.from_pretrained(name, **where).eval()
        else:
            model = NotClipModel.from_backbone(name, composition="none", **where)
        # Read now: a folder without its tokenizer should fail before an hour of work, not after.
        _ = model.processor
    except (OSError, ValueError, HFValidationError, RepositoryNotFoundError) as error:
        raise BadInputError(f"`{argument}` {name} cannot be loaded: {error}") from error
    return model


def _is_notclip(name: str, where: dict[str, str]) -> bool:
    content, _ = PreTrainedConfig.get_config_dict(name, **where)
    return content.get("model_type") == "notclip"
