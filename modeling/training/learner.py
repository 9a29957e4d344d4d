"""What learns and what it pays: the adapter and the composition's scalars under the losses of `losses`.

    L = (1 - p) · (a · contrastive + (1 - a) · choice), composed + p · (the same), plain + anchor

Both losses run through the composition and past it, so that the NotCLIP model and the merged plain backbone both
learn to search and to choose. The anchor holds what learns: affirmative captions, and photos where their tower does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Protocol

import torch
import torch.distributed.nn.functional as differentiable
from peft import PeftModel
from torch import Tensor, distributed, nn
from torch.utils.checkpoint import checkpoint

from notclip.remote.modeling_notclip import NotClipModel
from notclip.remote.negation_scope import NegationScope
from notclip.training.calibration import TrainableComposition, choice_scores
from notclip.training.data import TrainingQuestion
from notclip.training.lora import TEXT, learning_towers
from notclip.training.losses import anchor_loss, caption_choice_loss, contrastive_loss, search_anchor_loss
from notclip.training.photos import embed

_FEATURES = ("get_text_features", "get_image_features")


@dataclass(frozen=True)
class LossWeights:
    """The weights of the module's formula.

    Args:
        contrastive: a.
        plain_share: p.
        anchor: weight of the anchor.
    """

    contrastive: float = 0.2
    plain_share: float = 0.2
    anchor: float = 8.0


class ExtraLoss(Protocol):
    """A loss that needs neither captions nor questions of the batch."""

    def loss(self, model: NotClipModel, step: int) -> Tensor:
        """Of one step, scalar; differentiable, and averaged over processes."""
        ...


class Learner(nn.Module):
    """A NotCLIP model in training: a batch goes in, its loss comes out.

    Args:
        model: the model, whose backbone is a `PeftModel`, with its image statistics set.
        weights: weights of the losses.
        texts_at_once: texts encoded at once, of similar length, so that short ones are not padded to a step's longest.
        images_at_once: photos that an image tower in training encodes at once.
        extra: what is added to the loss of each step.
    """

    def __init__(
        self,
        model: NotClipModel,
        weights: LossWeights | None = None,
        *,
        texts_at_once: int = 32,
        images_at_once: int = 64,
        extra: ExtraLoss | None = None,
    ):
        super().__init__()
        self.model = model
        self.composition = TrainableComposition(model)
        self.loss_weights = LossWeights() if weights is None else weights
        self.texts_at_once, self.images_at_once = texts_at_once, images_at_once
        self.extra = extra
        self._texts_move = TEXT in learning_towers(model.backbone)
        # Only the adapter's own: the backbone's would blur the anchor, and its batch statistics must not move.
        self._dropouts = [module for name, module in model.named_modules() if "lora_dropout" in name]
        self.eval()

    def train(self, mode: bool = True) -> "Learner":
        """Let the adapter's dropout work or not; all else is as it is when it is used."""
        if mode == self.training:  # The Trainer says it before each step.
            return self
        super().train(False)
        for module in self._dropouts:
            module.train(mode)
        self.training = mode
        return self

    def compile_towers(self, backend: str, mode: str | None = None) -> None:
        """Compile the towers where gradients go through them; what is compiled takes texts of any length.

        Not all of `forward`, which reads strings: each new one would be compiled for.

        Args:
            backend: as `torch.compile` takes it.
            mode: as `torch.compile` takes it.
        """
        for name in _FEATURES:
            setattr(self.model, name, _compiled(getattr(self.model, name), backend, mode))

    def activation_checkpointing_enable(self, *args: Any, **kwargs: Any) -> None:
        """Keep the activations of one batch of texts or photos, and compute a step's others again for its gradients.

        What it takes is what the Trainer says of layers, and is not needed here.
        """
        for name in _FEATURES:
            setattr(self.model, name, _recomputed(getattr(self.model, name)))

    def activation_checkpointing_disable(self) -> None:
        """Keep all activations again, and run the towers as they are."""
        for name in _FEATURES:
            self.model.__dict__.pop(name, None)

    def trainable_weights(self) -> dict[str, Tensor]:
        """Copies of the parameters that learn, by name."""
        return {name: p.detach().clone() for name, p in self.named_parameters() if p.requires_grad}

    @torch.no_grad()
    def load_trainable_weights(self, weights: dict[str, Tensor]) -> None:
        """Put `trainable_weights` back.

        Raises:
            ValueError: they are another model's.
        """
        parameters = {name: parameter for name, parameter in self.named_parameters() if parameter.requires_grad}
        for name in sorted(parameters.keys() | weights.keys()):
            there, given = (named[name].shape if name in named else None for named in (parameters, weights))
            if there != given:
                raise ValueError(f"{name} must have the shape {there}, got {given}")
        for name, value in weights.items():
            parameters[name].copy_(value)

    def forward(
        self,
        step: int,
        texts: list[str],
        affirmative: list[int],
        text_images: Tensor,
        questions: list[TrainingQuestion],
        question_images: Tensor,
        photos: dict[str, Any] | None = None,
        scopes: Mapping[str, NegationScope] | None = None,
    ) -> dict[str, Tensor]:
        """The loss of one process's share of a batch; averaged over processes, its gradients are the batch's.

        Args:
            step: number of the step.
            texts: B captions of different images.
            affirmative: rows of those that are the source's own, which the anchor holds.
            text_images: embeddings of their images, shape (B, D).
            questions: Q questions, whole groups of them.
            question_images: embeddings of their images, shape (Q, D).
            photos: where the image tower learns, these images: what `PhotoReader.read` says of the distinct ones, and
                which of them are `of_texts`, shape (B,), and `of_questions`, shape (Q,). The embeddings are then those
                before the training, which the anchor holds.
            scopes: what each text denies, where a loader's worker has read it.
        """
        model, share = self.model, self.loss_weights.plain_share
        scale, composition = model.logit_scale.detach().float().exp(), self.composition.weights()
        # In one pass, since captions and choices name the same things.
        every = list(dict.fromkeys([*texts, *(choice for question in questions for choice in question.choices)]))
        position = {text: row for row, text in enumerate(every)}
        embedded = model.embed_texts(every, scopes=scopes, batch_size=self.texts_at_once)
        captions = [position[text] for text in texts]
        held, images_before = self._held(texts, affirmative), text_images
        if photos is not None:
            shown = embed(self.model, photos, at_once=self.images_at_once)
            text_images, question_images = shown[photos["of_texts"]], shown[photos["of_questions"]]
        affirmative_share, question_share = _shares(len(affirmative), len(questions), like=text_images)
        # Logits are a hundred times a cosine: half precision cannot tell them apart.
        with torch.autocast(text_images.device.type, enabled=False):
            images = _gather(text_images)
            queries = model.compose(embedded, composition), _plain(embedded.whole)
            composed, plain = (
                contrastive_loss(images, vectors, scale, biases)
                for vectors, biases in (
                    _gather_queries(vectors[captions], biases[captions]) for vectors, biases in queries
                )
            )
            contrastive = torch.lerp(composed, plain, share)
            anchor = contrastive.new_zeros(())
            if held is not None:
                anchor = affirmative_share * self._anchor(embedded.whole[[captions[row] for row in affirmative]], held)
            if photos is not None:
                anchor = anchor + anchor_loss(text_images, images_before)
            composed, plain = (
                caption_choice_loss(*choice_scores(questions, position, *own, question_images), scale)
                for own in queries
            )
            choice = torch.lerp(composed, plain, share)
            a = self.loss_weights.contrastive
            loss = a * contrastive + (1 - a) * question_share * choice + self.loss_weights.anchor * anchor
            if distributed.is_initialized():  # Every process must have a gradient for every parameter.
                loss = loss + 0 * sum(parameter.sum() for parameter in self.composition.parameters())
        if self.extra is not None:
            loss = loss + self.extra.loss(model, step)
        return {"loss": loss}

    def _anchor(self, text_embeds: Tensor, held: Tensor) -> Tensor:
        statistics = self.model.statistics
        return (
            anchor_loss(text_embeds, held) if statistics is None else search_anchor_loss(text_embeds, held, statistics)
        )

    def _held(self, texts: Sequence[str], affirmative: Sequence[int]) -> Tensor | None:
        """Where the backbone alone puts the texts that the anchor holds."""
        if not affirmative or not self.loss_weights.anchor or not self._texts_move:
            return None
        return backbone_embeds(self.model, [texts[row] for row in affirmative], texts_at_once=self.texts_at_once)


