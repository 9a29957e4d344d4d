"""The second page: an image, four captions, and what both models believe."""

from dataclasses import dataclass
from html import escape
from random import Random, SystemRandom
from typing import Any, TypedDict

import gradio as gr
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from notclip.errors import BadInputError
from notclip.scoring.suites.suite import SuiteQuestion
from notclip.space.bars import choice_bars
from notclip.space.engine import Engine
from notclip.space.gallery import Thumbnails, data_uri, message_html
from notclip.space.own_photos import Upload, read_uploads
from notclip.space.reading import check_text
from notclip.space.upload_box import upload_box

CHOICES = 4
LARGE = 480
OPENINGS = 24  # Questions of which the first page shows one on which the models differ.
VISIT_SECONDS = 1800
Shares = NDArray[np.float64]


class Belief(TypedDict):
    """How a model divides its belief among the captions: shares that sum to 1, and the caption it picks."""

    shares: list[float]
    picks: str


class Answer(TypedDict):
    """Both models' answers to one question."""

    base: Belief
    notclip: Belief


@dataclass(frozen=True)
class Picture:
    """What a question is about: a photo of the set, or a visitor's own.

    Args:
        name: id or file name.
        base: its embedding by the base, shape (D,).
        notclip: and by NotCLIP.
        image: a visitor's own photo.
    """

    name: str
    base: NDArray[np.float32]
    notclip: NDArray[np.float32]
    image: Image.Image | None = None


@dataclass(frozen=True)
class QuestionPage:
    """Questions about photos, for the page and for programs."""

    engine: Engine
    thumbnails: Thumbnails

    def picture(self, image_id: str) -> Picture:
        """A photo of the set.

        Raises:
            BadInputError: there is none of that name.
        """
        photos = self.engine.photos
        if image_id not in photos.suite.photos:
            raise BadInputError(
                f"`image_id` must be one of {photos.name}, such as {photos.ids[0]}, got {image_id[:80]!r}."
            )
        position = photos.ids.index(image_id)
        embedded = self.engine.embedded
        return Picture(image_id, np.array(embedded.base[position]), np.array(embedded.notclip[position]))

    def answer(self, image_id: str, captions: list[str]) -> Answer:
        """Ask both models which of some captions is true of a photo of the Space.

        Args:
            image_id: a photo, as `search` names it.
            captions: 2 to 8 captions.

        Raises:
            BadInputError: there is no such photo, or a caption cannot be read.
        """
        base, notclip = self.believe(self.picture(image_id), captions)
        return Answer(base=_belief(base, captions), notclip=_belief(notclip, captions))

    def believe(self, picture: Picture, captions: list[str]) -> tuple[Shares, Shares]:
        """Shares of base and NotCLIP, each of shape (C,)."""
        if not isinstance(captions, list) or not 2 <= len(captions) <= 8:
            raise BadInputError("`captions` must be a list of 2 to 8 captions.")
        checked = [check_text(text, what=f"Caption {number}") for number, text in enumerate(captions, start=1)]
        return self.engine.choose(picture.base, picture.notclip, checked)

    def figure(self, picture: Picture) -> str:
        """The picture as HTML."""
        if picture.image is not None:
            source, alt = data_uri(picture.image, LARGE), f"Your photo {picture.name}"
        else:
            # Its caption would give the answer away.
            source, alt = self.thumbnails.of(picture.name, LARGE), "The picture that the question is about"
        return f'<figure class="nc-picture"><img src="{source}" alt="{escape(alt)}"></figure>'

    def any_question(self) -> SuiteQuestion | None:
        """A question of the set, drawn at random; None where it has none."""
        questions = [q for q in self.engine.photos.suite.questions if len(q.choices) == CHOICES]
        return SystemRandom().choice(questions) if questions else None


def _belief(shares: Shares, captions: list[str]) -> Belief:
    return Belief(shares=[round(float(share), 4) for share in shares], picks=captions[int(shares.argmax())])


