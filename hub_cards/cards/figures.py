"""The pictures of a card, drawn from results alone: by kind, retrieval, training, and a look at the data.

Colours are Okabe and Ito's, which people with any colour vision tell apart.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from notclip.scoring.measures import KINDS
from notclip.scoring.report.drawing import draw_bars, new_canvas, save_picture
from notclip.scoring.results import Figure, Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from PIL.Image import Image

COLOURS = ("#999999", "#E69F00", "#0072B2")  # base, merged backbone, NotCLIP


def draw_accuracy_by_kind(scored: Mapping[str, Results], path: Path) -> None:
    """Bars with confidence intervals: accuracy on each kind of question and their mean, for each model."""
    canvas, (axes,) = new_canvas(1, width=8)
    groups = {kind: f"accuracy_by_kind/{kind}" for kind in KINDS} | {"macro average": "macro_accuracy"}
    _bars(axes, list(groups), {name: [r.figure(m) for m in groups.values()] for name, r in scored.items()})
    chance = next(iter(scored.values())).figure("chance").value
    axes.axhline(100 * chance, color="#444444", linestyle=":", linewidth=1)
    axes.set_xlim(-0.85, axes.get_xlim()[1])
    axes.text(-0.82, 100 * chance + 1, "chance", color="#444444", fontsize=8)
    axes.set_title("Questions answered rightly, by kind (%)", loc="left", fontsize=11)
    save_picture(canvas, axes, path)


def draw_retrieval(scored: Mapping[str, Results], path: Path) -> None:
    """Two panels: recall@5 of ordinary and negated queries, and how often results show what a query excludes."""
    canvas, (found, shown) = new_canvas(2, width=9)
    recall = {"ordinary queries": "recall@5", "negated queries": "negated_recall@5"}
    violation = {"top 1": "violation@1", "top 5": "violation@5"}
    _bars(found, list(recall), {name: [r.figure(m) for m in recall.values()] for name, r in scored.items()})
    _bars(shown, list(violation), {name: [r.figure(m) for m in violation.values()] for name, r in scored.items()})
    found.set_title("Right image among the first five (%)", loc="left", fontsize=11)
    shown.set_title("Results that show what the query excludes (%)", loc="left", fontsize=11)
    save_picture(canvas, found, path)


def draw_training(history: Sequence[Mapping[str, float]], *, chosen: int, tolerance: float, path: Path) -> None:
    """What each epoch gained in macro accuracy and lost in ordinary recall@5 on validation, and how much it may."""
    canvas, (axes,) = new_canvas(1, width=8)
    epochs = [entry["epoch"] for entry in history]
    for name, label, colour in (
        ("macro_accuracy", "macro accuracy on questions", COLOURS[2]),
        ("recall_at_5", "ordinary recall@5", COLOURS[1]),
    ):
        axes.plot(epochs, [100 * entry[name] for entry in history], marker="o", color=colour, label=label)
    floor = 100 * (history[0]["recall_at_5"] - tolerance)
    axes.axhline(floor, color=COLOURS[1], linestyle=":", linewidth=1.5, label="least recall@5 that may be chosen")
    axes.axvline(chosen, color="#444444", linestyle="--", linewidth=1, label="chosen")
    axes.set_xticks(epochs)
    axes.set_xlabel("epoch (0: the base, with the composition alone)")
    axes.set_title("Gained and forgotten while training, on validation (%)", loc="left", fontsize=11)
    save_picture(canvas, axes, path)


def draw_examples(rows: Sequence[tuple["Image", str, str]], path: Path) -> None:
    """A row of images, each over a caption of it and a negated caption."""
    import textwrap

    canvas, panels = new_canvas(len(rows), width=2.9 * len(rows), height=4.6, heights=(3, 1.6))
    images, texts = panels[: len(rows)], panels[len(rows) :]
    for image_panel, text_panel, (image, caption, negated) in zip(images, texts, rows, strict=True):
        image_panel.imshow(image)
        image_panel.set_axis_off()
        text_panel.set_axis_off()
        for text, height, colour in ((caption, 1, "#222222"), (negated, 0.42, COLOURS[2])):
            wrapped = textwrap.fill(text, 38, max_lines=4)
            # Out of the layout, or the widest caption would push the pictures apart.
            text_panel.text(0, height, wrapped, va="top", fontsize=9, color=colour, in_layout=False)
    save_picture(canvas, None, path)


def _bars(axes: "Axes", groups: Sequence[str], series: Mapping[str, Sequence[Figure]]) -> None:
    for index, (label, figures) in enumerate(series.items()):
        draw_bars(axes, figures, series=index, of=len(series), label=label, colour=COLOURS[index % len(COLOURS)])
    axes.set_xticks(range(len(groups)), groups)
    axes.set_xlim(-0.5, len(groups) - 0.5)
    top = max(figure.value + figure.whiskers[1] for row in series.values() for figure in row)
    axes.set_ylim(0, max(112 * top, 10))  # room for the numbers above the bars
