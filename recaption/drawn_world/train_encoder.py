"""Train the tiny dual encoder of the drawn world, on affirmative captions alone, and write it beside its package.

    python -m notclip.recaption.drawn_world.train_encoder
    python -m notclip.recaption.drawn_world.train_encoder --out build/encoder --coarse-epochs 2 --scenes 4000

Writes model, tokenizer, processor and TRAINING.json to OUT; the last holds the recipe, how long it took and what the
encoder scores on 1,000 validation scenes. `make demo` uses the committed weights and does not run this. A run that was
broken off goes on after the last stage of the image tower that it finished, which it keeps in WORK, as long as recipe
and code are the same.

A contrastive loss alone takes hours of two cores to see small things. So the image tower first learns to predict
which words stand in a scene's captions (as in SuperClass, Huang et al. 2024): in scenes of four things, whose captions
say more of a picture, at 64 pixels and then at 96, where it ends better for less than at 96 alone (FixRes, Touvron et
al. 2019), and at last in the world's own scenes of one to three. Then it is frozen and the text tower learns CLIP's
loss against its embeddings, computed once (locked-image tuning, Zhai et al. 2022). No caption negates, and nothing in
either loss reads an annotation.
"""

import dataclasses
import json
import multiprocessing
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from notclip.command_line import command, parse
from notclip.files.derived import derived_key
from notclip.files.only_writer import only_writer
from notclip.files.whole_files import partial_folder, whole_file, write_whole

if TYPE_CHECKING:
    import numpy as np
    import torch
    from transformers import BertTokenizer, PreTrainedModel, VisionTextDualEncoderModel

COARSE_SIZE = 64
CARD = """---
license: apache-2.0
---
A dual encoder of the drawn world. TRAINING.json says how it was trained, and what came of it.
"""
CODE = "notclip.recaption.drawn_world.train_encoder"
CROWD = 4  # things in a scene of the first stages; the world's own scenes show one to three
DEFAULT_OUT = Path(__file__).with_name("encoder")


@dataclass(frozen=True)
class EncoderRecipe:
    """How the encoder is trained.

    Args:
        out: folder to write; files of an earlier encoder in it are replaced.
        scenes: scenes of the train split; the demo's are the first of them.
        work: folder that keeps the image tower after each of its stages.
        coarse_epochs: passes of the image tower over crowded scenes at 64 pixels.
        crowded_epochs: passes over the same scenes at the encoder's own 96 pixels, after those.
        fine_epochs: passes over the world's own scenes at 96 pixels, at the end.
        image_batch: scenes per step of the image tower.
        text_epochs: passes of the text tower over the scenes, with one caption of each.
        text_batch: pairs of a scene and a caption that are contrasted with each other.
        coarse_learning_rate: of the image tower at its peak, on a one-cycle schedule.
        fine_learning_rate: the same, in each of the stages at 96 pixels.
        text_learning_rate: of the text tower at its peak.
        weight_decay: AdamW's.
        workers: processes that draw.
        seed: seed of the weights and of the order; the scenes are those of world 0.
    """

    out: Path = DEFAULT_OUT
    work: Path = Path("build/encoder-work")
    scenes: int = 20_000
    coarse_epochs: int = 14
    crowded_epochs: int = 8
    fine_epochs: int = 10
    image_batch: int = 64
    text_epochs: int = 20
    text_batch: int = 256
    coarse_learning_rate: float = 3e-3
    fine_learning_rate: float = 2e-3
    text_learning_rate: float = 1e-3
    weight_decay: float = 0.05
    workers: int = 2
    seed: int = 0


@dataclass(frozen=True)
class Drawn:
    """Scenes as arrays: pixels (I, H, W, 3) in 0..255, five captions each, presence (I, K)."""

    pixels: "np.ndarray"
    captions: list[tuple[str, ...]]
    present: "np.ndarray"


def draw_small(
    split: str, size: int, object_count: int | None, index: int
) -> tuple["np.ndarray", tuple[str, ...], list[str]]:
    """One scene at the encoder's size, drawn large and reduced exactly as its processor reduces it."""
    import numpy as np
    from PIL import Image

    from notclip.recaption.drawn_world.samples import make_sample
    from notclip.recaption.drawn_world.write import PICTURE_SIZE

    sample = make_sample(0, split, index, object_count=object_count)
    picture = sample.picture(PICTURE_SIZE).resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(picture), sample.captions, list(sample.scene.objects)


