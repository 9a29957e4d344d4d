"""What must never be uploaded: keys, tokens and passwords, by the name of their file or by their look."""

import re
from pathlib import Path

# Names under which people keep secrets. `tokenizer.json` and the like are none.
_NAMES = re.compile(
    r"(\.env(\..*)?|\.netrc|\.npmrc|\.pypirc|\.git-credentials|id_(rsa|dsa|ecdsa|ed25519)|.*\.(pem|key|p12|pfx|kdbx)"
    r"|credentials(\.json)?|service[_-]account.*\.json|secrets?\.(json|ya?ml|toml|txt)|(hf_)?token(\.txt)?)",
    flags=re.IGNORECASE,
)
_CONTENTS = {
    "a Hugging Face token": re.compile(rb"\bhf_[A-Za-z0-9]{30,}\b"),
    "a private key": re.compile(rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    "an AWS key": re.compile(rb"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    "a GitHub token": re.compile(rb"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{60,})\b"),
    "an API key": re.compile(rb"\bsk-[A-Za-z0-9_-]{32,}\b"),
}
# Weights and pictures are random bytes, where a key's look would be chance.
_TEXTS = (".json", ".md", ".py", ".txt", ".yaml", ".yml", ".toml", ".cfg", ".ini", ".csv", ".jsonl", ".jinja", "")


def secret_in(path: Path) -> str | None:
    """Say what makes a file look like a secret, without repeating it; None for any other file."""
    if _NAMES.fullmatch(path.name):
        return "its name"
    if path.suffix.lower() not in _TEXTS:
        return None
    data = path.read_bytes()
    return next((what for what, look in _CONTENTS.items() if look.search(data)), None)
