"""The results JSON: what was measured, and everything that is needed to measure it again."""

import dataclasses
import hashlib
import json
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from notclip.errors import BadInputError
from notclip.files.whole_files import clear_partials, write_whole
from notclip.remote.modeling_notclip import NotClipModel
from notclip.scoring.predictions import predictions_path
from notclip.scoring.score import SuiteScores

LIBRARIES = ("torch", "transformers", "tokenizers", "pillow", "numpy", "datasets", "evaluate", "peft")


def results_content(*, model: str, scores: SuiteScores, provenance: dict[str, Any]) -> dict[str, Any]:
    """What a results file holds, in DESIGN's form.

    Args:
        model: what the user named as the model.
        scores: what it scored.
        provenance: where the numbers come from, as `provenance_of` makes it.
    """
    content = {
        "model": model,
        "suite": scores.suite.name,
        "metrics": scores.metrics,
        "confidence_intervals": scores.confidence_intervals,
        "provenance": provenance | {"data": scores.suite.files, "n_skipped": len(scores.suite.skipped)},
    }
    if scores.comparisons:
        content["comparisons"] = scores.comparisons
    if scores.suite.skipped:
        content["skipped"] = list(scores.suite.skipped)
    return content


def write_results(path: Path, content: dict[str, Any], scores: SuiteScores) -> None:
    """Write the results and, beside them, the predictions; each file all or nothing.

    Raises:
        BadInputError: the folder cannot be written to.
    """
    # NaN is no JSON, and no figure is NaN; were one, the file must not be written.
    text = json.dumps(content, indent=2, allow_nan=False) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        clear_partials(path.parent, predictions_path(path).name)
        scores.predictions.save(predictions_path(path))
        write_whole(path, text)
    except OSError as error:
        raise BadInputError(f"`out` {path} cannot be written: {error.strerror}.") from error


def provenance_of(model: Any, config: Any, command: list[str]) -> dict[str, Any]:
    """Where numbers come from: seed, weights, code, libraries and options.

    Args:
        model: the model as it was scored: a `NotClipModel`, or Python code of `callable_model`.
        config: the frozen dataclass of the command's options.
        command: the command, one argument an entry.
    """
    options = {name: _plain(value) for name, value in dataclasses.asdict(config).items()}
    scale = None if model.logit_scale is None else round(float(model.logit_scale.detach().exp()), 6)
    of_model: dict[str, Any] = {"backbone": "python", "python_sha256": getattr(model, "fingerprint", None)}
    if isinstance(model, NotClipModel):
        of_model = {
            "composition": model.config.composition,
            "adapter": options["adapter"],
            "backbone": model.backbone.config.model_type,
            "revision": _revision(model.config) or _revision(model.backbone.config),
            "weights_sha256": weights_sha256(model),
            "device": str(model.device),
        }
    return {
        "command": command,
        "seed": options["seed"],
        **of_model,
        "logit_scale": scale,
        "code": {"notclip": version("notclip"), "git_commit": _git_commit()},
        "libraries": {"python": platform.python_version()} | _library_versions(),
        "options": options,
    }


def weights_sha256(model: NotClipModel) -> str:
    """Hash of all weights and buffers, by name."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


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


def _git_commit() -> str | None:
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
