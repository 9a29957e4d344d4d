"""The third page: a model, a suite, and the report of `score-model`."""

import base64
import json
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

import gradio as gr

from notclip.errors import BadInputError
from notclip.scoring.measures import labels
from notclip.scoring.results import Figure
from notclip.space.bars import figure_rows, paired_rows
from notclip.space.diagnosis import Diagnosis, Progress, Waiting
from notclip.space.gallery import message_html
from notclip.space.gpu import on_gpu

ALONE = "nothing"
MOST_IN_LINE = 16
COUNTS = {"n_questions": "questions", "n_queries": "negated queries", "n_ordinary_queries": "ordinary queries"}
# The figures that decide, as sentences and in words; the rest stands below.
HEADLINES = (
    ("accuracy_by_kind/negation", "Asked what a picture does not show, {model} is right {percent} of the time"),
    ("accuracy", "{model} picks the true caption {percent} of the time"),
    ("violation@5", "{percent} of what {model} finds shows what the query excludes"),
    ("recall@5", "{model} finds the right photo among its first five {percent} of the time"),
)
EXPLAINED = {
    "accuracy_by_kind/affirmation": "How often the one true caption of four is picked, where it says what is there.",
    "accuracy_by_kind/negation": "The same where it only says what is not there.",
    "accuracy_by_kind/hybrid": "The same where it says both.",
    "recall@5": "How often a query without a “not” finds its photo among the first five.",
    "negated_recall@5": "The same for queries that exclude something.",
    "violation@5": "How many of the first five show it all the same; less is better.",
}
LEAD = """<div class="nc-lead"><h2>Does a model understand “not”?</h2><p>Questions and searches whose answers are
known, asked of two models: the report of <code>notclip score-model</code>.</p></div>"""


def report_html(contents: Sequence[dict[str, Any]], names: Sequence[str]) -> str:
    """One or two results JSONs as a sentence, a table of both, and the files themselves.

    Args:
        contents: of the model that was asked about, and of the one beside it.
        names: what the page calls them.
    """
    first = contents[0]
    metrics = first["metrics"]
    asked = ", ".join(f"{metrics[name]:,} {what}" for name, what in COUNTS.items() if metrics.get(name))
    sentence = next(
        (
            (name, text.format(model=names[0], percent=f"{100 * value:.0f} %"))
            for name, text in HEADLINES
            if isinstance(value := _inside(metrics, name), int | float)
        ),
        None,
    )
    told = ""
    if sentence is not None:
        beside = ""
        if len(contents) > 1:
            beside = f", {names[1]} {100 * _inside(contents[1]['metrics'], sentence[0]):.0f} %"
        told = f'<h3 class="nc-told">{escape(sentence[1] + beside)}.</h3>'
    rows = [
        (label, EXPLAINED.get(name, ""), *(_figure(content, name) for content in contents))
        for name, label in labels("plain").items()
        if isinstance(_inside(metrics, name), int | float)
    ]
    table = paired_rows(rows, labels=tuple(content["model"] for content in contents))
    return (
        f'<div role="status">{told}<p class="nc-fine">{escape(first["suite"])}: {asked} about '
        f"{metrics['n_images']:,} images. Thin lines are 95 % intervals over images.</p>{table}"
        f"{''.join(map(_all_figures, contents))}</div>"
    )


def _all_figures(content: dict[str, Any]) -> str:
    """Every figure of one model, and a link that downloads its results JSON without a file on the server."""
    rows = [
        (label, _figure(content, name))
        for name, label in labels("table").items()
        if isinstance(_inside(content["metrics"], name), int | float)
    ]
    encoded = base64.b64encode((json.dumps(content, indent=2) + "\n").encode()).decode()
    name = "".join(letter if letter.isalnum() else "-" for letter in content["model"]).strip("-")
    return (
        f'<details class="nc-words"><summary>All figures of {escape(content["model"])}</summary>{figure_rows(rows)}'
        f'</details><a class="nc-download" download="{escape(name)}-results.json" '
        f'href="data:application/json;base64,{encoded}">Results of {escape(content["model"])} as JSON</a>'
    )


def progress_html(step: Progress | Waiting, *, run: int, runs: int) -> str:
    """How far all runs are, or how many come first."""
    if isinstance(step, Waiting):
        many = f"{step.before} other runs come" if step.before > 1 else "One other run comes"
        return f'<p class="nc-progress-text" role="status">You are in line. {many} first; yours starts by itself.</p>'
    percent = f"{100 * (run + step.share) / runs:.0f}"
    return (
        f'<div class="nc-progress" role="progressbar" aria-valuemin="0" aria-valuemax="100" aria-valuenow="{percent}" '
        f'aria-label="Progress"><span style="width:{percent}%"></span></div>'
        f'<p class="nc-progress-text">{percent} %, {escape(step.doing)} …</p>'
    )


def _inside(figures: dict[str, Any], name: str) -> Any:
    outer, _, inner = name.partition("/")
    found = figures.get(outer)
    return found.get(inner) if inner and isinstance(found, dict) else found


def _figure(content: dict[str, Any], name: str) -> Figure:
    bounds = _inside(content["confidence_intervals"], name)
    return Figure(_inside(content["metrics"], name), *(bounds or ()))


def build_diagnose_tab(diagnosis: Diagnosis) -> None:
    """Lay out the page and wire it."""
    gr.HTML(LEAD, js_on_load=None)
    with gr.Row(equal_height=True):
        model = gr.Dropdown(
            diagnosis.models, value=diagnosis.models[0], label="Model", min_width=220, elem_id="diagnose-model"
        )
        other = gr.Dropdown(
            [ALONE, *diagnosis.models],
            value=diagnosis.models[1],
            label="Beside it",
            min_width=220,
            elem_id="diagnose-other",
        )
        suite = gr.Dropdown(
            diagnosis.suites, value=diagnosis.suites[0], label="Asked about", min_width=220, elem_id="diagnose-suite"
        )
    with gr.Row():
        button = gr.Button("Diagnose", variant="primary", elem_id="diagnose")
        stop = gr.Button("Stop", elem_id="diagnose-stop")
    report = gr.HTML(elem_id="report", js_on_load=None)

    @on_gpu
    def steps(name: str, beside: str, asked: str) -> Iterator[str]:
        names = [name] if beside in (ALONE, name) else [name, beside]
        contents: list[dict[str, Any]] = []
        try:
            for number, one in enumerate(names):
                for step in diagnosis.run(one, asked):
                    if isinstance(step, dict):
                        contents.append(step)
                    else:
                        yield progress_html(step, run=number, runs=len(names))
        except BadInputError as error:
            yield message_html(str(error))
            return
        yield report_html(contents, [one.partition(" (")[0] for one in names])

    def stopped(shown: str | None) -> Any:
        return '<p class="nc-note" role="status">Stopped.</p>' if "nc-progress" in (shown or "") else gr.skip()

    running = button.click(
        steps,
        [model, other, suite],
        report,
        api_visibility="private",
        concurrency_id="line",
        concurrency_limit=MOST_IN_LINE,
        show_progress="hidden",
    )
    stop.click(stopped, report, report, cancels=[running], queue=False, api_visibility="private")