def first_question(page: QuestionPage) -> tuple[Picture, list[str], int | None]:
    """What the page opens with: the same for all visitors, with the answer where it is known."""
    questions = [q for q in page.engine.photos.suite.questions if len(q.choices) == CHOICES]
    if questions:
        negating = [q for q in questions if q.kind != "affirmation"] or questions
        drawn = Random(0).sample(negating, min(OPENINGS, len(negating)))
        question = next((q for q in drawn if _tells_them_apart(page, q)), drawn[0])
        return page.picture(question.image_id), list(question.choices), question.answer
    captions = ["a photo with people", "a photo with no people", "a dog, but no people", "people, but no dog"]
    return page.picture(page.engine.photos.ids[0]), captions, None


def _tells_them_apart(page: QuestionPage, question: SuiteQuestion) -> bool:
    base, notclip = page.believe(page.picture(question.image_id), list(question.choices))
    return int(notclip.argmax()) == question.answer != int(base.argmax())


def build_question_tab(page: QuestionPage) -> None:
    """Lay out the page and wire it."""
    picture, captions, truth = first_question(page)
    asked = gr.State(picture, time_to_live=VISIT_SECONDS)
    known = gr.State((tuple(captions), truth))
    gr.Markdown(
        "### Four captions, one is true\n"
        "The first is a question on which the two differ. Take another at random, or write your own.",
        elem_classes="nc-lead",
    )
    with gr.Row(elem_classes="nc-question"):
        with gr.Column(scale=2, min_width=260):
            figure = gr.HTML(page.figure(picture), elem_id="question-picture", js_on_load=None)
            other = gr.Button("Another question", elem_id="another")
            box = upload_box("Or your own photo", multiple=False, height=170, elem_id="question-photo")
        with gr.Column(scale=3, min_width=300):
            boxes = [
                gr.Textbox(text, label=f"Caption {number}", max_lines=2, elem_id=f"caption-{number}")
                for number, text in enumerate(captions, start=1)
            ]
            ask = gr.Button("Ask both models", variant="primary", elem_id="ask")
            answers = gr.HTML(elem_id="answers", js_on_load=None)

    def answer(subject: Picture, of_set: tuple[tuple[str, ...], int | None], *texts: str) -> str:
        try:
            base, notclip = page.believe(subject, list(texts))
        except BadInputError as error:
            return message_html(str(error))
        unchanged = tuple(texts) == of_set[0] and subject.image is None
        return choice_bars(texts, base.tolist(), notclip.tolist(), truth=of_set[1] if unchanged else None)

    def another() -> tuple[Any, ...]:
        question = page.any_question()
        if question is None:
            name = SystemRandom().choice(page.engine.photos.ids)
            return page.picture(name), gr.skip(), page.figure(page.picture(name)), "", *[gr.skip()] * CHOICES
        subject = page.picture(question.image_id)
        return subject, (question.choices, question.answer), page.figure(subject), "", *question.choices

    def take(uploads: list[Upload]) -> tuple[Any, ...]:
        try:
            photos, messages = read_uploads(uploads, limit=1)
        except BadInputError as error:
            return None, gr.skip(), gr.skip(), message_html(str(error))
        said = "".join(map(message_html, messages))
        if not photos:
            return None, gr.skip(), gr.skip(), said
        name, image = photos[0]
        embedded = page.engine.embed([image])
        subject = Picture(name, embedded.base[0], embedded.notclip[0], image)
        return None, subject, page.figure(subject), said

    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "minimal"}
    ask.click(answer, [asked, known, *boxes], answers, concurrency_id="search", **private)
    for text in boxes:
        text.submit(answer, [asked, known, *boxes], answers, concurrency_id="search", **private)
    other.click(another, None, [asked, known, figure, answers, *boxes], concurrency_id="search", **private)
    box.upload(take, box, [box, asked, figure, answers], concurrency_id="upload", **private)
