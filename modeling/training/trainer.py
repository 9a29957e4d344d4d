"""Train an adapter: frozen images encoded once, captions and questions through the text tower, the best epoch kept.

    L = (1 - p) · (a · contrastive + (1 - a) · choice), composed + p · (the same), plain + anchor

Both losses run through the composition and past it, so that the NotCLIP model and the merged plain backbone both
learn to search and to choose. Each step's batch follows from the seed and the step alone, so that a resumed run
repeats none and skips none.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.distributed.nn.functional as differentiable
from peft import PeftModel
from torch import Tensor, distributed, nn
from tqdm import tqdm
from transformers import get_cosine_schedule_with_warmup

from notclip.errors import BadInputError
from notclip.remote.modeling_notclip import NotClipModel
from notclip.training.calibration import TrainableComposition, choice_scores
from notclip.training.config import TrainConfig
from notclip.training.data import Caption, Question, TrainingSplit, epoch_batches
from notclip.training.losses import anchor_loss, caption_choice_loss, contrastive_loss
from notclip.training.state import Progress, load_state, load_weights, save_state, trainable_weights
from notclip.training.validation import Validation, validate

WARMUP_SHARE = 0.05
COMPOSITION_LEARNING_RATE = 2e-3
TEXTS_AT_ONCE = 32  # of similar length, so that short texts are not padded to the longest of a step


@dataclass(frozen=True)
class Batch:
    """One step's work of one process: captions of different images with their texts, and whole question groups.

    Shares are this process's part of what all processes take, over an equal part: a mean over this process's
    questions, times the share, averages over processes to the mean over all questions.
    """

    captions: list[Caption]
    texts: list[str]
    is_negated: list[bool]
    questions: list[Question]
    affirmative_share: float = 1.0
    question_share: float = 1.0


class Learner(nn.Module):
    """What learns: the adapter in the model's text tower, and the scalars of the composition."""

    def __init__(self, model: NotClipModel):
        super().__init__()
        self.model = model
        self.composition = TrainableComposition(model)


