"""Any Python code as a model to be scored: what stands behind an API, or in another framework.

    # my_model.py: one of the two
    def score(images, texts): ...                   # PIL images, strings -> scores, (images, texts)

    class Encoder:
        def encode_images(self, images): ...        # PIL images -> vectors, (images, D)
        def encode_texts(self, texts): ...          # strings -> vectors, (texts, D)

    notclip score-model --model my_model.py:score --suite suite --out results.json

With encoders each photo and each caption is sent once. A `score` function is asked for the pairs that a suite needs:
each question's choices with its photo and with another one, and every query with every photo searched.
"""

import hashlib
import importlib.util
import math
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from notclip.errors import BadInputError, shortened
from notclip.files.derived import script_digest


class CallableEncoders:
    """A model of two functions that embed; scores are cosines, since vectors are brought to unit norm.

    Args:
        encode_images: PIL images (RGB) -> vectors, shape (I, D).
        encode_texts: strings -> vectors, shape (T, D).
        name: what error messages call the model.
        fingerprint: under which the cache keeps its vectors; code that is changed needs another. Without one none
            are kept.
        logit_scale: factor that makes logits of cosines, for the calibration error; None where it is not known.
    """

    def __init__(
        self,
        encode_images: Callable[[list[Image.Image]], Any],
        encode_texts: Callable[[list[str]], Any],
        *,
        name: str = "model",
        fingerprint: str = "",
        logit_scale: float | None = None,
    ) -> None:
        self._encode: dict[str, Callable[[list[Any]], Any]] = {
            "encode_images": encode_images,
            "encode_texts": encode_texts,
        }
        self.name, self.fingerprint = name, fingerprint
        self.logit_scale = None if logit_scale is None else torch.tensor(float(logit_scale)).log()

    def encode_images(self, images: Sequence[Image.Image], *, batch_size: int = 64) -> Tensor:
        """Unit-norm embeddings, shape (I, D)."""
        return self._in_batches("encode_images", images, batch_size)

    def encode_queries(self, texts: Sequence[str], *, batch_size: int = 256) -> tuple[Tensor, Tensor]:
        """Unit-norm embeddings, shape (T, D), and biases of 0, shape (T,)."""
        vectors = self._in_batches("encode_texts", texts, batch_size)
        return vectors, torch.zeros(len(vectors))

    def _in_batches(self, function: str, items: Sequence[Any], batch_size: int) -> Tensor:
        parts = []
        for start in range(0, len(items), batch_size):
            batch = list(items[start : start + batch_size])
            what = f"`model` {self.name}: `{function}`"
            vectors = as_scores(_answer(self._encode[function], what, batch), what, (len(batch), None))
            parts.append(nn.functional.normalize(vectors, dim=-1))
        return torch.cat(parts)


class CallableScorer:
    """A model that is one function of images and texts.

    Args:
        score: PIL images (RGB) and strings -> scores, higher for what fits better, shape (I, T).
        name: what error messages call the model.
        fingerprint: under which the cache keeps its scores; code that is changed needs another. Without one none
            are kept.
        logit_scale: factor that makes logits of scores, for the calibration error; None where it is not known.
    """

    def __init__(
        self,
        score: Callable[[list[Image.Image], list[str]], Any],
        *,
        name: str = "model",
        fingerprint: str = "",
        logit_scale: float | None = None,
    ) -> None:
        self._score = score
        self.name, self.fingerprint = name, fingerprint
        self.logit_scale = None if logit_scale is None else torch.tensor(float(logit_scale)).log()

    def score(self, image: Image.Image, texts: Sequence[str]) -> Tensor:
        """Scores of one image with each text, shape (T,)."""
        what = f"`model` {self.name}"
        return as_scores(_answer(self._score, what, [image], list(texts)), what, (1, len(texts)))[0]


