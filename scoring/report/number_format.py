"""How numbers read on a card. Shares become per cent with one decimal; an interval stands behind its figure."""

from notclip.scoring.results import Figure


def percent(figure: Figure | float) -> str:
    """A share in per cent.

    >>> percent(Figure(0.7341, 0.71, 0.76)), percent(0.25)
    ('73.4', '25.0')
    """
    return _one_decimal(_value(figure))


def percent_with_interval(figure: Figure) -> str:
    """A share in per cent, and its interval.

    >>> percent_with_interval(Figure(0.7341, 0.7102, 0.7558)), percent_with_interval(Figure(0.25))
    ('73.4 [71.0, 75.6]', '25.0')
    """
    if figure.low is None or figure.high is None:
        return percent(figure)
    return f"{percent(figure)} [{_one_decimal(figure.low)}, {_one_decimal(figure.high)}]"


def small_percent_with_interval(figure: Figure) -> str:
    """A share that is near 0, in per cent with two decimals, and its interval.

    >>> small_percent_with_interval(Figure(0.00341, 0.0026, 0.00449))
    '0.34 [0.26, 0.45]'
    """
    ends = [f"{100 * end:z.2f}" for end in (figure.value, figure.low, figure.high) if end is not None]
    return ends[0] if len(ends) == 1 else f"{ends[0]} [{ends[1]}, {ends[2]}]"


def points(figure: Figure | float) -> str:
    """A difference of two shares, signed, in points.

    >>> points(0.1234), points(-0.004), points(0.0)
    ('+12.3', '−0.4', '0.0')
    """
    text = _one_decimal(_value(figure))
    return text if text.startswith("−") or text == "0.0" else f"+{text}"


def points_with_interval(figure: Figure) -> str:
    """A difference of two shares in points, and its interval.

    >>> points_with_interval(Figure(-0.004, -0.012, 0.003)), points_with_interval(Figure(0.2))
    ('−0.4 [−1.2, +0.3]', '+20.0')
    """
    if figure.low is None or figure.high is None:
        return points(figure)
    return f"{points(figure)} [{points(figure.low)}, {points(figure.high)}]"


def count(number: float) -> str:
    """A whole number.

    >>> count(8091), count(12.0)
    ('8,091', '12')
    """
    return f"{int(number):,}"


def _value(figure: Figure | float) -> float:
    return figure.value if isinstance(figure, Figure) else figure


def _one_decimal(share: float) -> str:
    return f"{100 * share:z.1f}".replace("-", "−")
