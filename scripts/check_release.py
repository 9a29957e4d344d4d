"""Use a staged release as its users will: in a fresh process, with this package absent, from the folder alone.

    notclip check-release build/hub
    notclip check-release build/hub --tolerance 1e-4

Loads the model by AutoModel, AutoProcessor and the zero-shot pipeline with remote code, the merged backbone by its own
class, the adapter by peft, the dataset by `load_dataset`, the metrics by `evaluate.load`, and compares scores with
those that the training run wrote down; of `notclip stage-reader`, both pipelines and the dataset. Status 1 when
anything fails. `notclip rehearse` does the same through a Hub.
"""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from notclip.command_line import command, parse
from notclip.errors import BadInputError


@dataclass(frozen=True)
class CheckConfig:
    """Options of `notclip check-release`."""

    release: Annotated[Path, tyro.conf.Positional]
    """Folder that `notclip stage-release` or `notclip stage-reader` wrote."""
    base: str | None = None
    """Where the adapter's backbone is on this machine; the name in adapter_config.json when absent."""
    tolerance: float = 1e-4
    """Largest difference of a score from the training run's, in units of cosine similarity."""


@command(again="The same command starts from the beginning.")
def main(argv: list[str] | None = None) -> int:
    """Run the checks in a fresh process and print them."""
    config = parse(CheckConfig, argv, prog="notclip check-release", description="Use a release as its users will.")
    if not any((config.release / name).is_file() for name in ("model/reference_scores.json", "reader/config.json")):
        raise BadInputError(
            f"`release` {config.release} holds neither model/reference_scores.json nor reader/config.json: not a "
            "staged release."
        )
    from notclip.hub_cards.rehearsal.fresh_process import use_release

    release = config.release.resolve()
    if (release / "reader").is_dir():
        folders, parts, base = ["reader", "dataset"], ["reader", "data"], None
    else:
        folders = ["model", "backbone", "adapter", "dataset", "metrics/negated_mcq", "metrics/negated_retrieval"]
        parts, base = ["models", "data", "metrics"], _base_of_adapter(config, release)
    with tempfile.TemporaryDirectory() as home:
        arguments = {
            "places": {folder: str(release / folder) for folder in folders},
            "base": base,
            "tolerance": config.tolerance,
            "parts": parts,
        }
        return 0 if use_release(arguments, home=Path(home)) else 1


def _base_of_adapter(config: CheckConfig, release: Path) -> str:
    from notclip.files.json_files import check_record, read_json_object

    if config.base is not None:
        return str(Path(config.base).resolve() if Path(config.base).exists() else config.base)
    adapter = read_json_object(release / "adapter" / "adapter_config.json", "`release`")
    check_record(adapter, {"base_model_name_or_path": str}, "`release` adapter/adapter_config.json")
    return str(release / "base") if (release / "base").is_dir() else str(adapter["base_model_name_or_path"])


if __name__ == "__main__":
    sys.exit(main())
