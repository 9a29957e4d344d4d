r"""Stage a release: every repository as it will stand on the Hub, each with a card made from the results.

    notclip stage-release --model build/train --data build/data --namespace me --out build/hub \
        --results build/results/base.json build/results/backbone.json build/results/notclip.json

Writes OUT/model, OUT/backbone, OUT/adapter, OUT/dataset, OUT/metrics/…, and OUT/manifest.json with the hash of every
file. The same inputs give the same bytes. Nothing is uploaded.
"""

import sys

from notclip.command_line import command, parse
from notclip.files.escapes import terminal_text
from notclip.hub_cards.staging.config import StageConfig


@command(again="OUT is as it was; the same command starts from the beginning.")
def main(argv: list[str] | None = None) -> int:
    """Stage, and list what was written."""
    config = parse(StageConfig, argv, prog="notclip stage-release", description="Stage a release for the Hub.")
    from notclip.hub_cards.staging.stage import stage_release

    manifest = stage_release(config)
    width = max(len(repo["folder"]) for repo in manifest["repos"])
    for repo in manifest["repos"]:
        megabytes = sum(file["size"] for file in repo["files"].values()) / 1e6
        print(f"{config.out / repo['folder']!s:{len(str(config.out)) + 1 + width}}  {megabytes:8.1f} MB  ", end="")
        print(terminal_text(f"{repo['repo_type']:8}{repo['repo_id']}"))
    print(f"{config.out / 'manifest.json'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
