"""Programs started as a user would start them: an empty cache, no settings of ours, no token."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).with_name("release_user.py")
_CHILD = Path(__file__).with_name("child.py")
_OURS = ("HF_", "HUGGING", "PYTHON", "TRANSFORMERS_", "GRADIO_", "NOTCLIP_", "DATASETS_")


def user_environment(home: Path, *, endpoint: str | None) -> dict[str, str]:
    """The environment of a user's process.

    Args:
        home: folder of all caches.
        endpoint: the Hub it talks to; None for a process that talks to nobody.
    """
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(_OURS)}
    caches = {"HF_HOME": str(home / "hf"), "XDG_CACHE_HOME": str(home / "cache"), "MPLCONFIGDIR": str(home / "mpl")}
    # A checklist is to be read: no bars and no warnings between its lines.
    quiet = {"TOKENIZERS_PARALLELISM": "false", "PYTHONWARNINGS": "ignore", "TRANSFORMERS_VERBOSITY": "error"}
    quiet |= dict.fromkeys(("HF_HUB_DISABLE_PROGRESS_BARS", "HF_DATASETS_DISABLE_PROGRESS_BARS"), "1")
    quiet |= {"HF_HUB_DISABLE_TELEMETRY": "1"}
    if endpoint is None:
        return kept | caches | quiet | {"HF_HUB_OFFLINE": "1"}
    # A proxy that nobody serves: what would go anywhere else fails at once.
    nowhere = {name: "http://127.0.0.1:9" for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")}
    nowhere |= dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost")
    hub = {"HF_ENDPOINT": endpoint, "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"}
    return kept | caches | quiet | nowhere | hub | {"GRADIO_ANALYTICS_ENABLED": "False"}


def python(file: Path | str, *arguments: str) -> list[str]:
    """The command line that runs a Python file in a process which ends with this one, even where that is killed."""
    return [sys.executable, str(_CHILD), str(os.getpid()), str(file), *arguments]


def use_release(arguments: Mapping[str, Any], *, home: Path, endpoint: str | None = None) -> bool:
    """Run `release_user.py` in a fresh process; says whether every check passed."""
    command = python(PROGRAM, json.dumps(arguments))
    environment = user_environment(home, endpoint=endpoint)
    return subprocess.run(command, env=environment, cwd=home, check=False).returncode == 0  # noqa: S603  # our file
