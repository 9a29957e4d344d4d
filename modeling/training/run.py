"""One training run from files to files: load, encode the images once, train, calibrate, write the release forms."""

import dataclasses
import hashlib
import json
import platform
import shutil
import time
from collections.abc import Iterator
from contextlib import nullcontext
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed

from notclip.embedding_cache import cached_image_embeds
from notclip.errors import BadInputError
from notclip.export import export_adapter, export_backbone, merge
from notclip.files.json_files import read_json_object
from notclip.files.only_writer import only_writer
from notclip.files.whole_files import clear_partials, partial_folder, write_whole
from notclip.loading import load_model, load_processor
from notclip.openclip.files import is_openclip
from notclip.remote.composition_notclip import image_statistics
from notclip.remote.configuration_notclip import COMPOSITION_SCALARS
from notclip.remote.modeling_notclip import NotClipModel
from notclip.scoring.provenance import weights_sha256
from notclip.text_lengths import texts_cut
from notclip.training.calibration import fit_composition
from notclip.training.config import TrainConfig
from notclip.training.data import TrainingSplit, read_training_split
from notclip.training.inputs import require_same_inputs, training_inputs
from notclip.training.lora import add_lora
from notclip.training.release_probe import write_release_probe
from notclip.training.state import forget_state
from notclip.training.trainer import train
from notclip.training.validation import limited

CALIBRATION_QUESTIONS = 4000
SAVED = "train_config.json"  # options and inputs of a run


def run_training(config: TrainConfig) -> dict | None:
    """Train as `config` says and write the outputs.

    Returns:
        The record that stands in training.json; None in processes other than the first.

    Raises:
        BadInputError: an input is missing or wrong, or `out` is in use and `resume` is not set.
    """
    first = not distributed.is_initialized() or distributed.get_rank() == 0
    # The other processes of a run write nothing.
    with only_writer(config.out, reads={"base": config.base, "data": config.data}) if first else nullcontext():
        return _run_training(config, first=first)


def _run_training(config: TrainConfig, *, first: bool) -> dict | None:
    state_folder = config.out / "state"
    if first:
        _check_output(config)
    started = time.monotonic()
    split = read_training_split(config.data, "train")
    validation_split = read_training_split(config.data, "validation")
    base = config.base
    if is_openclip(base):
        # Converted once, for the merged backbone and the adapter's users need a base that transformers loads.
        base = str(config.out / "base")
        if first and not Path(base).is_dir():
            from notclip.openclip.convert import convert_to_transformers

            convert_to_transformers(Path(config.base), Path(base), architecture=config.architecture)
        if distributed.is_initialized():
            distributed.barrier()
    elif config.architecture is not None:
        raise BadInputError(f"`architecture` is for OpenCLIP checkpoints; {base} says itself what it is.")
    model = load_model(base, composition="scope", argument="base")
    base_sha256 = weights_sha256(model) if first else ""
    if first:
        saved, inputs = config.out / SAVED, training_inputs(config, model)
        if config.resume and saved.is_file():
            require_same_inputs(saved, inputs)
        # Kept at the first start, so that a resumed run can tell whether all is the same.
        write_whole(saved, json.dumps(_config_content(config) | {"inputs": inputs}, indent=2) + "\n")
        _embed(model, split, config), _embed(model, validation_split, config)
    if distributed.is_initialized():
        distributed.barrier()
    image_embeds, validation_embeds = _embed(model, split, config), _embed(model, validation_split, config)

    model.set_statistics(image_statistics(image_embeds))
    warm_up = limited(split, questions=CALIBRATION_QUESTIONS, images=config.validation_images)
    fit_composition(model, image_embeds, warm_up.questions, warm_up.negated_queries)
    torch.manual_seed(config.seed)  # the adapter's initial weights, the same in every process
    adapted = add_lora(
        model.backbone,
        rank=config.rank,
        alpha=config.alpha,
        dropout=config.dropout,
        variant=config.variant,
        layers=config.layers,
    )
    model.backbone = adapted
    judged = limited(validation_split, questions=config.validation_questions, images=config.validation_images)
    progress = train(model, config, split, image_embeds, judged, validation_embeds, state_folder=state_folder)
    if not first:
        return None

    calibrated_on = limited(validation_split, questions=CALIBRATION_QUESTIONS, images=config.validation_images)
    losses = fit_composition(model, validation_embeds, calibrated_on.questions, calibrated_on.negated_queries)
    cut, seen = texts_cut(model, _texts(split))
    trainable, total = adapted.get_nb_trainable_parameters()
    record = {
        "config": _config_content(config),
        "base": base,
        "chosen_epoch": progress.best_epoch,
        "history": progress.history,
        "steps": progress.step,
        "composition": {
            **{name: getattr(model.config, name) for name in COMPOSITION_SCALARS},
            **losses,
        },
        "trainable_parameters": trainable,
        "total_parameters": total,
        "training_images": len(split.image_bytes),
        "training_captions": len(split.captions),
        "training_questions": len(split.questions),
        "texts_cut": cut,
        "text_tokens": seen,
        "data_sha256": _sha256(config.data / "build.json"),
        "versions": {name: version(name) for name in ("notclip", "torch", "transformers", "peft")},
        "python": platform.python_version(),
    }
    # Apart: identical runs write identical records.
    write_whole(config.out / "timing.json", json.dumps({"seconds": round(time.monotonic() - started, 1)}) + "\n")
    _write_outputs(model, config, record, base=base, base_sha256=base_sha256)
    forget_state(state_folder)
    return record


