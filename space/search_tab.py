"""The first page: one query, two galleries."""

from dataclasses import dataclass
from typing import Any, TypedDict

import gradio as gr

from notclip.errors import BadInputError
from notclip.remote.negation_scope import read_scope
from notclip.space.engine import Engine, Found
from notclip.space.examples import excluded_concepts, label_lexicon
from notclip.space.gallery import Shown, Thumbnails, data_uri, galleries_html, message_html
from notclip.space.own_photos import MAX_PHOTOS, OwnPhotos, Upload, read_uploads
from notclip.space.reading import check_text, reading_html
from notclip.space.upload_box import upload_box

OWN, SHIPPED = "My photos", "shipped"
MAX_STRENGTH = 3.0
VISIT_SECONDS = 1800  # How long a visitor's photos are kept in memory after she was last seen.


class Hit(TypedDict):
    """One photo found: `shows_excluded` names what it shows although the query excludes it."""

    image_id: str
    caption: str
    score: float
    shows_excluded: list[str]


class SearchResult(TypedDict):
    """What both models find, and how the query was read."""

    query: str
    affirmed: str
    negated: list[str]
    base: list[Hit]
    notclip: list[Hit]


@dataclass
class SearchPage:
    """Search by base and NotCLIP, as HTML for the page and as data for programs."""

    engine: Engine
    labels: tuple[str, str]
    thumbnails: Thumbnails

    def __post_init__(self) -> None:
        """Read the names of what the photos are labelled with."""
        self._lexicon = label_lexicon(self.engine.photos)

    def search(self, query: str, strength: float = 1.0) -> SearchResult:
        """Search the Space's photos by the ordinary model and by NotCLIP.

        Args:
            query: what a photo should show and what not, in English, at most 500 characters.
            strength: from 0 to 3: how much excluded things count; 1 is as calibrated.

        Raises:
            BadInputError: the query is empty, too long or only a word of negation; the dial is out of range.
        """
        text = check_text(query, what="The query")
        scope = read_scope(text)
        base, notclip = self.engine.search(text, check_strength(strength))
        excluded = self._excluded(scope.negated)
        return SearchResult(
            query=text,
            affirmed=scope.affirmed,
            negated=list(scope.negated),
            base=self._hits(base, excluded),
            notclip=self._hits(notclip, excluded),
        )

    def html(self, query: str, strength: float, own: OwnPhotos | None) -> str:
        """The reading of the query and the galleries, or a message."""
        try:
            text = check_text(query, what="The query")
            strength = check_strength(strength)
        except BadInputError as error:
            return message_html(str(error))
        negated = read_scope(text).negated
        if own is not None:
            pair = self.engine.search_many(own.embedded, [text], strength=strength)[0]
            columns = [[Shown(data_uri(own.images[i]), own.names[i]) for i in found.positions] for found in pair]
            return reading_html(text) + self._galleries(columns, [], "")
        pair = self.engine.search(text, strength)
        excluded = self._excluded(negated)
        note = ""
        if negated and self.engine.photos.present is not None and not excluded:
            note = (
                "The labels of these photos do not know what you exclude, so nothing can be marked: look for yourself."
            )
        columns = [[self._shown(hit) for hit in self._hits(found, excluded)] for found in pair]
        return reading_html(text) + self._galleries(columns, excluded, note)

    def _galleries(self, columns: list[list[Shown]], excluded: list[str], note: str) -> str:
        titles = ("Ordinary model", "NotCLIP")
        sides = [(title, label, shown) for title, label, shown in zip(titles, self.labels, columns, strict=True)]
        noted = f'<p class="nc-note">{note}</p>' if note else ""
        plurals = [self._lexicon[name].plural for name in excluded]
        return noted + galleries_html(sides, excluded=plurals)

    def _excluded(self, phrases: tuple[str, ...]) -> list[str]:
        found = excluded_concepts(phrases, self.engine.photos, self._lexicon).values()
        return list(dict.fromkeys(name for name in found if name is not None))

    def _hits(self, found: Found, excluded: list[str]) -> list[Hit]:
        photos = self.engine.photos
        hits = []
        for position, score in zip(found.positions, found.scores, strict=True):
            name = photos.ids[position]
            shown = (photos.present or {}).get(name, frozenset())
            caption = photos.captions.get(name, name)
            violates = [label for label in excluded if label in shown]
            hits.append(Hit(image_id=name, caption=caption, score=round(score, 4), shows_excluded=violates))
        return hits

    def _shown(self, hit: Hit) -> Shown:
        return Shown(self.thumbnails.of(hit["image_id"]), hit["caption"], tuple(hit["shows_excluded"]))

    def take(self, uploads: list[Upload]) -> tuple[OwnPhotos | None, str]:
        """Read and embed a visitor's photos; the photos, and a message about them as HTML."""
        try:
            photos, messages = read_uploads(uploads)
        except BadInputError as error:
            return None, message_html(str(error))
        said = "".join(map(message_html, messages[:8]))
        if len(messages) > 8:
            said += message_html(f"… and {len(messages) - 8} more files were refused.")
        if not photos:
            return None, said or message_html("No photo was chosen.")
        embedded = self.engine.embed([image for _, image in photos])
        own = OwnPhotos(tuple(name for name, _ in photos), tuple(image for _, image in photos), embedded)
        count = f"{len(photos)} photo{'s' if len(photos) > 1 else ''}"
        return own, said + (
            f'<p class="nc-note" role="status">{count} in memory, for this visit only. Nothing was stored.</p>'
        )


