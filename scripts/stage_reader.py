r"""Stage notclip-reader: the reader of negation as a model of its own, and its labelled texts as a data set.

    notclip stage-reader --namespace me --out build/reader     # in a checkout of NotCLIP
    notclip rehearse build/reader
    notclip push-release build/reader

Writes OUT/reader, OUT/dataset and OUT/manifest.json; nothing is uploaded. Releases of models need none of it: each
carries the reader among its own files. docs/reading.md says what the model gives.
"""

import sys

from notclip.command_line import command, parse
from notclip.hub_cards.staging.config import StageReaderConfig
from notclip.scripts.stage_release import print_staged


@command(again="OUT is as it was; the same command starts from the beginning.")
def main(argv: list[str] | None = None) -> int:
    """Stage, and list what was written."""
    config = parse(
        StageReaderConfig, argv, prog="notclip stage-reader", description="Stage notclip-reader for the Hub."
    )
    from notclip.hub_cards.staging.reader import stage_reader

    print_staged(config.out, stage_reader(config))
    return 0


if __name__ == "__main__":
    sys.exit(main())
