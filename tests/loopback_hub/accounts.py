"""Who may do what on the loopback Hub."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal


def new_token() -> str:
    """A token of the Hub's shape, worth nothing anywhere else."""
    return f"hf_{secrets.token_hex(17)}"


@dataclass(frozen=True)
class Account:
    """A user with one token.

    Args:
        name: of the user.
        orgs: organisations in which the user may write.
        role: of the token, as the Hub calls it.
        hosts_spaces: whether the Hub lets the account create Spaces that run Python; free accounts may get a 402.
        token: what the client sends.
    """

    name: str
    orgs: Sequence[str] = ()
    role: Literal["write", "read"] = "write"
    hosts_spaces: bool = True
    token: str = field(default_factory=new_token, repr=False)

    def owns(self, namespace: str) -> bool:
        """Whether the user may write there, given a token that writes."""
        return namespace == self.name or namespace in self.orgs

    def whoami(self) -> dict[str, Any]:
        """The answer to /api/whoami-v2."""
        return {
            "type": "user",
            "id": self.name,
            "name": self.name,
            "fullname": self.name,
            "isPro": self.hosts_spaces,
            "orgs": [{"type": "org", "name": org, "fullname": org, "roleInOrg": "write"} for org in self.orgs],
            "auth": {"type": "access_token", "accessToken": {"displayName": "loopback", "role": self.role}},
        }
