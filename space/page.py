"""All pages as one app, with endpoints for programs."""

from html import escape

import gradio as gr

from notclip.space.about_tab import build_about_tab
from notclip.space.api import add_endpoints
from notclip.space.camera_tab import build_camera_tab
from notclip.space.diagnose_tab import build_diagnose_tab
from notclip.space.diagnosis import Diagnosis
from notclip.space.engine import Engine
from notclip.space.gallery import Thumbnails
from notclip.space.opening import Opening, choose_opening
from notclip.space.question_tab import QuestionPage, build_question_tab, exhaustive_captions
from notclip.space.quiz import LENGTH, build_quiz
from notclip.space.search import SearchPage
from notclip.space.search_tab import build_search_tab
from notclip.space.settings import SpaceSettings

HEAD = '<div class="nc-head"><h1><em>Not</em>CLIP</h1><p>{said}</p></div>'
LEAST_TOLD = 6  # of twelve: a smaller difference is no headline


def build_page(settings: SpaceSettings, *, orphan_seconds: int) -> gr.Blocks:
    """Load models and photos, and build the app around them.

    Args:
        settings: what the Space shows.
        orphan_seconds: after which uploads that nobody read are deleted.

    Raises:
        BadInputError: a model or the photos cannot be used.
    """
    engine = Engine.load(settings)
    thumbnails = Thumbnails(engine.photos)
    ours = settings.model.label if settings.model else f"{settings.base.label}, composed"
    search = SearchPage(engine, (settings.base.label, ours), thumbnails)
    opening = choose_opening(engine)
    things = (opening.first.wanted, opening.first.excluded) if opening.first else ("people", "dogs")
    questions = QuestionPage(search, exhaustive_captions(*things))
    diagnosis = Diagnosis(engine, settings)
    title = "NotCLIP: photos by what is not in them"
    # Nothing of a visitor's becomes a file; what programs put there by Gradio's own upload is deleted.
    cleaning = (orphan_seconds, orphan_seconds)
    with gr.Blocks(title=title, analytics_enabled=False, delete_cache=cleaning) as app:
        gr.HTML(HEAD.format(said=headline(opening)), js_on_load=None)
        with gr.Tabs():
            with gr.Tab("Search", id="search"), gr.Column(elem_id="search-page"):
                build_search_tab(search, opening)
            with gr.Tab("Question", id="question"):
                build_question_tab(questions)
            if len(questions.questions) >= LENGTH:
                with gr.Tab("Quiz", id="quiz"):
                    build_quiz(questions)
            with gr.Tab("Camera", id="camera-page"):
                build_camera_tab(questions)
            if diagnosis.suites:  # Nothing can be asked about photos of which nothing is known.
                with gr.Tab("Diagnose", id="diagnose"):
                    build_diagnose_tab(diagnosis)
            with gr.Tab("About", id="about"):
                build_about_tab(settings)
        add_endpoints(search, questions, diagnosis)
    return app


def headline(opening: Opening) -> str:
    """One sentence about the photos in use; only what is true of them.

    Args:
        opening: what the page opens with.
    """
    first = opening.first
    if first is None or first.fewer < LEAST_TOLD:
        return "Search photos by what they show, and by what they do not."
    return (
        f"Ask an ordinary vision-language model for <b>{escape(first.query)}</b>, and it finds "
        f"{escape(first.excluded)}: it skips the “not”. Here is one that reads it."
    )
