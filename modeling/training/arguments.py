"""What `NegationTrainer` takes: transformers' `TrainingArguments` with the defaults and options of this training."""

import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import DynamoBackend
from torch import distributed
from transformers import TrainingArguments
from transformers.integrations import get_available_reporting_integrations

from notclip.errors import BadInputError, shortened
from notclip.training.config import TrainConfig
from notclip.training.learner import LossWeights

# Named otherwise on our command line, or ours to decide.
_OURS = {
    "output_dir": "out",
    "per_device_train_batch_size": "batch_images",
    "per_device_train_questions": "batch_questions",
    "num_train_epochs": "epochs",
    **{
        name: name
        for name in (
            *("learning_rate", "weight_decay", "contrastive_weight", "plain_share", "anchor_weight"),
            *("negated_share", "recall_tolerance", "checkpoint_every", "seed"),
        )
    },
}
_FIXED = ("eval_strategy", "save_strategy", "eval_on_start", "load_best_model_at_end", "metric_for_best_model")


@dataclass
class NegationTrainingArguments(TrainingArguments):
    """Options of `NegationTrainer`; all that is not told here is `TrainingArguments`'.

    Gradients that are accumulated are those of several whole steps: negatives are gathered over processes, but not
    over what is accumulated.
    """

    per_device_train_batch_size: int = field(
        default=64, metadata={"help": "Images of the contrastive loss a step, of one process."}
    )
    per_device_train_questions: int = field(default=128, metadata={"help": "Questions a step, of one process."})
    num_train_epochs: float = field(default=3.0, metadata={"help": "Passes over the training images."})
    learning_rate: float = field(default=1e-3, metadata={"help": "Peak learning rate of the adapter."})
    composition_learning_rate: float = field(
        default=2e-3, metadata={"help": "Peak learning rate of the composition's scalars, which do not decay."}
    )
    weight_decay: float = field(default=0.01, metadata={"help": "AdamW's decoupled weight decay on the adapter."})
    lr_scheduler_type: str = field(default="cosine", metadata={"help": "Schedule of the learning rates."})
    warmup_steps: float = field(default=0.05, metadata={"help": "Steps of linear warm-up; below 1 a share of all."})
    max_grad_norm: float = field(default=0.0, metadata={"help": "Longest gradient; 0 leaves all as they are."})

    contrastive_weight: float = field(default=0.2, metadata={"help": "a of the formula in `learner`."})
    plain_share: float = field(default=0.2, metadata={"help": "How much of both losses runs past the composition."})
    anchor_weight: float = field(default=8.0, metadata={"help": "Weight of the anchor."})
    negated_share: float = field(default=0.5, metadata={"help": "Share of contrastive captions that are negated."})
    texts_at_once: int = field(default=32, metadata={"help": "Texts that the text tower encodes at once."})
    images_at_once: int = field(
        default=64, metadata={"help": "Photos that an image tower in training encodes at once."}
    )

    recall_tolerance: float = field(
        default=0.01, metadata={"help": "Ordinary recall@5 that a checkpoint may lose and still be the best."}
    )
    checkpoint_every: int = field(default=50, metadata={"help": "Steps between checkpoints within an epoch."})

    eval_strategy: str = "epoch"
    save_strategy: str = "epoch"
    save_total_limit: int | None = 1
    eval_on_start: bool = True
    load_best_model_at_end: bool = True
    metric_for_best_model: str | None = "gain"
    greater_is_better: bool | None = True
    logging_steps: float = 50
    # Looked at by the trainer, which stops; taken for the mean of those before, it would go on.
    logging_nan_inf_filter: bool = False
    remove_unused_columns: bool = False
    # All parameters have a gradient in every process, see `Learner.forward`.
    ddp_find_unused_parameters: bool | None = False
    dataloader_pin_memory: bool = field(default_factory=torch.cuda.is_available)

    def __post_init__(self) -> None:
        if self.push_to_hub:
            raise BadInputError(
                "`push_to_hub` would upload checkpoints that only this trainer reads. When the training is done, "
                "`notclip stage-release` and `notclip push-release` upload its models with their cards, and "
                "`NotClipModel.from_pretrained('OUT/model').push_to_hub(ID)` that model alone."
            )
        super().__post_init__()
        for name in ("contrastive_weight", "negated_share", "plain_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise BadInputError(f"`{name}` must be between 0 and 1, got {getattr(self, name)}.")
        for name in (
            *("per_device_train_batch_size", "per_device_train_questions", "checkpoint_every"),
            *("texts_at_once", "images_at_once"),
        ):
            if getattr(self, name) < 1:
                raise BadInputError(f"`{name}` must be at least 1, got {getattr(self, name)}.")

    @property
    def loss_weights(self) -> LossWeights:
        """The weights of the losses."""
        return LossWeights(self.contrastive_weight, self.plain_share, self.anchor_weight)


def training_arguments(config: TrainConfig, state_folder: Path) -> NegationTrainingArguments:
    """The Trainer's options for a command's.

    Args:
        config: the command's options.
        state_folder: where checkpoints are kept until the run is done.

    Raises:
        BadInputError: `trainer` has an option that there is not, or a value that it does not take.
    """
    processes = distributed.get_world_size() if distributed.is_initialized() else 1
    for name in ("batch_images", "batch_questions"):
        if getattr(config, name) < processes:
            raise BadInputError(
                f"{processes} processes share `{name}`, so it must be as many, got {getattr(config, name)}."
            )
    options = _further_options(config.trainer)
    if options.get("deepspeed") and find_spec("deepspeed") is None:
        raise BadInputError("`trainer` deepspeed needs a package that is not here; pip install deepspeed.")
    ours: dict[str, Any] = {name: getattr(config, own) for name, own in _OURS.items() if own != "out"}
    ours |= {"output_dir": str(state_folder), "learning_rate": config.peak_learning_rate}
    for name in ("per_device_train_batch_size", "per_device_train_questions"):
        ours[name] //= processes
    ours["use_cpu"] = not torch.accelerator.is_available()
    try:
        arguments = NegationTrainingArguments(**ours | options)
    except BadInputError:
        raise
    except (ValueError, TypeError, ImportError) as error:
        raise BadInputError(f"`trainer` {' '.join(config.trainer)}: {shortened(str(error))}") from error
    backends = [backend.value.lower() for backend in DynamoBackend]
    if arguments.torch_compile and arguments.torch_compile_backend not in backends:
        raise BadInputError(
            f"`trainer` torch_compile_backend must be one of {', '.join(backends)}, got "
            f"{shortened(arguments.torch_compile_backend)}."
        )
    wanted = [arguments.report_to] if isinstance(arguments.report_to, str) else arguments.report_to or []
    missing = [name for name in wanted if name not in get_available_reporting_integrations()]
    if missing:
        raise BadInputError(f"`trainer` report_to={missing[0]}: that package is not here; pip install {missing[0]}.")
    return arguments


def _further_options(given: Sequence[str]) -> dict[str, Any]:
    known = [option.name for option in fields(NegationTrainingArguments) if option.init]
    options: dict[str, Any] = {}
    for option in given:
        name, equals, value = option.partition("=")
        if name in _OURS or name in _FIXED:
            instead = (
                f"give --{_OURS[name].replace('_', '-')}" if name in _OURS else "the choice of the epoch needs it"
            )
            raise BadInputError(f"`trainer` may not set {name}: {instead}.")
        if name in ("fsdp", "fsdp_config"):
            raise BadInputError(
                f"`trainer` may not set {name}: frozen towers and what learns of them fit one device, and are not "
                "sharded over several; start as many processes with torchrun, which exchange gradients alone."
            )
        if not equals or name not in known:
            nearest = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean {nearest[0]}?" if nearest else ""
            raise BadInputError(
                f"`trainer` takes NAME=VALUE with names of transformers' TrainingArguments, got {option!r}.{hint}"
            )
        try:
            options[name] = json.loads(value)
        except ValueError:
            options[name] = value
    return options
