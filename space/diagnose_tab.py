"""The third page: a model, a suite, and the report of `score-model`."""

import base64
import json
from collections.abc import Iterator
from html import escape
from typing import Any

import gradio as gr

from notclip.errors import BadInputError
from notclip.scoring.measures import labels
from notclip.scoring.results import Figure
from notclip.space.bars import figure_rows
from notclip.space.diagnosis import Diagnosis, Progress
from notclip.space.gallery import message_html
from notclip.space.gpu import on_gpu

COUNTS = {"n_questions": "questions", "n_queries": "negated queries", "n_ordinary_queries": "ordinary queries"}


def report_html(content: dict[str, Any]) -> str:
    """A results JSON as a table with bars, and a link that downloads it without a file on the server."""
    metrics, intervals = content["metrics"], content["confidence_intervals"]
    rows = []
    for name, label in labels("table").items():
        value, bounds = _inside(metrics, name), _inside(intervals, name)
        if isinstance(value, int | float):
            rows.append((label, Figure(value, *bounds) if bounds else Figure(value)))
    asked = ", ".join(f"{metrics[name]:,} {what}" for name, what in COUNTS.items() if metrics.get(name))
    encoded = base64.b64encode((json.dumps(content, indent=2) + "\n").encode()).decode()
    name = "".join(letter if letter.isalnum() else "-" for letter in content["model"]).strip("-")
    return (
        f'<div role="status"><h3 class="nc-report-title">{escape(content["model"])} on {escape(content["suite"])}</h3>'
        f'<p class="nc-fine">{asked} about {metrics["n_images"]:,} images. 95 % intervals over images.</p>'
        f"{figure_rows(rows)}"
        f'<a class="nc-download" download="{escape(name)}-results.json" href="data:application/json;base64,{encoded}">'
        "Download the results as JSON</a></div>"
    )


def progress_html(progress: Progress) -> str:
    """How far a run is."""
    percent = f"{100 * progress.share:.0f}"
    return (
        f'<div class="nc-progress" role="progressbar" aria-valuemin="0" aria-valuemax="100" aria-valuenow="{percent}" '
        f'aria-label="Progress"><span style="width:{percent}%"></span></div>'
        f'<p class="nc-progress-text">{percent} %, {escape(progress.doing)} …</p>'
    )


def _inside(figures: dict[str, Any], name: str) -> Any:
    outer, _, inner = name.partition("/")
    found = figures.get(outer)
    return found.get(inner) if inner and isinstance(found, dict) else found


def build_diagnose_tab(diagnosis: Diagnosis) -> None:
    """Lay out the page and wire it."""
    gr.Markdown(
        "### Does a model understand “not”?\nQuestions and searches whose answers are known, with honest intervals: "
        "the report of `notclip score-model`.",
        elem_classes="nc-lead",
    )
    if not diagnosis.suites:
        gr.Markdown("Nothing is known about the photos of this Space, so that no model can be diagnosed on them.")
        return
    with gr.Row(equal_height=True):
        model = gr.Dropdown(
            diagnosis.models, value=diagnosis.models[0], label="Model", min_width=300, elem_id="diagnose-model"
        )
        suite = gr.Dropdown(
            diagnosis.suites, value=diagnosis.suites[0], label="Suite", min_width=300, elem_id="diagnose-suite"
        )
    with gr.Row():
        button = gr.Button("Diagnose", variant="primary", elem_id="diagnose")
        stop = gr.Button("Stop", elem_id="diagnose-stop")
    report = gr.HTML(elem_id="report", js_on_load=None)

    @on_gpu
    def steps(name: str, asked: str) -> Iterator[str]:
        try:
            for step in diagnosis.run(name, asked):
                yield progress_html(step) if isinstance(step, Progress) else report_html(step)
        except BadInputError as error:
            yield message_html(str(error))

    running = button.click(
        steps, [model, suite], report, api_visibility="private", concurrency_id="diagnose", concurrency_limit=1
    )
    stop.click(
        lambda: '<p class="nc-note" role="status">Stopped.</p>',
        None,
        report,
        cancels=[running],
        queue=False,
        api_visibility="private",
    )
