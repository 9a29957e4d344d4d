"""Trains the towers of the drawn world's encoder, and measures what they have learnt; see `train_encoder`."""

import math
import re
import time
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch.nn import functional
from tqdm import tqdm
from transformers import BertTokenizer, PreTrainedModel, VisionTextDualEncoderModel

from notclip.files.derived import derived_key
from notclip.files.whole_files import whole_file
from notclip.recaption.drawn_world.colours import PALETTE
from notclip.recaption.drawn_world.encoder_checks import affirmation_bias, linear_readout, presence_auc, recall_at_k
from notclip.recaption.drawn_world.encoder_parts import FUNCTION_WORDS, IMAGE_SIZE
from notclip.recaption.drawn_world.vocabulary import KINDS, OBJECTS
from notclip.recaption.drawn_world.write import Drawn, draw_many

if TYPE_CHECKING:
    from notclip.recaption.drawn_world.train_encoder import EncoderRecipe

COARSE_SIZE = 64
_TRAINED_WITH = ("numpy", "pillow", "torch", "transformers")
CROWD = 4  # things in a scene of the first stages; the world's own scenes show one to three


def to_inputs(pixels: np.ndarray) -> torch.Tensor:
    """Pixels as the processor gives them: -1 to 1, shape (B, 3, H, W)."""
    scaled = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1
    return scaled.contiguous(memory_format=torch.channels_last)


def clip_loss(image_embeds: torch.Tensor, text_embeds: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """CLIP's loss (Radford et al. 2021, Figure 3) on unit-norm embeddings of shape (B, D), in nats."""
    logits = scale * image_embeds @ text_embeds.T
    target = torch.arange(len(logits))
    return (functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target)) / 2


def caption_words(captions: list[tuple[str, ...]]) -> torch.Tensor:
    """Which content words stand in any caption of each scene, shape (I, W).

    Function words, which no picture decides, are left out, and so are words of nearly all scenes or hardly any.
    """
    ignored = set(FUNCTION_WORDS) - set(PALETTE)
    words = [
        {word for caption in own for word in re.findall(r"[a-z]+", caption.lower())} - ignored for own in captions
    ]
    counts = Counter(word for own in words for word in own)
    least, most = len(captions) // 300, 0.97 * len(captions)
    column = {word: index for index, word in enumerate(sorted(w for w, n in counts.items() if least <= n <= most))}
    stands = torch.zeros(len(captions), len(column))
    for row, own in enumerate(words):
        stands[row, [column[word] for word in own if word in column]] = 1.0
    return stands


def train_image_tower(
    tower: PreTrainedModel, drawn: Drawn, recipe: "EncoderRecipe", *, epochs: int, learning_rate: float
) -> None:
    """Teach the image tower to predict the words of a scene's captions; the read-out is thrown away."""
    words = caption_words(drawn.captions)
    readout = torch.nn.Linear(tower.config.hidden_size, words.shape[1])
    with torch.no_grad():
        readout.weight.zero_()
        readout.bias.copy_(torch.logit(words.mean(0), eps=1e-3))
    parameters = [*tower.parameters(), *readout.parameters()]
    steps = epochs * (len(drawn.captions) // recipe.image_batch)
    optimizer, schedule = _optimizer(parameters, learning_rate, steps, recipe)
    rng = np.random.default_rng(recipe.seed)
    tower.train().to(memory_format=torch.channels_last)
    bar = tqdm(total=steps, desc="image tower", unit="step", mininterval=5)
    for _ in range(epochs):
        for rows in _batches(len(drawn.captions), recipe.image_batch, rng):
            features = tower(pixel_values=to_inputs(shifted(drawn.pixels[rows], rng))).pooler_output.flatten(1)
            loss = functional.binary_cross_entropy_with_logits(readout(features), words[rows]) * words.shape[1]
            _step(loss, parameters, optimizer, schedule)
            bar.set_postfix(loss=f"{loss.item():.2f}", refresh=False)
            bar.update()
    bar.close()
    tower.eval()


def image_tower_stages(tower: PreTrainedModel, scenes: Drawn, recipe: "EncoderRecipe") -> dict[str, int]:
    """Train the image tower on crowded scenes, small and then larger, and on the world's own scenes at the end.

    A stage that WORK already holds is read from there.

    Args:
        tower: what learns; changed in place.
        scenes: the world's own train scenes at the encoder's own size.
        recipe: the options.

    Returns:
        How many seconds each stage took when it ran, by its name.
    """
    recipe.work.mkdir(parents=True, exist_ok=True)
    seconds: dict[str, int] = {}
    coarse, fine = recipe.coarse_learning_rate, recipe.fine_learning_rate
    stages = (
        (f"crowded_{COARSE_SIZE}", COARSE_SIZE, recipe.coarse_epochs, coarse),
        (f"crowded_{IMAGE_SIZE}", IMAGE_SIZE, recipe.crowded_epochs, fine),
        (f"own_{IMAGE_SIZE}", IMAGE_SIZE, recipe.fine_epochs, fine),
    )
    shared = [recipe.scenes, recipe.image_batch, recipe.weight_decay, recipe.seed]
    for number, (stage, size, epochs, learning_rate) in enumerate(stages, start=1):
        # Each stage goes on from those before, so that its key holds all of them.
        key = derived_key(
            __name__, of=[shared, stages[:number]], libraries=("numpy", "pillow", "torch", "transformers")
        )
        finished = recipe.work / f"image_tower_{stage}-{key}.safetensors"
        if finished.is_file():
            tower.load_state_dict(load_file(finished))
        else:
            started = time.monotonic()
            drawn = scenes
            if stage.startswith("crowded"):
                drawn = draw_many("train", recipe.scenes, size=size, object_count=CROWD, workers=recipe.workers)
            train_image_tower(tower, drawn, recipe, epochs=epochs, learning_rate=learning_rate)
            weights = {name: value.contiguous() for name, value in tower.state_dict().items()}
            with whole_file(finished) as partial_file:
                save_file(weights, partial_file, metadata={"seconds": str(round(time.monotonic() - started))})
        with safe_open(finished, framework="pt") as file:
            seconds[stage] = int(file.metadata()["seconds"])
    tower.eval()
    return seconds


def train_text_tower(
    model: VisionTextDualEncoderModel, tokenizer: BertTokenizer, drawn: Drawn, recipe: "EncoderRecipe"
) -> None:
    """Teach text tower and both projections CLIP's loss against the frozen image tower."""
    pooled = pooled_features(model.vision_model, drawn.pixels)
    learning = [model.text_model, model.text_projection, model.visual_projection]
    parameters = [model.logit_scale, *(parameter for module in learning for parameter in module.parameters())]
    steps = recipe.text_epochs * (len(drawn.captions) // recipe.text_batch)
    optimizer, schedule = _optimizer(parameters, recipe.text_learning_rate, steps, recipe)
    rng = np.random.default_rng(recipe.seed)
    bar = tqdm(total=steps, desc="text tower", unit="step", mininterval=5)
    for _ in range(recipe.text_epochs):
        for rows in _batches(len(drawn.captions), recipe.text_batch, rng):
            texts = [drawn.captions[row][rng.integers(len(drawn.captions[row]))] for row in rows]
            tokens = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
            captions = functional.normalize(model.get_text_features(**tokens).pooler_output, dim=-1)
            images = functional.normalize(model.visual_projection(pooled[rows]), dim=-1)
            scale = model.logit_scale.clamp(max=math.log(100)).exp()
            loss = clip_loss(images, captions, scale)
            _step(loss, parameters, optimizer, schedule)
            bar.set_postfix(loss=f"{loss.item():.2f}", scale=f"{scale.item():.0f}", refresh=False)
            bar.update()
    bar.close()
    model.eval()


def pooled_features(tower: PreTrainedModel, pixels: np.ndarray) -> torch.Tensor:
    """What the frozen image tower makes of pictures, before the projection, shape (I, H)."""
    with torch.no_grad():
        starts = range(0, len(pixels), 250)
        parts = [tower(pixel_values=to_inputs(pixels[start : start + 250])).pooler_output for start in starts]
        return torch.cat(parts).flatten(1)


def _optimizer(parameters: list, learning_rate: float, steps: int, recipe: "EncoderRecipe") -> tuple:
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},  # biases and batch statistics' scales
    ]
    optimizer = torch.optim.AdamW(groups, lr=learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=max(steps, 2), pct_start=0.15)
    return optimizer, schedule


