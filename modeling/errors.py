"""The errors that a user of NotCLIP can mend: each names the argument or file and row, the rule and the value."""

import reprlib

from notclip.files.escapes import terminal_text

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 80
_LONGEST = 120
_LONGEST_MESSAGE = 1000


class BadInputError(ValueError):
    r"""Input that breaks a rule; the commands print its message and exit with status 2.

    What others wrote stands in many messages, as names, values and what libraries say: none of it moves a terminal's
    cursor, and of a message of more than a thousand letters the middle is left out.

    >>> print(BadInputError("`name` must be a word, got \x1b[2J."))
    `name` must be a word, got \x1b[2J.
    """

    def __init__(self, message: str) -> None:
        message = terminal_text(message)
        if len(message) > _LONGEST_MESSAGE:
            message = f"{message[:700]} … {message[-200:]}"
        super().__init__(message)


def shortened(value: object) -> str:
    """A value as an error shows it: a cell of a table may hold a whole photo as base64.

    >>> shortened("no"), len(shortened("A" * 10**6)), shortened(["a", 1])
    ("'no'", 80, "['a', 1]")
    """
    text = _SHORT.repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