class BatchPlan:
    """Which images, captions and questions each step takes: a function of seed and step."""

    def __init__(self, split: TrainingSplit, config: TrainConfig, *, rank: int = 0, world_size: int = 1):
        self._by_image, self._groups, self._config = split.captions_by_image(), split.question_groups, config
        self._rank, self._world_size = rank, world_size
        self.steps_per_epoch = max(1, len(self._by_image) // config.batch_images)
        largest_group = max(map(len, self._groups))
        self._groups_per_step = max(1, config.batch_questions // largest_group)
        if min(self._groups_per_step, config.batch_images) < world_size:
            raise BadInputError(
                f"{world_size} processes share a step's work, so `batch_images` must be at least {world_size} and "
                f"`batch_questions` at least {world_size * largest_group} (groups have up to {largest_group} "
                f"questions), got {config.batch_images} and {config.batch_questions}."
            )

    def batches(self, first_step: int) -> Iterator[Batch]:
        """Batches from `first_step` to the last step of the last epoch, this process's share of each."""
        step = first_step
        while step < self.steps_per_epoch * self._config.epochs:
            epoch = step // self.steps_per_epoch
            rng = np.random.default_rng((self._config.seed, epoch))
            images = epoch_batches(len(self._by_image), self._config.batch_images, rng)
            groups = self._group_batches(rng)
            for index in range(step % self.steps_per_epoch, self.steps_per_epoch):
                yield self._batch(
                    images[index], groups[index], np.random.default_rng((self._config.seed, epoch, index))
                )
                step += 1

    def _group_batches(self, rng: np.random.Generator) -> list[np.ndarray]:
        needed = self.steps_per_epoch
        batches: list[np.ndarray] = []
        while len(batches) < needed:
            batches += epoch_batches(len(self._groups), self._groups_per_step, rng)
        return batches[:needed]

    def _batch(self, images: np.ndarray, groups: np.ndarray, rng: np.random.Generator) -> Batch:
        captions, texts, is_negated = [], [], []
        for image in images:
            caption = self._by_image[image][rng.integers(len(self._by_image[image]))]
            negate = bool(caption.negated) and rng.random() < self._config.negated_share
            captions.append(caption)
            texts.append(caption.negated[rng.integers(len(caption.negated))] if negate else caption.text)
            is_negated.append(negate)
        own = slice(self._rank, None, self._world_size)
        questions = [question for group in groups[own] for question in self._groups[group]]
        all_questions = sum(len(self._groups[group]) for group in groups)
        return Batch(
            captions[own],
            texts[own],
            is_negated[own],
            questions,
            affirmative_share=self._world_size * is_negated[own].count(False) / max(1, is_negated.count(False)),
            question_share=self._world_size * len(questions) / all_questions,
        )


def train(
    model: NotClipModel,
    config: TrainConfig,
    split: TrainingSplit,
    image_embeds: Tensor,
    validation_split: TrainingSplit,
    validation_embeds: Tensor,
    *,
    state_folder: Path,
) -> Progress:
    """Train the adapter inside `model.backbone` and leave the chosen epoch's weights there.

    Args:
        model: a NotCLIP model whose backbone is a `PeftModel`, with its image statistics set.
        config: the options.
        split: training images, captions and questions.
        image_embeds: embeddings of its images, shape (I, D).
        validation_split: what each epoch is judged on.
        validation_embeds: embeddings of its images.
        state_folder: where the state for `--resume` is kept.

    Returns:
        The history, and which epoch was chosen: the highest negation gain among those that lose at most
        `recall_tolerance` of ordinary recall@5; epoch 0, the backbone, when none does.
    """
    rank, world_size = _process()
    learner = Learner(model)
    plan = BatchPlan(split, config, rank=rank, world_size=world_size)
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in model.parameters() if p.requires_grad], "lr": config.learning_rate},
            {"params": list(learner.composition.parameters()), "lr": COMPOSITION_LEARNING_RATE, "weight_decay": 0.0},
        ],
        weight_decay=config.weight_decay,
    )
    total = plan.steps_per_epoch * config.epochs
    schedule = get_cosine_schedule_with_warmup(optimizer, math.ceil(WARMUP_SHARE * total), total)
    torch.manual_seed(config.seed + rank)
    folder = state_folder / f"process-{rank}"
    progress = load_state(folder, learner, optimizer, schedule) if config.resume else None
    if progress is None:
        start = validate(model.eval(), validation_split, validation_embeds)
        progress = Progress(history=[_entry(0, start)], best_weights=trainable_weights(learner))
        if rank == 0:
            tqdm.write(describe(progress.history[0]))

    _training_mode(model)
    bar = tqdm(total=total, initial=progress.step, desc="train", unit="step", disable=rank > 0)
    for batch in plan.batches(progress.step):
        loss = training_loss(learner, batch, image_embeds, config)
        optimizer.zero_grad()
        loss.backward()
        average_gradients(learner, world_size)
        optimizer.step()
        schedule.step()
        progress.step += 1
        bar.update()
        bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
        if progress.step % plan.steps_per_epoch == 0:
            epoch = progress.step // plan.steps_per_epoch
            learner.composition.write_to(model)
            entry = _entry(epoch, validate(model.eval(), validation_split, validation_embeds))
            _training_mode(model)
            progress.history.append(entry)
            if epoch == choose_epoch(progress.history, recall_tolerance=config.recall_tolerance):
                progress.best_epoch, progress.best_weights = epoch, trainable_weights(learner)
            if rank == 0:
                tqdm.write(describe(entry))
            save_state(folder, learner, optimizer, schedule, progress)
        elif progress.step % config.checkpoint_every == 0:
            save_state(folder, learner, optimizer, schedule, progress)
    bar.close()
    load_weights(learner, progress.best_weights)
    learner.composition.write_to(model)
    model.eval()
    return progress


