"""One training run from files to files: load, encode the images once, train, calibrate, write the release forms."""

import dataclasses
import hashlib
import json
import platform
import shutil
import time
from importlib.metadata import version
from pathlib import Path

import torch
from torch import Tensor, distributed
from transformers import AutoProcessor

from notclip.calibration import fit_composition
from notclip.composition_notclip import image_statistics
from notclip.configuration_notclip import COMPOSITION_SCALARS
from notclip.embedding_cache import cached_image_embeds
from notclip.errors import BadInputError
from notclip.export import export_adapter, export_backbone, export_notclip, merge
from notclip.loading import load_model
from notclip.lora import add_lora
from notclip.modeling_notclip import NotClipModel
from notclip.openclip_files import is_openclip
from notclip.release_probe import write_release_probe
from notclip.training import train
from notclip.training_config import TrainConfig
from notclip.training_data import TrainingSplit, read_training_split
from notclip.training_state import forget_state
from notclip.validation import limited

CALIBRATION_QUESTIONS = 4000


def run_training(config: TrainConfig) -> dict | None:
    """Train as `config` says and write the outputs.

    Returns:
        The record that stands in training.json; None in processes other than the first.

    Raises:
        BadInputError: an input is missing or wrong, or `out` is in use and `resume` is not set.
    """
    first = not distributed.is_initialized() or distributed.get_rank() == 0
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
            from notclip.openclip import convert_to_transformers

            convert_to_transformers(Path(config.base), Path(base), architecture=config.architecture)
        if distributed.is_initialized():
            distributed.barrier()
    elif config.architecture is not None:
        raise BadInputError(f"`architecture` is for OpenCLIP checkpoints; {base} says itself what it is.")
    model = load_model(base, composition="scope", argument="base")
    if first:
        config.out.mkdir(parents=True, exist_ok=True)
        # Kept at the first start, so that a resumed run can tell whether its options are the same.
        (config.out / "train_config.json").write_text(_config_json(config))
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
    trainable, total = adapted.get_nb_trainable_parameters()
    record = {
        "config": json.loads(_config_json(config)),
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
        "seconds": round(time.monotonic() - started, 1),
        "data_sha256": _sha256(config.data / "build.json"),
        "versions": {name: version(name) for name in ("notclip", "torch", "transformers", "peft")},
        "python": platform.python_version(),
    }
    _write_outputs(model, config, record, base=base)
    forget_state(state_folder)
    return record


def _check_output(config: TrainConfig) -> None:
    out = config.out
    saved = out / "train_config.json"
    if config.resume and saved.is_file():
        before, now = json.loads(saved.read_text()), json.loads(_config_json(config))
        changed = sorted(name for name in now if now[name] != before.get(name))
        if changed:
            raise BadInputError(
                f"`resume` goes on with the options of {saved}, but `{changed[0]}` was {before.get(changed[0])!r} "
                f"and is {now[changed[0]]!r} now. Give the same options, or another --out."
            )
    elif out.is_dir() and any(path.name != "cache" for path in out.iterdir()):
        raise BadInputError(f"`out` {out} exists and is not empty: name another folder, or go on with --resume.")


def _config_json(config: TrainConfig) -> str:
    content = dataclasses.asdict(config) | {"data": str(config.data), "out": str(config.out)}
    content["cache"] = None if config.cache is None else str(config.cache)
    del content["resume"]
    return json.dumps(content, indent=2) + "\n"


def _embed(model: NotClipModel, split: TrainingSplit, config: TrainConfig) -> Tensor:
    cache = config.out / "cache" if config.cache is None else config.cache
    return cached_image_embeds(model, split.image_bytes, split.digests, cache)


def _write_outputs(model: NotClipModel, config: TrainConfig, record: dict, *, base: str) -> None:
    """Write all forms beside OUT's old ones and swap them in, training.json last: where it is, all is."""
    partial = config.out / ".partial"
    shutil.rmtree(partial, ignore_errors=True)
    try:
        write_release_probe(model, partial / "model")
        export_adapter(model.backbone, partial / "adapter", base=base)
        merge(model)
        export_backbone(model.backbone, AutoProcessor.from_pretrained(base, backend="pil"), partial / "backbone")
        export_notclip(model, partial / "model")
        (partial / "training.json").write_text(json.dumps(record, indent=2) + "\n")
        for name in ("adapter", "backbone", "model", "training.json"):
            shutil.rmtree(config.out / name, ignore_errors=True)
            (partial / name).rename(config.out / name)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _sha256(file: Path) -> str | None:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None
