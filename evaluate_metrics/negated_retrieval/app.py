"""The metric in a browser: paste rankings as CSV, read the figures. (evaluate's own widget fails on gradio 6.)"""

import csv
import io
from pathlib import Path
from typing import Any

import evaluate
import gradio as gr

FOLDER = Path(__file__).parent
EXAMPLE = """found,right,excluded
street1 street-with-car park,street1,street-with-car
park street1 street-with-car,park,street1 street-with-car
"""


def read_table(text: str) -> dict[str, Any]:
    """Turn pasted CSV, image ids divided by spaces, into the metric's columns; `excluded` may be left out."""
    rows = list(csv.DictReader(io.StringIO(text.strip())))
    if not rows or not {"found", "right"} <= set(rows[0]):
        raise ValueError("The first line must name the columns, with `found` and `right` among them.")
    names = {"found": "predictions", "right": "references", "excluded": "excluded"}
    return {names[name]: [(row[name] or "").split() for row in rows] for name in names if name in rows[0]}


def compute(text: str, depths: str) -> dict[str, Any]:
    try:
        if not all(depth.isdecimal() for depth in depths.split()):
            raise ValueError(f"Depths k must be whole numbers divided by spaces, got {depths!r}.")
        ks = [int(depth) for depth in depths.split()]
        return evaluate.load(str(FOLDER / "negated_retrieval.py")).compute(**read_table(text), ks=ks)
    except ValueError as error:
        raise gr.Error(str(error), print_exception=False) from None


def build() -> gr.Blocks:
    with gr.Blocks(title="Negated Retrieval") as blocks:
        gr.Markdown(
            "# Negated Retrieval\nOne line a query: the images found, best first, the right ones, and those that show "
            "what the query excludes."
        )
        table = gr.Textbox(EXAMPLE, lines=12, label="Rankings (CSV, ids divided by spaces)")
        depths = gr.Textbox("1 3", label="Depths k")
        button = gr.Button("Compute", variant="primary")
        figures = gr.JSON(label="Figures")
        button.click(compute, inputs=[table, depths], outputs=figures, api_name="compute")
        gr.Markdown((FOLDER / "README.md").read_text(encoding="utf-8").split("---\n", 2)[2])
    return blocks


if __name__ == "__main__":
    build().launch()
