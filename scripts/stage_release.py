r"""Stage a release: every repository as it will stand on the Hub, each with a card made from the results.

    notclip stage-release --model build/train --data build/data --namespace me --out build/hub \
        --results build/results/base.json build/results/backbone.json build/results/notclip.json

Writes OUT/model, OUT/backbone, OUT/adapter, OUT/dataset, OUT/metrics/…, and OUT/manifest.json with the hash of every
file. The same inputs give the same bytes. Nothing is uploaded.
"""

import sys
from pathlib import Path
from typing import Any

from notclip.command_line import command, parse
from notclip.files.escapes import terminal_text
from notclip.hub_cards.staging.config import StageConfig


@command(again="OUT is as it was; the same command starts from the beginning.")
def main(argv: list[str] | None = None) -> int:
    """Stage, and list what was written."""
    config = parse(StageConfig, argv, prog="notclip stage-release", description="Stage a release for the Hub.")
    from notclip.hub_cards.staging.stage import stage_release

    print_staged(config.out, stage_release(config))
    return 0


def print_staged(out: Path, manifest: dict[str, Any]) -> None:
    """List the repositories of a stage."""
    width = max(len(repo["folder"]) for repo in manifest["repos"])
    for repo in manifest["repos"]:
        megabytes = sum(file["size"] for file in repo["files"].values()) / 1e6
        print(f"{out / repo['folder']!s:{len(str(out)) + 1 + width}}  {megabytes:8.1f} MB  ", end="")
        print(terminal_text(f"{repo['repo_type']:8}{repo['repo_id']}"))
    print(f"{out / 'manifest.json'}")


if __name__ == "__main__":
    sys.exit(main())
