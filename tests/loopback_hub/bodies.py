"""What clients send, taken apart as a server does: what is missing or of another kind is answered by a status."""

import base64
import binascii
import json
import re
from typing import Any, TypeVar

from starlette.requests import Request

from notclip.files.yaml_files import read_front_matter
from notclip.hub_cards.hub_rules import hub_licenses, repo_id_problem
from notclip.loopback_hub.hub import HubError

T = TypeVar("T")

SPACE_SDKS = ("docker", "gradio", "static")
SPACE_COLOURS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")
LONGEST_PATH = 1000
# What git allows of a name of a tag or branch, and a little less.
_REF = re.compile(r"(?!.*(\.\.|//|@\{|\.lock$|/$|\.$))[A-Za-z0-9][\w.@+/-]*", flags=re.ASCII)


async def json_body(request: Request) -> dict[str, Any]:
    """A request's JSON object."""
    return json_object(await request.body())


def json_object(data: bytes) -> dict[str, Any]:
    """A JSON object."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise HubError(400, f"Invalid JSON: {error}") from error
    if not isinstance(content, dict):
        raise HubError(400, "Invalid JSON: expected an object")
    return content


def value_of(content: Any, name: str, kind: type[T], default: T | None = None) -> T:
    """What stands in an object under a name, if it is of a kind; without a default it must be there."""
    value = content.get(name) if isinstance(content, dict) else None
    if value is None and default is not None:
        return default
    # In Python, true is a number; and no number that clients send is negative.
    no_count = kind is int and isinstance(value, int) and (isinstance(value, bool) or value < 0)
    if not isinstance(value, kind) or no_count:
        raise HubError(400, f'"{name}" must be a {kind.__name__}')
    return value


def sha256_of(content: Any, name: str = "oid") -> str:
    """The hash of a large file."""
    return checked_sha256(value_of(content, name, str))


def checked_sha256(text: str) -> str:
    """A text if it is a SHA-256 in hexadecimal; by anything else no file is ever named."""
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise HubError(422, "An LFS oid must be a SHA-256: 64 hexadecimal digits")
    return text


def path_of(content: Any) -> str:
    """The path of a file in a repository."""
    path = value_of(content, "path", str)
    parts = path.rstrip("/").split("/")
    if (
        len(path.encode("utf-8", "surrogatepass")) > LONGEST_PATH
        or any(part in ("", ".", "..") or part.lower() == ".git" for part in parts)
        or re.search(r"[\x00-\x1f\x7f\\\ud800-\udfff]", path)
    ):
        raise HubError(400, f"Invalid path: {path!r:.200}")
    return path


def base64_of(content: Any, name: str) -> bytes:
    """Bytes that were sent as text."""
    try:
        return base64.b64decode(value_of(content, name, str), validate=True)
    except (binascii.Error, ValueError) as error:
        raise HubError(400, f'"{name}" must be base64: {error}') from error


def ref_name(name: str) -> str:
    """The name of a tag or branch."""
    if not _REF.fullmatch(name) or len(name) > 200:
        raise HubError(400, f"Invalid reference name: {name!r:.200}")
    return name


def front_matter(card: bytes) -> dict[str, Any]:
    """The metadata that a card opens with; nothing where it has none.

    Raises:
        HubError: it is not YAML.
    """
    try:
        content = read_front_matter(card.decode("utf-8", errors="replace"), "The card")
        json.dumps(content)  # As the API answers it: dates and other types of YAML are none of JSON's.
    except (ValueError, TypeError, RecursionError) as error:
        raise HubError(400, f"YAML Metadata Error: {str(error)[:500]}") from error
    return content


def metadata_errors(card: dict[str, Any], *, repo_type: str) -> list[str]:
    """The rules on a card's metadata that a release can break.

    Args:
        card: the metadata.
        repo_type: `model`, `dataset` or `space`.
    """
    errors = []
    licenses = card.get("license")
    for license_id in licenses if isinstance(licenses, list) else [licenses] * ("license" in card):
        if license_id not in hub_licenses():
            errors.append(f'"license" must be one of [{", ".join(hub_licenses())}]')
    if licenses == "other" and not (card.get("license_name") and card.get("license_link")):
        errors.append('"license_name" and "license_link" are required when "license" is "other"')
    for name in ("tags", "datasets", "base_model", "language"):
        values = card.get(name)
        if name in card and not all(isinstance(v, str) for v in (values if isinstance(values, list) else [values])):
            errors.append(f'"{name}" must be a string or an array of strings')
    if repo_type == "model":
        for name in ("base_model", "datasets"):
            values = card.get(name, [])
            for value in values if isinstance(values, list) else [values]:
                if isinstance(value, str) and repo_id_problem(value if "/" in value else f"owner/{value}"):
                    errors.append(f'"{name}" with value "{value}" is not valid: it must be an id of the Hub')
    if repo_type == "space":
        if card.get("sdk") not in SPACE_SDKS:
            errors.append(f'"sdk" must be one of {", ".join(SPACE_SDKS)}')
        for name in ("colorFrom", "colorTo"):
            if name in card and card[name] not in SPACE_COLOURS:
                errors.append(f'"{name}" must be one of {", ".join(SPACE_COLOURS)}')
        if len(str(card.get("short_description", ""))) > 60:
            errors.append('"short_description" length must be less than or equal to 60 characters long')
    return errors