def training_loss(learner: Learner, batch: Batch, image_embeds: Tensor, config: TrainConfig) -> Tensor:
    """The loss of the module's formula on one process's share of a batch, scalar."""
    model, a = learner.model, config.contrastive_weight
    scale = model.logit_scale.detach().exp()
    own_images = image_embeds[torch.tensor([caption.image for caption in batch.captions])]  # (B, D)
    weights = learner.composition.weights()
    captions = model.embed_texts(batch.texts, batch_size=TEXTS_AT_ONCE)
    texts = captions.whole  # (B, D)
    images = _gather(own_images)
    contrastive_composed, contrastive_plain = (
        contrastive_loss(images, _gather(vectors), scale, _gather(biases))
        for vectors, biases in (model.compose(captions, weights), (texts, texts.new_zeros(len(texts))))
    )
    contrastive = torch.lerp(contrastive_composed, contrastive_plain, config.plain_share)

    affirmative = [row for row, negated in enumerate(batch.is_negated) if not negated]
    anchor = texts.new_zeros(())
    if affirmative and config.anchor_weight:
        held = backbone_embeds(model, [batch.texts[row] for row in affirmative])
        anchor = batch.affirmative_share * anchor_loss(texts[affirmative], held)

    choices = list(dict.fromkeys(choice for question in batch.questions for choice in question.choices))
    position = {text: row for row, text in enumerate(choices)}
    embedded = model.embed_texts(choices, batch_size=TEXTS_AT_ONCE)
    composed = model.compose(embedded, weights)
    plain = (embedded.whole, embedded.whole.new_zeros(len(choices)))
    choice_composed, choice_plain = (
        caption_choice_loss(*choice_scores(batch.questions, position, *queries, image_embeds), scale)
        for queries in (composed, plain)
    )
    choice = torch.lerp(choice_composed, choice_plain, config.plain_share) * batch.question_share
    return a * contrastive + (1 - a) * choice + config.anchor_weight * anchor


def average_gradients(learner: Learner, world_size: int) -> None:
    """Average each gradient over the processes; with gathered negatives and shares this is the whole batch's."""
    if world_size == 1:
        return
    for parameter in learner.parameters():
        if parameter.requires_grad:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            distributed.all_reduce(parameter.grad)
            parameter.grad /= world_size


@torch.no_grad()
def backbone_embeds(model: NotClipModel, texts: list[str]) -> Tensor:
    """Where the backbone without its adapter puts texts, unit-norm, shape (B, D)."""
    adapted = model.backbone
    if not isinstance(adapted, PeftModel):
        raise TypeError(f"`model.backbone` must be a PeftModel, got {type(adapted).__name__}.")
    with adapted.disable_adapter():
        return model.encode_texts(texts, batch_size=TEXTS_AT_ONCE)


def choose_epoch(history: list[dict], *, recall_tolerance: float) -> int:
    """The epoch with the highest macro accuracy among those that keep the backbone's recall@5, the earliest of equals.

    >>> kept = {"epoch": 1, "macro_accuracy": 0.6, "recall_at_5": 0.445}
    >>> forgot = {"epoch": 2, "macro_accuracy": 0.7, "recall_at_5": 0.40}
    >>> choose_epoch([{"epoch": 0, "macro_accuracy": 0.3, "recall_at_5": 0.45}, kept, forgot], recall_tolerance=0.01)
    1
    """
    floor = history[0]["recall_at_5"] - recall_tolerance
    keeping = [entry for entry in history if entry["recall_at_5"] >= floor]
    return max(keeping, key=lambda entry: (entry["macro_accuracy"], -entry["epoch"]))["epoch"]


def describe(entry: dict) -> str:
    """One line about a validation."""
    figures = ", ".join(f"{name.replace('_', ' ')} {100 * entry[name]:.1f} %" for name in entry if name != "epoch")
    return f"epoch {entry['epoch']}: {figures}"


def _entry(epoch: int, validation: Validation) -> dict:
    return {"epoch": epoch, **vars(validation)}


def _training_mode(model: NotClipModel) -> None:
    # Only the adapter's own dropout: the backbone's would blur the anchor, and its batch statistics must not move.
    model.eval()
    for name, module in model.named_modules():
        if "lora_dropout" in name:
            module.train()


def _process() -> tuple[int, int]:
    if distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1


def _gather(embeds: Tensor) -> Tensor:
    # With gradients to all processes: a detached gather would train another objective.
    return torch.cat(differentiable.all_gather(embeds)) if distributed.is_initialized() else embeds
