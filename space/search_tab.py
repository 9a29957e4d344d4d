"""The first page: one query, and what both models find for it."""

from typing import Any

import gradio as gr

from notclip.errors import BadInputError
from notclip.space.gallery import LARGE, message_html
from notclip.space.opening import Opening
from notclip.space.own_photos import MAX_PHOTOS, OwnPhotos, read_photos
from notclip.space.reading import check_text, reading_html
from notclip.space.search import MAX_STRENGTH, Ask, SearchPage, clamped

VISIT_SECONDS = 1800  # How long a visitor's photos are kept in memory after she was last seen.
DRAWINGS_ALONE = (
    "This model knows drawings alone: what it says of photos means little. Start the Space with a model that was "
    "trained on photos to search yours."
)
BOX = f"""<div class="nc-own"><label class="nc-drop"><input type="file" multiple accept="image/*,.heic,.heif,.avif">
<span><b>Add photos of yours</b>, or drop them here: up to {MAX_PHOTOS}. Small copies are kept in memory for your
visit; no file is stored.</span></label><output></output>
<button type="button" class="nc-plain" data-do="clear">Back to the photos of this Space</button></div>"""


def build_search_tab(page: SearchPage, opening: Opening) -> None:
    """Lay out the page and wire it."""
    photos = page.engine.photos
    first = Ask(opening.queries[0])
    query = gr.Textbox(
        first.query,
        label="Ask for a photo, and for what should not be in it",
        placeholder="a beach with no people",
        max_lines=1,
        elem_id="query",
        submit_btn="Search",
    )
    with gr.Row(elem_classes="nc-chips"):
        chips = [gr.Button(text, size="sm", min_width=80, elem_classes="nc-chip") for text in opening.queries]
    asked = gr.State(first)
    own = gr.State(None, time_to_live=VISIT_SECONDS)
    said = gr.HTML(_warning(page, real=photos.known_by == "captions"), elem_id="said", js_on_load=None)
    with gr.Row(elem_classes="nc-how"):
        reading = gr.HTML(reading_html(first.query), elem_id="reading", js_on_load=None)
        strength = gr.Slider(
            0,
            MAX_STRENGTH,
            value=1.0,
            step=0.1,
            label="Strength of “not”",
            info="0 ignores it, 1 is as calibrated, 3 insists",
            elem_id="strength",
            buttons=[],
            min_width=380,
        )

    def large(position: Any) -> str:
        ids = photos.ids
        return (
            page.thumbnails.of(ids[position], LARGE) if isinstance(position, int) and 0 <= position < len(ids) else ""
        )

    # Gradio refuses what is typed into its box, an emptied one among it, with an error of its own.
    strength.preprocess = clamped  # type: ignore[method-assign]

    results = gr.HTML(
        page.html(first, None),
        elem_id="results",
        js_on_load="page.results(element, trigger, watch, server, 'ask')",
        server_functions=[large],
    )
    with gr.Row(elem_classes="nc-more-ways"):
        box = gr.HTML(BOX, elem_id="own-photos", js_on_load="page.photos(element, trigger)")
        own_said = gr.HTML(elem_id="own-said", js_on_load=None)
    gr.Markdown(_fine_print(page, opening), elem_classes="nc-fine")

    def find(text: str, dial: float, photos_own: OwnPhotos | None) -> tuple[Any, ...]:
        try:
            ask = Ask(check_text(text, what="The query"), dial)
        except BadInputError as error:
            return message_html(str(error)), gr.skip(), gr.skip(), gr.skip()
        return "", reading_html(ask.query), ask, page.html(ask, photos_own)

    def turn(dial: float, ask: Ask, photos_own: OwnPhotos | None) -> tuple[Any, ...]:
        turned = Ask(ask.query, dial, ask.count, ask.like, ask.unlike)
        return turned, page.html(turned, photos_own)

    def go_on(ask: Ask, photos_own: OwnPhotos | None, event: gr.EventData) -> tuple[Any, ...]:
        action, position = event.action, event.photo
        if action == "drop" and photos_own is not None and 0 <= position < len(photos_own.names):
            left = photos_own.without(position)
            plain = Ask(ask.query, ask.strength)
            return left, plain, page.html(plain, left), _own_html(left)
        total = len(photos_own.names if photos_own else photos.ids)
        after = ask.after(action, position) if 0 <= position < total or action in ("more", "forget") else ask
        return gr.skip(), after, page.html(after, photos_own), gr.skip()

    def add(photos_own: OwnPhotos | None, text: str, ask: Ask, event: gr.EventData) -> tuple[Any, ...]:
        have = len(photos_own.names) if photos_own else 0
        try:
            read, messages = read_photos(event.photos, room=MAX_PHOTOS - have)
        except BadInputError as error:
            return gr.skip(), gr.skip(), gr.skip(), message_html(str(error))
        refused = "".join(map(message_html, messages[:8]))
        if len(messages) > 8:
            refused += message_html(f"… and {len(messages) - 8} more files were refused.")
        if not read:
            return gr.skip(), gr.skip(), gr.skip(), refused
        new = OwnPhotos(
            tuple(name for name, _ in read),
            tuple(image for _, image in read),
            page.engine.embed([image for _, image in read]),
        )
        together = new if photos_own is None else photos_own.joined(new)
        plain = Ask(ask.query, ask.strength)
        warned = _warning(page, real=True)
        return together, plain, page.html(plain, together), refused + warned + _own_html(together)

    def clear(ask: Ask) -> tuple[Any, ...]:
        plain = Ask(ask.query, ask.strength)
        return None, plain, page.html(plain, None), ""

    def restore(request: gr.Request) -> tuple[Any, ...]:
        given = request.query_params
        if not given.get("q"):
            return tuple(gr.skip() for _ in range(6))
        try:
            dial = clamped(float(given.get("dial", 1)))
        except ValueError:
            dial = 1.0
        return given["q"], dial, *find(given["q"], dial, None)

    private: dict[str, Any] = {"api_visibility": "private", "concurrency_id": "search", "show_progress": "hidden"}
    found = [said, reading, asked, results]
    query.submit(find, [query, strength, own], found, **private)
    strength.change(turn, [strength, asked, own], [asked, results], trigger_mode="always_last", **private)
    results.ask(go_on, [asked, own], [own, asked, results, own_said], **private)
    for chip, text in zip(chips, opening.queries, strict=True):
        filled = chip.click(lambda text=text: text, None, query, queue=False, api_visibility="private")
        filled.then(find, [query, strength, own], found, **private)
    upload = private | {"concurrency_id": "upload", "show_progress": "minimal"}
    box.upload(add, [own, query, asked], [own, asked, results, own_said], **upload)
    box.clear(clear, [asked], [own, asked, results, own_said], **private)
    gr.on(None, restore, None, [query, strength, *found], **private)


def _own_html(own: OwnPhotos | None) -> str:
    if own is None:
        return ""
    count = f"{len(own.names)} photo{'s' if len(own.names) > 1 else ''}"
    return f'<p class="nc-note" role="status">{count} in memory, for this visit only. Nothing was stored.</p>'


def _warning(page: SearchPage, *, real: bool) -> str:
    return message_html(DRAWINGS_ALONE) if real and page.engine.knows_drawings_alone else ""


def _fine_print(page: SearchPage, opening: Opening) -> str:
    photos = page.engine.photos
    said = f"Both models search {photos.name}."
    if photos.present is not None:
        marks = {
            "labels": "by the labels of these photos",
            "captions": "by their captions, which leave things out: a photo without a mark may show it all the same",
        }
        said += f" Frames mark what shows something that you excluded, {marks[photos.known_by]}."
    if opening.first is not None:
        chosen = "labels" if photos.present is not None and photos.known_by == "labels" else "captions"
        by = chosen if photos.present is not None else "what the ordinary model itself sees in the photos"
        said += f" The examples were chosen among {opening.among}, as those on which the two differ most by {by}."
    return said
