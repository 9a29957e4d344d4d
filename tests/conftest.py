"""What holds for all tests: no network, no writes outside a temporary folder, no display."""

import os
import tempfile

# Before anything imports huggingface_hub, datasets, evaluate or matplotlib, all of which read these once.
_HOME = tempfile.TemporaryDirectory(prefix="notclip-tests-")
os.environ.update(
    HF_HOME=_HOME.name,
    XDG_CACHE_HOME=_HOME.name,
    HF_HUB_OFFLINE="1",
    HF_HUB_DISABLE_XET="1",  # The loopback Hub has large-file storage in its older form.
    HF_HUB_DISABLE_PROGRESS_BARS="1",
    HF_HUB_DISABLE_TELEMETRY="1",
    MPLBACKEND="Agg",
    MPLCONFIGDIR=_HOME.name,
    TOKENIZERS_PARALLELISM="false",
)
