"""A training run's state on disk, written whole or not at all, from which `--resume` goes on to the same weights."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from notclip.files.whole_files import clear_partials, whole_file

FILE = "state.pt"


@dataclass
class Progress:
    """Where a run stands.

    Args:
        step: optimizer steps done.
        history: one entry for each validation, the backbone's first.
        best_epoch: epoch of the chosen weights; 0 is the backbone itself.
        best_weights: trainable parameters of that epoch, by name.
    """

    step: int = 0
    history: list[dict] = field(default_factory=list)
    best_epoch: int = 0
    best_weights: dict[str, Tensor] = field(default_factory=dict)


def trainable_weights(model: nn.Module) -> dict[str, Tensor]:
    """Copies of the parameters that learn, by name."""
    return {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}


def load_weights(model: nn.Module, weights: dict[str, Tensor]) -> None:
    """Put `trainable_weights` back."""
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for name, value in weights.items():
            parameters[name].copy_(value)


def save_state(
    folder: Path, model: nn.Module, optimizer: Optimizer, schedule: LRScheduler, progress: Progress
) -> None:
    """Replace the state in `folder`; a kill at any moment leaves the old state or the new one."""
    folder.mkdir(parents=True, exist_ok=True)
    clear_partials(folder)
    state = {
        "weights": trainable_weights(model),
        "optimizer": optimizer.state_dict(),
        "schedule": schedule.state_dict(),
        "random": torch.get_rng_state(),
        "step": progress.step,
        "history": json.dumps(progress.history),
        "best_epoch": progress.best_epoch,
        "best_weights": progress.best_weights,
    }
    with whole_file(folder / FILE) as partial:
        torch.save(state, partial)


def load_state(folder: Path, model: nn.Module, optimizer: Optimizer, schedule: LRScheduler) -> Progress | None:
    """Restore the state in `folder`, random numbers included; None when there is none yet."""
    if not (folder / FILE).is_file():
        return None
    state = torch.load(folder / FILE, weights_only=True)
    load_weights(model, state["weights"])
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
    torch.set_rng_state(state["random"])
    return Progress(state["step"], json.loads(state["history"]), state["best_epoch"], state["best_weights"])


def forget_state(folder: Path) -> None:
    """Remove the state of a run that is done."""
    shutil.rmtree(folder, ignore_errors=True)
