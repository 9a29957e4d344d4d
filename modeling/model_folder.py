"""What a stranger's model folder may hold, looked at before it is built, and what is wrong with one that cannot be.

Libraries raise anything at a broken file, and say neither which it is nor what to do. Here that becomes one sentence.
"""

import json
import math
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import safe_open

from notclip.errors import BadInputError, shortened
from notclip.files.text_files import read_text

# The largest that there are have 80 layers, 256,000 tokens and 20,000 features; a number of one digit too many would
# take the memory of the machine, or a day to build modules in.
MOST_LAYERS = 1000
LARGEST_NUMBER = 10**8
LARGEST_CONFIG_BYTES = 4 * 2**20
_LARGEST_JSON = 2**30  # of a tokenizer
_QUANTISED = ("I8", "U8", "I4", "U4")
_BYTES = ("reader",)  # of ours: a file of the reader's inside the model's, no numbers
_DEEPEST = 32
_LAYERS = ("layer", "depth", "block", "expert", "stage")


def check_config(content: Any, *, where: str) -> None:
    """Refuse a configuration whose numbers no model has.

    Args:
        content: what a config.json holds.
        where: its name, for messages.

    Raises:
        BadInputError: it names more than 1,000 layers, a number beyond 10⁸ or a kernel, or is nested deeper than 32.
    """
    waiting: list[tuple[str, Any, int]] = [("", content, 0)]
    while waiting:
        name, value, depth = waiting.pop()
        if depth > _DEEPEST:
            raise BadInputError(f"{where} is nested deeper than {_DEEPEST}: no configuration of a model.")
        if isinstance(value, dict):
            waiting += [(str(key), inner, depth + 1) for key, inner in value.items()]
        elif isinstance(value, list):
            waiting += [(name, inner, depth + 1) for inner in value]
        elif isinstance(value, str) and name.endswith("attn_implementation") and "/" in value:
            raise BadInputError(
                f"{where}: `{name}` {shortened(value)} is code of a Hub repository, which is not run: take it out."
            )
        elif isinstance(value, int | float) and not isinstance(value, bool):
            most = MOST_LAYERS if any(word in name for word in _LAYERS) else LARGEST_NUMBER
            # No float is as large as an integer of a thousand digits.
            if (isinstance(value, int) or math.isfinite(value)) and abs(value) > most:
                raise BadInputError(f"{where}: `{name}` must be at most {most:,}, got {shortened(value)}.")


@contextmanager
def reading_model(argument: str, name: str | Path) -> Iterator[None]:
    """Turn whatever a library raises while it reads a model into one sentence that names the file.

    Args:
        argument: what the user calls the model.
        name: its folder or id.

    Raises:
        BadInputError: instead of any other exception.
    """
    for file in Path(name).iterdir() if Path(name).is_dir() else ():
        if file.exists() and not (file.is_file() or file.is_dir()):  # A pipe would be waited for for ever.
            raise BadInputError(f"`{argument}` {name}: {file.name} is no file.")
    try:
        yield
    except BadInputError:
        raise
    except MemoryError as error:
        raise BadInputError(f"`{argument}` {name} needs more memory than there is.") from error
    except Exception as error:  # whatever safetensors, tokenizers, transformers and torch find to raise
        # Where the system says why, it is the disk's fault and not the file's.
        broken = None if getattr(error, "errno", None) is not None else broken_file(Path(name))
        raise BadInputError(f"`{argument}` {name} cannot be loaded: {broken or _reason(error, str(name))}") from error


@contextmanager
def reading_config(name: str | Path) -> Iterator[None]:
    """Within `reading_model`: say of whatever is raised that it comes from config.json."""
    try:
        yield
    except (BadInputError, OSError, ImportError, RecursionError):
        raise
    except Exception as error:
        if "trust_remote_code" in str(error):
            raise
        raise BadInputError(
            f"{Path(name) / 'config.json'} describes no model that is known: {_brief(error)}"
        ) from error


def check_precision(folder: Path) -> None:
    """Refuse quantised weights of which no configuration says how: they would be taken for the numbers themselves.

    Args:
        folder: of a model whose config.json has no `quantization_config`.

    Raises:
        BadInputError: a tensor is of eight bits or less.
    """
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, framework="pt") as tensors:
            for name in tensors.keys():  # no mapping
                kind = tensors.get_slice(name).get_dtype()
                if name not in _BYTES and (kind in _QUANTISED or kind.startswith(("F8", "F4", "F6"))):
                    raise BadInputError(
                        f"{file} holds {shortened(name)} as {kind}, and config.json has no `quantization_config` "
                        "that says what these numbers mean: name the model in 16 or 32 bits."
                    )


def broken_file(folder: Path) -> str | None:
    """Which file of a model's folder cannot be read, and why; None where each can."""
    for file in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        try:
            json.loads(read_text(file, "its file", largest=_LARGEST_JSON))
        except BadInputError as error:
            return str(error)
        except (ValueError, RecursionError) as error:
            return f"its {file.name} is no JSON ({_first_line(error)}); fetch it again."
    for file in sorted(folder.glob("*.safetensors")) if folder.is_dir() else ():
        try:
            with safe_open(file, framework="pt"):
                pass
        except Exception as error:  # SafetensorError is no class of Python's, and OSError where it cannot be mapped
            return f"its {file.name} is damaged ({_first_line(error)}); fetch it again."
    return None


def _reason(error: Exception, name: str) -> str:
    text = " ".join(str(error).split())
    if "trust_remote_code" in text:
        return (
            "it brings code of its own, which is not run. If you have read that code, on the Hub and at one commit, "
            "`score-model --trust-remote-code COMMIT` runs it."
        )
    if "ignore_mismatched_sizes" in text:
        return "its weights are of other shapes than its config.json says."
    if isinstance(error, pickle.UnpicklingError):
        return "its pytorch_model.bin holds more than tensors, which could run code; save it with safetensors."
    if isinstance(error, ImportError):
        return f"a package is missing. {text[:300]}"
    if isinstance(error, ValueError | OSError):
        return f"it {text.removeprefix(name + ' ')[:400]}" if text.startswith(f"{name} ") else text[:400]
    return f"its files describe no model that can be built ({_brief(error)})."


def _brief(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:150]}"


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:150]
