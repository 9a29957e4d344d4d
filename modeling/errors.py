"""The errors that a user of NotCLIP can mend: each names the argument or file and row, the rule and the value."""

import reprlib

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 80
_LONGEST = 120


class BadInputError(ValueError):
    """Input that breaks a rule; the commands print its message and exit with status 2."""


def shortened(value: object) -> str:
    """A value as an error shows it: a cell of a table may hold a whole photo as base64.

    >>> shortened("no"), len(shortened("A" * 10**6)), shortened(["a", 1])
    ("'no'", 80, "['a', 1]")
    """
    text = _SHORT.repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
