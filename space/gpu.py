"""ZeroGPU's decorator where a Space runs on it, and nothing elsewhere."""

import importlib
import os
from collections.abc import Callable
from typing import Any, TypeVar

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


def on_gpu(function: FunctionT) -> FunctionT:
    """Lend the function a GPU for each call on ZeroGPU; return it as it is on any other machine."""
    if not os.environ.get("SPACES_ZERO_GPU"):
        return function
    # Only there is the package `spaces` installed, by the platform itself.
    decorated: FunctionT = importlib.import_module("spaces").GPU(function)
    return decorated
