"""A scoring run that can be watched and stopped: `score-model` inside the Space."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from notclip.errors import BadInputError
from notclip.loading import load_model
from notclip.provenance import provenance_of
from notclip.remote.modeling_notclip import NotClipModel
from notclip.scoring.config import ScoreConfig
from notclip.scoring.results import results_content
from notclip.scoring.score import SuiteScores, score_suite
from notclip.scoring.suites.read import read_suite
from notclip.scoring.suites.suite import Suite
from notclip.space.engine import Engine
from notclip.space.settings import ModelName, SpaceSettings

QUICK = 60
BATCH = 32
RESAMPLES = 500
REPORT_SECONDS = 0.4


class StoppedError(Exception):
    """The visitor has gone; nobody waits for the result."""


@dataclass(frozen=True)
class Progress:
    """How far a run has come: `share` in [0, 1], and what is being done."""

    share: float
    doing: str


@dataclass(frozen=True)
class Waiting:
    """Nothing is done yet: how many runs come first."""

    before: int


class WatchedModel:
    """A model that says how far it is, and stops when nobody waits for it.

    Args:
        model: the model.
        photos: how many photos will be encoded.
        texts: about how many texts.
        stop: set when the run shall end.
    """

    def __init__(self, model: NotClipModel, *, photos: int, texts: int, stop: threading.Event) -> None:
        self._model, self._stop = model, stop
        self._photos, self._texts = photos, max(texts, 1)
        self._photos_done = self._texts_done = 0

    @property
    def logit_scale(self) -> Tensor:
        """The model's own."""
        return self._model.logit_scale

    @property
    def progress(self) -> Progress:
        """How far it is; texts and photos count alike, and what is computed of them counts for a tenth."""
        photos, texts = self._photos_done / max(self._photos, 1), min(self._texts_done / self._texts, 1.0)
        if photos < 1:
            return Progress(0.45 * photos, "looking at photos")
        return Progress(0.45 + 0.45 * texts, "reading captions" if texts < 1 else "computing figures and intervals")

    def encode_images(self, images: Sequence[Image.Image], *, batch_size: int) -> Tensor:
        """As the model does, or `StoppedError`."""
        self._check()
        embeds = self._model.encode_images(images, batch_size=batch_size)
        self._photos_done += len(images)
        return embeds

    def encode_queries(self, texts: Sequence[str], *, batch_size: int) -> tuple[Tensor, Tensor]:
        """As the model does, in small steps, or `StoppedError`."""
        vectors, biases = [], []
        for start in range(0, len(texts), 4 * BATCH):
            self._check()
            some = texts[start : start + 4 * BATCH]
            vector, bias = self._model.encode_queries(some, batch_size=batch_size)
            vectors.append(vector)
            biases.append(bias)
            self._texts_done += len(some)
        return torch.cat(vectors), torch.cat(biases)

    def _check(self) -> None:
        if self._stop.is_set():
            raise StoppedError


class Diagnosis:
    """The models and suites of a Space, and runs of one on the other.

    Args:
        engine: the loaded models and the photos.
        settings: names the models and further ones.
    """

    def __init__(self, engine: Engine, settings: SpaceSettings) -> None:
        self._names: dict[str, ModelName] = {}
        self._loaded: dict[str, NotClipModel] = {}
        ours = settings.model or ModelName(f"{settings.base.label}, composed")
        for role, name, model in (("NotCLIP", ours, engine.notclip), ("Ordinary model", settings.base, engine.base)):
            label = f"{role} ({name.label})"
            self._names[label], self._loaded[label] = name, model
        self._names |= {name.name: name for name in settings.models}
        suite = engine.photos.suite
        self._line: list[object] = []  # one run at a time, in the order in which they were asked for
        self._suites: dict[str, Callable[[], Suite]] = {}
        if suite.questions:
            if len(suite.photos) > QUICK:
                self._suites[f"First {QUICK} of {engine.photos.name}"] = lambda: suite.limited(QUICK)
            self._suites[f"All {engine.photos.name}"] = lambda: suite
        for path in settings.suites:
            self._suites[path.stem] = lambda path=path: read_suite(path)  # type: ignore[misc]

    @property
    def models(self) -> list[str]:
        """Models that may be chosen, NotCLIP first."""
        return list(self._names)

    @property
    def suites(self) -> list[str]:
        """Suites that may be chosen, the quickest first."""
        return list(self._suites)

    def run(self, model: str, suite: str) -> Iterator[Waiting | Progress | dict[str, Any]]:
        """Score a model on a suite; closing the iterator stops the run.

        Args:
            model: one of `models`.
            suite: one of `suites`.

        Yields:
            Who comes first, and then how far it is, several times a second, and at last the content of a results JSON.

        Raises:
            BadInputError: the model or the suite is not on the list, or cannot be read.
        """
        if not isinstance(model, str) or model not in self._names:
            raise BadInputError(f"The model {str(model)[:80]!r} is not on the list: {', '.join(self.models)}.")
        if not isinstance(suite, str) or suite not in self._suites:
            raise BadInputError(f"The suite {str(suite)[:80]!r} is not on the list: {', '.join(self.suites)}.")
        return self._in_turn(model, suite)

    def _in_turn(self, model: str, suite: str) -> Iterator[Waiting | Progress | dict[str, Any]]:
        ticket = object()
        self._line.append(ticket)
        try:
            while (before := self._line.index(ticket)) > 0:
                yield Waiting(before)
                time.sleep(REPORT_SECONDS)
            yield from self._run(model, suite)
        finally:
            self._line.remove(ticket)

    def _run(self, model_name: str, suite_name: str) -> Iterator[Progress | dict[str, Any]]:
        yield Progress(0.0, "loading")
        suite = self._suites[suite_name]()
        model = self._model(model_name)
        queries = len(suite.negated_queries) + len(suite.ordinary_queries)
        texts = len({choice for question in suite.questions for choice in question.choices}) + queries
        stop = threading.Event()
        watched = WatchedModel(model, photos=len(suite.photos), texts=texts, stop=stop)
        outcome: dict[str, Any] = {}
        thread = threading.Thread(target=_score, args=(watched, suite, outcome), name="notclip diagnosis", daemon=True)
        thread.start()
        try:
            while thread.is_alive():
                yield watched.progress
                thread.join(REPORT_SECONDS)
        finally:
            stop.set()
        if isinstance(outcome.get("error"), BaseException):
            raise outcome["error"]
        yield self._content(model_name, model, outcome["scores"])

    def _model(self, name: str) -> NotClipModel:
        if name in self._loaded:
            return self._loaded[name]
        # Models of others are loaded for one run, without remote code, and not kept.
        listed = self._names[name]
        return load_model(listed.name, revision=listed.revision)

    def _content(self, name: str, model: NotClipModel, scores: SuiteScores) -> dict[str, Any]:
        listed = self._names[name]
        config = ScoreConfig(
            model=listed.name,
            suite=scores.suite.name,
            out=Path("results.json"),
            revision=listed.revision,
            batch_size=BATCH,
            resamples=RESAMPLES,
            composition="scope" if model.config.composition == "scope" else "none",
        )
        provenance = provenance_of(model, config, ["space", "diagnose", name, scores.suite.name])
        return results_content(model=listed.label, scores=scores, provenance=provenance)


def _score(model: WatchedModel, suite: Suite, outcome: dict[str, Any]) -> None:
    try:
        outcome["scores"] = score_suite(
            model, suite, batch_size=BATCH, n_resamples=RESAMPLES, on_bad_photo="skip", progress=False
        )
    except Exception as error:  # Raised again where the visitor can be told.
        outcome["error"] = error