def draw_many(split: str, count: int, *, size: int, object_count: int | None = None, workers: int) -> Drawn:
    """Draw the first scenes of a split, as pictures of `size` pixels."""
    import numpy as np
    from tqdm import tqdm

    from notclip.recaption.drawn_world.vocabulary import OBJECTS

    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        drawing = pool.imap(partial(draw_small, split, size, object_count), range(count), chunksize=64)
        drawn = list(tqdm(drawing, total=count, desc=f"drawing {split} at {size} pixels", unit="scene", mininterval=5))
    pixels, captions, objects = zip(*drawn, strict=True)
    present = np.array([[name in shown for name in OBJECTS] for shown in objects])
    return Drawn(np.stack(pixels), list(captions), present)


def to_inputs(pixels: "np.ndarray") -> "torch.Tensor":
    """Pixels as the processor gives them: -1 to 1, shape (B, 3, H, W)."""
    import torch

    scaled = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1
    return scaled.contiguous(memory_format=torch.channels_last)


def contrastive_loss(
    image_embeds: "torch.Tensor", text_embeds: "torch.Tensor", scale: "torch.Tensor"
) -> "torch.Tensor":
    """CLIP's loss (Radford et al. 2021, Figure 3) on unit-norm embeddings of shape (B, D), in nats."""
    import torch
    from torch.nn import functional

    logits = scale * image_embeds @ text_embeds.T
    target = torch.arange(len(logits))
    return (functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target)) / 2


def caption_words(captions: list[tuple[str, ...]]) -> "torch.Tensor":
    """Which content words stand in any caption of each scene, shape (I, W).

    Function words, which no picture decides, are left out, and so are words of nearly all scenes or hardly any.
    """
    import torch

    from notclip.recaption.drawn_world.colours import PALETTE
    from notclip.recaption.drawn_world.encoder_parts import FUNCTION_WORDS

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
    tower: "PreTrainedModel", drawn: Drawn, recipe: EncoderRecipe, *, epochs: int, learning_rate: float
) -> None:
    """Teach the image tower to predict the words of a scene's captions; the read-out is thrown away."""
    import numpy as np
    import torch
    from torch.nn import functional
    from tqdm import tqdm

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


def image_tower_stages(tower: "PreTrainedModel", scenes: Drawn, recipe: EncoderRecipe) -> dict[str, int]:
    """Train the image tower on crowded scenes, small and then larger, and on the world's own scenes at the end.

    A stage that WORK already holds is read from there.

    Args:
        tower: what learns; changed in place.
        scenes: the world's own train scenes at the encoder's own size.
        recipe: the options.

    Returns:
        How many seconds each stage took when it ran, by its name.
    """
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    from notclip.recaption.drawn_world.encoder_parts import IMAGE_SIZE

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
        key = derived_key(CODE, of=[shared, stages[:number]], libraries=("numpy", "pillow", "torch", "transformers"))
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
    model: "VisionTextDualEncoderModel", tokenizer: "BertTokenizer", drawn: Drawn, recipe: EncoderRecipe
) -> None:
    """Teach text tower and both projections CLIP's loss against the frozen image tower."""
    import math

    import numpy as np
    from torch.nn import functional
    from tqdm import tqdm

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
            loss = contrastive_loss(images, captions, scale)
            _step(loss, parameters, optimizer, schedule)
            bar.set_postfix(loss=f"{loss.item():.2f}", scale=f"{scale.item():.0f}", refresh=False)
            bar.update()
    bar.close()
    model.eval()


def pooled_features(tower: "PreTrainedModel", pixels: "np.ndarray") -> "torch.Tensor":
    """What the frozen image tower makes of pictures, before the projection, shape (I, H)."""
    import torch

    with torch.no_grad():
        starts = range(0, len(pixels), 250)
        parts = [tower(pixel_values=to_inputs(pixels[start : start + 250])).pooler_output for start in starts]
        return torch.cat(parts).flatten(1)


def _optimizer(parameters: list, learning_rate: float, steps: int, recipe: EncoderRecipe) -> tuple:
    import torch

    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},  # biases and batch statistics' scales
    ]
    optimizer = torch.optim.AdamW(groups, lr=learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=max(steps, 2), pct_start=0.15)
    return optimizer, schedule


def _batches(count: int, size: int, rng: "np.random.Generator") -> "Iterator[np.ndarray]":
    order = rng.permutation(count)
    for start in range(0, count - size + 1, size):
        yield order[start : start + size]


def _step(loss: "torch.Tensor", parameters: list, optimizer: Any, schedule: Any) -> None:
    import torch

    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(parameters, 5.0)
    optimizer.step()
    schedule.step()


def shifted(pixels: "np.ndarray", rng: "np.random.Generator") -> "np.ndarray":
    """Shift a batch by up to two pixels, edges repeated: no statement of a caption changes by that."""
    import numpy as np

    down, right = rng.integers(0, 5, size=2)
    padded = np.pad(pixels, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="edge")
    height, width = pixels.shape[1:3]
    return padded[:, down : down + height, right : right + width]


