"""One training run from files to files: load, encode the images once, train, calibrate, write the release forms."""

import dataclasses
import hashlib
import itertools
import json
import platform
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from peft import PeftModel
from torch import Tensor, distributed
from transformers import PreTrainedModel

from notclip.dataset.files import split_files
from notclip.dataset.hub import on_this_machine
from notclip.dataset.splits import SPLITS
from notclip.errors import BadInputError
from notclip.export import export_adapter, export_backbone, merge
from notclip.files.json_files import read_json_object
from notclip.files.only_writer import only_writer
from notclip.files.whole_files import clear_partials, partial_folder, write_whole
from notclip.loading import load_model, load_processor
from notclip.openclip.files import is_openclip
from notclip.provenance import weights_sha256
from notclip.remote.composition_notclip import image_statistics
from notclip.remote.configuration_notclip import COMPOSITION_SCALARS
from notclip.remote.modeling_notclip import NotClipModel
from notclip.text_lengths import texts_cut
from notclip.training.arguments import training_arguments
from notclip.training.batches import NegationDataset
from notclip.training.calibration import fit_composition
from notclip.training.config import STATE, TrainConfig
from notclip.training.data import CONFIGS, TrainingSplit, read_training_split
from notclip.training.embedding_shards import EmbeddingShards, embed_into_shards
from notclip.training.held_out import hold_out
from notclip.training.inputs import require_same_inputs, training_inputs
from notclip.training.interpolation import SHARE, BestShare, keep_share
from notclip.training.judging import Judge, Judged, joined
from notclip.training.lora import IMAGE, add_full_copies, add_lora, learning_towers
from notclip.training.photos import PhotoReader, embed_rows, embeds_by
from notclip.training.processes import beside_others, first_before_others
from notclip.training.reference_scores import write_reference_scores
from notclip.training.seen_classes import ClassPromptLesson, read_seen_classes
from notclip.training.trainer import NegationTrainer
from notclip.training.validation import limited

CALIBRATION_QUESTIONS = 4000
STATISTICS_IMAGES = 100_000
MOVED_STATISTICS_IMAGES = 20_000  # embedded anew by a trained image tower
MOST_CAPTIONS_LOOKED_AT = 200_000  # for texts that are cut: of larger sets every so manieth row, and as many for all
SAVED = "train_config.json"  # options and inputs of a run

T = TypeVar("T")


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
        with beside_others():
            return _run_training(config, first=first)


