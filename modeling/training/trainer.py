"""transformers' `Trainer` for negation: whole question groups, gathered negatives, forgetting as a constraint.

    trainer = NegationTrainer(model, NegationTrainingArguments("state"), train_dataset=…, eval_dataset=…)
    trainer.train()

Image embeddings are given, since no step moves them unless the image tower learns, too. The best checkpoint is the one
that gains most negation among those that keep ordinary recall; where none does, the weights at the end are those from
the start.
"""

import errno
import math
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import DynamoBackend
from safetensors.torch import load_file, save_file
from torch import Tensor, distributed, nn
from tqdm import tqdm
from transformers import ProgressCallback, Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_callback import PrinterCallback
from transformers.trainer_utils import rotate_checkpoints

from notclip.errors import BadInputError, shortened
from notclip.files.whole_files import write_whole
from notclip.remote.modeling_notclip import NotClipModel
from notclip.training.arguments import NegationTrainingArguments
from notclip.training.batches import EpochLoader, GroupBatchSampler, NegationDataset, ReadingDataset, as_it_is
from notclip.training.learner import ExtraLoss, Learner
from notclip.training.validation import AWAY, Validation, gain, validate

WEIGHTS = "model.safetensors"
COMPLETE = "complete"  # in a checkpoint that was written to its end
_CHECKPOINT = re.compile(r"checkpoint-[0-9]{1,18}")
_NO_MEMORY = re.compile(r"out of memory|can't allocate memory", flags=re.IGNORECASE)


