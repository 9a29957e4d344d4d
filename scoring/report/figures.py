"""The pictures of a comparison: kinds, confusion, recall and violation against k, and a bar for each form."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from notclip.scoring.measures import KINDS
from notclip.scoring.report.drawing import draw_bars, new_canvas, save_picture
from notclip.scoring.results import Figure, Results, nested_value

# Okabe and Ito's, which people with any colour vision tell apart; the first model, the one that is reported, in blue.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#999999", "#000000")
DEPTHS = (1, 5, 10)
MOST_FORMS = 40
DPI = 130  # the page holds all of them in itself


def draw_comparison(scored: Mapping[str, Results], folder: Path) -> dict[str, Path]:
    """Draw every picture that the results have figures for.

    Args:
        scored: label of each model -> its results; the reported one first.
        folder: where the PNG files go.

    Returns:
        Title -> file, in the order in which to show them.
    """
    first = next(iter(scored.values()))
    drawn: dict[str, Path] = {}
    kinds = {kind: f"accuracy_by_kind/{kind}" for kind in KINDS if first.has(f"accuracy_by_kind/{kind}")}
    if kinds:
        drawn["Accuracy by kind"] = _draw_kinds(scored, kinds, folder / "accuracy_by_kind.png")
    if isinstance(first.content["metrics"].get("confusion"), Mapping):
        drawn["What is picked, by kind of question"] = _draw_confusion(scored, folder / "confusion.png")
    if first.has("recall@1") or first.has("negated_recall@1"):
        drawn["Recall and violation against k"] = _draw_depths(scored, folder / "recall_and_violation.png")
    forms = first.content["metrics"].get("accuracy_by_form")
    if isinstance(forms, Mapping) and forms:
        drawn["Accuracy by form of negation"] = _draw_forms(scored, list(forms), folder / "accuracy_by_form.png")
    return drawn


def _draw_kinds(scored: Mapping[str, Results], kinds: Mapping[str, str], path: Path) -> Path:
    canvas, (axes,) = new_canvas(1, dpi=DPI, width=8, height=3.8)
    groups = {**kinds, "macro average": "macro_accuracy"}
    for index, (label, results) in enumerate(scored.items()):
        figures = [_figure(results, name) for name in groups.values()]
        draw_bars(axes, figures, series=index, of=len(scored), label=label, colour=COLOURS[index % len(COLOURS)])
    chance = 100 * next(iter(scored.values())).figure("chance").value
    axes.axhline(chance, color="#444444", linestyle=":", linewidth=1, label="chance")
    axes.set_xticks(range(len(groups)), list(groups))
    axes.set_ylim(0, 108)
    axes.set_title("Questions answered rightly, by kind (%, 95 % intervals)", loc="left", fontsize=11)
    return save_picture(canvas, axes, path)


def _draw_confusion(scored: Mapping[str, Results], path: Path) -> Path:
    shown = {label: results.content["metrics"].get("confusion") for label, results in scored.items()}
    tables = {label: table for label, table in shown.items() if isinstance(table, Mapping)}
    canvas, panels = new_canvas(len(tables), dpi=DPI, width=max(4.2, 3.4 * len(tables)), height=3.6)
    for axes, (label, table) in zip(panels, tables.items(), strict=True):
        kinds = [kind for kind in KINDS if kind in table]
        shares = [[100 * table[kind][chosen] for chosen in KINDS] for kind in kinds]
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=100, aspect="auto")
        for row, line in enumerate(shares):
            for column, share in enumerate(line):
                colour = "white" if share > 55 else "#222222"
                axes.text(column, row, f"{share:z.0f}", ha="center", va="center", color=colour, fontsize=10)
        axes.set_xticks(range(len(KINDS)), KINDS, fontsize=8)
        axes.set_yticks(range(len(kinds)), kinds if axes is panels[0] else [""] * len(kinds), fontsize=8)
        axes.grid(visible=False)
        axes.set_title(label, fontsize=9, loc="left")
        axes.set_xlabel("kind picked (%)", fontsize=8)
    panels[0].set_ylabel("kind of question", fontsize=8)
    return save_picture(canvas, None, path)


def _draw_depths(scored: Mapping[str, Results], path: Path) -> Path:
    titles = {
        "recall": "Ordinary queries: recall@k (%)",
        "negated_recall": "Negated queries: recall@k (%)",
        "violation": "Negated queries: violation@k (%, lower is better)",
    }
    first = next(iter(scored.values()))
    measured = {name: title for name, title in titles.items() if first.has(f"{name}@1")}
    canvas, panels = new_canvas(len(measured), dpi=DPI, width=4.1 * len(measured), height=3.8)
    for axes, (name, title) in zip(panels, measured.items(), strict=True):
        for index, (label, results) in enumerate(scored.items()):
            depths = [k for k in DEPTHS if results.has(f"{name}@{k}")]
            figures = [results.figure(f"{name}@{k}") for k in depths]
            colour = COLOURS[index % len(COLOURS)]
            values = [100 * figure.value for figure in figures]
            axes.plot(range(len(depths)), values, marker="o", color=colour, label=label)
            low, high = (
                [100 * (f.value + side * f.whiskers[end]) for f in figures] for end, side in ((0, -1), (1, 1))
            )
            axes.fill_between(range(len(depths)), low, high, color=colour, alpha=0.15, linewidth=0)
            axes.set_xticks(range(len(depths)), [str(k) for k in depths])
        if name == "violation" and first.has("violation_chance"):
            chance = 100 * first.figure("violation_chance").value
            axes.axhline(chance, color="#444444", linestyle=":", linewidth=1, label="random order")
        axes.set_ylim(bottom=0)
        axes.set_xlabel("k")
        axes.set_title(title, loc="left", fontsize=9)
    return save_picture(canvas, panels[-1], path)


def _draw_forms(scored: Mapping[str, Results], forms: Sequence[str], path: Path) -> Path:
    """A bar each, the form that the reported model reads worst on top."""
    first = next(iter(scored.values()))
    ordered = sorted(forms, key=lambda form: _figure(first, f"accuracy_by_form/{form}").value)[:MOST_FORMS]
    canvas, (axes,) = new_canvas(1, dpi=DPI, width=8, height=1.4 + 0.17 * len(ordered) * (1 + len(scored)))
    height = 0.84 / len(scored)
    for index, (label, results) in enumerate(scored.items()):
        figures = [_figure(results, f"accuracy_by_form/{form}") for form in ordered]
        places = [row + (index - (len(scored) - 1) / 2) * height for row in range(len(ordered))]
        values = [100 * figure.value for figure in figures]
        whiskers = [[100 * figure.whiskers[end] for figure in figures] for end in (0, 1)]
        axes.barh(places, values, height * 0.9, label=label, color=COLOURS[index % len(COLOURS)])
        axes.errorbar(values, places, xerr=whiskers, fmt="none", ecolor="#222222", elinewidth=0.8, capsize=1.5)
    chance = 100 * first.figure("chance").value
    axes.axvline(chance, color="#444444", linestyle=":", linewidth=1, label="chance")
    axes.set_yticks(range(len(ordered)), [_form_name(first, form) for form in ordered], fontsize=8)
    axes.set_ylim(len(ordered) - 0.5, -0.5)
    axes.set_xlim(0, 100)
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", color="#DDDDDD", linewidth=0.8)
    title = "Questions answered rightly (%), by form of the true caption (how many questions)"
    axes.set_title(title, loc="left", fontsize=11)
    return save_picture(canvas, axes, path)


def _form_name(results: Results, form: str) -> str:
    """A form and its number of questions, which says how much its bar is worth."""
    count = nested_value(results.content["metrics"], f"n_questions_by_form/{form}")
    return form.replace("_", " ") + (f" ({count:,})" if isinstance(count, int) else "")


def _figure(results: Results, name: str) -> Figure:
    return results.figure(name) if results.has(name) else Figure(0.0)
