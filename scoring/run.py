"""One scoring run, from its options to its results file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from notclip.dataset.clips import photos_in
from notclip.errors import BadInputError
from notclip.files.only_writer import only_writer
from notclip.loading import load_model
from notclip.provenance import provenance_of
from notclip.remote.composition_notclip import LEAST_PHOTOS
from notclip.remote.modeling_notclip import NotClipModel
from notclip.scoring.cache import cache_folder, open_cache
from notclip.scoring.config import ScoreConfig
from notclip.scoring.embed import embed_photos
from notclip.scoring.gate import Requirement, judge, junit_xml, must_be_measured, write_junit
from notclip.scoring.predictions import Predictions, predictions_path
from notclip.scoring.python_model import CallableEncoders, CallableScorer, load_callable, names_python
from notclip.scoring.results import Results, results_content, write_results
from notclip.scoring.score import score_suite
from notclip.scoring.suites.read import read_suite
from notclip.scoring.suites.suite import PhotoFile, Suite
from notclip.text_lengths import texts_cut


def run_scoring(config: ScoreConfig, *, command: list[str]) -> dict[str, Any]:
    """Score a model on a suite and write the results.

    Args:
        config: the options.
        command: what was typed, for the record.

    Returns:
        The content of the results file.

    Raises:
        BadInputError: the model, the suite, a photo or a file to compare with is not what it should be.
    """
    # Results may stand in a suite of one's own; a dataset that was built is named by its content.
    built = (Path(config.suite) / "build.json").is_file()
    reads = {"model": config.model, "adapter": config.adapter, "suite": config.suite if built else None}
    with only_writer(config.out, reads=reads):
        if config.junit_file is not None:  # That of an earlier run: killed on the way, this one would leave it.
            config.junit_file.unlink(missing_ok=True)
        return _run_scoring(config, command=command)


def _run_scoring(config: ScoreConfig, *, command: list[str]) -> dict[str, Any]:
    # What is cheap to get wrong is read first: an hour of encoding must not end in a mistyped name.
    requirements = [Requirement.parse(text) for text in config.require]
    others = [Results.read(path, argument="compare") for path in config.compare]
    compared = {other.label: Predictions.load(predictions_path(other.path)) for other in others}
    suite = read_suite(
        config.suite,
        images=config.images,
        split=config.split,
        limit=config.limit,
        revision=config.suite_revision,
        skip_missing=config.on_bad_photo == "skip",
    )
    must_be_measured(requirements, suite)
    device = device_named(config.device)
    model: NotClipModel | CallableEncoders | CallableScorer
    if names_python(config.model):
        model = _python_model(config)
    else:
        model = load_model(
            config.model,
            adapter=config.adapter,
            composition=config.composition,
            revision=config.revision,
            architecture=config.architecture,
            trust_remote_code=config.trust_remote_code,
        )
        torch.nn.Module.to(model, device)  # transformers' own `to` has no types
    if config.calibrate is not None:
        _calibrate(model, config.calibrate, suite, config)
    scores = score_suite(
        model,
        suite,
        cache=open_cache(model, cache_folder(config.cache)),
        device=device,
        seed=config.seed,
        batch_size=config.batch_size,
        n_resamples=config.resamples,
        on_bad_photo=config.on_bad_photo,
        compared=compared,
    )
    provenance = provenance_of(model, config, command)
    if isinstance(model, NotClipModel):
        cut, seen = texts_cut(model, _texts(suite))
        provenance |= {"n_texts_cut": cut, "text_tokens": seen} if cut else {}
    content = results_content(model=config.model, scores=scores, provenance=provenance)
    # Written before it is judged: a figure that this suite does not measure must not cost the run.
    write_results(config.out, content, scores)
    results = Results(config.out, content)
    report = config.report or (config.out.with_suffix(".report") if config.compare else None)
    if report is not None:
        from notclip.scoring.report.page import write_report  # matplotlib takes a while

        answers = {other.path.stem: compared[other.label] for other in others}
        write_report(report, results, others, scores.suite, {config.out.stem: scores.predictions} | answers)
        content["report"] = str(report)
    if requirements:
        verdicts = judge(requirements, results)
        content["requirements"] = [verdict.as_json() for verdict in verdicts]
        write_results(config.out, content, scores)
        if config.junit_file is not None:
            write_junit(config.junit_file, junit_xml(verdicts, model=config.model, suite=suite.name))
    return content


def _calibrate(model: Any, named: str, suite: Suite, config: ScoreConfig) -> None:
    """Let the model measure photos, of a folder or the suite's own."""
    if not isinstance(model, NotClipModel) or model.config.composition == "none":
        raise BadInputError(
            f"`calibrate` measures photos for a composition, which {config.model} has not: give `--composition scope` "
            "as well, for any dual encoder."
        )
    if named != "suite":
        if not Path(named).is_dir():
            raise BadInputError(f"`calibrate` must be `suite` or a folder of photos, got {named}.")
        where = f"`calibrate` {named}"
        suite = Suite(where, {str(file): PhotoFile(file, where) for file in photos_in(Path(named))})
    if len(suite.photos) < LEAST_PHOTOS:
        raise BadInputError(
            f"`calibrate` needs at least {LEAST_PHOTOS} photos, and {named} has {len(suite.photos)}: name a folder of "
            "more, or leave it out."
        )
    photos = open_cache(model, cache_folder(config.cache)).photos
    skip_bad = config.on_bad_photo == "skip"
    _, embeds = embed_photos(model, suite, photos, batch_size=config.batch_size, skip_bad=skip_bad, progress=True)
    try:
        model.calibrate(embeds.to(model.device))
    except ValueError as error:  # too few of them could be read, or the model's embeddings are none
        raise BadInputError(f"`calibrate` {named}: {error}") from error


def _texts(suite: Suite) -> Iterator[str]:
    yield from (text for question in suite.questions for text in question.choices)
    yield from (text for pair in suite.pairs for text in pair.captions)
    yield from (query.text for query in (*suite.negated_queries, *suite.ordinary_queries))


def _python_model(config: ScoreConfig) -> CallableEncoders | CallableScorer:
    for name in ("adapter", "composition", "revision", "architecture", "trust_remote_code"):
        if getattr(config, name) is not None:
            raise BadInputError(f"`{name}` is for models of transformers; {config.model} is Python code.")
    return load_callable(config.model)


def device_named(name: str) -> torch.device:
    """The device that a user names; `auto` takes a GPU where there is one.

    Raises:
        BadInputError: there is no such device.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()  # which `meta`, a device without memory, cannot give
    except (RuntimeError, AssertionError) as error:
        raise BadInputError(f"`device` {name!r} cannot be used here: {str(error).splitlines()[0]}") from error
    return device
