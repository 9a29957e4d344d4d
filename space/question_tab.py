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
from notclip.space.gallery import data_uri, message_html
from notclip.space.own_photos import read_photos
from notclip.space.reading import check_text
from notclip.space.search import SearchPage
from notclip.space.search_tab import DRAWINGS_ALONE

CHOICES = 4
LARGE = 480
OPENINGS = 24  # Questions of which the first page shows one on which the models differ.
VISIT_SECONDS = 1800
BOX = """<div class="nc-own"><label class="nc-drop"><input type="file" accept="image/*,.heic,.heif,.avif">
<span><b>Or a photo of yours</b></span></label><output></output></div>"""
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
class Subject:
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
    """Questions about photos, for the page and for programs.

    Args:
        search: knows the photos.
        exhaustive: four captions of which exactly one is true of any photo, see `exhaustive_captions`.
    """

    search: SearchPage
    exhaustive: tuple[str, ...]

    @property
    def engine(self) -> Engine:
        """The models."""
        return self.search.engine

    def picture(self, image_id: str) -> Subject:
        """A photo of the set.

        Raises:
            BadInputError: there is none of that name.
        """
        position = self.search.position(image_id)
        embedded = self.engine.embedded
        return Subject(image_id, np.array(embedded.base[position]), np.array(embedded.notclip[position]))

    def answer(self, picture: Subject, captions: list[str]) -> Answer:
        """Ask both models which of 2 to 8 captions is true of a picture.

        Raises:
            BadInputError: a caption cannot be read.
        """
        base, notclip = self.believe(picture, captions)
        return Answer(base=_belief(base, captions), notclip=_belief(notclip, captions))

    def believe(self, picture: Subject, captions: list[str]) -> tuple[Shares, Shares]:
        """Shares of base and NotCLIP, each of shape (C,)."""
        if not isinstance(captions, list) or not 2 <= len(captions) <= 8:
            raise BadInputError("`captions` must be a list of 2 to 8 captions.")
        checked = [check_text(text, what=f"Caption {number}") for number, text in enumerate(captions, start=1)]
        return self.engine.choose(picture.base, picture.notclip, checked)

    def tells_them_apart(self, question: SuiteQuestion) -> bool:
        """Whether NotCLIP answers a question rightly that the ordinary model answers wrongly."""
        base, notclip = self.believe(self.picture(question.image_id), list(question.choices))
        return int(notclip.argmax()) == question.answer != int(base.argmax())

    def figure(self, picture: Subject) -> str:
        """The picture as HTML."""
        if picture.image is not None:
            source, alt = data_uri(picture.image, LARGE), f"Your photo {picture.name}"
        else:
            # Its caption would give the answer away.
            source, alt = self.search.thumbnails.of(picture.name, LARGE), "The picture that the question is about"
        return f'<figure class="nc-picture"><img src="{source}" alt="{escape(alt)}"></figure>'

    def another(self, after: "Asked") -> "Asked":
        """Another question than the last, drawn at random."""
        questions = [q for q in self.questions if (q.image_id, q.choices) != (after.picture.name, after.captions)]
        if questions:
            question = SystemRandom().choice(questions)
            return Asked(self.picture(question.image_id), question.choices, question.answer)
        others = [name for name in self.engine.photos.ids if name != after.picture.name] or self.engine.photos.ids
        return Asked(self.picture(SystemRandom().choice(others)), self.exhaustive)

    @property
    def questions(self) -> list[SuiteQuestion]:
        """Questions of the set with four captions."""
        return [question for question in self.engine.photos.suite.questions if len(question.choices) == CHOICES]


@dataclass(frozen=True)
class Asked:
    """A question as it was asked, with the answer where it is known."""

    picture: Subject
    captions: tuple[str, ...]
    truth: int | None = None


def _belief(shares: Shares, captions: list[str]) -> Belief:
    return Belief(shares=[round(float(share), 4) for share in shares], picks=captions[int(shares.argmax())])