def _run_training(asked: TrainConfig, *, first: bool) -> dict | None:
    state_folder = asked.out / STATE
    if first:
        _check_output(asked)
    started = time.monotonic()
    config = _on_this_machine(asked)
    for name, part in itertools.product(CONFIGS, ("train", "validation")):
        split_files(config.data, name, part)  # A folder that is no dataset is told before a model is loaded.
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
    arguments = training_arguments(config, state_folder)
    model = load_model(base, composition="scope", argument="base")
    model.to(arguments.device)  # type: ignore[arg-type]  # wrapped by transformers without its types
    base_sha256 = weights_sha256(model) if first else ""
    if first:
        saved, inputs = config.out / SAVED, training_inputs(config, model)
        if config.resume and saved.is_file():
            require_same_inputs(saved, inputs)
        # Kept at the first start, so that a resumed run can tell whether all is the same.
        write_whole(saved, json.dumps(_config_content(asked) | {"inputs": inputs}, indent=2) + "\n")
    cache = config.out / "cache" if config.cache is None else config.cache
    split, validation_split = read_data(config.data, ("train", "validation"), images=config.images, cache=cache)
    _require_rows(config.data, {"train": split, "validation": validation_split})
    others = []
    if config.away is not None:
        others = [joined(read_data(config.away, SPLITS, images=None, cache=cache))]
    image_embeds, validation_embeds, *other_embeds = embed_splits(model, [split, validation_split, *others], cache)
    learnt, home, away = split, validation_split, next(iter(others), None)
    if away is None:
        everything = Judged(split, image_embeds), Judged(validation_split, validation_embeds)
        learnt, home, away = hold_out(*everything, share=config.held_out, seed=config.seed)

    model.set_statistics(image_statistics(evenly(image_embeds, at_most=STATISTICS_IMAGES)))
    warm_up = limited(learnt, questions=CALIBRATION_QUESTIONS, images=config.validation_images)
    fit_composition(model, image_embeds, warm_up.questions, warm_up.negated_queries)
    torch.manual_seed(config.seed)  # the adapter's initial weights, the same in every process
    adapted = _adapted(model.backbone, config)
    model.backbone = adapted
    images_move = IMAGE in learning_towers(adapted)
    judge = Judge(
        _judged(config, home, validation_embeds),
        None if away is None else _judged(config, away, next(iter(other_embeds), validation_embeds)),
    )
    lesson = _lesson(config, learnt, image_embeds)
    trainer = NegationTrainer(
        model,
        arguments,
        train_dataset=NegationDataset(
            learnt,
            image_embeds,
            negated_share=config.negated_share,
            photos=PhotoReader(learnt, model.processor.image_processor) if images_move else None,
        ),
        eval_dataset=NegationDataset(judge.home.split, validation_embeds),
        judge=BestShare(judge, lambda: next(iter(trainer.history), None), recall_tolerance=config.recall_tolerance),
        extra=lesson,
    )
    trainer.train(resume_from_checkpoint=config.resume)
    if not first:
        return None

    share = next(entry[SHARE] for entry in trainer.history if entry["epoch"] == trainer.best_epoch)
    keep_share(model.backbone, share)
    model.config.trained_towers = list(learning_towers(adapted)) if trainer.best_epoch else []
    calibrated_on = limited(validation_split, questions=CALIBRATION_QUESTIONS, images=config.validation_images)
    # No epoch was judged with AWAY's; the model will meet other photos again.
    sources = (
        [_embedded_anew(model, photos, at_most=MOVED_STATISTICS_IMAGES) for photos in (split, *others)]
        if images_move
        else [evenly(embeds, at_most=STATISTICS_IMAGES) for embeds in (image_embeds, *other_embeds)]
    )
    model.set_statistics(image_statistics(_in_equal_parts(sources)))
    now = embeds_by(model, calibrated_on, validation_embeds)
    losses = fit_composition(model, now, calibrated_on.questions, calibrated_on.negated_queries)
    step = -(-len(split.captions) // MOST_CAPTIONS_LOOKED_AT)
    cut, seen = texts_cut(model, _texts(split, step=step))
    trainable, total = adapted.get_nb_trainable_parameters()
    record = {
        "config": _config_content(asked),
        "base": base,
        "chosen_epoch": trainer.best_epoch,
        "update_share": share,
        "held_out": config.away is None and away is not None,
        "away_build": None if config.away is None else _build_options(config.away),
        "trained_towers": model.config.trained_towers,
        "seen_classes": 0 if lesson is None else lesson.classes,
        "history": trainer.history,
        "steps": trainer.state.global_step,
        "composition": {
            **{name: getattr(model.config, name) for name in COMPOSITION_SCALARS},
            **losses,
        },
        "trainable_parameters": trainable,
        "total_parameters": total,
        "training_images": len(split.digests),
        "training_captions": len(split.captions),
        "training_questions": int(split.group_sizes.sum()),
        "texts_cut": cut * step,
        "text_tokens": seen,
        "data_sha256": _sha256(config.data / "build.json"),
        "versions": {name: version(name) for name in ("notclip", "torch", "transformers", "peft")},
        "python": platform.python_version(),
    }
    # Apart: identical runs write identical records.
    write_whole(config.out / "timing.json", json.dumps({"seconds": round(time.monotonic() - started, 1)}) + "\n")
    write_outputs(model, config, record, base=base, base_sha256=base_sha256)
    if (logs := state_folder / "runs").is_dir():  # TensorBoard's
        shutil.copytree(logs, config.out / "runs", dirs_exist_ok=True)
    shutil.rmtree(state_folder, ignore_errors=True)
    return record


def _on_this_machine(config: TrainConfig) -> TrainConfig:
    """The same options, with folders for data that the Hub has."""
    with first_before_others():
        away = None if config.away is None else on_this_machine(config.away, SPLITS, name="away")
        data = on_this_machine(config.data, ("train", "validation"))
    return dataclasses.replace(config, data=data, away=away)


def _adapted(backbone: PreTrainedModel, config: TrainConfig) -> PeftModel:
    if config.variant == "full":
        return add_full_copies(backbone, towers=config.towers)
    return add_lora(
        backbone,
        rank=config.rank,
        alpha=config.alpha,
        dropout=config.dropout,
        variant=config.variant,
        layers=config.layers,
        towers=config.towers,
    )


def _judged(config: TrainConfig, split: TrainingSplit, image_embeds: Tensor | EmbeddingShards) -> Judged:
    judged = limited(split, questions=config.validation_questions, images=config.validation_images)
    return Judged(judged, image_embeds)


def _lesson(config: TrainConfig, learnt: TrainingSplit, image_embeds: EmbeddingShards) -> ClassPromptLesson | None:
    """What a detector saw in the photos that are learnt from, where that is to be taught."""
    if config.class_weight == 0 or config.towers == "image":  # Its prompts teach texts.
        return None
    rows = learnt.captioned_images.tolist()
    rows = rows[:: -(-len(rows) // STATISTICS_IMAGES)]
    classes = read_seen_classes(config.data, [learnt.digests[row] for row in rows], image_embeds[rows])
    if classes is None:
        return None
    return ClassPromptLesson(classes, weight=config.class_weight, count=config.class_prompts, seed=config.seed)


def _build_options(data: Path) -> dict[str, Any] | None:
    """With which options a dataset was built, by its own record."""
    file = data / "build.json"
    return read_json_object(file, "`away`").get("config") if file.is_file() else None


def _texts(split: TrainingSplit, *, step: int = 1) -> Iterator[str]:
    """All texts that negate something, or stand beside such ones, of every so manieth row."""
    yield from (text for caption in every_nth(split.captions, step) for text in caption.negated)
    groups = every_nth(split.question_groups, step)
    yield from (text for group in groups for question in group for text in question.choices)
    yield from (text for text, _ in every_nth(split.negated_queries, step))


def every_nth(rows: Sequence[T], step: int) -> Iterator[T]:
    """Rows 0, `step`, 2 `step`, …, some thousand at a time, for rows may be read when they are asked for."""
    for start in range(0, len(rows), 1000 * step):
        yield from rows[start : start + 1000 * step : step]


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
    content |= {"cache": None if config.cache is None else str(config.cache), "trainer": list(config.trainer)}
    for name in ("images", "away"):
        content[name] = None if content[name] is None else str(content[name])
    del content["resume"]
    return content


def read_data(data: Path, names: Sequence[str], *, images: Path | None, cache: Path) -> list[TrainingSplit]:
    """Splits of a dataset; the first of several processes copies their texts to the cache, the others read the copy.

    Args:
        data: the dataset's folder.
        names: of the splits.
        images: the folder of the photos, for a dataset that only refers to them.
        cache: where the copy is kept.

    Raises:
        BadInputError: a split is missing or wrong.
    """
    with first_before_others():
        return [read_training_split(data, name, images=images, cache=cache) for name in names]


def embed_splits(
    model: NotClipModel, splits: Sequence[TrainingSplit], cache: Path, *, batch_size: int = 64
) -> list[EmbeddingShards]:
    """Embeddings of the photos of some splits; several processes share the work."""
    several = distributed.is_initialized()
    rank, world_size = (distributed.get_rank(), distributed.get_world_size()) if several else (0, 1)
    folders = [
        embed_into_shards(
            model,
            split.image_bytes,
            split.digests,
            cache,
            batch_size=batch_size,
            rank=rank,
            world_size=world_size,
            place=split.place,
        )
        for split in splits
    ]
    if several:
        distributed.barrier()
    width = model.config.embedding_dim
    return [EmbeddingShards(folder, len(split.digests), width) for folder, split in zip(folders, splits, strict=True)]


def _require_rows(data: Path, splits: Mapping[str, TrainingSplit]) -> None:
    for name, split in splits.items():
        holds = {"captions": split.captions, "questions": split.question_groups, "retrieval": split.negated_queries}
        if lacking := next((config for config, rows in holds.items() if len(rows) == 0), None):
            raise BadInputError(
                f"`data` {data} has no rows of {lacking} in its split {name!r}, and the training needs all of "
                f"{', '.join(holds)}: build it from more photos, or with a higher --questions-per-image."
            )


def _in_equal_parts(sources: Sequence[Tensor]) -> Tensor:
    """The rows of several sources, those of the smaller ones again and again until each has as many."""
    most = max(map(len, sources))
    return torch.cat([rows[torch.arange(most) % len(rows)] for rows in sources])


def _embedded_anew(model: NotClipModel, split: TrainingSplit, *, at_most: int) -> Tensor:
    rows = np.arange(0, len(split.digests), -(-len(split.digests) // at_most))
    return embed_rows(model, split, rows).embeds.to(model.device)


def evenly(image_embeds: EmbeddingShards, *, at_most: int) -> Tensor:
    """All embeddings, or so many at even distances."""
    step = max(1, -(-len(image_embeds) // at_most))
    return image_embeds[::step]


def write_outputs(model: NotClipModel, config: TrainConfig, record: dict, *, base: str, base_sha256: str) -> None:
    """Write all forms beside OUT's old ones and swap them in, training.json last: where it is, all is."""
    with partial_folder(config.out / "outputs") as partial:
        write_reference_scores(model, partial / "model")
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
