"""How much of a trained update is kept: weights between the base's and those at the end of training (WiSE-FT).

Half an update forgets less than half of what the whole one forgets, and keeps more than half of what it learnt
(Wortsman et al. 2022); which share is best is seen on validation.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from peft.tuners.lora import LoraLayer
from torch import nn

SHARES = (0.25, 0.5, 0.75, 1.0)


def best_share(model: nn.Module, value: Callable[[], float], shares: Sequence[float] = SHARES) -> float:
    """The share of an adapter's update that is worth most, the largest of equals.

    Args:
        model: holds the adapter; as it was afterwards.
        value: what the model is worth as it is.
        shares: to be tried.
    """
    values = {}
    for share in shares:
        with update_of(model, share):
            values[share] = value()
    return max(values, key=lambda share: (values[share], share))


@contextmanager
def update_of(model: nn.Module, share: float) -> Iterator[None]:
    """Keep a share of each low-rank update in the block, and all of it afterwards."""
    ups = _ups(model)
    saved = [up.detach().clone() for up in ups]
    keep_share(model, share)
    try:
        yield
    finally:
        with torch.no_grad():
            for up, before in zip(ups, saved, strict=True):
                up.copy_(before)


@torch.no_grad()
def keep_share(model: nn.Module, share: float) -> None:
    """Multiply each low-rank update B·A of the model's adapter by `share`."""
    for up in _ups(model):
        up.mul_(share)


def _ups(model: nn.Module) -> list[nn.Parameter]:
    layers = [module for module in model.modules() if isinstance(module, LoraLayer)]
    return [up.weight for layer in layers for up in layer.lora_B.values()]
