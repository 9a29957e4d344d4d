"""Seeds that numpy and torch both take."""

from notclip.errors import BadInputError


def check_seed(seed: int) -> None:
    """Refuse a seed before work is done that would end in it.

    Raises:
        BadInputError: it is not from 0 to 2³² − 1.
    """
    if not 0 <= seed < 2**32:
        raise BadInputError(f"`seed` must be from 0 to {2**32 - 1}, got {seed}.")
