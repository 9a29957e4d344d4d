"""Bars as HTML: what two models believe of some captions, and measured figures with their intervals."""

from collections.abc import Sequence
from html import escape
from typing import Any

from notclip.scoring.results import Figure


def choice_bars(
    captions: Sequence[str],
    base: Sequence[float],
    notclip: Sequence[float],
    *,
    truth: int | None,
    own: int | None = None,
    live: bool = True,
) -> str:
    """Both models' belief in each caption.

    Args:
        captions: the choices.
        base: shares of the base, summing to 1.
        notclip: shares of NotCLIP.
        truth: position of the true caption, where it is known.
        own: position of what the visitor chose, in a quiz.
        live: whether screen readers announce it.
    """
    picks = {
        name: max(range(len(captions)), key=shares.__getitem__) for name, shares in (("base", base), ("ours", notclip))
    }
    rows = []
    for index, caption in enumerate(captions):
        tags = '<span class="nc-tag nc-true">true</span>' if index == truth else ""
        tags += '<span class="nc-tag nc-you">your answer</span>' if index == own else ""
        bars = "".join(
            _bar(name, label, shares[index], picked=picks[name] == index)
            for name, label, shares in (("base", "ordinary", base), ("ours", "NotCLIP", notclip))
        )
        mark = " nc-is-true" if index == truth else ""
        rows.append(f'<li class="nc-choice{mark}"><p>{escape(caption)} {tags}</p>{bars}</li>')
    verdicts = [
        _verdict(label, picks[name], truth, captions)
        for name, label in (("base", "The ordinary model"), ("ours", "NotCLIP"))
    ]
    verdict = f'<p class="nc-verdict">{" ".join(verdicts)}</p>'
    role = ' role="status"' if live else ""
    return f'<div{role}>{verdict}<ol class="nc-choices">{"".join(rows)}</ol></div>'


def _verdict(label: str, pick: int, truth: int | None, captions: Sequence[str]) -> str:
    if truth is None:
        return f"{label} picks “{escape(captions[pick])}”."
    return f"<b>{label} is {'right' if pick == truth else 'wrong'}.</b>"


def _bar(name: str, label: str, share: float, *, picked: bool) -> str:
    mark = " nc-picked" if picked else ""
    pick = '<span class="nc-pick">pick</span>' if picked else ""
    return (
        f'<div class="nc-bar nc-{name}{mark}"><span class="nc-bar-label">{label}</span>'
        f'<span class="nc-track" aria-hidden="true"><span style="width:{100 * share:.1f}%"></span></span>'
        f'<span class="nc-value">{100 * share:.0f} %</span>{pick}</div>'
    )


def figure_rows(rows: Sequence[tuple[str, Figure]]) -> str:
    """Shares with their confidence intervals, a bar each; a negative difference has a bar of no length."""
    items = []
    for label, figure in rows:
        items.append(
            f'<tr><th scope="row">{escape(label)}</th><td class="nc-cell-bar">{_interval_bar(figure, "ours")}</td>'
            f'<td class="nc-number">{_number(figure.value)}</td><td class="nc-interval">{_interval(figure)}</td></tr>'
        )
    return (
        '<table class="nc-table"><thead><tr><th scope="col">Figure</th><th scope="col"><span class="nc-hidden">bar'
        '</span></th><th scope="col">%</th><th scope="col">95 % interval</th></tr></thead>'
        f"<tbody>{''.join(items)}</tbody></table>"
    )


def paired_rows(rows: Sequence[tuple[Any, ...]], *, labels: Sequence[str]) -> str:
    """One or two models' shares side by side, as a figure that is also a table.

    Args:
        rows: label, what it means in words, and the figure of each model.
        labels: what the models are called; the first is blue.
    """
    colours = ("ours", "base") if len(labels) > 1 else ("ours",)
    items = ""
    for label, about, *figures in rows:
        bars = "".join(_interval_bar(figure, colour) for figure, colour in zip(figures, colours, strict=True))
        numbers = "<br>".join(f"{100 * figure.value:.0f}".replace("-", "−") for figure in figures)
        words = f'<span class="nc-about-figure">{escape(about)}</span>' if about else ""
        items += (
            f'<tr><th scope="row">{escape(label)}{words}</th><td class="nc-cell-bar">{bars}</td>'
            f'<td class="nc-number">{numbers}</td></tr>'
        )
    head = "".join(
        f'<span class="nc-legend nc-{colour}"><span aria-hidden="true"></span>{escape(label)}</span>'
        for colour, label in zip(colours, labels, strict=True)
    )
    return (
        f'<div class="nc-legends">{head}</div><table class="nc-table"><thead class="nc-hidden"><tr>'
        f'<th scope="col">Figure</th><th scope="col">bars</th><th scope="col">%</th></tr></thead>'
        f"<tbody>{items}</tbody></table>"
    )


def _interval_bar(figure: Figure, colour: str) -> str:
    width = min(max(100 * figure.value, 0), 100)
    whisker = ""
    if figure.low is not None and figure.high is not None:
        low, high = (min(max(100 * end, 0), 100) for end in (figure.low, figure.high))
        whisker = f'<i style="left:{low:.1f}%;width:{max(high - low, 0):.1f}%"></i>'
    bar = f'<span style="width:{width:.1f}%"></span>{whisker}'
    return f'<span class="nc-track nc-{colour}" aria-hidden="true">{bar}</span>'


def _interval(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return ""
    return f"{_number(figure.low)} to {_number(figure.high)}"


def _number(share: float) -> str:
    return f"{100 * share:z.1f}".replace("-", "−")
