"""The pictures of a card, drawn from results alone: by kind, retrieval, training, and a look at the data.

Colours are Okabe and Ito's, which people with any colour vision tell apart; a light ground of its own makes each
figure readable on a dark page too.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from notclip.hub_cards.results import Figure, Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas
    from PIL.Image import Image

COLOURS = ("#999999", "#E69F00", "#0072B2")  # base, merged backbone, NotCLIP
KINDS = ("affirmation", "negation", "hybrid")


def draw_accuracy_by_kind(scored: Mapping[str, Results], path: Path) -> None:
    """Bars with confidence intervals: accuracy on each kind of question and their mean, for each model."""
    canvas, (axes,) = _canvas(columns=1, width=8)
    groups = {kind: f"accuracy_by_kind/{kind}" for kind in KINDS} | {"macro average": "macro_accuracy"}
    _bars(axes, list(groups), {name: [r.figure(m) for m in groups.values()] for name, r in scored.items()})
    chance = next(iter(scored.values())).figure("chance").value
    axes.axhline(100 * chance, color="#444444", linestyle=":", linewidth=1)
    axes.set_xlim(-0.85, axes.get_xlim()[1])
    axes.text(-0.82, 100 * chance + 1, "chance", color="#444444", fontsize=8)
    axes.set_title("Questions answered rightly, by kind (%)", loc="left", fontsize=11)
    _save(canvas, axes, path)


def draw_retrieval(scored: Mapping[str, Results], path: Path) -> None:
    """Two panels: recall@5 of ordinary and negated queries, and how often results show what a query excludes."""
    canvas, (found, shown) = _canvas(columns=2, width=9)
    recall = {"ordinary queries": "recall@5", "negated queries": "negated_recall@5"}
    violation = {"top 1": "violation@1", "top 5": "violation@5"}
    _bars(found, list(recall), {name: [r.figure(m) for m in recall.values()] for name, r in scored.items()})
    _bars(shown, list(violation), {name: [r.figure(m) for m in violation.values()] for name, r in scored.items()})
    found.set_title("Right image among the first five (%)", loc="left", fontsize=11)
    shown.set_title("Results that show what the query excludes (%)", loc="left", fontsize=11)
    _save(canvas, found, path)


def draw_training(history: Sequence[Mapping[str, float]], *, chosen: int, tolerance: float, path: Path) -> None:
    """What each epoch gained in macro accuracy and lost in ordinary recall@5 on validation, and how much it may."""
    canvas, (axes,) = _canvas(columns=1, width=8)
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
    _save(canvas, axes, path)


def draw_examples(rows: Sequence[tuple["Image", str, str]], path: Path) -> None:
    """A row of images, each over a caption of it and a negated caption."""
    import textwrap

    canvas, panels = _canvas(columns=len(rows), width=2.9 * len(rows), height=4.6, heights=(3, 1.6))
    images, texts = panels[: len(rows)], panels[len(rows) :]
    for image_panel, text_panel, (image, caption, negated) in zip(images, texts, rows, strict=True):
        image_panel.imshow(image)
        image_panel.set_axis_off()
        text_panel.set_axis_off()
        for text, height, colour in ((caption, 1, "#222222"), (negated, 0.42, COLOURS[2])):
            wrapped = textwrap.fill(text, 38, max_lines=4)
            # Out of the layout, or the widest caption would push the pictures apart.
            text_panel.text(0, height, wrapped, va="top", fontsize=9, color=colour, in_layout=False)
    _save(canvas, None, path)


def _canvas(
    *, columns: int, width: float, height: float = 3.6, heights: Sequence[float] = (1,)
) -> tuple["Canvas", list["Axes"]]:
    # Without pyplot: no display, no global state.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(width, height), dpi=150, facecolor="#FAFAFA", layout="constrained")
    FigureCanvasAgg(canvas)
    grid = canvas.add_gridspec(len(heights), columns, height_ratios=heights)
    panels = [canvas.add_subplot(grid[row, column]) for row in range(len(heights)) for column in range(columns)]
    for axes in panels:
        axes.set_facecolor("#FAFAFA")
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#DDDDDD", linewidth=0.8)
        axes.set_axisbelow(True)
    return canvas, panels


def _bars(axes: "Axes", groups: Sequence[str], series: Mapping[str, Sequence[Figure]]) -> None:
    width = 0.8 / len(series)
    for index, (label, figures) in enumerate(series.items()):
        places = [group + (index - (len(series) - 1) / 2) * width for group in range(len(groups))]
        heights = [100 * figure.value for figure in figures]
        whiskers = [[100 * figure.whiskers[end] for figure in figures] for end in (0, 1)]
        colour = COLOURS[index % len(COLOURS)]
        axes.bar(places, heights, width * 0.92, label=label, color=colour)
        axes.errorbar(places, heights, whiskers, fmt="none", ecolor="#222222", elinewidth=1, capsize=2.5)
        for place, height, up in zip(places, heights, whiskers[1], strict=True):
            axes.text(place, height + up + 1, f"{height:.0f}", ha="center", va="bottom", fontsize=8, color="#222222")
    axes.set_xticks(range(len(groups)), groups)
    axes.set_xlim(-0.5, len(groups) - 0.5)
    top = max(figure.value + figure.whiskers[1] for row in series.values() for figure in row)
    axes.set_ylim(0, max(112 * top, 10))  # room for the numbers above the bars


def _save(canvas: "Canvas", legend_of: "Axes | None", path: Path) -> None:
    if legend_of is not None:
        handles, labels = legend_of.get_legend_handles_labels()
        canvas.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    options: dict[str, Any] = {"metadata": {"Software": None}}  # The same bytes whoever draws it.
    canvas.savefig(path, **options)