def _batches(count: int, size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    order = rng.permutation(count)
    for start in range(0, count - size + 1, size):
        yield order[start : start + size]


def _step(loss: torch.Tensor, parameters: list, optimizer: Any, schedule: Any) -> None:
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(parameters, 5.0)
    optimizer.step()
    schedule.step()


def shifted(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shift a batch by up to two pixels, edges repeated: no statement of a caption changes by that."""
    down, right = rng.integers(0, 5, size=2)
    padded = np.pad(pixels, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="edge")
    height, width = pixels.shape[1:3]
    return padded[:, down : down + height, right : right + width]


def measure_encoder(
    model: VisionTextDualEncoderModel, tokenizer: BertTokenizer, *, fit: Drawn, held_out: Drawn
) -> dict[str, Any]:
    """Retrieval, presence and affirmation bias on held-out scenes; `fit` trains the linear read-out."""

    @torch.no_grad()
    def of_images(pixels: np.ndarray) -> np.ndarray:
        parts = [
            model.get_image_features(pixel_values=to_inputs(part)).pooler_output for part in np.array_split(pixels, 20)
        ]
        return functional.normalize(torch.cat(parts), dim=-1).numpy()

    @torch.no_grad()
    def of_texts(texts: list[str]) -> np.ndarray:
        parts = []
        for start in range(0, len(texts), 500):
            tokens = tokenizer(texts[start : start + 500], padding=True, truncation=True, return_tensors="pt")
            parts.append(model.get_text_features(**tokens).pooler_output)
        return functional.normalize(torch.cat(parts), dim=-1).numpy()

    images = of_images(held_out.pixels)
    owners = np.repeat(np.arange(len(images)), 5)
    captions = of_texts([caption for captions in held_out.captions for caption in captions])
    prompt = presence_auc(images @ of_texts([_indefinite(name) for name in OBJECTS]).T, held_out.present)
    weights = linear_readout(of_images(fit.pixels), fit.present)
    readout = presence_auc(images @ weights[:-1] + weights[-1], held_out.present)
    denials = images @ of_texts([f"no {KINDS[name].name}" for name in OBJECTS]).T
    return {
        "text_to_image_recall@1": recall_at_k(images, captions, owners=owners, k=1),
        "text_to_image_recall@5": recall_at_k(images, captions, owners=owners, k=5),
        "first_caption_recall@1": recall_at_k(images, captions[::5], owners=owners[::5], k=1),
        "first_caption_recall@5": recall_at_k(images, captions[::5], owners=owners[::5], k=5),
        "presence_auc_of_prompts": float(prompt.mean()),
        "presence_auc_of_linear_readout": float(readout.mean()),
        "affirmation_bias": affirmation_bias(denials, held_out.present),
        "presence_auc_by_object": {
            name: {"prompt": round(float(a), 4), "linear_readout": round(float(b), 4)}
            for name, a, b in zip(OBJECTS, prompt, readout, strict=True)
        },
    }


def _indefinite(name: str) -> str:
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
