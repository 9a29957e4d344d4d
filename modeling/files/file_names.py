"""Any text as a file name: what comes out of a file that somebody else wrote never names a folder or a device."""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

LONGEST = 120  # bytes; file systems take 255, and callers add endings
_KEPT = re.compile(r"[^\w .()+,=@-]+")
# Windows takes these for devices, with any ending.
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", flags=re.IGNORECASE)
_DIGEST = re.compile(r"-[0-9a-f]{8}$")  # A text may not look like the name of another.


def file_name(text: str) -> str:
    """A file name that says what the text says: on every system one name, in the folder where it is used.

    A text that is such a name already is its own; any other has what cannot stand in a name replaced and, so that no
    two texts share a name, the beginning of its SHA-256 added.

    >>> file_name("data (test)")
    'data (test)'
    >>> file_name("../../x")
    '_.._x-9cdf6a50'
    """
    plain = unicodedata.normalize("NFC", text)
    plain = _KEPT.sub("_", plain).strip(" .") or "_"
    if _DEVICES.fullmatch(plain) or plain.startswith("-"):
        plain = f"_{plain}"
    plain = plain.encode()[:LONGEST].decode(errors="ignore").rstrip(" .")
    return plain if plain == text and not _DIGEST.search(text) else f"{plain}-{_digest(text)}"


def file_names(texts: Iterable[str]) -> dict[str, str]:
    """Text -> its file name, where the names shall stay apart on systems that know no letter case as well."""
    names = {text: file_name(text) for text in texts}
    alike = Counter(name.casefold() for name in names.values())
    return {text: name if alike[name.casefold()] == 1 else f"{name}-{_digest(text)}" for text, name in names.items()}


def _digest(text: str) -> str:
    # Lone surrogates, which JSON can bring in, have bytes too.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
