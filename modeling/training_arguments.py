"""What `NegationTrainer` takes: transformers' `TrainingArguments`, with the defaults and the options of this training."""

from dataclasses import dataclass, field

import torch
from transformers import TrainingArguments

from notclip.errors import BadInputError
from notclip.learner import LossWeights


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
    num_train_epochs: float = field(default=4.0, metadata={"help": "Passes over the training images."})
    learning_rate: float = field(default=1e-3, metadata={"help": "Peak learning rate of the adapter."})
    composition_learning_rate: float = field(
        default=2e-3, metadata={"help": "Peak learning rate of the composition's scalars, which do not decay."}
    )
    weight_decay: float = field(default=0.01, metadata={"help": "AdamW's decoupled weight decay on the adapter."})
    lr_scheduler_type: str = field(default="cosine", metadata={"help": "Schedule of the learning rates."})
    warmup_steps: float = field(default=0.05, metadata={"help": "Steps of linear warm-up; below 1 a share of all."})
    max_grad_norm: float = field(default=0.0, metadata={"help": "Longest gradient; 0 leaves all as they are."})

    contrastive_weight: float = field(default=0.2, metadata={"help": "a of L = a·contrastive + (1-a)·choice + anchor."})
    plain_share: float = field(default=0.2, metadata={"help": "How much of both losses runs past the composition."})
    anchor_weight: float = field(default=8.0, metadata={"help": "Weight of the anchor."})
    negated_share: float = field(default=0.5, metadata={"help": "Share of contrastive captions that are negated."})
    texts_at_once: int = field(default=32, metadata={"help": "Texts that the text tower encodes at once."})

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
        super().__post_init__()
        for name in ("contrastive_weight", "negated_share", "plain_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise BadInputError(f"`{name}` must be between 0 and 1, got {getattr(self, name)}.")
        for name in ("per_device_train_batch_size", "per_device_train_questions", "checkpoint_every", "texts_at_once"):
            if getattr(self, name) < 1:
                raise BadInputError(f"`{name}` must be at least 1, got {getattr(self, name)}.")

    @property
    def loss_weights(self) -> LossWeights:
        """The weights of the losses."""
        return LossWeights(self.contrastive_weight, self.plain_share, self.anchor_weight)
