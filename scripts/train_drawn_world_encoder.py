"""Train the tiny dual encoder of the drawn world, on affirmative captions alone, and write it beside its package.

    python scripts/train_drawn_world_encoder.py
    python scripts/train_drawn_world_encoder.py --out build/encoder --epochs 2 --scenes 4000

Writes model, tokenizer, processor and TRAINING.json to OUT; the last holds the recipe, how long it took and what the
encoder scores on 1,000 validation scenes. `make demo` uses the committed weights and does not run this.

Scenes of one object come first, then all. The loss is CLIP's over the pairs of a batch, with two captions of a scene
as two batches. No caption negates, and nothing in the loss knows which objects are absent.
"""

import dataclasses
import json
import multiprocessing
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from notclip.scripts.command_line import command, parse

if TYPE_CHECKING:
    import numpy as np
    import torch
    from transformers import BertTokenizer, VisionTextDualEncoderModel

DEFAULT_OUT = Path(__file__).parents[1] / "recaption" / "drawn_world" / "encoder"


@dataclass(frozen=True)
class EncoderRecipe:
    """How the encoder is trained.

    Args:
        out: folder to write; files of an earlier encoder in it are replaced.
        scenes: scenes of the train split; the demo's are the first of them.
        single_scenes: scenes of one object, seen first.
        single_epochs: passes over the scenes of one object.
        epochs: passes over all scenes.
        batch_size: pairs of a scene and a caption that are contrasted with each other.
        learning_rate: at its peak; it rises for 200 steps and falls to zero along a cosine.
        weight_decay: of matrices; embeddings, norms and biases do not decay.
        workers: processes that draw.
        seed: seed of the weights and of the order; the scenes are those of world 0.
    """

    out: Path = DEFAULT_OUT
    scenes: int = 24_000
    single_scenes: int = 6_000
    single_epochs: int = 3
    epochs: int = 10
    batch_size: int = 128
    learning_rate: float = 1e-3
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


def draw_many(split: str, count: int, *, object_count: int | None = None, workers: int) -> Drawn:
    """Draw the first scenes of a split."""
    import numpy as np
    from tqdm import tqdm

    from notclip.recaption.drawn_world.encoder_parts import IMAGE_SIZE
    from notclip.recaption.drawn_world.vocabulary import OBJECTS

    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        drawing = pool.imap(partial(draw_small, split, IMAGE_SIZE, object_count), range(count), chunksize=64)
        drawn = list(tqdm(drawing, total=count, desc=f"drawing {split}", unit="scene", mininterval=5))
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


def train(
    model: "VisionTextDualEncoderModel",
    tokenizer: "BertTokenizer",
    phases: list[tuple[Drawn, int]],
    recipe: EncoderRecipe,
) -> None:
    """Train in place, phase after phase: scenes and the number of passes over them."""
    import math

    import numpy as np
    import torch
    from torch.nn import functional
    from tqdm import tqdm

    matrices = [p for n, p in model.named_parameters() if p.ndim >= 2 and "embeddings" not in n]
    rest = [p for n, p in model.named_parameters() if p.ndim < 2 or "embeddings" in n]
    groups = [{"params": matrices, "weight_decay": recipe.weight_decay}, {"params": rest, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=(0.9, 0.98))
    total = sum(epochs * (len(drawn.captions) // recipe.batch_size) for drawn, epochs in phases)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / 200) * (0.5 + 0.5 * math.cos(math.pi * step / total))
    )
    rng = np.random.default_rng(recipe.seed)
    model.train().to(memory_format=torch.channels_last)
    bar = tqdm(total=total, desc="training", unit="step", mininterval=5)
    smooth = math.log(recipe.batch_size)
    for drawn, epochs in phases:
        for _ in range(epochs):
            order = rng.permutation(len(drawn.captions))
            for start in range(0, len(order) - recipe.batch_size + 1, recipe.batch_size):
                rows = order[start : start + recipe.batch_size]
                # The first caption mentions the most; of the others, one at random.
                texts = [drawn.captions[row][0] for row in rows]
                texts += [drawn.captions[row][rng.integers(1, 5)] for row in rows]
                tokens = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
                images = model.get_image_features(
                    pixel_values=to_inputs(_shifted(drawn.pixels[rows], rng))
                ).pooler_output
                captions = model.get_text_features(**tokens).pooler_output
                images, captions = functional.normalize(images, dim=-1), functional.normalize(captions, dim=-1)
                scale = model.logit_scale.clamp(max=math.log(100)).exp()
                full, part = captions.chunk(2)
                loss = (contrastive_loss(images, full, scale) + contrastive_loss(images, part, scale)) / 2
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                schedule.step()
                smooth += 0.02 * (loss.item() - smooth)
                bar.set_postfix(loss=f"{smooth:.3f}", scale=f"{scale.item():.0f}", refresh=False)
                bar.update()
            model.save_pretrained(recipe.out)
    bar.close()
    model.eval()


def _shifted(pixels: "np.ndarray", rng: "np.random.Generator") -> "np.ndarray":
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


@command
def main(argv: list[str] | None = None) -> int:
    """Draw, train, measure, save."""
    recipe = parse(
        EncoderRecipe, argv, prog="train_drawn_world_encoder", description="Train the drawn world's encoder."
    )
    import torch

    from notclip.recaption.drawn_world.encoder_parts import build_model, build_processor, build_tokenizer

    torch.manual_seed(recipe.seed)
    recipe.out.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    single = draw_many("train", recipe.single_scenes, object_count=1, workers=recipe.workers)
    scenes = draw_many("train", recipe.scenes, workers=recipe.workers)
    held_out = draw_many("validation", 1000, workers=recipe.workers)
    drawn_after = time.monotonic() - started
    tokenizer = build_tokenizer(caption for captions in scenes.captions for caption in captions)
    build_processor(tokenizer).save_pretrained(recipe.out)
    model = build_model(len(tokenizer))
    train(model, tokenizer, [(single, recipe.single_epochs), (scenes, recipe.epochs)], recipe)
    trained_after = time.monotonic() - started
    # The read-out is fitted on the demo's train split, the first of these scenes.
    first = Drawn(scenes.pixels[:6000], scenes.captions[:6000], scenes.present[:6000])
    scores = measure(model, tokenizer, fit=first, held_out=held_out)
    model.save_pretrained(recipe.out)
    record = {
        "recipe": {name: value for name, value in dataclasses.asdict(recipe).items() if name != "out"},
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "tokens": len(tokenizer),
        "seconds_drawing": round(drawn_after),
        "seconds_training": round(trained_after - drawn_after),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "validation": scores,
    }
    (recipe.out / "TRAINING.json").write_text(json.dumps(record, indent=2) + "\n")
    print(json.dumps({name: value for name, value in record.items() if name != "recipe"}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