def check_strength(strength: Any) -> float:
    """The dial as a number from 0 to 3.

    Raises:
        BadInputError: it is something else.
    """
    if not isinstance(strength, int | float) or not 0 <= strength <= MAX_STRENGTH:
        raise BadInputError(
            f"The strength of negation must be a number from 0 to {MAX_STRENGTH:.0f}, got {strength!r}."
        )
    return round(float(strength), 2)


def build_search_tab(page: SearchPage, examples: list[str], chosen_among: int) -> None:
    """Lay out the page and wire it."""
    photos = page.engine.photos
    first = examples[0]
    with gr.Row(elem_classes="nc-searchbar", equal_height=True):
        query = gr.Textbox(
            first,
            label="Ask for a photo, and for what should not be in it",
            placeholder="a beach with no people",
            max_lines=1,
            scale=5,
            elem_id="query",
            submit_btn=False,
        )
        button = gr.Button("Search", variant="primary", scale=1, min_width=110, elem_id="search")
    with gr.Row(elem_classes="nc-chips"):
        chips = [gr.Button(text, size="sm", min_width=80, elem_classes="nc-chip") for text in examples]
    own = gr.State(None, time_to_live=VISIT_SECONDS)
    results = gr.HTML(page.html(first, 1.0, None), elem_id="results", js_on_load=None)
    chosen = f" The examples are those of {chosen_among} on which the two differ most." if photos.present else ""
    with gr.Accordion("Strength of negation, and your own photos", open=False, elem_classes="nc-more"), gr.Row():
        with gr.Column():
            strength = gr.Slider(
                0,
                MAX_STRENGTH,
                value=1.0,
                step=0.1,
                label="Strength of negation",
                info="0 ignores what you exclude, 1 is as calibrated, 3 insists.",
                elem_id="strength",
            )
            where = gr.Radio(
                [(photos.name, SHIPPED), (OWN, OWN)],
                value=SHIPPED,
                label="Search in",
                elem_id="where",
                interactive=True,
            )
        with gr.Column():
            box = upload_box(
                f"Up to {MAX_PHOTOS} photos of yours, in memory only",
                multiple=True,
                height=170,
                elem_id="own-photos",
            )
            said = gr.HTML(elem_id="own-said", js_on_load=None)
    gr.Markdown(
        f"Both columns search {photos.name}. A marked frame shows something that you excluded.{chosen}",
        elem_classes="nc-fine",
    )

    def find(text: str, dial: float, photos_in: str, photos_own: OwnPhotos | None) -> str:
        if photos_in == OWN and photos_own is None:
            return message_html("You have not added photos yet. Drop some into the box below the results.")
        return page.html(text, dial, photos_own if photos_in == OWN else None)

    inputs, private = [query, strength, where, own], "private"
    options: dict[str, Any] = {"api_visibility": private, "concurrency_id": "search", "show_progress": "minimal"}
    button.click(find, inputs, results, **options)
    query.submit(find, inputs, results, **options)
    strength.release(find, inputs, results, trigger_mode="always_last", **options)
    where.input(find, inputs, results, **options)
    for chip, text in zip(chips, examples, strict=True):
        filled = chip.click(lambda text=text: text, None, query, queue=False, api_visibility=private)
        filled.then(find, inputs, results, **options)

    def take(uploads: list[Upload], text: str, dial: float) -> tuple[Any, ...]:
        photos_own, message = page.take(uploads)
        if photos_own is None:
            return None, message, gr.skip(), gr.skip(), gr.skip()
        return None, message, photos_own, OWN, page.html(text, dial, photos_own)

    box.upload(
        take, [box, query, strength], [box, said, own, where, results], api_visibility=private, concurrency_id="upload"
    )
