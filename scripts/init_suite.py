"""Start a suite of your own: a folder of photos and a file of examples, which `notclip score-model` takes.

    notclip init-suite my_suite                 # drawn examples that run at once, to be replaced by yours
    notclip init-suite folder_with_my_photos    # an example for each photo, with blanks for its captions
    notclip init-suite my_suite --form csv

Exit status: 0 written, 2 bad input.
"""

import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from notclip.command_line import command, parse

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 224


@dataclass(frozen=True)
class InitSuiteConfig:
    """Options of `notclip init-suite`."""

    folder: Annotated[Path, tyro.conf.Positional]
    """Folder of the suite; made when absent. Photos in it become examples with blanks."""
    form: Literal["yaml", "csv"] = "yaml"
    """What holds the examples: YAML, with comments and queries, or CSV, which spreadsheets open."""


@command(again="The same command starts from the beginning.")
def main(argv: list[str] | None = None) -> int:
    """Write the files, and say what to do next."""
    config = parse(InitSuiteConfig, argv, prog="notclip init-suite", description="Start a suite of your own.")
    from notclip.scoring.suites.start import start_suite

    written = start_suite(config.folder, draw=draw_example, form=config.form)
    print("\n".join(["Written:", *(f"  {file}" for file in written), ""]))
    print(f"Edit {written[0]}, then:")
    print(f"  notclip score-model --model MODEL --suite {config.folder} --out {config.folder}/results/model.json")
    return 0


def draw_example(setting: str, thing: str) -> "Image":
    """The first scene of the drawn world in such a place that shows one such thing and nothing else."""
    from notclip.recaption.drawn_world.scene import compose_scene, draw_scene

    for seed in range(100_000):
        scene = compose_scene(random.Random(f"{setting} {thing} {seed}"), object_count=1, setting=setting)
        if scene.objects == (thing,) and len(scene.things) == 1:
            return draw_scene(scene, SIDE)
    raise AssertionError(f"no scene of a {setting} shows a {thing} alone")


if __name__ == "__main__":
    sys.exit(main())
