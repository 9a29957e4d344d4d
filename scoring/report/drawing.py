"""What all pictures of results share: a light ground that reads on a dark page too, bars with intervals, the file."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from notclip.scoring.results import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas


def new_canvas(
    columns: int, *, width: float, height: float = 3.6, heights: Sequence[float] = (1,), dpi: int = 150
) -> tuple["Canvas", list["Axes"]]:
    """A picture of panels side by side, in rows of the given relative heights; sizes in inches."""
    # Without pyplot: no display, no global state.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(width, height), dpi=dpi, facecolor="#FAFAFA", layout="constrained")
    FigureCanvasAgg(canvas)
    grid = canvas.add_gridspec(len(heights), columns, height_ratios=heights)
    panels = [canvas.add_subplot(grid[row, column]) for row in range(len(heights)) for column in range(columns)]
    for axes in panels:
        axes.set_facecolor("#FAFAFA")
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#DDDDDD", linewidth=0.8)
        axes.set_axisbelow(True)
    return canvas, panels


def draw_bars(axes: "Axes", figures: Sequence[Figure], *, series: int, of: int, label: str, colour: str) -> None:
    """One series of bars in per cent, with intervals and their values, beside the others of each group.

    Args:
        axes: where.
        figures: one for each group.
        series: number of this series.
        of: how many series there are.
        label: in the legend.
        colour: of the bars.
    """
    width = 0.8 / of
    places = [group + (series - (of - 1) / 2) * width for group in range(len(figures))]
    heights = [100 * figure.value for figure in figures]
    whiskers = [[100 * figure.whiskers[end] for figure in figures] for end in (0, 1)]
    axes.bar(places, heights, width * 0.92, label=label, color=colour)
    axes.errorbar(places, heights, whiskers, fmt="none", ecolor="#222222", elinewidth=1, capsize=2.5)
    for place, height, up in zip(places, heights, whiskers[1], strict=True):
        axes.text(place, height + up + 1, f"{height:.0f}", ha="center", va="bottom", fontsize=8, color="#222222")


def save_picture(canvas: "Canvas", legend_of: "Axes | None", path: Path) -> Path:
    """Write a PNG file, with the legend of one panel below; the same bytes whoever draws it."""
    if legend_of is not None:
        handles, labels = legend_of.get_legend_handles_labels()
        canvas.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    options: dict[str, Any] = {"metadata": {"Software": None}}
    canvas.savefig(path, **options)
    return path
