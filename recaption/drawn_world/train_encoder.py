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
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from notclip.command_line import command, parse
from notclip.files.only_writer import only_writer
from notclip.files.whole_files import partial_folder, write_whole

CARD = """---
license: apache-2.0
---
A dual encoder of the drawn world. TRAINING.json says how it was trained, and what came of it.
"""
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


@command(again="The same command goes on after the last stage of the image tower that was finished.")
def main(argv: list[str] | None = None) -> int:
    """Draw, train, measure, save."""
    recipe = parse(
        EncoderRecipe, argv, prog="train_drawn_world_encoder", description="Train the drawn world's encoder."
    )
    import torch

    from notclip.recaption.drawn_world.encoder_parts import (
        IMAGE_SIZE,
        build_processor,
        build_tokenizer,
        untrained_encoder,
    )
    from notclip.recaption.drawn_world.encoder_training import image_tower_stages, measure_encoder, train_text_tower
    from notclip.recaption.drawn_world.write import Drawn, draw_many

    torch.manual_seed(recipe.seed)
    held_out = draw_many("validation", 1000, size=IMAGE_SIZE, workers=recipe.workers)
    scenes = draw_many("train", recipe.scenes, size=IMAGE_SIZE, workers=recipe.workers)
    tokenizer = build_tokenizer(caption for captions in scenes.captions for caption in captions)
    model = untrained_encoder(len(tokenizer))
    image_seconds = image_tower_stages(model.vision_model, scenes, recipe)
    started = time.monotonic()
    train_text_tower(model, tokenizer, scenes, recipe)
    text_seconds = round(time.monotonic() - started)
    # The read-out is fitted on the demo's train split, the first of these scenes.
    first = Drawn(scenes.pixels[:6000], scenes.captions[:6000], scenes.present[:6000])
    scores = measure_encoder(model, tokenizer, fit=first, held_out=held_out)
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
