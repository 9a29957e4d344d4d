"""How much of a trained update is kept: weights between the base's and those at the end of training (WiSE-FT).

Half an update forgets less than half of what the whole one forgets, and keeps more than half of what it learnt
(Wortsman et al. 2022). So an epoch is judged with the whole of its update and with half of it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import cast

import torch
from peft.tuners.lora import LoraLayer
from peft.utils import ModulesToSaveWrapper
from torch import Tensor, nn

from notclip.remote.modeling_notclip import NotClipModel
from notclip.training.validation import gain

SHARES = (0.5, 1.0)
SHARE = "update_share"  # among the figures of a model


class BestShare:
    """Judges a model with several shares of its update; `update_share` is among the figures, which are the best one's.

    Args:
        judge: gives the figures of a model as it is.
        start: the figures before any step; None while there are none.
        recall_tolerance: ordinary recall@5 that may be lost against them.
    """

    def __init__(
        self,
        judge: Callable[[NotClipModel], Mapping[str, float]],
        start: Callable[[], Mapping[str, float] | None],
        *,
        recall_tolerance: float,
    ):
        self._judge, self._start, self._recall_tolerance = judge, start, recall_tolerance

    def __call__(self, model: NotClipModel) -> dict[str, float]:
        """The figures with the share that gains most, the larger of equals; the model is afterwards as it was."""
        start = self._start()
        if start is None:
            return {**self._judge(model), SHARE: 1.0}
        tried = []
        for share in SHARES:
            with update_of(model, share):
                tried.append({**self._judge(model), SHARE: share})
        return max(tried, key=lambda now: (gain(start, now, recall_tolerance=self._recall_tolerance), now[SHARE]))


@contextmanager
def update_of(model: nn.Module, share: float) -> Iterator[None]:
    """Keep a share of each update in the block, and all of it afterwards."""
    learnt = [*_ups(model), *(own for own, _ in _copies(model))]
    saved = [parameter.detach().clone() for parameter in learnt]
    keep_share(model, share)
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, before in zip(learnt, saved, strict=True):
                parameter.copy_(before)


@torch.no_grad()
def keep_share(model: nn.Module, share: float) -> None:
    """Multiply each low-rank update B·A of the model's adapter, and what full weights moved by, by `share`."""
    for up in _ups(model):
        up.mul_(share)
    for own, before in _copies(model):
        if share != 1:
            own.copy_(torch.lerp(before, own, share))


def _ups(model: nn.Module) -> list[nn.Parameter]:
    layers = [module for module in model.modules() if isinstance(module, LoraLayer)]
    return [cast(nn.Parameter, up.weight) for layer in layers for up in layer.lora_B.values()]


def _copies(model: nn.Module) -> list[tuple[nn.Parameter, Tensor]]:
    """Full weights that learn, each beside what it was."""
    found: list[tuple[nn.Parameter, Tensor]] = []
    for module in model.modules():
        if isinstance(module, ModulesToSaveWrapper):
            for copy in module.modules_to_save.values():
                before = module.original_module.parameters()
                found += zip(copy.parameters(), before, strict=True)
    return found