class NegationTrainer(Trainer):
    """Trains an adapter inside `model.backbone` and the composition's scalars.

    Args:
        model: a NotCLIP model whose backbone is a `PeftModel`, with its image statistics set.
        args: the options.
        train_dataset: captions and questions to learn from.
        eval_dataset: what each epoch is judged on.
        judge: gives a model's figures, `recall_at_5` and `macro_accuracy` among them; those of `validate` on
            `eval_dataset` by default.
        extra: what is added to the loss of each step.
        callbacks: further callbacks.
    """

    args: NegationTrainingArguments
    model: Learner
    train_dataset: NegationDataset
    eval_dataset: NegationDataset

    def __init__(
        self,
        model: NotClipModel,
        args: NegationTrainingArguments,
        *,
        train_dataset: NegationDataset,
        eval_dataset: NegationDataset,
        judge: Callable[[NotClipModel], Mapping[str, float]] | None = None,
        extra: ExtraLoss | None = None,
        callbacks: list[TrainerCallback] | None = None,
    ):
        super().__init__(
            model=Learner(
                model,
                args.loss_weights,
                texts_at_once=args.texts_at_once,
                images_at_once=args.images_at_once,
                extra=extra,
            ),
            args=args,
            data_collator=as_it_is,
            train_dataset=train_dataset,
            eval_dataset=eval_dataset,
            callbacks=[_SaveEvery(args.checkpoint_every), *(callbacks or [])],
        )
        if args.torch_compile:
            self.accelerator.state.dynamo_plugin.backend = DynamoBackend.NO  # of the whole
            self.model.compile_towers(str(args.torch_compile_backend), args.torch_compile_mode)
        for kind in (ProgressCallback, PrinterCallback):
            self.remove_callback(kind)
        if not args.disable_tqdm:
            self.add_callback(_Progress())
        self.sampler = GroupBatchSampler(
            images=len(train_dataset),
            groups=len(train_dataset.split.question_groups),
            largest_group=int(train_dataset.split.group_sizes.max(initial=0)),
            batch_images=args.per_device_train_batch_size * args.world_size,
            batch_questions=args.per_device_train_questions * args.world_size,
            seed=args.seed,
            rank=args.process_index,
            world_size=args.world_size,
        )
        self._judge = self._validate if judge is None else judge
        self._start = self.model.trainable_weights()
        self._last_loss: Tensor | None = None
        torch.manual_seed(args.seed + args.process_index)  # each process drops out other numbers

    @property
    def _folder(self) -> Path:
        return Path(str(self.args.output_dir))

    def get_train_dataloader(self) -> EpochLoader:
        """Batches of this process: the sampler knows which, so that accelerate need not share them out again."""
        # A worker also reads what texts deny, so that no step waits for it.
        reads = self.args.dataloader_num_workers > 0
        return EpochLoader(
            ReadingDataset(self.train_dataset, self.model.model.tagger) if reads else self.train_dataset,
            batch_sampler=self.sampler,
            collate_fn=as_it_is,
            num_workers=self.args.dataloader_num_workers,
            pin_memory=self.args.dataloader_pin_memory,
            persistent_workers=self.args.dataloader_persistent_workers,
            prefetch_factor=self.args.dataloader_prefetch_factor,
            generator=torch.Generator(),  # not the one that dropout draws from
        )

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """The optimizer that the options name, with a learning rate of its own for the composition."""
        if self.optimizer is None:
            learner = self.model
            optimizer_class, options = self.get_optimizer_cls_and_kwargs(self.args, None)
            decay = {"weight_decay": self.args.weight_decay}
            adapter = [parameter for parameter in learner.model.parameters() if parameter.requires_grad]
            scalars = {"params": list(learner.composition.parameters()), "lr": self.args.composition_learning_rate}
            self.optimizer = optimizer_class([{"params": adapter} | decay, scalars | {"weight_decay": 0.0}], **options)
        return self.optimizer

    def train(  # type: ignore[override]  # the base class lists what goes through `kwargs` here
        self, resume_from_checkpoint: str | bool | None = None, **kwargs: Any
    ) -> Any:
        """Train, and leave the best checkpoint's weights in the model; the start's where none gained.

        Args:
            resume_from_checkpoint: a checkpoint, or True for the last one that is complete, if there is any.
            kwargs: as `Trainer.train` takes them.

        Raises:
            BadInputError: the loss is no number any more, the memory is used up, the towers cannot be compiled, or
                the checkpoint is damaged.
        """
        if resume_from_checkpoint is True:
            resume_from_checkpoint = last_checkpoint(self._folder, clear=self.args.should_save)
        if resume_from_checkpoint:
            self._check_state(Path(str(resume_from_checkpoint)))
        try:
            output = super().train(resume_from_checkpoint=resume_from_checkpoint, **kwargs)
            self._check_loss()
        except BadInputError as error:  # a loader's worker puts a traceback before what it refuses
            raise BadInputError(str(error).rpartition("BadInputError: ")[2].strip()) from error
        except (RuntimeError, MemoryError) as error:
            raise self._told(error) from error
        finally:
            self.model.activation_checkpointing_disable()
        if self.args.load_best_model_at_end and self.state.best_model_checkpoint is None:
            self.model.load_trainable_weights(self._start)
        self.model.composition.write_to(self.model.model)
        self.model.eval()
        return output

    def training_step(self, model: nn.Module, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Tensor:
        """One step; a loss that is no number stops the next, so that no device is waited for in between."""
        loss = super().training_step(model, inputs, num_items_in_batch)
        self._check_loss()
        self._last_loss = loss
        return loss

    def evaluate(
        self, eval_dataset: Any = None, ignore_keys: Any = None, metric_key_prefix: str = "eval"
    ) -> dict[str, float]:
        """Judge the model as it is; `eval_gain` is what the best checkpoint is chosen by."""
        self._check_loss()
        learner = self.model.eval()
        learner.composition.write_to(learner.model)
        figures = dict(self._judge(learner.model))
        start = next(iter(self.history), None)
        if start is None:
            self.state.best_metric = 0.0  # What is not better than the start is no best checkpoint.
        metrics = {f"{metric_key_prefix}_{name}": value for name, value in figures.items()}
        metrics[f"{metric_key_prefix}_gain"] = (
            0.0 if start is None else gain(start, figures, recall_tolerance=self.args.recall_tolerance)
        )
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    @property
    def history(self) -> list[dict[str, float]]:
        """The figures of each evaluation, with its epoch."""
        return [_figures(entry) for entry in self.state.log_history if "eval_gain" in entry]

    @property
    def best_epoch(self) -> float:
        """The epoch whose weights were chosen; 0 is the start."""
        if self.state.best_model_checkpoint is None:
            return 0
        step = self.state.best_global_step
        return next(_whole(e["epoch"]) for e in self.state.log_history if "eval_gain" in e and e["step"] == step)

    def _validate(self, model: NotClipModel) -> Mapping[str, float]:
        return vars(validate(model, self.eval_dataset.split, self.eval_dataset.image_embeds))

    def _evaluate(self, trial: Any, ignore_keys_for_eval: Any, skip_scheduler: bool = False) -> dict[str, float]:
        if skip_scheduler and self.history:  # The start of a run that goes on was judged before.
            return {}
        return super()._evaluate(trial, ignore_keys_for_eval, skip_scheduler)

    def _get_grad_norm(self, model: nn.Module, grad_norm: Any = None) -> Any:
        # Wanted for logs alone, it would cost each step a pass over all gradients.
        if grad_norm is not None or (self.state.global_step + 1) % int(self.args.logging_steps) == 0:
            return super()._get_grad_norm(model, grad_norm)
        return None

    def _save(self, output_dir: str | None = None, state_dict: dict | None = None) -> None:
        """Write what learns, and not the base beside it."""
        folder = self._folder if output_dir is None else Path(output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        save_file(self.model.trainable_weights(), folder / WEIGHTS)

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        """As the base class, but an older checkpoint goes only when the new one is there, whole."""
        self._check_loss()
        limit, self.args.save_total_limit = self.args.save_total_limit, None
        folder = self._folder / f"checkpoint-{self.state.global_step}"
        try:
            (folder / COMPLETE).unlink(missing_ok=True)
            super()._save_checkpoint(model, trial)
        except RuntimeError as error:  # torch does not say why it could not write
            if shutil.disk_usage(self._folder).free < 2**20:
                raise OSError(errno.ENOSPC, "No space left on device", str(folder)) from error
            raise
        finally:
            self.args.save_total_limit = limit
        if distributed.is_initialized():
            distributed.barrier()
        if self.args.should_save:
            write_whole(folder / COMPLETE, "")
            rotate_checkpoints(str(self._folder), limit, self.state.best_model_checkpoint, use_mtime=False)

    def _check_state(self, checkpoint: Path) -> None:
        """Refuse a record of a run that no `Trainer` wrote, or whose best weights lie elsewhere."""
        with _reading(checkpoint):
            state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
            best = state.best_model_checkpoint
            if best is not None and Path(best).resolve().parent != self._folder.resolve():
                raise ValueError(f"its best checkpoint is {best!r}")
            numbers = [(int, state.global_step), (int | None, state.best_global_step)]
            for entry in state.log_history:
                judged = (name for name in entry if name.startswith("eval_") or name == "epoch")
                numbers += [(int | float, entry[name]) for name in judged] + [(int, entry["step"])]
            if wrong := [value for kind, value in numbers if isinstance(value, bool) or not isinstance(value, kind)]:
                raise ValueError(f"trainer_state.json says {wrong[0]!r} where a number is to stand")
            if not 0 <= state.global_step < 2**63:
                raise ValueError(f"trainer_state.json says that {state.global_step} steps are done")

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: nn.Module | None = None) -> None:
        with _reading(Path(resume_from_checkpoint)):
            self.model.load_trainable_weights(load_file(Path(resume_from_checkpoint) / WEIGHTS))

    def _load_best_model(self) -> None:
        with _reading(Path(str(self.state.best_model_checkpoint))):
            if self.is_deepspeed_enabled:
                super()._load_best_model()
            else:
                self.model.load_trainable_weights(load_file(Path(str(self.state.best_model_checkpoint)) / WEIGHTS))

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        with _reading(Path(str(checkpoint))):
            super()._load_optimizer_and_scheduler(checkpoint)

    def _load_rng_state(self, checkpoint: str | None) -> None:
        with _reading(Path(str(checkpoint))):
            super()._load_rng_state(checkpoint)

    def _check_loss(self) -> None:
        loss, self._last_loss = self._last_loss, None
        if loss is None or math.isfinite(loss.item()):
            return
        step = self.state.global_step
        raise BadInputError(
            f"the loss of step {step} of {self.state.max_steps} (batch {(step - 1) % len(self.sampler) + 1} of epoch "
            f"{(step - 1) // len(self.sampler) + 1}) is {loss.item()}: lower `learning_rate` (it is "
            f"{self.args.learning_rate:g}), or see whether the base's own embeddings are finite."
        )

    def _told(self, error: Exception) -> Exception:
        """What a user can do about an error of torch's, where there is anything."""
        if isinstance(error, BadInputError):
            return error
        said = str(error)
        if isinstance(error, MemoryError | torch.OutOfMemoryError) or _NO_MEMORY.search(said):
            return BadInputError(
                f"the memory is used up by step {self.state.global_step + 1}: lower `batch_questions` or "
                f"`batch_images` (they are {self.args.per_device_train_questions} and "
                f"{self.args.per_device_train_batch_size} a process), or give "
                "--trainer activation_checkpointing=true, which keeps less and takes a third longer."
            )
        if self.args.torch_compile and type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
            reason = shortened(said.strip().partition("\n")[0])
            return BadInputError(
                f"`trainer` torch_compile cannot compile the towers here ({reason}): install a C++ compiler, or leave "
                "the option out."
            )
        return error


@contextmanager
def _reading(checkpoint: Path) -> Iterator[None]:
    """Turn whatever is raised at a damaged checkpoint into one sentence; the Trainer unpickles tensors alone."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:  # of json, safetensors, zip files, unpickling, and tensors of other shapes
        reason = shortened(str(error).strip().partition("\n")[0] or type(error).__name__)
        raise BadInputError(
            f"the checkpoint {checkpoint} cannot be read ({reason}): remove it, and --resume goes on from the one "
            "before it, or from the start."
        ) from error


def last_checkpoint(folder: Path, *, clear: bool = True) -> str | None:
    """The last checkpoint that was written to its end, or None.

    Args:
        folder: where the checkpoints are.
        clear: remove those that a killed process left half-written.
    """
    complete: list[Path] = []
    for checkpoint in folder.glob("checkpoint-*"):
        if not _CHECKPOINT.fullmatch(checkpoint.name):
            continue
        if (checkpoint / COMPLETE).is_file():
            complete.append(checkpoint)
        elif clear:
            shutil.rmtree(checkpoint, ignore_errors=True)
    return str(max(complete, key=lambda path: int(path.name.rpartition("-")[2]))) if complete else None


def describe(entry: dict[str, float]) -> str:
    """One line about a validation."""
    figures = ", ".join(f"{name.replace('_', ' ')} {100 * entry[name]:.1f} %" for name in entry if name != "epoch")
    return f"epoch {entry['epoch']}: {figures}"


def _figures(entry: Mapping[str, float]) -> dict[str, float]:
    """What an entry of the Trainer's log says of an evaluation, in the same order before a kill and after it.

    A checkpoint's file has the names in the order of their letters.
    """
    told = {name.removeprefix("eval_"): value for name, value in entry.items() if name.startswith("eval_")}
    places = [place + name for place in ("", AWAY) for name in Validation.__annotations__]
    names = sorted(told.keys() - {"gain"} - set(places))
    return {"epoch": _whole(entry["epoch"]), **{name: told[name] for name in (*places, *names) if name in told}}


def _whole(epoch: float) -> float:
    return int(epoch) if epoch == int(epoch) else epoch


class _SaveEvery(TrainerCallback):
    """Saves within an epoch; at its end the Trainer does."""

    def __init__(self, steps: int):
        self._steps = steps

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Ask for a checkpoint."""
        ends_epoch = state.epoch is not None and state.epoch == int(state.epoch)
        if state.global_step % self._steps == 0 and not ends_epoch:
            control.should_save = True


class _Progress(ProgressCallback):
    """The Trainer's bar with the loss beside it, and a line for each evaluation."""

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Show the loss."""
        bar: Any = self.training_bar  # None to the base class's types
        if bar is not None and logs and "loss" in logs:
            bar.set_postfix(loss=f"{logs['loss']:.3f}", refresh=False)

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """Show the figures."""
        if state.is_world_process_zero and metrics:
            tqdm.write(describe(_figures(metrics | {"epoch": state.epoch or 0})))
