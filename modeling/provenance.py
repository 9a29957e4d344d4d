"""Where numbers come from: weights, code, libraries and options, as a results file records them."""

import dataclasses
import hashlib
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from torch import nn

from notclip.files.derived import file_digest
from notclip.files.json_files import read_json_object
from notclip.remote.modeling_notclip import NotClipModel

TRAINED = "training.json"
LIBRARIES = ("torch", "transformers", "tokenizers", "pillow", "numpy", "datasets", "evaluate", "peft")


def provenance_of(model: Any, config: Any, command: list[str]) -> dict[str, Any]:
    """Where numbers come from: seed, weights and their role in a release, code, libraries and options.

    Args:
        model: the model as it was scored: a `NotClipModel`, or Python code, see `scoring.python_model`.
        config: the frozen dataclass of the command's options.
        command: the command, one argument an entry.
    """
    options = {name: _plain(value) for name, value in dataclasses.asdict(config).items()}
    scale = None if model.logit_scale is None else round(float(model.logit_scale.detach().exp()), 6)
    of_model: dict[str, Any] = {
        "role": "python",
        "backbone": "python",
        "python_sha256": getattr(model, "fingerprint", None),
    }
    if isinstance(model, NotClipModel):
        weights = weights_sha256(model)
        of_model = {
            "role": _role_of(model, weights, options),
            "composition": model.config.composition,
            "adapter": options["adapter"],
            "adapter_sha256": _adapter_sha256(options["adapter"]),
            "backbone": model.backbone.config.model_type,
            "revision": _revision(model.config) or _revision(model.backbone.config),
            "weights_sha256": weights,
            "device": str(model.device),
        }
    return {
        "command": command,
        "seed": options["seed"],
        **of_model,
        "logit_scale": scale,
        "code": {"notclip": version("notclip"), "git_commit": git_commit()},
        "libraries": {"python": platform.python_version()} | _library_versions(),
        "options": options,
    }


def weights_sha256(model: nn.Module, *, apart_from: tuple[str, ...] = ()) -> str:
    """Hash of all weights and buffers, by name; of those whose names begin with one of `apart_from`, none."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        if name.startswith(apart_from):
            continue
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _role_of(model: NotClipModel, weights: str, options: Mapping[str, Any]) -> str:
    """`base`, `backbone` (merged, nothing composed) or `notclip`; `composition` is that alone on what is not ours."""
    composed = model.config.composition != "none"
    if options.get("calibrate"):  # By photos that no release knows.
        return "composition"
    if model.statistics is not None:  # Photos were measured for it when it was trained.
        return "notclip" if composed else "backbone"
    if composed:
        return "composition"
    return "backbone" if options["adapter"] or _is_merged(Path(str(options["model"])), weights) else "base"


def _is_merged(folder: Path, weights: str) -> bool:
    """Whether weights are those that training merged, by its record, which lies in the folder or beside it."""
    for file in (folder / TRAINED, folder.parent / TRAINED):
        if folder.is_dir() and file.is_file():
            known = read_json_object(file).get("weights_sha256") or {}
            # An adapter that changes nothing leaves the base as it was.
            return known.get("backbone") == weights and (known.get("base") != weights or folder.name != "base")
    return False


def _adapter_sha256(adapter: str | None) -> str | None:
    file = Path(adapter or "") / "adapter_model.safetensors"
    return file_digest(file) if adapter and file.is_file() else None


def _revision(config: Any) -> str | None:
    # transformers notes here the commit of the Hub repository that was read; a folder has none.
    return getattr(config, "_commit_hash", None)


def _library_versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def git_commit() -> str | None:
    """The commit of the checkout that this code is run from, with `+changes` where files differ; None for a wheel."""
    checkout = Path(__file__).resolve().parents[1]
    if not (checkout / ".git").exists():
        return None
    try:
        head, status = (
            subprocess.run(  # noqa: S603  # git of the PATH, on our own checkout
                ["git", "-C", str(checkout), *arguments],  # noqa: S607
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for arguments in (("rev-parse", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return head.strip() + ("+changes" if status.strip() else "")


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value
