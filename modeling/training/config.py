"""How an adapter is trained: every option of `notclip train-adapter`, saved beside its weights as their record."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from notclip.errors import BadInputError
from notclip.seeds import check_seed

STATE = "state"  # the folder in OUT that holds checkpoints until the run has ended


@dataclass(frozen=True)
class TrainConfig:
    """Options of `notclip train-adapter`."""

    base: str
    """Backbone: a Hub id or a folder that holds any dual encoder of transformers; or an OpenCLIP checkpoint (.pt,
    .safetensors, or a folder with open_clip_config.json), which is converted to OUT/base first."""
    data: Path
    """Folder that `notclip build-dataset` wrote, or such a dataset's id on the Hub, which is downloaded."""
    out: Path
    """Folder to write adapter/, backbone/, model/ and training.json to."""
    images: Path | None = None
    """Folder of the photos, where the data only refer to them (built with `--images referenced`)."""
    architecture: str | None = None
    """OpenCLIP's name for what a base of weights alone is of, such as ViT-B-32-quickgelu."""
    resume: bool = False
    """Go on with a run that was broken off; ends at the same weights as one that was not."""

    epochs: int = 3
    """Passes over the training images; 0 leaves the adapter empty and calibrates the composition alone."""
    batch_images: int = 64
    """Images of the contrastive loss per step, over all processes."""
    batch_questions: int = 128
    """Questions per step, over all processes; those of one counterbalanced group share their choices and a batch."""
    learning_rate: float | None = None
    """Peak learning rate of the adapter, after a linear warm-up over the first 5 % of steps, then cosine to 0; when
    absent 1e-3 for low-rank updates and 1e-5 for full weights."""
    weight_decay: float = 0.01
    """AdamW's decoupled weight decay on the adapter."""
    contrastive_weight: float = 0.2
    """a of L = a·contrastive + (1-a)·choice + anchor."""
    plain_share: float = 0.2
    """p: how much of both losses runs past the composition, for the merged backbone; the rest runs through it."""
    anchor_weight: float = 8.0
    """Weight of the anchor that holds what affirmative captions find, and images where their tower learns, to what the
    backbone makes of them."""
    class_weight: float = 4.0
    """Weight of the prompts of what a detector saw in the photos, where DATA was built with one (`seen_classes`)."""
    class_prompts: int = 48
    """Such prompts per step."""
    negated_share: float = 0.5
    """Share of contrastive captions that are negated ones; the others are the source's own, and anchored."""

    rank: int = 32
    """Rank of the low-rank updates."""
    alpha: int = 64
    """Updates are scaled by alpha / rank."""
    dropout: float = 0.0
    """Dropout on the input of each update."""
    variant: Literal["lora", "dora", "rslora", "full"] = "lora"
    """Kind of low-rank update; or all weights of the towers, which a copy of each stands beside in memory."""
    layers: Literal["all", "attention", "upper_half", "upper_quarter"] = "all"
    """Which linear layers of a tower get such an update; its projection into the shared space always does."""
    towers: Literal["text", "image", "both"] = "text"
    """Which towers learn. Unless it is the text tower alone, photos are decoded anew in each step, and an index of
    images that the base made serves the trained model no more."""

    away: Path | None = None
    """Another built dataset, of other photos, all splits of which judge as well as DATA's validation split. No
    gradient comes from it; the statistics of photos that the model is written with are of both, in equal parts. An
    adapter that helps at home alone is not kept."""
    held_out: float = 0.1
    """Without `away`: about this share of DATA's photos, a domain such as kitchens or water, is not learnt from but
    judged by; 0 for none, as with over 200,000 photos."""
    recall_tolerance: float = 0.01
    """Ordinary recall@5 that a checkpoint may lose against the backbone, at home and away, and still be chosen."""
    validation_questions: int = 2000
    """Validation questions scored after each epoch."""
    validation_images: int = 1000
    """Validation images searched after each epoch."""
    checkpoint_every: int = 50
    """Steps between the states that `--resume` goes on from."""
    cache: Path | None = None
    """Folder for image embeddings; OUT/cache when absent. They are reused by any run with the same image tower."""
    trainer: tuple[str, ...] = ()
    """Further options of transformers' TrainingArguments as NAME=VALUE, such as bf16=true, report_to=trackio or
    gradient_accumulation_steps=4."""
    seed: int = 0
    """Seed of batches, captions and initial weights."""

    def __post_init__(self) -> None:
        check_seed(self.seed)
        if self.epochs < 0:
            raise BadInputError(f"`epochs` must be at least 0, got {self.epochs}.")
        for name in (
            "batch_images",
            "batch_questions",
            "class_prompts",
            "rank",
            "checkpoint_every",
            "validation_images",
        ):
            if getattr(self, name) < 1:
                raise BadInputError(f"`{name}` must be at least 1, got {getattr(self, name)}.")
        for name in ("contrastive_weight", "negated_share", "plain_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise BadInputError(f"`{name}` must be between 0 and 1, got {getattr(self, name)}.")
        if not 0 <= self.held_out <= 0.5:
            raise BadInputError(f"`held_out` must be between 0 and 0.5, got {self.held_out}.")
        if self.class_weight < 0:
            raise BadInputError(f"`class_weight` must be at least 0, got {self.class_weight}.")
        if self.variant == "full" and self.layers != "all":
            raise BadInputError(f"`layers` {self.layers} is for low-rank updates; `variant` full trains all weights.")

    @property
    def peak_learning_rate(self) -> float:
        """The learning rate that was asked for, or the one that fits the kind of update."""
        if self.learning_rate is not None:
            return self.learning_rate
        return 1e-5 if self.variant == "full" else 1e-3
