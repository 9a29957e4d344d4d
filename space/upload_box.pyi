"""A box for files that hands over names and paths, and leaves nothing else on the disk.

Gradio's own `File` makes an empty temporary file for each that it hands over, and never deletes it.
"""

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData, ListFiles

from notclip.space.own_photos import Upload

from gradio.events import Dependency

class UploadBox(gr.File):
    """A drop zone for pictures; functions receive a list of `Upload`."""

    is_template = True  # To the browser it is a `File`.

    def preprocess(self, payload: ListFiles | FileData | None) -> Any:
        """Names and paths, without reading anything."""
        if payload is None:
            return []
        files = payload if isinstance(payload, ListFiles) else [payload]
        return [Upload(_short(file.orig_name or Path(file.path).name), Path(file.path)) for file in files]
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block
    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component


def _short(name: str) -> str:
    name = Path(name).name
    return name if len(name) <= 40 else f"{name[:24]}…{name[-12:]}"