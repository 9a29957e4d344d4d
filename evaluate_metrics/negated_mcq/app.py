"""The metric in a browser: paste questions as CSV, read the figures. (evaluate's own widget fails on gradio 6.)"""

import csv
import io
from pathlib import Path
from typing import Any

import evaluate
import gradio as gr

FOLDER = Path(__file__).parent
EXAMPLE = """answer,kinds,image,group,score_0,score_1,score_2,score_3
0,affirmation negation hybrid negation,street.jpg,pair 1,0.31,0.24,0.27,0.20
1,affirmation negation hybrid negation,street.jpg,,0.29,0.22,0.25,0.21
1,affirmation negation hybrid negation,park.jpg,pair 1,0.28,0.30,0.25,0.19
"""


def read_table(text: str) -> dict[str, Any]:
    """Turn pasted CSV into the metric's columns; `kinds`, `image` and `group` may be left out."""
    rows = list(csv.DictReader(io.StringIO(text.strip())))
    if not rows or "answer" not in rows[0] or "score_0" not in rows[0]:
        raise ValueError("The first line must name the columns, with `answer`, `score_0`, `score_1` among them.")
    names = [name for name in rows[0] if name and name.startswith("score_")]
    columns: dict[str, Any] = {"predictions": [], "references": []}
    for line, row in enumerate(rows, start=2):
        try:
            scores = [row[name] or "" for name in names]
            while scores and not scores[-1]:  # fewer choices than other lines; a blank before a score is an error
                scores.pop()
            columns["predictions"].append([float(score) for score in scores])
            columns["references"].append(int(row["answer"]))
        except (TypeError, ValueError) as error:
            raise ValueError(f"Line {line}: {error}.") from None
    if "kinds" in rows[0]:
        columns["choice_kinds"] = [row["kinds"].split() for row in rows]
    if "image" in rows[0]:
        columns["image_ids"] = [row["image"] for row in rows]
    if "group" in rows[0]:
        columns["groups"] = [row["group"] or "" for row in rows]
    return columns


def compute(text: str) -> dict[str, Any]:
    try:
        return evaluate.load(str(FOLDER / "negated_mcq.py")).compute(**read_table(text))
    except ValueError as error:
        raise gr.Error(str(error), print_exception=False) from None


def build() -> gr.Blocks:
    with gr.Blocks(title="Negated MCQ") as blocks:
        gr.Markdown(
            "# Negated MCQ\nOne line a question: the position of the true choice, the kinds of the choices, the "
            "image, a label of the questions that count only together, and the model's score of each choice."
        )
        table = gr.Textbox(EXAMPLE, lines=12, label="Questions and scores (CSV)")
        button = gr.Button("Compute", variant="primary")
        figures = gr.JSON(label="Figures")
        button.click(compute, inputs=table, outputs=figures, api_name="compute")
        gr.Markdown((FOLDER / "README.md").read_text(encoding="utf-8").split("---\n", 2)[2])
    return blocks


if __name__ == "__main__":
    build().launch()
