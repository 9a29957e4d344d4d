"""Ten questions of the set, answered by the visitor and by both models, with a running score."""

from dataclasses import dataclass, replace
from random import SystemRandom
from typing import Any

import gradio as gr

from notclip.space.bars import choice_bars
from notclip.space.gallery import message_html
from notclip.space.question_tab import CHOICES, QuestionPage

LENGTH = 10


@dataclass(frozen=True)
class Quiz:
    """A quiz as far as it has come.

    Args:
        questions: positions of its questions in the suite.
        at: which one is asked.
        answered: whether that one was answered.
        right: how many the visitor, base and NotCLIP had right.
    """

    questions: tuple[int, ...]
    at: int = 0
    answered: bool = False
    right: tuple[int, int, int] = (0, 0, 0)

    @property
    def done(self) -> int:
        """How many questions were answered."""
        return self.at + self.answered


def score_html(quiz: Quiz) -> str:
    """The running score, announced by screen readers."""
    cells = "".join(
        f'<div class="nc-score nc-{name}"><span>{label}</span><b>{right}</b></div>'
        for name, label, right in zip(
            ("you", "base", "ours"), ("You", "Ordinary model", "NotCLIP"), quiz.right, strict=True
        )
    )
    over = quiz.done == len(quiz.questions)
    said = "The quiz is over." if over else f"Question {quiz.at + 1} of {len(quiz.questions)}"
    return f'<div role="status"><p class="nc-progress-text">{said}</p><div class="nc-scores">{cells}</div></div>'


def build_quiz(page: QuestionPage) -> None:
    """Lay the quiz out below the question and wire it."""
    questions = page.engine.photos.suite.questions
    eligible = [number for number, question in enumerate(questions) if len(question.choices) == CHOICES]
    if len(eligible) < LENGTH:
        return
    quiz = gr.State(None)
    gr.Markdown(
        "### A quiz of ten\nYou against both models. The true caption shows after your answer.", elem_classes="nc-lead"
    )
    start = gr.Button("Start the quiz", elem_id="quiz-start")
    with gr.Column(visible=False) as board:
        score = gr.HTML(elem_id="quiz-score", js_on_load=None)
        with gr.Row(elem_classes="nc-question"):
            with gr.Column(scale=2, min_width=260):
                figure = gr.HTML(elem_id="quiz-picture", js_on_load=None)
            with gr.Column(scale=3, min_width=300):
                pick = gr.Radio([], label="Which caption is true of this picture?", elem_id="quiz-pick", type="index")
                answer = gr.Button("Answer", variant="primary", elem_id="quiz-answer")
                following = gr.Button("Next question", visible=False, elem_id="quiz-next")
                shown = gr.HTML(elem_id="quiz-shown", js_on_load=None)

    def ask(state: Quiz) -> tuple[Any, ...]:
        question = questions[state.questions[state.at]]
        return (
            state,
            gr.Column(visible=True),
            score_html(state),
            page.figure(page.picture(question.image_id)),
            gr.Radio(list(question.choices), value=None, interactive=True),
            gr.Button(visible=True),
            gr.Button(visible=False),
            "",
        )

    def begin() -> tuple[Any, ...]:
        return *ask(Quiz(tuple(SystemRandom().sample(eligible, LENGTH)))), gr.Button("Start again")

    def reply(state: Quiz, choice: int | None) -> tuple[Any, ...]:
        if state.answered:
            return tuple(gr.skip() for _ in range(6))
        if choice is None:
            return *[gr.skip()] * 5, message_html("Choose a caption first.")
        question = questions[state.questions[state.at]]
        base, notclip = page.believe(page.picture(question.image_id), list(question.choices))
        picks = (choice, int(base.argmax()), int(notclip.argmax()))
        you, ordinary, ours = (had + (pick == question.answer) for had, pick in zip(state.right, picks, strict=True))
        state = replace(state, answered=True, right=(you, ordinary, ours))
        bars = choice_bars(question.choices, base.tolist(), notclip.tolist(), truth=question.answer, own=choice)
        more = state.done < len(state.questions)
        return (
            state,
            score_html(state),
            gr.Radio(interactive=False),
            gr.Button(visible=False),
            gr.Button(visible=more),
            bars,
        )

    def go_on(state: Quiz) -> tuple[Any, ...]:
        return ask(replace(state, at=state.at + 1, answered=False) if state.answered else state)

    private: dict[str, Any] = {"api_visibility": "private", "concurrency_id": "search", "show_progress": "minimal"}
    everything = [quiz, board, score, figure, pick, answer, following, shown]
    start.click(begin, None, [*everything, start], **private)
    answer.click(reply, [quiz, pick], [quiz, score, pick, answer, following, shown], **private)
    following.click(go_on, quiz, everything, **private)
