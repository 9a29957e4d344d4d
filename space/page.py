"""All four pages as one app, with endpoints for programs."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import gradio as gr

from notclip.errors import BadInputError
from notclip.remote.negation_scope import read_scope
from notclip.space.about_tab import build_about_tab
from notclip.space.diagnose_tab import build_diagnose_tab
from notclip.space.diagnosis import Diagnosis
from notclip.space.engine import Engine
from notclip.space.examples import example_queries
from notclip.space.gallery import Thumbnails
from notclip.space.question_tab import Answer, QuestionPage, build_question_tab
from notclip.space.quiz import build_quiz
from notclip.space.reading import check_text
from notclip.space.search_tab import SearchPage, SearchResult, build_search_tab
from notclip.space.settings import SpaceSettings

HEAD = """<div class="nc-head"><h1><em>Not</em>CLIP</h1>
<p>Ordinary vision-language models skip the word “no”: ask for <b>a beach with no people</b>, and they find people.
Here is one that reads it.</p></div>"""
FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


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
    questions = QuestionPage(engine, thumbnails)
    diagnosis = Diagnosis(engine, settings)
    examples, chosen_among = example_queries(engine)
    with gr.Blocks(title="NotCLIP", analytics_enabled=False, delete_cache=(orphan_seconds, orphan_seconds)) as app:
        gr.HTML(HEAD, js_on_load=None)
        with gr.Tabs():
            with gr.Tab("Search", id="search"):
                build_search_tab(search, examples, chosen_among)
            with gr.Tab("Question", id="question"):
                build_question_tab(questions)
                build_quiz(questions)
            with gr.Tab("Diagnose", id="diagnose"):
                build_diagnose_tab(diagnosis)
            with gr.Tab("About", id="about"):
                build_about_tab(settings)
        _add_endpoints(search, questions, diagnosis)
    return app


def _add_endpoints(search: SearchPage, questions: QuestionPage, diagnosis: Diagnosis) -> None:
    def search_photos(query: str, strength: float = 1.0) -> SearchResult:
        """Search the Space's photos by the ordinary model and by NotCLIP."""
        return search.search(query, strength)

    def read_query(query: str) -> dict[str, Any]:
        """What a query affirms and what it excludes, as NotCLIP reads it."""
        scope = read_scope(check_text(query, what="The query"))
        return {"affirmed": scope.affirmed, "negated": list(scope.negated), "kind": scope.kind}

    def answer_question(image_id: str, captions: list[str]) -> Answer:
        """Ask both models which of some captions is true of a photo of the Space."""
        return questions.answer(image_id, captions)

    def list_choices() -> dict[str, list[str]]:
        """Models and suites that `diagnose` accepts."""
        return {"models": diagnosis.models, "suites": diagnosis.suites}

    def diagnose(model: str, suite: str) -> dict[str, Any]:
        """Score a model on a suite: the content of a results JSON."""
        *_, content = diagnosis.run(model, suite)
        return content if isinstance(content, dict) else {}

    gr.api(plainly(search_photos), api_name="search", concurrency_id="search")
    gr.api(plainly(read_query), api_name="read_query", concurrency_id="search")
    gr.api(plainly(answer_question), api_name="answer_question", concurrency_id="search")
    gr.api(plainly(list_choices), api_name="choices", concurrency_id="search")
    gr.api(plainly(diagnose), api_name="diagnose", concurrency_id="diagnose", concurrency_limit=1)


def plainly(function: FunctionT) -> FunctionT:
    """Turn bad input into gradio's error, whose message the caller sees without a traceback in the log."""

    @wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except BadInputError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return guarded  # type: ignore[return-value]
