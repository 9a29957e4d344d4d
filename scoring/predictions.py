"""What a model answered to a suite, kept beside its results so that another model can be compared row by row."""

import hashlib
import json
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from notclip.errors import BadInputError
from notclip.files.whole_files import whole_file
from notclip.scoring.suites.suite import ImagePair, Query, SuiteQuestion

MOST_BYTES = 4 * 2**30  # unpacked; a million questions and as many queries have 1 GB
SEARCHES = ("negated", "ordinary", "negated_captions", "ordinary_captions")


@dataclass(frozen=True)
class Found:
    """What the queries of one search find.

    Args:
        found: ids of images (or numbers of captions) for each query, best first.
        ranks: rank of the first right one among all.
    """

    found: list[list[str]]
    ranks: list[int]


@dataclass
class Predictions:
    """A model's answers, with a key of each question and query, by which two models' answers are matched.

    Args:
        question_keys: one for each question.
        negated_keys: one for each negated query.
        ordinary_keys: one for each ordinary query.
        scores: the scores of each question's choices.
        shuffled_scores: the same for another image than the question's; none in older files, or with one image.
        pair_keys: one for each pair of images.
        pair_scores: the scores of each pair's images and captions, shape (P, 2, 2).
        found: what was found by `negated` and `ordinary` queries and, the other way round, by images among the texts
            of these queries, `negated_captions` and `ordinary_captions`.
    """

    question_keys: list[str]
    negated_keys: list[str]
    ordinary_keys: list[str]
    scores: list[list[float]] = field(default_factory=list)
    shuffled_scores: list[list[float]] = field(default_factory=list)
    pair_keys: list[str] = field(default_factory=list)
    pair_scores: list[list[list[float]]] = field(default_factory=list)
    found: dict[str, Found] = field(default_factory=dict)

    def must_answer_the_same(self, others: "Predictions", label: str) -> None:
        """Refuse answers to another suite, or to other rows of it.

        Raises:
            BadInputError: the questions or queries differ, or stand in another order.
        """
        for what in ("question_keys", "pair_keys", "negated_keys", "ordinary_keys"):
            own, other = getattr(self, what), getattr(others, what)
            # Files of before pairs were scored have none: then the rest is compared.
            if own != other and (what != "pair_keys" or other):
                same = sum(a == b for a, b in zip(own, other, strict=False))
                raise BadInputError(
                    f"`compare` {label} answers another suite: of {len(own)} {what.removesuffix('_keys')} rows here "
                    f"and {len(other)} there, {same} are the same. Score both models on the same suite."
                )

    def save(self, path: Path) -> None:
        """Write an .npz file, all or nothing."""
        arrays: dict[str, Any] = {
            "question_keys": np.array(self.question_keys, dtype=str),
            "negated_keys": np.array(self.negated_keys, dtype=str),
            "ordinary_keys": np.array(self.ordinary_keys, dtype=str),
            "scores": _flat(self.scores),
            "shuffled_scores": _flat(self.shuffled_scores),
            "choices": np.array([len(row) for row in self.scores], dtype=np.int64),
            "pair_keys": np.array(self.pair_keys, dtype=str),
            "pair_scores": np.array(self.pair_scores, dtype=np.float32),
        }
        for name, answers in self.found.items():
            arrays[f"{name}_found"] = np.array(answers.found, dtype=str)
            arrays[f"{name}_ranks"] = np.array(answers.ranks, dtype=np.int64)
        with whole_file(path) as partial:
            np.savez_compressed(partial, **arrays)

    @classmethod
    def load(cls, path: Path) -> "Predictions":
        """Read what `save` wrote; nothing is unpickled.

        Raises:
            BadInputError: there is no such file, or it is another kind of file, or damaged.
        """
        written = f"`compare` needs {path}, which `notclip score-model` writes beside its results;"
        try:
            with zipfile.ZipFile(path) as parts:
                if (size := sum(part.file_size for part in parts.infolist())) > MOST_BYTES:
                    raise BadInputError(f"{written} this one unpacks to {size >> 20:,} MB, and is none.")
            with np.load(path, allow_pickle=False) as arrays:
                answers = _answers({name: arrays[name] for name in arrays.files})
        except BadInputError:
            raise
        except Exception as error:  # Damaged archives make zipfile, zlib and numpy raise a dozen kinds.
            said = str(error).partition("\n")[0] or type(error).__name__
            raise BadInputError(f"{written} it cannot be read: {said}.") from error
        return cls(**answers)


