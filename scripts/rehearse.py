"""Rehearse a release: push it to a Hub on this machine, and use it from there as its users will.

    notclip rehearse build/hub
    notclip rehearse build/hub --base ../models/clip    # the adapter's backbone, when it is not part of the release
    notclip rehearse build/hub --stay                   # leave the Hub up, to look around

Starts a Hub on 127.0.0.1, runs `notclip push-release` against it twice, then in fresh processes with empty caches,
and without this package: `from_pretrained` of all three forms, the zero-shot pipeline, `load_dataset` whole and
streamed, `evaluate.load`, `snapshot_download`, and the Spaces started and asked by a named endpoint; of
`notclip stage-reader`, both pipelines and the dataset. Nothing leaves the machine. Status 1 when anything fails.
docs/releasing.md says where this Hub and the real one may differ.
"""

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from notclip.command_line import command, parse
from notclip.errors import BadInputError
from notclip.files.escapes import terminal_text


@dataclass(frozen=True)
class RehearseConfig:
    """Options of `notclip rehearse`."""

    release: Annotated[Path, tyro.conf.Positional]
    """Folder that `notclip stage-release` or `notclip stage-reader` wrote."""
    base: Path | None = None
    """Folder of the adapter's backbone, when it is not part of the release; by default the Hub's cache is searched."""
    tolerance: float = 1e-4
    """Largest difference of a score from the training run's, in units of cosine similarity."""
    keep: Path | None = None
    """Folder to make for the Hub's disk, caches and logs; a temporary one, removed at the end, when absent."""
    stay: bool = False
    """Leave the Hub up after the checklist, until you press Ctrl-C."""
    port: int = 0
    """Port of 127.0.0.1; any free one by default."""


@command(again="The same command starts from the beginning; nothing but --keep's folder, if you gave one, is left.")
def main(argv: list[str] | None = None) -> int:
    """Serve, push, use, and print the checklist."""
    config = parse(RehearseConfig, argv, prog="notclip rehearse", description="Rehearse a release on this machine.")
    if config.base is not None and not (config.base / "config.json").is_file():
        raise BadInputError(f"`base` {config.base} holds no config.json: name the folder of a model.")
    if config.keep is not None and config.keep.exists():
        raise BadInputError(f"`keep` {config.keep} exists: name a folder that does not.")
    from notclip.files.whole_files import clear_partials, partial_folder
    from notclip.hub_cards.rehearsal.rehearsal import Rehearsal, new_hub
    from notclip.hub_cards.staging.staged_release import StagedRelease
    from notclip.loopback_hub.server import serve

    release = StagedRelease.read(config.release)
    place = Path(tempfile.gettempdir()) / "notclip-rehearsal"
    clear_partials(place.parent, place.name)  # What one that was killed left.
    if config.keep is not None:
        try:
            config.keep.mkdir(parents=True)
        except OSError as error:
            raise BadInputError(f"`keep` {config.keep} cannot be made: {error.strerror}.") from error
    with partial_folder(place) as temporary:
        work = (config.keep or temporary).resolve()
        hub = new_hub(release, work / "hub-disk")
        with serve(hub, port=config.port) as url:
            rehearsal = Rehearsal(
                hub, release, work, lambda text: print(terminal_text(text), flush=True), config.tolerance
            )
            passed = rehearsal.run(base=config.base)
            verdict = "All of it works." if passed else f"FAILED: {', '.join(rehearsal.failed)}."
            named = terminal_text(f"{release.name} {release.version}")
            print(f"{named}, {len(hub.log)} requests to {url}, none elsewhere. {verdict}")
            if config.stay:
                print(f"Look around with HF_ENDPOINT={url} HF_HUB_DISABLE_XET=1; Ctrl-C ends it.", flush=True)
                while True:
                    time.sleep(3600)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
