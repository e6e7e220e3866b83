"""Who can sign a request in this test.

Every profile, key pair and bearer token of the sandbox belongs to exactly one identity, so the loopback server can
name the one a client used. Key ids follow the look of the AWS documentation's examples and belong to nobody.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Identity:
    """One set of credentials. `bearer` excludes the other fields."""

    name: str
    key_id: str = ""
    secret: str = ""
    token: str = ""
    expires: str = ""
    bearer: str = ""

    @property
    def kind(self) -> str:
        """What a request signed by it carries."""
        if self.bearer:
            return "bearer"
        return "session" if self.token else "keys"

    def shown(self) -> str:
        """How the table names it."""
        return self.bearer or self.key_id


_ALL: dict[str, Identity] = {}


def _keys(name: str, *, token: bool = False, expires: str = "") -> Identity:
    prefix = "ASIA" if token else "AKIA"
    middle = name.upper().replace("-", "")[:9].ljust(9, "0")
    identity = Identity(
        name=name,
        key_id=f"{prefix}{middle}EXAMPLE",
        secret=f"{name}/K7MDENG+bPxRfiCYwJalrXUtnFEMIzzzz"[:30] + "EXAMPLEKEY",
        token=f"{name}/session+token//EXAMPLE==" if token else "",
        expires=expires,
    )
    assert len(identity.key_id) == 20 and identity.key_id not in {i.key_id for i in _ALL.values()}
    _ALL[name] = identity
    return identity


def _bearer(name: str) -> Identity:
    _ALL[name] = Identity(name=name, bearer=f"ABSK{name.upper()}EXAMPLE=")
    return _ALL[name]


def signed_by(keys: Identity, region: str) -> Identity:
    """Whoever has a short-lived Bedrock API key that is signed with these keys."""
    return Identity(name=f"signed-{keys.name}", bearer=f"signed by {keys.key_id} for {region}")


# Profiles of ~/.aws/credentials and ~/.aws/config. LUXITO stands first in the file.
LUXITO = _keys("luxito")
PINNED = _keys("pinned")
DIRECTORY = _keys("directory")
AMBIENT = _keys("ambient")
TOOLKIT = _keys("toolkit")
DEFAULT = _keys("default")
ACME = _keys("acme")
KEYS_AND_SSO = _keys("both-sso")
KEYS_AND_ROLE = _keys("both-role")
TEMPORARY = _keys("temporary", token=True)
EXPIRING = _keys("expiring", token=True, expires="2099-12-31T23:59:59Z")

# Keys that stand in no profile.
FILE_KEYS = _keys("file-keys")
SHELL_KEYS = _keys("shellkeys")
FILE_BEARER = _bearer("file")
SHELL_BEARER = _bearer("shell")

# What the loopback server hands out: to SSO profiles, and to whoever assumes a role.
CLAUDE = _keys("claude", token=True)
ROLE = _keys("assumed", token=True)

# Leftovers of other sessions, for the hostile environments.
STALE = _keys("stale", token=True, expires="2020-01-01T00:00:00Z")
STALE_BEARER = _bearer("stale")

BY_KEY_ID = {identity.key_id: identity for identity in _ALL.values() if identity.key_id}
BY_BEARER = {identity.bearer: identity for identity in _ALL.values() if identity.bearer}
BY_TOKEN = {identity.token: identity for identity in _ALL.values() if identity.token}