def _answer(function: Callable[..., Any], what: str, *asked: list[Any]) -> Any:
    """Ask a user's function. An API that is down or an `exit(0)` decides nothing: no gate is met or missed by it."""
    try:
        return function(*asked)
    except (Exception, SystemExit) as error:
        own = traceback.extract_tb(error.__traceback__)[1:2]  # the line of the user's function, below ours
        place = f" ({own[0].filename}, line {own[0].lineno})" if own else ""
        raise BadInputError(f"{what} failed: {type(error).__name__}: {error}{place}.") from error


def as_scores(returned: Any, what: str, shape: tuple[int, int | None]) -> Tensor:
    """What a user's function returned, as a tensor of float32 on the CPU.

    Args:
        returned: a tensor, an array or nested lists.
        what: the function's name, for messages.
        shape: what it must have; None for any number of columns.

    Raises:
        BadInputError: it is no table of finite numbers of that shape.
    """
    try:
        if isinstance(returned, Tensor):
            returned = returned.detach().cpu().float()
        values = torch.as_tensor(np.asarray(returned, dtype=np.float32))
    except (TypeError, ValueError) as error:
        raise BadInputError(
            f"{what} must return a table of numbers, got {type(returned).__name__}: {error}."
        ) from error
    columns = "D" if shape[1] is None else shape[1]
    if values.ndim != 2 or values.shape[0] != shape[0] or shape[1] not in (None, values.shape[1]):
        raise BadInputError(f"{what} must return numbers of shape ({shape[0]}, {columns}), got {tuple(values.shape)}.")
    for row in torch.nonzero(~torch.isfinite(values).all(1)).flatten()[:1]:
        raise BadInputError(f"{what} must return finite numbers, got {values[row].tolist()[:4]} in row {int(row)}.")
    return values


def names_python(model: str) -> bool:
    """Whether a model's name is that of Python code: `file.py:name`."""
    file, colon, name = model.rpartition(":")
    return bool(colon) and file.endswith(".py") and name.isidentifier()


def load_callable(model: str) -> CallableEncoders | CallableScorer:
    """Load what `file.py:name` names: a function, an object with both encoders, or a class of such objects.

    The file is run, as `python file.py` would run it: score only code that you trust.

    Raises:
        BadInputError: there is no such file or name, or it is neither.
    """
    path, _, name = model.rpartition(":")
    file = Path(path)
    if not file.is_file():
        raise BadInputError(f"`model` {model} must name a Python file, got {file}, which does not exist.")
    found = _names_of(file, model)
    if name not in found:
        raise BadInputError(f"`model` {model}: {file} has no {name!r}.")
    target = found[name]
    if isinstance(target, type):
        target = _answer(target, f"`model` {model}")
    fingerprint = hashlib.sha256(f"{script_digest(file)} {name}".encode()).hexdigest()
    scale = _scale_of(target, model)
    encode_images, encode_texts = getattr(target, "encode_images", None), getattr(target, "encode_texts", None)
    if callable(encode_images) and callable(encode_texts):
        return CallableEncoders(encode_images, encode_texts, name=model, fingerprint=fingerprint, logit_scale=scale)
    if callable(target):
        return CallableScorer(target, name=model, fingerprint=fingerprint, logit_scale=scale)
    raise BadInputError(
        f"`model` {model} must be a function of images and texts, or have `encode_images` and `encode_texts`, "
        f"got {type(target).__name__}."
    )


def _scale_of(target: Any, model: str) -> float | None:
    said = getattr(target, "logit_scale", None)
    if said is None:
        return None
    try:
        scale = float(said)
    except (TypeError, ValueError):
        scale = math.nan
    if not 0 < scale < math.inf:
        raise BadInputError(
            f"`model` {model}: `logit_scale` must be a number above 0, the factor and not its logarithm, got "
            f"{shortened(said)}."
        )
    return scale


def _names_of(file: Path, model: str) -> Mapping[str, Any]:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise BadInputError(f"`model` {model} must name a Python file, got {file}.")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(file.resolve().parent))  # as for a script: files beside it may be imported
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise BadInputError(f"`model` {model}: {file} cannot be run: {type(error).__name__}: {error}.") from error
    finally:
        sys.path.pop(0)
    return vars(module)
