"""One way to load what a user names as a model: ours, a dual encoder of transformers or OpenCLIP, with an adapter."""

import re
from pathlib import Path
from typing import Any, Literal

from transformers import AutoConfig, AutoProcessor, PreTrainedConfig
from transformers.utils import cached_file

from notclip.errors import BadInputError
from notclip.files.json_files import read_json_object
from notclip.model_folder import LARGEST_CONFIG_BYTES, check_config, check_precision, reading_config, reading_model
from notclip.openclip.files import is_openclip
from notclip.remote.configuration_notclip import NotClipConfig
from notclip.remote.modeling_notclip import NotClipModel
from notclip.remote.pretrained_notclip import forget_reading, read_pretrained


def load_model(
    name: str,
    *,
    adapter: Path | str | None = None,
    composition: Literal["scope", "none"] | None = None,
    revision: str | None = None,
    architecture: str | None = None,
    trust_remote_code: str | None = None,
    argument: str = "model",
) -> NotClipModel:
    """Load a model for scoring, search or training.

    Args:
        name: Hub id or folder of a NotCLIP model or of any dual encoder of transformers; or an OpenCLIP checkpoint:
            a .safetensors, .pt, .pth, .bin or .ckpt file, or a folder with an open_clip_config.json.
        adapter: PEFT adapter to put on it.
        composition: `"scope"` or `"none"`; a NotCLIP model's own, and `"none"` for any other, when absent.
        revision: revision of the Hub repository.
        architecture: OpenCLIP's name of the architecture, such as `ViT-B-32-quickgelu`, for a file of weights alone.
        trust_remote_code: commit of the Hub repository whose own code may run; by default no code of a model runs.
        argument: what the caller's user calls `name`, for messages.

    Raises:
        BadInputError: there is no such model, or it is no dual encoder.
    """
    if trust_remote_code is not None:
        with reading_model(argument, name):
            _check_trust(name, trust_remote_code, revision)
        revision = trust_remote_code
    if is_openclip(name):
        from notclip.openclip.convert import load_openclip  # half a second that others need not wait

        backbone, processor = load_openclip(Path(name), architecture=architecture)
        model = NotClipModel.from_backbone(backbone, processor=processor, composition="none")
        model.config.backbone_name = name
    else:
        if architecture is not None:
            raise BadInputError(f"`architecture` is for OpenCLIP checkpoints; {name} says itself what it is.")
        model = _from_transformers(name, revision, argument, trust_remote_code)
    if adapter is not None:
        from notclip.adapter_files import put_adapter  # only users of adapters need peft

        try:
            adapted = put_adapter(model.backbone, Path(adapter))
        except BadInputError:
            raise
        except Exception as error:  # of another width, of other layers: peft and torch raise what they find
            raise BadInputError(
                f"`adapter` {adapter} does not fit `{argument}` {name}; name the base that it was trained on. "
                f"{str(error).strip().splitlines()[-1].strip()}"
            ) from error
        model.backbone = adapted.merge_and_unload()
    if composition is not None:
        model.config.composition = composition
    return model


def load_processor(name: str, *, argument: str = "model") -> Any:
    """Load the processor of a dual encoder of transformers, in the class that it was saved in.

    Raises:
        BadInputError: there is none that transformers reads without code of others.
    """
    with reading_model(argument, name):
        processor = read_pretrained(AutoProcessor, name, backend="pil")
        if hasattr(processor, "tokenizer"):
            forget_reading(processor.tokenizer)
        return processor


def _from_transformers(name: str, revision: str | None, argument: str, trusted_commit: str | None) -> NotClipModel:
    folder = Path(name)
    if folder.is_file():
        python = f" Python code is named with what it holds: {name}:NAME." if folder.suffix == ".py" else ""
        raise BadInputError(f"`{argument}` must be a folder, a Hub id or an OpenCLIP checkpoint, got {name}.{python}")
    if folder.exists() and not (folder / "config.json").is_file():
        raise BadInputError(f"`{argument}` {name} is a folder without config.json: not a model of transformers.")
    where: dict[str, Any] = {} if revision is None else {"revision": revision}
    with reading_model(argument, name):
        content = _config_content(name, where, argument)
        trust: dict[str, Any] = {} if trusted_commit is None else {"trust_remote_code": True}
        ours = content.get("model_type") == "notclip"
        with reading_config(name):
            read_pretrained(NotClipConfig if ours else AutoConfig, name, **where, **trust)
        if ours:
            model = read_pretrained(NotClipModel, name, **where).eval()
        else:
            model = NotClipModel.from_backbone(name, composition="none", **where, **trust)
        if "quantization_config" not in content:
            config_file = folder / "config.json" if folder.is_dir() else cached_file(name, "config.json", **where)
            check_precision(Path(str(config_file)).parent)
        # Read now: a folder without its tokenizer should fail before an hour of work, not after.
        _ = model.processor
    return model


def _config_content(name: str, where: dict[str, str], argument: str) -> dict[str, Any]:
    file = Path(name) / "config.json"
    if file.is_file() and file.stat().st_size > LARGEST_CONFIG_BYTES:
        raise BadInputError(f"`{argument}` {name}: its config.json must be at most {LARGEST_CONFIG_BYTES >> 20} MB.")
    with reading_config(name):
        content, _ = PreTrainedConfig.get_config_dict(name, **where)
    if not isinstance(content, dict):
        raise BadInputError(f"`{argument}` {name}: its config.json must hold an object.")
    check_config(content, where=f"`{argument}` {name}: config.json")
    return content


def _check_trust(name: str, commit: str, revision: str | None) -> None:
    if not re.fullmatch(r"[0-9a-f]{40}", commit):
        raise BadInputError(
            f"`trust_remote_code` must be the 40 hexadecimal digits of the commit whose code you have read, got "
            f"{commit!r}: a branch or a tag can be moved."
        )
    if revision not in (None, commit):
        raise BadInputError(f"`revision` {revision} is not the commit {commit} whose code `trust_remote_code` allows.")
    if Path(name).exists():
        raise BadInputError(
            f"`trust_remote_code` is for repositories of the Hub, which have commits, and {name} is a folder; load it "
            "in Python code of your own, and name that: my_model.py:NAME."
        )
    for file in ("config.json", "tokenizer_config.json", "preprocessor_config.json", "processor_config.json"):
        found = cached_file(name, file, revision=commit, _raise_exceptions_for_missing_entries=False)
        content = {} if found is None else read_json_object(Path(found), largest=LARGEST_CONFIG_BYTES)
        elsewhere = [text for text in _strings(content.get("auto_map")) if text.partition("--")[0] not in (name, text)]
        if elsewhere:
            raise BadInputError(
                f"`model` {name} runs code of another repository ({elsewhere[0]}), which no commit of this one pins."
            )


def _strings(content: Any) -> list[str]:
    if isinstance(content, dict):
        return [text for value in content.values() for text in _strings(value)]
    if isinstance(content, list):
        return [text for value in content for text in _strings(value)]
    return [content] if isinstance(content, str) else []
