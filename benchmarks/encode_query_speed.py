"""What a query that excludes costs beside a plain text's embedding, on a text tower of ViT-B/32's size.

    python benchmarks/encode_query_speed.py
    python benchmarks/encode_query_speed.py --model FOLDER

Without --model the weights are random, and the tokenizer is the drawn world's. One thread; milliseconds of processor
time, medians of repeats in which all ways take turns. "New" are concepts that the model meets for the first time,
otherwise it remembers them; each scene is new to it always.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import CLIPConfig, CLIPModel

from notclip.remote.modeling_notclip import NotClipModel

DRAWN_WORLD = Path(__file__).parents[1] / "recaption" / "drawn_world" / "encoder"
SCENES = "a beach,a busy street,a kitchen,a football field,snow,a lake,a park in autumn,a living room".split(",")
THINGS = "dogs,cars,umbrellas,boats,trees,bicycles,birds,balls,chairs,kites,horses,benches".split(",")
BATCH = 64


def random_model() -> NotClipModel:
    """A CLIP whose text tower is ViT-B/32's, untrained; its image tower is of no account."""
    image_tower = {"hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 1}
    tokenizer = NotClipModel.from_backbone(DRAWN_WORLD).processor
    return NotClipModel.from_backbone(CLIPModel(CLIPConfig(vision_config=image_tower)), processor=tokenizer)


def main() -> int:
    """Time every way by turns, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=None, help="a dual encoder; random weights when absent")
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = random_model() if options.model is None else NotClipModel.from_backbone(options.model)
    width = model.config.embedding_dim
    model.calibrate(torch.nn.functional.normalize(torch.randn(200, width), dim=-1))
    scenes = [f"{scene} with {number} kites" for number in range(8) for scene in SCENES]

    def excluding(scene: str, row: int, count: int) -> str:
        return f"{scene}, " + ", ".join(f"no {THINGS[(row + step) % len(THINGS)]}" for step in range(count))

    def forget(concepts: list[str]) -> None:
        for concept in concepts:
            model.remembered.pop(concept, None)

    ways: dict[str, tuple[str, Callable[[], object]]] = {
        "one text, plain": ("", lambda: model.encode_texts(scenes[:1]))
    }
    for count in (1, 3):
        query = excluding(scenes[0], 0, count)
        ways[f"one query, {count} excluded, new"] = (
            "one text, plain",
            lambda query=query, count=count: (forget(THINGS[:count]), model.encode_query(query)),
        )
        ways[f"one query, {count} excluded"] = ("one text, plain", lambda query=query: model.encode_query(query))
    ways[f"{BATCH} texts, plain"] = ("", lambda: model.encode_texts(scenes))
    for count in (1, 3):
        queries = [excluding(scene, row, count) for row, scene in enumerate(scenes)]
        base = f"{BATCH} texts, plain"
        model.encode_queries(queries)
        ways[f"{BATCH} queries, {count} excluded each"] = (base, lambda queries=queries: model.encode_queries(queries))
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for repeat in range(options.repeats + 1):
        for name, (_, way) in ways.items():
            began = time.process_time()
            way()
            if repeat:  # The first round warms up.
                taken[name].append(1000 * (time.process_time() - began))
    medians = {name: statistics.median(own) for name, own in taken.items()}
    print("| what | ms | beside plain |\n|---|---:|---:|")
    for name, (base, _) in ways.items():
        beside = f"{medians[name] / medians[base]:.2f}" if base else ""
        print(f"| {name} | {medians[name]:.1f} | {beside} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