@torch.no_grad()
def backbone_embeds(model: NotClipModel, texts: list[str], *, texts_at_once: int = 32) -> Tensor:
    """Where the backbone without its adapter puts texts, unit-norm, shape (B, D)."""
    adapted = model.backbone
    if not isinstance(adapted, PeftModel):
        raise TypeError(f"`model.backbone` must be a PeftModel, got {type(adapted).__name__}.")
    with adapted.disable_adapter():
        return model.encode_texts(texts, batch_size=texts_at_once)


def _recomputed(features: Callable[..., Any]) -> Callable[..., SimpleNamespace]:
    """A tower's features without the activations in between, which are computed again when gradients ask for them."""

    def pooled(inputs: dict[str, Tensor]) -> Tensor:
        found: Tensor = features(**inputs).pooler_output
        return found

    def recomputed(pixel_values: Tensor | None = None, **inputs: Tensor) -> SimpleNamespace:
        if pixel_values is not None:
            inputs["pixel_values"] = pixel_values
        if not torch.is_grad_enabled():
            return SimpleNamespace(pooler_output=pooled(inputs))
        return SimpleNamespace(pooler_output=checkpoint(pooled, inputs, use_reentrant=False))

    return recomputed


def _compiled(features: Callable[..., Any], backend: str, mode: str | None) -> Callable[..., Any]:
    compiled = torch.compile(features, dynamic=True, backend=backend, mode=mode)
    return lambda *args, **inputs: (compiled if torch.is_grad_enabled() else features)(*args, **inputs)


def _plain(texts: Tensor) -> tuple[Tensor, Tensor]:
    """Queries past the composition."""
    return texts, texts.new_zeros(len(texts))


def _shares(*own: int, like: Tensor) -> Tensor:
    """This process's part of what all processes have, over an equal part.

    A mean over its own, times this, averages over the processes to the mean over all.
    """
    counts = like.new_tensor(own)
    if not distributed.is_initialized():
        return torch.ones_like(counts)
    total = counts.clone()
    distributed.all_reduce(total)
    return distributed.get_world_size() * counts / total.clamp_min(1)


def _gather_queries(vectors: Tensor, biases: Tensor) -> tuple[Tensor, Tensor]:
    """Vectors and biases of all processes.

    Together: biases have no gradient in a process whose captions deny nothing, and alone it would not take part when
    the others hand theirs back.
    """
    if not distributed.is_initialized():
        return vectors, biases
    both = _gather(torch.cat([vectors, biases[:, None]], dim=1))
    return both[:, :-1], both[:, -1]


def _gather(embeds: Tensor) -> Tensor:
    # With gradients to all processes: a detached gather would train another objective.
    return torch.cat(differentiable.all_gather(embeds)) if distributed.is_initialized() else embeds
