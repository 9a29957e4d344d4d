"""Memory and time to the first step of a training as the data grows, and what a step costs then.

    python benchmarks/training_memory.py --captions 2000 --steps 1 --out build/memory      # does it work?
    python benchmarks/training_memory.py --captions 100000 --out build/memory
    python benchmarks/training_memory.py --captions 3000000 --out build/memory

The data are made up: as many images as captions, one question an image in groups of four, photos that are only
referred to, and embeddings drawn at random, so that what is measured is what training holds and reads. The text tower
is tiny. Prints one line of JSON; `memory` is what this process alone holds (anonymous pages), beside what it held when
the model was loaded; `mapped` are pages of files, which the system takes back when it needs them.
"""

import argparse
import json
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from transformers import TrainerCallback

from notclip.dataset.schema import features_of
from notclip.loading import load_model
from notclip.training.arguments import NegationTrainingArguments
from notclip.training.batches import NegationDataset
from notclip.training.data import read_training_split
from notclip.training.embedding_shards import ROWS, EmbeddingShards
from notclip.training.lora import add_lora
from notclip.training.trainer import NegationTrainer

ENCODER = Path(__file__).parents[1] / "recaption" / "drawn_world" / "encoder"
THINGS = ("dog", "cat", "car", "ball", "boat", "chair", "tree", "hat")
_ROW_GROUP = 10_000


def main(argv: list[str] | None = None) -> int:
    """Write the data once, then read and train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--captions", type=int, default=100_000)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--out", type=Path, default=Path("build/memory"))
    options = parser.parse_args(argv)
    data = options.out / f"data-{options.captions}"
    if not (data / "retrieval" / "train.parquet").is_file():
        write_data(data, options.captions)
    cache = options.out / f"cache-{options.captions}"
    shutil.rmtree(cache, ignore_errors=True)

    model = load_model(str(ENCODER), composition="scope")
    model.backbone = add_lora(model.backbone, rank=8, alpha=16)
    before = memory()
    began, clock = time.monotonic(), time.process_time()
    read_training_split(data, "train", cache=cache)
    first_reading = {"index_seconds": round(time.monotonic() - began, 1), "index_memory": grown(before)}
    first_reading["index_cpu_seconds"] = round(time.process_time() - clock, 1)
    shards = random_shards(options.out / f"embeds-{options.captions}", options.captions, model.config.embedding_dim)
    began = time.monotonic()
    split = read_training_split(data, "train", cache=cache)
    watch = Watch(before, began)
    arguments = NegationTrainingArguments(
        output_dir=str(options.out / "state"),
        use_cpu=not torch.accelerator.is_available(),
        max_steps=options.steps,
        eval_strategy="no",
        save_strategy="no",
        eval_on_start=False,
        load_best_model_at_end=False,
        disable_tqdm=True,
    )
    dataset = NegationDataset(split, shards)
    trainer = NegationTrainer(model, arguments, train_dataset=dataset, eval_dataset=dataset, callbacks=[watch])
    trainer.train()
    print(json.dumps({"captions": options.captions, **first_reading, **watch.seen}))
    return 0


class Watch(TrainerCallback):
    """Notes the time to the first step, and memory at the first and the last."""

    def __init__(self, before: int, began: float) -> None:
        self._before, self._began = before, began
        self.seen: dict[str, float] = {}

    def on_step_begin(self, args, state, control, **kwargs):
        """At the first, the batch is read."""
        if state.global_step == 0:
            self.seen["seconds_to_first_step"] = round(time.monotonic() - self._began, 1)
            self.seen["memory_at_first_step"] = grown(self._before)

    def on_step_end(self, args, state, control, **kwargs):
        """After the last."""
        if state.global_step == args.max_steps:
            self.seen["memory_after_last_step"] = grown(self._before)
            self.seen["mapped"] = round(psutil.Process().memory_info().shared / 1e6)


def memory() -> int:
    """Bytes that this process alone holds."""
    info = psutil.Process().memory_info()
    return info.rss - info.shared


def grown(before: int) -> int:
    """Megabytes beside what was held before."""
    return round((memory() - before) / 1e6)


def write_data(folder: Path, captions: int) -> None:
    """A dataset of made-up rows, as `--images referenced` writes it."""
    features = features_of("referenced")
    for config in ("captions", "questions", "retrieval"):
        (folder / config).mkdir(parents=True, exist_ok=True)
        schema = features[config].arrow_schema
        unfinished = folder / config / ".train.parquet"
        with pq.ParquetWriter(unfinished, schema, compression="zstd") as writer:
            for start in range(0, captions, _ROW_GROUP):
                rows = [row_of(config, number) for number in range(start, min(captions, start + _ROW_GROUP))]
                complete = [{name: row.get(name) for name in schema.names} for row in rows]
                writer.write_table(pa.Table.from_pylist(complete, schema=schema))
        unfinished.rename(folder / config / "train.parquet")


def row_of(config: str, number: int) -> dict:
    """A row of one image of its own; four questions that follow each other share their choices."""
    present, absent = THINGS[number % 8], THINGS[(number + 1 + number // 8 % 7) % 8]
    shared = {"image_url": f"{number:08d}.jpg", "image_sha256": f"{number:064x}", "image_id": f"image-{number}"}
    negated = [f"a {present} near sign {number % 9973} with no {absent}", f"a {present} but no {absent}"]
    if config == "captions":
        return shared | {"caption": f"a {present} near sign {number % 9973}", "negated_captions": negated}
    if config == "retrieval":
        return shared | {"captions": negated[:1]}
    group = number // 4
    choices = [f"a {thing} with no {absent} at {group}" for thing in THINGS[:4]]
    return shared | {"choices": choices, "answer": number % 4, "kind": 2, "choice_kinds": [2] * 4, "group": str(group)}


def random_shards(folder: Path, count: int, width: int) -> EmbeddingShards:
    """Unit vectors in the form in which `notclip embed-images` writes them."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(-(-count // ROWS)):
        file = folder / f"{number:06d}.npy"
        if not file.is_file():
            rows = np.random.default_rng(number).standard_normal((min(ROWS, count - number * ROWS), width))
            np.save(file, (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32))
    return EmbeddingShards(folder, count, width)


if __name__ == "__main__":
    sys.exit(main())
