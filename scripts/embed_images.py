"""Embed a dataset's photos once, for every training that follows.

    notclip embed-images --base openai/clip-vit-base-patch32 --data build/data --cache build/cache
    torchrun --nproc-per-node 8 -m notclip.scripts.embed_images --base … --data … --cache …   # eight share the work
    notclip train-adapter --base openai/clip-vit-base-patch32 --data build/data --cache build/cache --out build/trained

Started again it goes on with the shards that are missing. Training does the same by itself where the cache lacks them.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from notclip.command_line import command, parse
from notclip.errors import BadInputError


@dataclass(frozen=True)
class EmbedConfig:
    """Options of `notclip embed-images`."""

    base: str
    """Backbone: a Hub id or a folder that holds any dual encoder of transformers, or an OpenCLIP checkpoint."""
    data: Path
    """Folder that `notclip build-dataset` wrote, or such a dataset's id on the Hub."""
    cache: Path
    """Folder for the embeddings, as `notclip train-adapter --cache` takes it."""
    splits: tuple[str, ...] = ("train", "validation")
    """Splits whose photos are embedded."""
    images: Path | None = None
    """Folder of the photos, where the data only refer to them (built with `--images referenced`)."""
    architecture: str | None = None
    """OpenCLIP's name for what a base of weights alone is of, such as ViT-B-32-quickgelu."""
    batch_size: int = 64
    """Photos embedded at once."""

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise BadInputError(f"`batch_size` must be at least 1, got {self.batch_size}.")


@command(again="The same command goes on with the shards that are missing.")
def main(argv: list[str] | None = None) -> int:
    """Embed what the cache lacks."""
    config = parse(EmbedConfig, argv, prog="notclip embed-images", description="Embed a dataset's photos once.")
    import torch
    from accelerate import PartialState

    from notclip.dataset.hub import on_this_machine
    from notclip.loading import load_model
    from notclip.training.processes import beside_others, first_before_others
    from notclip.training.run import embed_splits, read_data

    processes = PartialState(cpu=not torch.accelerator.is_available())  # torchrun or accelerate may start several
    try:
        with beside_others():
            model = load_model(config.base, architecture=config.architecture, argument="base").to(processes.device)
            with first_before_others():
                data = on_this_machine(config.data, config.splits)
            splits = read_data(data, config.splits, images=config.images, cache=config.cache)
            embedded = embed_splits(model, splits, config.cache, batch_size=config.batch_size)
    finally:
        processes.destroy_process_group()
    if processes.is_main_process:
        for name, embeds in zip(config.splits, embedded, strict=True):
            print(f"{name}: {len(embeds):,} photos, {embeds.width} numbers each, in {config.cache}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
