"""Start a suite of your own: a folder of photos and a file of examples, which `notclip score-model` takes.

    notclip init-suite my_suite                 # drawn examples that run at once, to be replaced by yours
    notclip init-suite folder_with_my_photos    # an example for each photo, with blanks for its captions
    notclip init-suite my_suite --form csv

Exit status: 0 written, 2 bad input.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from notclip.command_line import command, parse


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

    written = start_suite(config.folder, form=config.form)
    print("\n".join(["Written:", *(f"  {file}" for file in written), ""]))
    print(f"Edit {written[0]}, then:")
    print(f"  notclip score-model --model MODEL --suite {config.folder} --out {config.folder}/results/model.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
