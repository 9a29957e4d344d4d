"""A box for files that hands over names and paths, and leaves nothing else on the disk."""

from pathlib import Path

import gradio as gr
from gradio.data_classes import FileData, ListFiles

from notclip.space.own_photos import Upload


def upload_box(label: str, *, multiple: bool, height: int, elem_id: str) -> gr.File:
    """A drop zone for pictures, whose functions receive a list of `Upload`.

    Gradio's `File` makes an empty temporary file for each file that it hands over, and never deletes it; and a class
    of our own would make gradio write a stub beside this module. So this one is told how to hand them over.

    Args:
        label: what it says.
        multiple: whether several files may be chosen.
        height: in pixels.
        elem_id: id in the page.
    """
    box = gr.File(
        label=label,
        file_count="multiple" if multiple else "single",
        file_types=["image"],
        height=height,
        elem_id=elem_id,
    )
    box.preprocess = _uploads  # type: ignore[method-assign, assignment]
    return box


def _uploads(payload: ListFiles | FileData | None) -> list[Upload]:
    if payload is None:
        return []
    files = payload if isinstance(payload, ListFiles) else [payload]
    return [Upload(_short(file.orig_name or file.path), Path(file.path)) for file in files]


def _short(name: str) -> str:
    name = Path(name).name
    return name if len(name) <= 40 else f"{name[:24]}…{name[-12:]}"
