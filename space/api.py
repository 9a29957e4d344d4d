"""What programs and agents call: endpoints of plain JSON, five of which are tools of the Model Context Protocol."""

import base64
import binascii
import importlib.util
from collections.abc import Callable
from functools import wraps
from typing import Any, TypedDict, TypeVar

import gradio as gr
from PIL import Image

from notclip.errors import BadInputError
from notclip.remote.negation_scope import read_scope
from notclip.scoring.suites.suite import open_suite_photo
from notclip.space.diagnosis import Diagnosis
from notclip.space.own_photos import open_small
from notclip.space.question_tab import Answer, QuestionPage, Subject
from notclip.space.reading import check_text
from notclip.space.search import SearchPage, SearchResult, check_strength

# The protocol's package comes with the extra `space`; where it is missing the Space serves its pages and endpoints.
SERVES_TOOLS = importlib.util.find_spec("mcp") is not None
MAX_RANKED = 32
FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


class RankedByBoth(TypedDict):
    """Numbers of the pictures, from 0, best first, by both models."""

    base: list[int]
    notclip: list[int]


def add_endpoints(search: SearchPage, questions: QuestionPage, diagnosis: Diagnosis) -> None:
    """Add the endpoints to the app that is being laid out."""

    def search_photos(query: str, strength: float = 1.0, count: int = 12) -> SearchResult:
        """Search the photos of this Space by an ordinary vision-language model and by NotCLIP, which reads "not".

        Args:
            query: what a photo should show and what not, in English: "a street with no cars". At most 500 characters.
            strength: how much excluded things count, from 0 to 3; 1 is as calibrated.
            count: how many photos of each model, from 1 to 48.
        """
        return search.search(query, strength, count)

    def read_query(query: str) -> dict[str, Any]:
        """Tell what a query affirms and what it excludes, as NotCLIP reads it.

        Args:
            query: a text in English, at most 500 characters.
        """
        scope = read_scope(check_text(query, what="The query"))
        return {"affirmed": scope.affirmed, "negated": list(scope.negated), "kind": scope.kind}

    def answer_question(picture: str, captions: list[str]) -> Answer:
        """Ask both models which of some captions is true of a picture.

        Args:
            picture: an `image_id` that `search` returned, or a picture file as base64 or data URI. It is not stored.
            captions: 2 to 8 captions, such as "a dog and a ball" and "a dog without a ball".
        """
        return questions.answer(_subject(picture, "picture", search, questions), captions)

    def rank_pictures(pictures: list[str], query: str, strength: float = 1.0) -> RankedByBoth:
        """Put pictures in order by how well they fit a query, by both models. They are not stored.

        Args:
            pictures: 2 to 32 pictures, each an `image_id` or a picture file as base64 or data URI.
            query: what a picture should show and what not.
            strength: how much excluded things count, from 0 to 3; 1 is as calibrated.
        """
        if not isinstance(pictures, list) or not 2 <= len(pictures) <= MAX_RANKED:
            raise BadInputError(f"`pictures` must be a list of 2 to {MAX_RANKED} pictures.")
        text, dial = check_text(query, what="The query"), check_strength(strength)
        images = [_image(given, f"`pictures` number {number}", search) for number, given in enumerate(pictures)]
        base, notclip = search.engine.search_many(search.engine.embed(images), [text], strength=dial)[0]
        return RankedByBoth(base=list(base.positions), notclip=list(notclip.positions))

    def show_picture(image_id: str) -> Image.Image:
        """Get a photo of this Space.

        Args:
            image_id: as `search` returned it.
        """
        photos = search.engine.photos
        return open_suite_photo(photos.photo(photos.ids[search.position(image_id)]))

    def list_choices() -> dict[str, list[str]]:
        """Models and suites that `diagnose` accepts."""
        return {"models": diagnosis.models, "suites": diagnosis.suites}

    def diagnose(model: str, suite: str) -> dict[str, Any]:
        """Score a model on a suite: the content of a results JSON.

        Args:
            model: one of those that `choices` lists.
            suite: one of those that `choices` lists.
        """
        *_, content = diagnosis.run(model, suite)
        return content if isinstance(content, dict) else {}

    gr.api(plainly(search_photos), api_name="search", concurrency_id="search")
    for function in (read_query, answer_question, rank_pictures):
        gr.api(plainly(function), api_name=function.__name__, concurrency_id="search")
    # Its output is a component's, so that programs get a file and agents a picture.
    with gr.Row(visible=False):
        wanted, shown = gr.Textbox(label="image_id"), gr.Image(label="The photo", format="webp")
        gr.Button().click(
            plainly(show_picture),
            wanted,
            shown,
            api_name="picture",
            concurrency_id="search",
        )
    # Minutes of work, and no tools.
    gr.api(plainly(list_choices), api_name="choices", concurrency_id="search", api_visibility="undocumented")
    gr.api(
        plainly(diagnose),
        api_name="diagnose",
        concurrency_id="diagnose",
        concurrency_limit=1,
        api_visibility="undocumented",
    )


def plainly(function: FunctionT) -> FunctionT:
    """Turn bad input into gradio's error, whose message the caller sees without a traceback in the log."""

    @wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except BadInputError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return guarded  # type: ignore[return-value]


def _subject(given: Any, what: str, search: SearchPage, questions: QuestionPage) -> Subject:
    if _encoded(given) is None:
        return questions.picture(given)
    image = _image(given, f"`{what}`", search)
    embedded = search.engine.embed([image])
    return Subject(what, embedded.base[0], embedded.notclip[0], image)


def _image(given: Any, what: str, search: SearchPage) -> Image.Image:
    encoded = _encoded(given)
    if encoded is not None:
        return open_small(encoded, name=what)[0]
    photos = search.engine.photos
    return open_suite_photo(photos.photo(photos.ids[search.position(given)]))


def _encoded(given: Any) -> bytes | None:
    """The bytes of a picture that came as base64 or data URI; None for what may be the id of a photo."""
    if not isinstance(given, str) or not (given.startswith("data:") or len(given) > 200):
        return None
    try:
        return base64.b64decode(given.rpartition(",")[2], validate=True)
    except binascii.Error:
        raise BadInputError("A picture must be an `image_id`, or a picture file as base64 or data URI.") from None
