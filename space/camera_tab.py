"""A page for the camera: two captions, and what both models believe of each, frame by frame."""

from typing import Any

import gradio as gr

from notclip.errors import BadInputError
from notclip.space.bars import choice_bars
from notclip.space.gallery import message_html
from notclip.space.own_photos import read_photos
from notclip.space.question_tab import QuestionPage, Subject
from notclip.space.search_tab import DRAWINGS_ALONE

CAPTIONS = ("a person with no glasses", "a person with glasses")
PAGE = """<div class="nc-camera"><div class="nc-lead"><h2>Take your glasses off</h2><p>Both models say, several times a
second, which caption is true of what the camera sees. Frames are read in memory and never stored.</p>{warning}</div>
<div class="nc-camera-sides"><div><video playsinline muted aria-label="What the camera sees"></video>
<button type="button" class="nc-share" data-do="camera">Start the camera</button></div>
<div>{inputs}<div class="nc-answer" aria-live="polite"></div></div></div></div>"""


def build_camera_tab(page: QuestionPage) -> None:
    """Lay out the page; its frames go to both models and not into any file."""

    def look(sent: Any) -> str:
        try:
            frame, captions = sent
            ((_, image),), _ = read_photos([{"name": "frame", "data": frame}], room=1)
            embedded = page.engine.embed([image])
            picture = Subject("frame", embedded.base[0], embedded.notclip[0], image)
            base, notclip = page.believe(picture, captions)
        except (BadInputError, TypeError, ValueError) as error:
            return message_html(str(error) if isinstance(error, BadInputError) else "The frame could not be read.")
        return choice_bars(captions, base.tolist(), notclip.tolist(), truth=None, live=False)

    inputs = "".join(
        f'<label class="nc-field">Caption {number}<input type="text" value="{text}" maxlength="500"></label>'
        for number, text in enumerate(CAPTIONS, start=1)
    )
    warning = message_html(DRAWINGS_ALONE) if page.engine.knows_drawings_alone else ""
    gr.HTML(
        PAGE.format(inputs=inputs, warning=warning),
        elem_id="camera",
        js_on_load="page.camera(element, server)",
        server_functions=[look],
    )
