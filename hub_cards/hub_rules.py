"""What the Hub refuses, found out before anything is sent: ids of repositories, licences that it does not know."""

import difflib
import re
from functools import cache
from pathlib import Path

from notclip.errors import BadInputError

LIST = "https://huggingface.co/docs/hub/repositories-licenses"
LICENSES = Path(__file__).with_name("hub_licenses.tsv")


def check_repo_id(repo_id: str, *, because: str) -> None:
    """Refuse an id that no repository of the Hub can have.

    Args:
        repo_id: owner and name, `ann/clip`.
        because: what it follows from, with what to do about it; the message ends with it.

    Raises:
        BadInputError: which rule it breaks.
    """
    if problem := repo_id_problem(repo_id):
        raise BadInputError(f"the Hub can have no repository {repo_id!r}: {problem} {because}")


def repo_id_problem(repo_id: str) -> str | None:
    """The rule of the Hub that an id breaks, as a sentence; None where it breaks none.

    >>> repo_id_problem("ann/clip")
    >>> repo_id_problem("ann/clip--small")
    "Cannot have -- or .. in repo_id: 'ann/clip--small'."
    """
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    owner, _, name = repo_id.partition("/")
    if not owner or not name:
        return "It must be an owner and a name."
    for part in (owner, name):
        # The client lets an underscore pass for a letter at both ends, and an owner end in anything.
        if part.strip("-.") != part:
            return "Owner and name cannot start or end with '-' or '.'."
    try:
        validate_repo_id(repo_id)
    except HFValidationError as error:
        return str(error)
    return None


@cache
def hub_licenses() -> dict[str, str]:
    """Identifier -> full name of every licence that a card can state."""
    lines = LICENSES.read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t") for line in lines if not line.startswith("#"))


def check_license(license_id: str, *, named: str) -> None:
    """Refuse a licence that the Hub does not know by this identifier.

    Args:
        license_id: what is to stand on a card.
        named: where it comes from, for the message.

    Raises:
        BadInputError: it is none of the Hub's; with the nearest one, where one is near.
    """
    if license_id in ("other", "unknown"):
        raise BadInputError(f"{named} cannot be {license_id!r}, which tells nobody what is allowed: leave it out.")
    if license_id not in hub_licenses():
        nearest = nearest_license(license_id)
        hint = f"Did you mean {nearest}?" if nearest else f"They are listed at {LIST}."
        raise BadInputError(f"{named} must be the identifier of a licence on the Hub, got {license_id!r}. {hint}")


def nearest_license(text: str) -> str | None:
    """The identifier that somebody may mean who wrote something else.

    >>> nearest_license("CC BY 4.0"), nearest_license("Apache License, Version 2.0"), nearest_license("mine")
    ('cc-by-4.0', 'apache-2.0', None)
    """
    known = {_plain(license_id): license_id for license_id in hub_licenses()}
    known |= {_plain(name): license_id for license_id, name in hub_licenses().items()}
    longer = [name for name in known if name.startswith(f"{_plain(text)}-")]  # CC0, of which there is one version
    found = longer if len(longer) == 1 else difflib.get_close_matches(_plain(text), known, n=1, cutoff=0.75)
    return known[found[0]] if found else None


def _plain(text: str) -> str:
    apart = re.sub(r"(?<=[a-z])v?(?=\d)|\bv(?=\d)", " ", text.lower())  # gplv3, cc0, v2.0
    return "-".join(re.sub(r"\b(licen[cs]e|version|the)\b|[^a-z0-9.+]", " ", apart).split())