def measure(
    model: "VisionTextDualEncoderModel", tokenizer: "BertTokenizer", *, fit: Drawn, held_out: Drawn
) -> dict[str, Any]:
    """Retrieval, presence and affirmation bias on held-out scenes; `fit` trains the linear read-out."""
    import numpy as np
    import torch
    from torch.nn import functional

    from notclip.recaption.drawn_world import encoder_checks as checks
    from notclip.recaption.drawn_world.vocabulary import KINDS, OBJECTS

    @torch.no_grad()
    def of_images(pixels: "np.ndarray") -> "np.ndarray":
        parts = [
            model.get_image_features(pixel_values=to_inputs(part)).pooler_output for part in np.array_split(pixels, 20)
        ]
        return functional.normalize(torch.cat(parts), dim=-1).numpy()

    @torch.no_grad()
    def of_texts(texts: list[str]) -> "np.ndarray":
        parts = []
        for start in range(0, len(texts), 500):
            tokens = tokenizer(texts[start : start + 500], padding=True, truncation=True, return_tensors="pt")
            parts.append(model.get_text_features(**tokens).pooler_output)
        return functional.normalize(torch.cat(parts), dim=-1).numpy()

    images = of_images(held_out.pixels)
    owners = np.repeat(np.arange(len(images)), 5)
    captions = of_texts([caption for captions in held_out.captions for caption in captions])
    prompt = checks.presence_auc(images @ of_texts([_indefinite(name) for name in OBJECTS]).T, held_out.present)
    weights = checks.linear_readout(of_images(fit.pixels), fit.present)
    readout = checks.presence_auc(images @ weights[:-1] + weights[-1], held_out.present)
    denials = images @ of_texts([f"no {KINDS[name].name}" for name in OBJECTS]).T
    return {
        "text_to_image_recall@1": checks.recall_at_k(images, captions, owners=owners, k=1),
        "text_to_image_recall@5": checks.recall_at_k(images, captions, owners=owners, k=5),
        "first_caption_recall@1": checks.recall_at_k(images, captions[::5], owners=owners[::5], k=1),
        "first_caption_recall@5": checks.recall_at_k(images, captions[::5], owners=owners[::5], k=5),
        "presence_auc_of_prompts": float(prompt.mean()),
        "presence_auc_of_linear_readout": float(readout.mean()),
        "affirmation_bias": checks.affirmation_bias(denials, held_out.present),
        "presence_auc_by_object": {
            name: {"prompt": round(float(a), 4), "linear_readout": round(float(b), 4)}
            for name, a, b in zip(OBJECTS, prompt, readout, strict=True)
        },
    }


def _indefinite(name: str) -> str:
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


@command(again="The same command goes on after the last stage of the image tower that was finished.")
def main(argv: list[str] | None = None) -> int:
    """Draw, train, measure, save."""
    recipe = parse(
        EncoderRecipe, argv, prog="train_drawn_world_encoder", description="Train the drawn world's encoder."
    )
    import torch

    from notclip.recaption.drawn_world.encoder_parts import IMAGE_SIZE, build_model, build_processor, build_tokenizer

    torch.manual_seed(recipe.seed)
    held_out = draw_many("validation", 1000, size=IMAGE_SIZE, workers=recipe.workers)
    scenes = draw_many("train", recipe.scenes, size=IMAGE_SIZE, workers=recipe.workers)
    tokenizer = build_tokenizer(caption for captions in scenes.captions for caption in captions)
    model = build_model(len(tokenizer))
    image_seconds = image_tower_stages(model.vision_model, scenes, recipe)
    started = time.monotonic()
    train_text_tower(model, tokenizer, scenes, recipe)
    text_seconds = round(time.monotonic() - started)
    # The read-out is fitted on the demo's train split, the first of these scenes.
    first = Drawn(scenes.pixels[:6000], scenes.captions[:6000], scenes.present[:6000])
    scores = measure(model, tokenizer, fit=first, held_out=held_out)
    record = {
        "recipe": {name: value for name, value in dataclasses.asdict(recipe).items() if name not in ("out", "work")},
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "tokens": len(tokenizer),
        "seconds_of_image_tower_by_stage": image_seconds,
        "seconds_of_text_tower": text_seconds,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "validation": scores,
    }
    recipe.out.mkdir(parents=True, exist_ok=True)
    with only_writer(recipe.out), partial_folder(recipe.out) as new:
        build_processor(tokenizer).save_pretrained(new)
        model.save_pretrained(new)
        write_whole(new / "TRAINING.json", json.dumps(record, indent=2) + "\n")
        write_whole(new / "README.md", CARD)
        for file in sorted(new.iterdir()):
            file.replace(recipe.out / file.name)
    print(json.dumps({name: value for name, value in record.items() if name != "recipe"}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
