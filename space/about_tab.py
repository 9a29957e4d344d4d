"""The fourth page: what affirmation bias is, what was measured, limits and links."""

from html import escape
from pathlib import Path

import gradio as gr

from notclip.scoring.measures import labels
from notclip.scoring.results import Results
from notclip.space.bars import paired_rows
from notclip.space.settings import SpaceSettings

PAPERS = {
    "NegBench: Vision-Language Models Do Not Understand Negation (Alhamoud et al., CVPR 2025)": "2501.09425",
    "CLIP: Learning Transferable Visual Models From Natural Language Supervision (Radford et al., 2021)": "2103.00020",
}
WHAT = """## What affirmation bias is

Ask a vision-language model such as CLIP for *a beach with no people*, and it returns beaches full of people. It was
trained on captions that say what a picture shows. Hardly any says what it lacks, so the model learned to match nouns
and to skip "no". Researchers call this **affirmation bias**.

NotCLIP reads a query first: what it affirms, and what it excludes. Both parts are embedded by the same model and
composed into one vector, so that any vector index can serve it. {plain}"""
UNTRAINED = "A query without negation scores exactly as the ordinary model scores it."
TRAINED = "A query without negation goes to the text encoder as it is; training moved its scores a little."
LIMITS = """## Limits

- The reader of negation knows English.
- Exclusion is as good as the model's eye: what it cannot see, it cannot exclude, and results may still show it.
- Not a medical device, and not for clinical use.
- Your photos are kept in memory for your visit, and are never stored."""
ROLES = {
    "model": ("Model", ""),
    "backbone": ("Merged backbone", ""),
    "adapter": ("Adapter", ""),
    "dataset": ("Data", "datasets/"),
    "metrics/negated_mcq": ("Metric for questions", "spaces/"),
    "metrics/negated_retrieval": ("Metric for retrieval", "spaces/"),
}


def results_html(folder: Path | None) -> str:
    """The figure of the results, base beside NotCLIP; nothing where none came with the Space."""
    if folder is None or not all((folder / f"{role}.json").is_file() for role in ("base", "notclip")):
        return ""
    base, ours = (Results.read(folder / f"{role}.json") for role in ("base", "notclip"))
    rows = [
        (label, "", ours.figure(metric), base.figure(metric))
        for metric, label in labels("plain").items()
        if base.has(metric) and ours.has(metric)
    ]
    about = f"Test split, {int(base.figure('n_images').value):,} images, in %. Lines are 95 % intervals over images."
    chance = (
        f" A guess answers {100 * base.figure('chance').value:.0f} % of the questions." if base.has("chance") else ""
    )
    return (
        f'<div class="nc-results"><h2>What was measured</h2><p class="nc-fine">{escape(about + chance)} '
        f"In the last row less is better.</p>{paired_rows(rows, labels=('NotCLIP', 'ordinary model'))}</div>"
    )


def links_html(settings: SpaceSettings) -> str:
    """Links to what was released, and to the papers."""
    items = []
    for folder, repo_id in settings.links.items():
        if folder in ROLES:
            label, kind = ROLES[folder]
            items.append(_link(f"https://huggingface.co/{kind}{repo_id}", f"{label}: {repo_id}"))
    if settings.base.url:
        items.append(_link(settings.base.url, f"Ordinary model: {settings.base.name}"))
    items += [_link(f"https://arxiv.org/abs/{number}", title) for title, number in PAPERS.items()]
    return f'<h2>Links</h2><ul class="nc-links">{"".join(items)}</ul>'


def _link(url: str, text: str) -> str:
    return f'<li><a href="{escape(url)}" target="_blank" rel="noopener">{escape(text)}</a></li>'


def build_about_tab(settings: SpaceSettings) -> None:
    """Lay out the page."""
    with gr.Row(elem_classes="nc-about"):
        with gr.Column(scale=3, min_width=300):
            gr.Markdown(WHAT.format(plain=TRAINED if settings.model else UNTRAINED))
            gr.Markdown(LIMITS)
        with gr.Column(scale=3, min_width=300):
            gr.HTML(results_html(settings.results) + links_html(settings), elem_id="about", js_on_load=None)
