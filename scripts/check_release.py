"""Use a staged release as its users will: in a fresh process, with this package absent, from the folder alone.

    notclip check-release build/hub
    notclip check-release build/hub --tolerance 1e-4

Loads the model by AutoModel, AutoProcessor and the zero-shot pipeline with remote code, the merged backbone by its own
class, the adapter by peft, the dataset by `load_dataset`, the metrics by `evaluate.load`, and compares scores with
those that the training run wrote down. Status 1 when anything fails. `notclip rehearse` does the same through a Hub.
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
    """Folder that `notclip stage-release` wrote."""
    base: str | None = None
    """Where the adapter's backbone is on this machine; the name in adapter_config.json when absent."""
    tolerance: float = 1e-4
    """Largest difference of a score from the training run's, in units of cosine similarity."""


@command(again="The same command starts from the beginning.")
def main(argv: list[str] | None = None) -> int:
    """Run the checks in a fresh process and print them."""
    config = parse(CheckConfig, argv, prog="notclip check-release", description="Use a release as its users will.")
    if not (config.release / "model" / "reference_scores.json").is_file():
        raise BadInputError(f"`release` {config.release} holds no model/reference_scores.json: not a staged release.")
    from notclip.files.json_files import check_record, read_json_object
    from notclip.hub_cards.rehearsal.fresh_process import use_release

    release = config.release.resolve()
    parts = ("model", "backbone", "adapter", "dataset", "metrics/negated_mcq", "metrics/negated_retrieval")
    adapter = read_json_object(release / "adapter" / "adapter_config.json", "`release`")
    check_record(adapter, {"base_model_name_or_path": str}, "`release` adapter/adapter_config.json")
    staged = str(release / "base") if (release / "base").is_dir() else adapter["base_model_name_or_path"]
    base = (
        staged
        if config.base is None
        else str(Path(config.base).resolve() if Path(config.base).exists() else config.base)
    )
    with tempfile.TemporaryDirectory() as home:
        arguments = {
            "places": {part: str(release / part) for part in parts},
            "base": base,
            "tolerance": config.tolerance,
            "parts": ["models", "data", "metrics"],
        }
        return 0 if use_release(arguments, home=Path(home)) else 1


if __name__ == "__main__":
    sys.exit(main())
