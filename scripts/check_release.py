"""Use a staged release as its users will: in a fresh process, with this package absent, from the folder alone.

    notclip check-release build/hub
    notclip check-release build/hub --tolerance 1e-4

Loads the model by AutoModel, AutoProcessor and the zero-shot pipeline with remote code, the merged backbone by its own
class, the adapter by peft, the dataset by `load_dataset`, the metrics by `evaluate.load`, and compares scores with
those that the training run wrote down. Status 1 when anything fails.
"""

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from notclip.errors import BadInputError
from notclip.scripts.command_line import command, parse


@dataclass(frozen=True)
class CheckConfig:
    """Options of `notclip check-release`."""

    release: Annotated[Path, tyro.conf.Positional]
    """Folder that `notclip stage-release` wrote."""
    base: str | None = None
    """Where the adapter's backbone is on this machine; the name in adapter_config.json when absent."""
    tolerance: float = 1e-4
    """Largest difference of a score from the training run's, in units of cosine similarity."""


@command
def main(argv: list[str] | None = None) -> int:
    """Run the checks in a fresh process and print them."""
    config = parse(CheckConfig, argv, prog="notclip check-release", description="Use a release as its users will.")
    if not (config.release / "model" / "release_probe.json").is_file():
        raise BadInputError(f"`release` {config.release} holds no model/release_probe.json: not a staged release.")
    program = Path(__file__).parent.parent / "hub_cards" / "release_user.py"
    with tempfile.TemporaryDirectory() as home:
        environment = _clean_environment(Path(home))
        arguments = [str(config.release.resolve()), config.base or "", str(config.tolerance)]
        done = subprocess.run([sys.executable, str(program), *arguments], env=environment, cwd=home, check=False)
    return 1 if done.returncode else 0


def _clean_environment(home: Path) -> dict[str, str]:
    import os

    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "PYTHON"))}
    return kept | {"HF_HOME": str(home / "hf"), "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


if __name__ == "__main__":
    sys.exit(main())
