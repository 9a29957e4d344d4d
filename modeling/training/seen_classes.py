"""What a detector saw in the training photos, as directions that the prompts of its classes learn to point to.

Captions leave out most of what a photo shows, so a text tower that read captions alone does not know where photos of
a knife lie, although the photos' embeddings do. A detector's score says for every photo how likely it shows a knife;
over embeddings v with the covariance C, a text t should rise and fall with the logarithm of that score, z:

    corr(t·v, z) = t·x / sqrt(tᵀ C t),    x = mean of (v - m) z,  z of mean 0 and spread 1

The mean and the spread of its similarity stay what they were. x and C are measured once, so that a step costs as much
as embedding its prompts, over however many photos. Even where the detector never is sure of a class, the order into
which it puts the photos teaches it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from notclip.errors import BadInputError, shortened
from notclip.files.parquet_files import open_parquet, require_columns
from notclip.remote.modeling_notclip import NotClipModel
from notclip.training.learner import backbone_embeds
from notclip.training.losses import class_prompt_loss

FILE = Path("seen") / "train.parquet"  # of a dataset that was built with a detector
_TEXTS_AT_ONCE = 64
ROWS_AT_ONCE = 10_000
_LEAST_SCORE = 1e-3  # what a score of 0 counts as
# A prompt names one class or two, as "a dog and a car" in a search or question.
_NAMES_TWO = 0.3
_FRAMES = ("{}", "{}", "a photo of {}", "{} in the picture")


@dataclass(frozen=True)
class ClassPrompts:
    """Texts that name classes.

    Args:
        texts: B texts.
        names: 1 where a text names a class, shape (B, K).
    """

    texts: list[str]
    names: Tensor


@dataclass(frozen=True)
class SeenClasses:
    """How each of K classes varies over photos.

    Args:
        texts: by which words each class is called, its singular with article first.
        directions: x of each class, shape (K, D).
        correlations: of the log scores, between classes, shape (K, K).
        mean: m of the photos' embeddings, shape (D,).
        covariance: C of them, shape (D, D).
    """

    texts: Sequence[Sequence[str]]
    directions: Tensor
    correlations: Tensor
    mean: Tensor
    covariance: Tensor

    def draw(self, count: int, rng: np.random.Generator) -> ClassPrompts:
        """Draw prompts, each class as often as any other or once more."""
        classes = len(self.texts)
        order = np.concatenate([rng.permutation(classes) for _ in range(-(-count // classes))])[:count]
        names = torch.zeros(count, classes)
        texts = []
        for row, first in enumerate(order):
            called = self._called(first, rng)
            names[row, first] = 1
            if rng.random() < _NAMES_TWO:
                second = (first + rng.integers(1, classes)) % classes if classes > 1 else first
                called = f"{called} and {self._called(second, rng)}"
                names[row, second] = 1
            texts.append(_FRAMES[rng.integers(len(_FRAMES))].format(called))
        return ClassPrompts(texts, names)

    def _called(self, index: int, rng: np.random.Generator) -> str:
        words = self.texts[index]
        return words[0] if rng.random() < 0.5 else words[int(rng.integers(len(words)))]

    def agreement(self, text_embeds: Tensor, names: Tensor) -> Tensor:
        """Correlation of each text's similarity with the summed log scores of what it names, over photos, shape (B,).

        Args:
            text_embeds: embeddings of texts, shape (B, D).
            names: which classes each names, shape (B, K).
        """
        directions, correlations, names = (
            part.to(text_embeds) for part in (self.directions, self.correlations, names)
        )
        named_spread = ((names @ correlations) * names).sum(-1).sqrt()  # (B,)
        return (text_embeds * (names @ directions)).sum(-1) / (self.spread(text_embeds) * named_spread)

    def spread(self, text_embeds: Tensor) -> Tensor:
        """How much the similarity of each text varies over photos, shape (B,)."""
        return ((text_embeds @ self.covariance.to(text_embeds)) * text_embeds).sum(-1).sqrt()

    def level(self, text_embeds: Tensor) -> Tensor:
        """The mean similarity of each text, shape (B,)."""
        return text_embeds @ self.mean.to(text_embeds)


class ClassPromptLesson:
    """The loss of a step's class prompts, the same in every process: few, and of texts alone.

    Args:
        classes: what they are taught.
        weight: multiplies the loss.
        count: prompts of a step.
        seed: decides, with the step, which.
    """

    def __init__(self, classes: SeenClasses, *, weight: float, count: int, seed: int):
        self._classes, self._weight, self._count, self._seed = classes, weight, count, seed

    @property
    def classes(self) -> int:
        """How many classes are taught."""
        return len(self._classes.texts)

    def loss(self, model: NotClipModel, step: int) -> Tensor:
        """The weighted loss of one step, scalar; differentiable in the text tower."""
        prompts = self._classes.draw(self._count, np.random.default_rng((self._seed, step)))
        classes = self._classes
        embeds = model.encode_texts(prompts.texts, batch_size=_TEXTS_AT_ONCE)
        held = backbone_embeds(model, prompts.texts, texts_at_once=_TEXTS_AT_ONCE)
        before = classes.spread(held)
        loss = class_prompt_loss(
            classes.agreement(embeds, prompts.names),
            level=(classes.level(embeds) - classes.level(held)) / before,
            widening=(classes.spread(embeds) / before).log(),
        )
        return self._weight * loss


def read_seen_classes(data: Path, digests: Sequence[bytes], image_embeds: Tensor) -> SeenClasses | None:
    """What the detector of a built dataset saw in its training photos; None where there was no detector.

    Args:
        data: folder that `notclip build-dataset` wrote.
        digests: SHA-256 of each training photo's bytes.
        image_embeds: unit-norm embeddings of these photos, shape (I, D).

    Raises:
        BadInputError: the file is damaged.
    """
    file = data / FILE
    if not file.is_file():
        return None
    wanted = {digest.hex() for digest in digests}
    seen: dict[str, np.ndarray] = {}
    with open_parquet(file) as parquet:
        require_columns(parquet, file, ["digest"])
        schema, first = parquet.schema_arrow, 0
        labels = [name for name in schema.names if name != "digest"]
        texts = [_texts(schema.field(index), file) for index, name in enumerate(schema.names) if name != "digest"]
        if not labels or schema.names.count("digest") > 1:
            return None
        # In parts: of many millions of photos, what is looked at is few.
        for batch in parquet.iter_batches(ROWS_AT_ONCE):
            table = pa.Table.from_batches([batch])
            scores = np.stack([_scores(table, label, file, first) for label in labels], axis=1)
            for row, own in enumerate(table["digest"].to_pylist()):
                if isinstance(own, str) and own in wanted:
                    seen[own] = scores[row].copy()  # and not all of the part
            first += len(table)
    known = [index for index, digest in enumerate(digests) if digest.hex() in seen]
    if len(known) < 2:
        return None
    scores = np.stack([seen[digests[index].hex()] for index in known])  # (I, K)
    return measure_seen_classes(texts, torch.from_numpy(scores), image_embeds[torch.tensor(known)])


def measure_seen_classes(texts: Sequence[Sequence[str]], scores: Tensor, image_embeds: Tensor) -> SeenClasses | None:
    """Measure how classes vary over photos; None where none does.

    Args:
        texts: by which words each of K classes is called.
        scores: how likely each photo shows each class, in [0, 1], shape (I, K).
        image_embeds: unit-norm embeddings of the photos, shape (I, D).
    """
    logs = scores.to(image_embeds).clamp_min(_LEAST_SCORE).log()
    varies = (logs.std(0) > 0).nonzero()[:, 0]
    if len(varies) == 0:
        return None
    logs = logs[:, varies]
    standardised = (logs - logs.mean(0)) / logs.std(0, correction=0)
    centred = image_embeds - image_embeds.mean(0)
    return SeenClasses(
        texts=[texts[index] for index in varies.tolist()],
        directions=standardised.T @ centred / len(centred),
        correlations=standardised.T @ standardised / len(centred),
        mean=image_embeds.mean(0),
        covariance=centred.T @ centred / len(centred),
    )


def _scores(table: pa.Table, label: str, file: Path, first: int) -> np.ndarray:
    """A class's scores of some rows of the file, the first of them given, shape (rows,)."""
    places = table.schema.get_all_field_indices(label)
    column = table.column(places[0])
    scores = column.to_numpy() if pa.types.is_floating(column.type) and len(places) == 1 else np.full(1, np.nan)
    wrong = np.flatnonzero(~((scores >= 0) & (scores <= 1)))  # of what is no number, too
    if len(wrong):
        raise BadInputError(
            f"{file}, row {first + wrong[0] + 1}: {shortened(label)} must be one score between 0 and 1; build the "
            "dataset again with `notclip build-dataset`."
        )
    return scores


def _texts(field: pa.Field, file: Path) -> list[str]:
    try:
        texts = json.loads((field.metadata or {})[b"texts"])
    except (KeyError, ValueError, RecursionError):
        texts = None
    if not (isinstance(texts, list) and texts and all(isinstance(text, str) for text in texts)):
        raise BadInputError(
            f"{file}: the metadata of the column {field.name!r} does not list under `texts` by which words its class "
            "is called; build the dataset again with `notclip build-dataset`."
        )
    return texts
