"""Ten questions of the set, one a view, answered by the visitor and by both models."""

from dataclasses import dataclass, replace
from html import escape
from random import SystemRandom
from typing import Any

import gradio as gr

from notclip.remote.negation_scope import read_scope
from notclip.space.bars import choice_bars
from notclip.space.gallery import message_html
from notclip.space.opening import excluded_concepts
from notclip.space.photo_set import PhotoSet
from notclip.space.question_tab import CHOICES, QuestionPage

LENGTH = 10
NAMES = (("you", "You"), ("base", "Ordinary model"), ("ours", "NotCLIP"))


@dataclass(frozen=True)
class Quiz:
    """A quiz as far as it has come.

    Args:
        questions: positions of its questions among those with four captions.
        at: which one is asked.
        answered: whether that one was answered.
        right: how many the visitor, base and NotCLIP had right.
    """

    questions: tuple[int, ...]
    at: int = 0
    answered: bool = False
    right: tuple[int, int, int] = (0, 0, 0)

    @property
    def is_last(self) -> bool:
        """Whether no question follows."""
        return self.at + 1 == len(self.questions)


def score_html(quiz: Quiz) -> str:
    """Where the quiz stands, announced by screen readers."""
    cells = "".join(
        f'<div class="nc-score nc-{name}"><span>{label}</span><b>{right}</b></div>'
        for (name, label), right in zip(NAMES, quiz.right, strict=True)
    )
    said = f"Question {quiz.at + 1} of {len(quiz.questions)}"
    return f'<div role="status"><p class="nc-progress-text">{said}</p><div class="nc-scores">{cells}</div></div>'


def end_sentence(quiz: Quiz) -> str:
    """What a visitor may tell others."""
    you, base, ours = quiz.right
    return (
        f"I got {you} of {len(quiz.questions)} on what “not” means in pictures. An ordinary vision-language model got "
        f"{base}, NotCLIP {ours}."
    )


def why(photos: PhotoSet, image_id: str, caption: str) -> str:
    """Why a caption is true or false of a picture, by its labels: `it shows a lake, and no fish`."""
    lexicon, present = photos.lexicon, (photos.present or {}).get(image_id, frozenset())
    scope = read_scope(caption)
    said = sorted(lexicon.find(scope.affirmed))
    denied = [name for name in excluded_concepts(scope.negated, photos).values() if name is not None]
    missing = [f"no {lexicon[name].name}" for name in said if name not in present]
    there = [lexicon[name].indefinite for name in denied if name in present]
    if missing or there:
        return f"it shows {' and '.join(there + missing)}"
    shown = [lexicon[name].indefinite for name in said] + [f"no {lexicon[name].name}" for name in denied]
    return f"it shows {' and '.join(shown)}" if shown else "so its labels say"


def build_quiz(page: QuestionPage) -> None:
    """Lay the quiz out and wire it."""
    photos, questions = page.engine.photos, page.questions
    quiz = gr.State(None)
    lead = gr.HTML(
        f'<div class="nc-lead"><h2>A quiz of {LENGTH}</h2><p>You against both models: which of {CHOICES} captions is '
        "true?</p></div>",
        js_on_load=None,
    )
    start = gr.Button("Start the quiz", variant="primary", elem_id="quiz-start")
    with gr.Column(visible=False) as board:
        score = gr.HTML(elem_id="quiz-score", js_on_load=None)
        with gr.Row(elem_classes="nc-question"):
            with gr.Column(scale=2, min_width=260):
                figure = gr.HTML(elem_id="quiz-picture", js_on_load=None)
            with gr.Column(scale=3, min_width=300):
                pick = gr.Radio([], label="Which caption is true of this picture?", elem_id="quiz-pick", type="index")
                answer = gr.Button("Answer", variant="primary", elem_id="quiz-answer")
                shown = gr.HTML(elem_id="quiz-shown", js_on_load=None)
                following = gr.Button("Next question", variant="primary", visible=False, elem_id="quiz-next")
    with gr.Column(visible=False) as over:
        end = gr.HTML(elem_id="quiz-end", js_on_load=None)
        again = gr.Button("Another ten", elem_id="quiz-again")

    def ask(state: Quiz) -> dict[Any, Any]:
        question = questions[state.questions[state.at]]
        return {
            quiz: state,
            lead: gr.HTML(visible=False),
            start: gr.Button(visible=False),
            over: gr.Column(visible=False),
            board: gr.Column(visible=True),
            score: score_html(state),
            figure: page.figure(page.picture(question.image_id)),
            pick: gr.Radio(list(question.choices), value=None, interactive=True, visible=True),
            answer: gr.Button(visible=True),
            following: gr.Button(visible=False),
            shown: "",
        }

    def begin() -> dict[Any, Any]:
        return ask(Quiz(tuple(SystemRandom().sample(range(len(questions)), LENGTH))))

    def reply(state: Quiz, choice: int | None) -> dict[Any, Any]:
        if state.answered:
            return {quiz: gr.skip()}
        if choice is None:
            return {shown: message_html("Choose a caption first.")}
        question = questions[state.questions[state.at]]
        base, notclip = page.believe(page.picture(question.image_id), list(question.choices))
        picks = (choice, int(base.argmax()), int(notclip.argmax()))
        you, ordinary, ours = (had + (one == question.answer) for had, one in zip(state.right, picks, strict=True))
        state = replace(state, answered=True, right=(you, ordinary, ours))
        bars = choice_bars(question.choices, base.tolist(), notclip.tolist(), truth=question.answer, own=choice)
        truth = question.choices[question.answer]
        said = "<b>Right.</b>" if choice == question.answer else "<b>Wrong.</b>"
        if choice != question.answer:
            taken = question.choices[choice]
            said += f" Not “{escape(taken)}”: {escape(why(photos, question.image_id, taken))}."
        said += f" “{escape(truth)}” is true: {escape(why(photos, question.image_id, truth))}."
        return {
            quiz: state,
            score: score_html(state),
            pick: gr.Radio(visible=False),
            answer: gr.Button(visible=False),
            following: gr.Button("See the result" if state.is_last else "Next question", visible=True),
            shown: f'<p class="nc-why" role="status">{said}</p>{bars}',
        }

    def go_on(state: Quiz) -> dict[Any, Any]:
        if not state.answered:
            return {quiz: gr.skip()}
        if not state.is_last:
            return ask(replace(state, at=state.at + 1, answered=False))
        told = escape(end_sentence(state))
        return {
            board: gr.Column(visible=False),
            over: gr.Column(visible=True),
            end: f'<div role="status"><h2 class="nc-told">{told}</h2><button type="button" class="nc-share" '
            f'data-do="copy" data-text="{told}">Copy this sentence</button></div>',
        }

    private: dict[str, Any] = {"api_visibility": "private", "concurrency_id": "search", "show_progress": "minimal"}
    everything = {quiz, lead, start, over, board, score, figure, pick, answer, following, shown, end}
    start.click(begin, None, everything, **private)
    again.click(begin, None, everything, **private)
    answer.click(reply, [quiz, pick], everything, **private)
    following.click(go_on, quiz, everything, **private)