def _answers(arrays: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """The arrays of a file as what `Predictions` takes.

    Raises:
        KeyError: an array is missing.
        ValueError: an array has another type or shape than `save` gives it, or holds what is no score.
    """
    keys = {name: arrays[name] for name in ("question_keys", "negated_keys", "ordinary_keys")}
    keys["pair_keys"] = arrays.get("pair_keys", np.array([], dtype=str))
    for name, column in keys.items():
        if column.ndim != 1 or column.dtype.kind != "U":
            # An empty array of strings is one as well.
            raise ValueError(f"{name} must be one row of text, got {column.dtype} of shape {column.shape}")
    sizes = arrays["choices"]
    _must_be_numbers("choices", sizes, "iu", (len(keys["question_keys"]),), least=1)
    rows = {}
    for name in ("scores", "shuffled_scores"):
        flat = arrays.get(name, np.array([], dtype=np.float32))
        _must_be_numbers(name, flat, "f", (int(sizes.sum()) if name == "scores" or len(flat) else 0,))
        rows[name] = _rows(flat, sizes)
    pairs = arrays.get("pair_scores", np.empty((0, 2, 2), dtype=np.float32))
    if pairs.size or len(keys["pair_keys"]):
        _must_be_numbers("pair_scores", pairs, "f", (len(keys["pair_keys"]), 2, 2))
    found = {}
    for name in SEARCHES:
        listed = arrays.get(f"{name}_found")
        if listed is not None and len(listed):
            if listed.ndim != 2 or listed.dtype.kind != "U":
                raise ValueError(f"{name}_found must be rows of text, got {listed.dtype} of shape {listed.shape}")
            ranks = arrays[f"{name}_ranks"]
            _must_be_numbers(f"{name}_ranks", ranks, "iu", (len(listed),), least=1)
            if f"{name}_keys" in keys and len(keys[f"{name}_keys"]) != len(listed):
                raise ValueError(f"{name}_found has {len(listed)} rows for {len(keys[f'{name}_keys'])} queries")
            found[name] = Found(listed.tolist(), ranks.tolist())
    return (
        {name: column.tolist() for name, column in keys.items()}
        | rows
        | {"pair_scores": pairs.astype(float).tolist(), "found": found}
    )


def _must_be_numbers(
    name: str, values: NDArray[Any], kinds: str, shape: tuple[int, ...], *, least: float = -np.inf
) -> None:
    if values.dtype.kind not in kinds or values.shape != shape:
        raise ValueError(f"{name} must be numbers of shape {shape}, got {values.dtype} of shape {values.shape}")
    if not np.isfinite(values).all() or (values < least).any():
        raise ValueError(f"{name} must be finite and at least {least:g}")


def predictions_path(results: Path) -> Path:
    """Where the predictions of a results file are: `base.json` -> `base.predictions.npz`."""
    return results.with_name(f"{results.stem}.predictions.npz")


def question_key(question: SuiteQuestion) -> str:
    """Short hash of what a question asks."""
    return _key([question.image_id, question.answer, *question.choices])


def pair_key(pair: ImagePair) -> str:
    """Short hash of what a pair of images asks."""
    return _key([*pair.image_ids, *pair.captions])


def query_key(query: Query) -> str:
    """Short hash of what a query asks for."""
    return _key([query.image_id, query.text])


def _flat(rows: list[list[float]]) -> NDArray[np.float32]:
    return np.array([score for row in rows for score in row], dtype=np.float32)


def _rows(flat: NDArray[np.float32], sizes: NDArray[np.int64]) -> list[list[float]]:
    if not len(flat):
        return []
    return [row.astype(float).tolist() for row in np.split(flat, np.cumsum(sizes)[:-1])]


def _key(parts: Sequence[str | int] | Iterable[str | int]) -> str:
    return hashlib.sha256(json.dumps(list(parts)).encode()).hexdigest()[:16]
