"""One picture of a trained model: what the same queries find before and after, and how the questions go.

Drawn from the test split. The queries shown are those with the greatest difference in results that show what was
excluded, and the picture says so: the averages stand beside them.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from notclip.dataset.photos import decode_photo
from notclip.dataset.reader import read_split
from notclip.dataset.rows import RetrievalRow
from notclip.hub_cards.cards.figures import COLOURS
from notclip.remote.modeling_notclip import NotClipModel
from notclip.scoring.results import Results

SHOWN = 5
QUERIES = 3
RIGHT, VIOLATES = "#009E73", "#D55E00"


@dataclass(frozen=True)
class SearchedQuery:
    """A query and the rows that base and NotCLIP rank first for it."""

    query: str
    own: int
    excluded: frozenset[str]
    by_base: list[int]
    by_notclip: list[int]


def draw_overview(
    base: NotClipModel, notclip: NotClipModel, data: Path, scored: dict[str, Results], path: Path
) -> None:
    """Draw the picture to a PNG file.

    Args:
        base: the plain dual encoder.
        notclip: the trained model.
        data: the built dataset, whose test split is searched.
        scored: results by name, `base` and `notclip` among them, for the bars.
        path: file to write.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    placed = list(read_split(data, RetrievalRow, "test", ["image", "captions", "absent", "present"]))
    rows = [row for row, _ in placed]
    images = [
        decode_photo(row.image["bytes"], str(place)) for row, place in placed if row.image and row.image["bytes"]
    ]
    present = [frozenset(row.present) for row in rows]
    picked = _most_different(_search(base, notclip, rows, images), present)

    figure = pyplot.figure(figsize=(14, 0.9 + 1.85 * QUERIES), dpi=110, facecolor="white")
    grid = figure.add_gridspec(
        QUERIES, 2, width_ratios=(3.1, 1), left=0.01, right=0.985, top=0.84, bottom=0.05, wspace=0.22, hspace=0.5
    )
    for row, found in enumerate(picked):
        cells = grid[row, 0].subgridspec(
            1, 2 * SHOWN + 1, width_ratios=[1] * SHOWN + [0.25] + [1] * SHOWN, wspace=0.06
        )
        for first, name, ranked in ((0, "base", found.by_base), (SHOWN + 1, "NotCLIP", found.by_notclip)):
            for offset, image in enumerate(ranked):
                panel = figure.add_subplot(cells[first + offset])
                panel.imshow(images[image])
                panel.set_xticks([])
                panel.set_yticks([])
                violates = bool(present[image] & found.excluded)
                colour = VIOLATES if violates else RIGHT if image == found.own else "#bbbbbb"
                for spine in panel.spines.values():
                    spine.set(color=colour, linewidth=3.5 if colour != "#bbbbbb" else 0.8)
                if offset == 0:
                    panel.set_title(name, fontsize=9, loc="left", color="#444444")
        title = figure.add_subplot(grid[row, 0], frameon=False)
        title.set_axis_off()
        wrapped = textwrap.shorten(found.query, 92, placeholder=" …")
        title.set_title(f"“{wrapped}”", fontsize=11.5, loc="left", pad=14, fontweight="bold")

    bars = figure.add_subplot(grid[:, 1])
    _draw_bars(bars, scored)
    figure.suptitle(
        "The test queries on which base and NotCLIP differ most. "
        "Orange frame: shows what the query excludes. Green frame: the image it describes.",
        x=0.01,
        y=0.985,
        ha="left",
        fontsize=10,
        color="#444444",
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    pyplot.close(figure)


def _search(
    base: NotClipModel, notclip: NotClipModel, rows: Sequence[RetrievalRow], images: Sequence[Image.Image]
) -> list[SearchedQuery]:
    queries = [
        (text, row, frozenset(absent))
        for row, content in enumerate(rows)
        for text, absent in zip(content.captions[:1], content.absent[:1], strict=True)
    ]
    texts = [text for text, _, _ in queries]
    best = []
    for model, composition in ((base, "none"), (notclip, "scope")):
        vectors, _ = model.encode_queries(texts, composition=composition)
        embeds = model.encode_images(images)
        best.append((vectors @ embeds.T).topk(min(SHOWN, len(images)), dim=1).indices.tolist())
    return [
        SearchedQuery(text, own, excluded, by_base, by_notclip)
        for (text, own, excluded), by_base, by_notclip in zip(queries, *best, strict=True)
    ]


def _most_different(found: Sequence[SearchedQuery], present: Sequence[frozenset[str]]) -> list[SearchedQuery]:
    def violations(ranked: Sequence[int], excluded: frozenset[str]) -> int:
        return sum(bool(present[image] & excluded) for image in ranked)

    def gain(one: SearchedQuery) -> tuple[int, bool, int]:
        fewer = violations(one.by_base, one.excluded) - violations(one.by_notclip, one.excluded)
        return fewer, one.own in one.by_notclip, -len(one.query)

    picked: list[SearchedQuery] = []
    for one in sorted(found, key=gain, reverse=True):
        if all(one.excluded != other.excluded for other in picked):
            picked.append(one)
        if len(picked) == QUERIES:
            break
    return picked


def _draw_bars(axes: Any, scored: dict[str, Results]) -> None:
    labels = {
        "affirmation": "accuracy_by_kind/affirmation",
        "negation": "accuracy_by_kind/negation",
        "hybrid": "accuracy_by_kind/hybrid",
        "macro average": "macro_accuracy",
        "vision gain": "vision_gain",
        "recall@5,\nordinary": "recall@5",
        "recall@5,\nnegated": "negated_recall@5",
        "violation@5": "violation@5",
    }
    positions = np.arange(len(labels))[::-1]
    shown = {"base": (COLOURS[0], 0.19), "notclip": (COLOURS[2], -0.19)}
    for name, (colour, shift) in shown.items():
        figures = [scored[name].figure(metric) for metric in labels.values()]
        whiskers = 100 * np.array([figure.whiskers for figure in figures]).T
        values = [100 * figure.value for figure in figures]
        axes.barh(
            positions + shift,
            values,
            height=0.36,
            color=colour,
            xerr=whiskers,
            error_kw={"ecolor": "#444444", "elinewidth": 1},
            label={"base": "base", "notclip": "NotCLIP"}[name],
        )
        for position, value in zip(positions + shift, values, strict=True):
            axes.text(max(value, 0) + 4, position, f"{value:z.0f}", va="center", fontsize=8, color="#444444")
    axes.set_yticks(positions, list(labels), fontsize=9)
    axes.set_xlim(0, 105)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title("Test split, %", fontsize=10, loc="left")
    axes.legend(frameon=False, fontsize=9, loc="lower right")