def exhaustive_captions(wanted: str, excluded: str) -> tuple[str, ...]:
    """Four captions of which exactly one is true, whatever a photo shows."""
    return (
        f"a photo of {wanted} and {excluded}",
        f"a photo of {wanted}, but no {excluded}",
        f"a photo of {excluded}, but no {wanted}",
        f"a photo with neither {wanted} nor {excluded}",
    )


def first_question(page: QuestionPage) -> Asked:
    """What the page opens with, the same for all visitors: if there is one, a question on which the models differ."""
    negating = [question for question in page.questions if question.kind != "affirmation"] or page.questions
    if not negating:
        return Asked(page.picture(page.engine.photos.ids[0]), page.exhaustive)
    drawn = Random(0).sample(negating, min(OPENINGS, len(negating)))
    question = next((one for one in drawn if page.tells_them_apart(one)), drawn[0])
    return Asked(page.picture(question.image_id), question.choices, question.answer)


def build_question_tab(page: QuestionPage) -> None:
    """Lay out the page and wire it."""
    first = first_question(page)
    asked = gr.State(first, time_to_live=VISIT_SECONDS)
    gr.HTML(
        f'<div class="nc-lead"><h2>Which of four captions is true?</h2><p>{_about(page, first)}</p></div>',
        elem_id="question-lead",
        js_on_load=None,
    )
    with gr.Row(elem_classes="nc-question"):
        with gr.Column(scale=2, min_width=260):
            figure = gr.HTML(page.figure(first.picture), elem_id="question-picture", js_on_load=None)
            other = gr.Button("Another question", elem_id="another")
            box = gr.HTML(BOX, elem_id="question-photo", js_on_load="page.photos(element, trigger)")
            said = gr.HTML(elem_id="question-said", js_on_load=None)
        with gr.Column(scale=3, min_width=300):
            boxes = [
                gr.Textbox(text, label=f"Caption {number}", max_lines=2, elem_id=f"caption-{number}")
                for number, text in enumerate(first.captions, start=1)
            ]
            ask = gr.Button("Ask both models", variant="primary", elem_id="ask")
            answers = gr.HTML(elem_id="answers", js_on_load=None)

    def answer(question: Asked, *texts: str) -> tuple[Any, ...]:
        try:
            base, notclip = page.believe(question.picture, list(texts))
        except BadInputError as error:
            return message_html(str(error)), gr.skip()
        truth = question.truth if texts == question.captions else None
        return "", choice_bars(texts, base.tolist(), notclip.tolist(), truth=truth)

    def another(question: Asked) -> tuple[Any, ...]:
        following = page.another(question)
        return following, page.figure(following.picture), "", "", *following.captions

    def take(event: gr.EventData) -> tuple[Any, ...]:
        try:
            photos, messages = read_photos(event.photos, room=1)
        except BadInputError as error:
            photos, messages = [], [str(error)]
        notes = "".join(map(message_html, messages))
        if not photos:
            return gr.skip(), gr.skip(), notes, *[gr.skip()] * (CHOICES + 1)
        name, image = photos[0]
        embedded = page.engine.embed([image])
        mine = Asked(Subject(name, embedded.base[0], embedded.notclip[0], image), page.exhaustive)
        if page.engine.knows_drawings_alone:
            notes += message_html(DRAWINGS_ALONE)
        return mine, page.figure(mine.picture), notes, "", *mine.captions

    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "minimal"}
    ask.click(answer, [asked, *boxes], [said, answers], concurrency_id="search", **private)
    for text in boxes:
        text.submit(answer, [asked, *boxes], [said, answers], concurrency_id="search", **private)
    shown = [asked, figure, said, answers, *boxes]
    other.click(another, asked, shown, concurrency_id="search", **private)
    box.upload(take, None, shown, concurrency_id="upload", **private)


def _about(page: QuestionPage, first: Asked) -> str:
    if first.truth is None:
        return "One of these four is true of any photo. Take another photo, one of yours, or write your own captions."
    base, notclip = page.believe(first.picture, list(first.captions))
    differ = "The two models differ on this one. " if base.argmax() != notclip.argmax() else ""
    return f"{differ}Take another question, a photo of yours, or write your own captions."
