"""The errors that a user of NotCLIP can mend: each names the argument or file and row, the rule and the value."""


class BadInputError(ValueError):
    """Input that breaks a rule; the commands print its message and exit with status 2."""