def _texts(split: TrainingSplit) -> Iterator[str]:
    """All texts that negate something, or stand beside such ones."""
    yield from (text for caption in split.captions for text in caption.negated)
    yield from (text for question in split.questions for text in question.choices)
    yield from (text for text, _ in split.negated_queries)


def _check_output(config: TrainConfig) -> None:
    out = config.out
    saved = out / SAVED
    clear_partials(out)
    if out.is_dir() and {path.name for path in out.iterdir()} <= {"cache", "base"}:
        shutil.rmtree(out / "base", ignore_errors=True)  # Converted from whatever base a killed run was given.
    if config.resume and saved.is_file():
        before, now = read_json_object(saved, "`resume`:"), _config_content(config)
        changed = sorted(name for name in now if now[name] != before.get(name))
        if changed:
            raise BadInputError(
                f"`resume` goes on with the options of {saved}, but `{changed[0]}` was {before.get(changed[0])!r} "
                f"and is {now[changed[0]]!r} now. Give the same options, or another --out."
            )
    elif out.is_dir() and any(path.name != "cache" for path in out.iterdir()):
        raise BadInputError(f"`out` {out} exists and is not empty: name another folder, or go on with --resume.")


def _config_content(config: TrainConfig) -> dict[str, Any]:
    content = dataclasses.asdict(config) | {"data": str(config.data), "out": str(config.out)}
    content["cache"] = None if config.cache is None else str(config.cache)
    del content["resume"]
    return content


def _embed(model: NotClipModel, split: TrainingSplit, config: TrainConfig) -> Tensor:
    cache = config.out / "cache" if config.cache is None else config.cache
    return cached_image_embeds(model, split.image_bytes, split.digests, cache)


def _write_outputs(model: NotClipModel, config: TrainConfig, record: dict, *, base: str, base_sha256: str) -> None:
    """Write all forms beside OUT's old ones and swap them in, training.json last: where it is, all is."""
    with partial_folder(config.out / "outputs") as partial:
        write_release_probe(model, partial / "model")
        export_adapter(model.backbone, partial / "adapter", base=base)
        merge(model)
        export_backbone(model.backbone, load_processor(base, argument="base"), partial / "backbone")
        model.save_pretrained(partial / "model")
        # As they are loaded to be scored: by these, staging knows which results are of which model.
        written = {"backbone": partial / "backbone", "notclip": partial / "model"}
        hashes = {role: weights_sha256(load_model(str(folder))) for role, folder in written.items()}
        record["weights_sha256"] = {"base": base_sha256, **hashes}
        write_whole(partial / "training.json", json.dumps(record, indent=2) + "\n")
        for name in ("adapter", "backbone", "model", "training.json"):
            shutil.rmtree(config.out / name, ignore_errors=True)
            (partial / name).rename(config.out / name)


def _sha256(file: Path) -> str | None:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None
