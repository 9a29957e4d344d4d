"""NotCLIP in a browser: what an ordinary model returns for "a beach with no people", and what NotCLIP returns.

    make space                          # in the repository: http://127.0.0.1:7860
    python app.py                       # in a staged or pushed Space

Beside this file a pushed Space holds `release.json` (ids and revisions of the released models, links), `photos/` (test
split of the dataset), `results/` (base.json, notclip.json) and `notclip/` (the package's code at this release).
Without them the drawn world and its encoder of the package are used. The environment comes before the files:

    NOTCLIP_SPACE_RELEASE   folder of a staged release (`notclip stage-release`): models, photos, results from there
    NOTCLIP_SPACE_BASE      the ordinary model: Hub id, id@revision, or a folder
    NOTCLIP_SPACE_MODEL     NotCLIP; with a BASE and without it, the base is composed as it is
    NOTCLIP_SPACE_PHOTOS    drawn-world, a built dataset, a folder of Parquet files, or a folder of pictures
    NOTCLIP_SPACE_MODELS    further models that may be diagnosed, separated by commas
    NOTCLIP_SPACE_SUITES    further suites for it: folders or CSV files, separated by colons
    NOTCLIP_SPACE_CACHE     where image embeddings are kept; ~/.cache/notclip/space by default

Gradio's own variables count too: GRADIO_SERVER_NAME, GRADIO_SERVER_PORT, GRADIO_TEMP_DIR.
"""

import os

# Before gradio is imported: no statistics are sent to anyone.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import logging
import sys
from pathlib import Path

import gradio as gr
import torch

from notclip.errors import BadInputError
from notclip.space.api import SERVES_TOOLS
from notclip.space.look import SCRIPT, STYLE, theme
from notclip.space.page import build_page
from notclip.space.settings import read_settings

LOGGER = logging.getLogger("notclip.space")
MAX_WAITING = 64
MAX_SESSIONS = 200  # Gradio keeps what each page shows, some 150 KB; beyond these the longest unused is forgotten.
MAX_FILE = "20mb"
ASSETS = Path(__file__).parent / "assets"
DESCRIPTION = "Search photos by what they do not show: an ordinary vision-language model beside one that reads “not”."
ORPHAN_SECONDS = 600  # Uploads that no page has read, as when a tab was closed, are deleted after this time.


def build_demo(here: Path = Path(__file__).parent) -> gr.Blocks:
    """Load everything and build the app.

    Raises:
        BadInputError: a setting cannot be used.
    """
    # Visitors are served side by side; several threads for each slow all of them down.
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // 2))
    page = build_page(read_settings(here), orphan_seconds=ORPHAN_SECONDS)
    return page.queue(max_size=MAX_WAITING, default_concurrency_limit=2, api_open=True)


def launch(app: gr.Blocks, *, wait: bool) -> str:
    """Serve the app and return its address.

    Args:
        app: what `build_demo` returned.
        wait: stay here until the process is interrupted.
    """
    gr.set_static_paths([ASSETS])
    _, address, _ = app.launch(
        theme=theme(),
        css=STYLE.read_text(encoding="utf-8"),
        head=f"<script>{SCRIPT.read_text(encoding='utf-8')}</script>",
        max_file_size=MAX_FILE,
        footer_links=["api"],
        mcp_server=SERVES_TOOLS,
        ssr_mode=False,
        show_error=True,
        prevent_thread_lock=True,
        state_session_capacity=MAX_SESSIONS,
    )
    # What others see of a link to it.
    host = os.environ.get("SPACE_HOST")
    picture = f"{f'https://{host}/' if host else address}gradio_api/file={ASSETS / 'search.png'}"
    app.config |= {"simple_description": DESCRIPTION, "thumbnail": picture}  # type: ignore[misc]
    if wait:
        app.block_thread()
    return address


def main() -> int:
    """Start the app and return the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        app = build_demo()
    except BadInputError as error:
        LOGGER.error("%s", error)
        return 2
    launch(app, wait=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
