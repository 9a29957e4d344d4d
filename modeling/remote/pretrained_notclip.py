"""The one place that reads models of others: their code is never run unasked, and nothing is made up for them.

transformers asks on the terminal whether a folder's code may run where it is not told, gives a CLIP without tokenizer
a vocabulary of two words, and fills in weights that a checkpoint lacks. Here that is refused, by what is missing.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from transformers import AutoConfig, AutoImageProcessor, AutoModel, AutoTokenizer, PreTrainedModel
from transformers.image_processing_base import ImageProcessingMixin
from transformers.utils import cached_file

# What says where a file is to be read from, of all that `from_pretrained` takes.
PLACE = ("cache_dir", "force_download", "local_files_only", "revision", "subfolder", "token")
# What stands before the names of weights that were saved with what a training wrapped around the model.
_WRAPPERS = {"_orig_mod.": "torch.compile", "module.": "DataParallel"}
_IMAGE_PROCESSOR_FILES = ("processor_config.json", "preprocessor_config.json")


def read_pretrained(kind: Any, name: str | Path, **arguments: Any) -> Any:
    """Call `kind.from_pretrained`, which runs code from there only where `trust_remote_code=True` is given."""
    return kind.from_pretrained(str(name), **({"trust_remote_code": False} | arguments))


def build_model(config: Any) -> Any:
    """Build a model with random weights, of a class of transformers alone."""
    return AutoModel.from_config(config, trust_remote_code=False)


def read_config(name: str | Path, **arguments: Any) -> Any:
    """Read the configuration of a model."""
    return read_pretrained(AutoConfig, name, **arguments)


def read_dual_encoder(name: str | Path, **arguments: Any) -> PreTrainedModel:
    """Read a model of transformers.

    Raises:
        ValueError: its files lack weights that it has, or hold more layers than it has.
    """
    model, report = read_pretrained(AutoModel, name, output_loading_info=True, **arguments)
    check_loading(str(name), model, report)
    return model


def check_loading(name: str, model: PreTrainedModel, report: dict[str, Any]) -> None:
    """Refuse a model that was not read as it was written.

    Args:
        name: what was read, for messages.
        model: the model.
        report: `output_loading_info` of `from_pretrained`.

    Raises:
        ValueError: weights are missing, or of layers that the configuration leaves out.
    """
    for prefix, wrapper in _WRAPPERS.items():
        if any(key.startswith(prefix) for key in report["unexpected_keys"]):
            raise ValueError(
                f"{name} has weights whose names begin with `{prefix}`, as {wrapper} leaves them: save the model "
                "inside it, or take that from the names."
            )
    if report["missing_keys"]:
        raise ValueError(f"{name} lacks weights of its own architecture: {_listed(report['missing_keys'])}.")
    # Heads that only a larger class has are left out as always; a layer like those that the model has is one too many.
    alike = {_without_numbers(key) for key in model.state_dict()}
    further = [key for key in report["unexpected_keys"] if _without_numbers(key) in alike]
    if further:
        raise ValueError(f"{name} has weights of more layers than its config.json says: {_listed(further)}.")


def read_tokenizer(name: str | Path, *, config: Any = None, **arguments: Any) -> Any:
    """Read a tokenizer; with the model's `config` at hand no other is looked for.

    Raises:
        ValueError: there is none, it cannot be read, or it has more tokens than the model embeds.
    """
    with _naming(name, "tokenizer", ("tokenizer.json", "another file of it")):
        tokenizer = read_pretrained(AutoTokenizer, name, config=config, **arguments)
    forget_reading(tokenizer)
    if len(tokenizer) <= len(tokenizer.all_special_tokens):
        files = dict(getattr(type(tokenizer), "vocab_files_names", {}))
        whole = files.pop("tokenizer_file", "tokenizer.json")
        wanted = f"{whole}, or {' and '.join(files.values())}" if files else whole
        raise ValueError(f"{name} holds no tokenizer: it needs {wanted}.")
    embedded = getattr(getattr(config, "text_config", config), "vocab_size", None)
    highest = max(tokenizer.get_vocab().values())
    if isinstance(embedded, int) and highest >= embedded:
        raise ValueError(
            f"{name} has a tokenizer with tokens up to {highest}, but its text tower embeds {embedded}: "
            "they do not belong together."
        )
    with _naming(name, "tokenizer", ("tokenizer.json", "tokenizer_config.json")):
        tokenizer(["a dog", "a"], padding=True)  # Without its tokenizer_config.json it may read, but not this.
    return tokenizer


def forget_reading(tokenizer: Any) -> None:
    """Drop what a tokenizer keeps of where it was read: saved again, its files would differ by it."""
    for place in ("is_local", "local_files_only"):
        tokenizer.init_kwargs.pop(place, None)


def read_image_processor(name: str | Path, **arguments: Any) -> Any:
    """Read an image processor, the Pillow one of each family: it gives the same pixels on every machine.

    Raises:
        ValueError: there is none, it cannot be read, or its file does not say how photos are prepared.
    """
    place = {key: value for key, value in arguments.items() if key in PLACE and key != "force_download"}
    if not any(
        cached_file(str(name), file, _raise_exceptions_for_missing_entries=False, **place)
        for file in _IMAGE_PROCESSOR_FILES
    ):
        raise ValueError(f"{name} holds no image processor: it needs {' or '.join(_IMAGE_PROCESSOR_FILES)}.")
    with _naming(name, "image processor", _IMAGE_PROCESSOR_FILES):
        said, _ = ImageProcessingMixin.get_image_processor_dict(str(name), **place)
        if not {"size", "image_mean", "crop_size"} & said.keys():
            raise ValueError("neither size nor mean is said")
        return read_pretrained(AutoImageProcessor, name, backend="pil", **arguments)


@contextmanager
def _naming(name: str | Path, what: str, files: tuple[str, ...]) -> Iterator[None]:
    """Say of whatever is raised what could not be read: tokenizers raises Exception itself, transformers anything."""
    try:
        yield
    except ImportError:
        raise
    except Exception as error:
        if "trust_remote_code" in str(error):
            raise
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:150]}"
        raise ValueError(f"{name} holds no {what} that can be read, in {' or '.join(files)} ({reason}).") from error


def _without_numbers(name: str) -> str:
    return re.sub(r"\d+", "0", name)


def _listed(names: Any) -> str:
    ordered = sorted(names)
    return ", ".join(ordered[:5]) + (f" and {len(ordered) - 5} more" if len(ordered) > 5 else "")


__all__ = [
    "PLACE",
    "build_model",
    "check_loading",
    "forget_reading",
    "read_config",
    "read_dual_encoder",
    "read_image_processor",
    "read_pretrained",
    "read_tokenizer",
]
