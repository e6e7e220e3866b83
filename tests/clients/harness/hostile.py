"""Variables of other sessions that survive in a shell and turn some client to other credentials.

The test shows for the installed versions that each does so beside the right credentials: that is what makes "exec
removes it" an assertion that can fail.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import identities as who


@dataclass(frozen=True)
class Hostile:
    """Variables of one kind of leftover."""

    name: str
    variables: dict[str, str]
    turns: str = "boto3"
    """A client that goes astray when it reads these beside the right credentials; empty if none does."""


_ROLE = "arn:aws:iam::123456789012:role/example"
_PAST = "2020-01-01T00:00:00Z"

HOSTILE = (
    Hostile("profile", {"AWS_PROFILE": "missing"}),
    Hostile("default-profile", {"AWS_DEFAULT_PROFILE": "missing"}),
    Hostile("profile-name", {"AWS_PROFILE_NAME": "luxito"}, "litellm"),
    Hostile("role-name", {"AWS_ROLE_NAME": _ROLE}, "litellm"),
    Hostile("bearer-empty", {"AWS_BEARER_TOKEN_BEDROCK": ""}),
    Hostile("bearer-set", {"AWS_BEARER_TOKEN_BEDROCK": who.STALE_BEARER.bearer}, "litellm"),
    Hostile("session-token", {"AWS_SESSION_TOKEN": who.STALE.token}),
    Hostile("security-token", {"AWS_SECURITY_TOKEN": who.STALE.token}),
    Hostile("expiration", {"AWS_CREDENTIAL_EXPIRATION": _PAST}),
    # Harmless beside keys, which every client tries first.
    Hostile("web-identity-file", {"AWS_WEB_IDENTITY_TOKEN_FILE": "/nonexistent/token"}, turns=""),
    Hostile(
        "web-identity-role", {"AWS_WEB_IDENTITY_TOKEN_FILE": "/nonexistent/token", "AWS_ROLE_ARN": _ROLE}, turns=""
    ),
    Hostile(
        "regions", {"AWS_REGION": "af-south-1", "AWS_DEFAULT_REGION": "af-south-1", "AWS_REGION_NAME": "af-south-1"}
    ),
    Hostile("keys", {"AWS_ACCESS_KEY_ID": who.STALE.key_id, "AWS_SECRET_ACCESS_KEY": who.STALE.secret}),
)

ALL = {name: value for hostile in HOSTILE for name, value in hostile.variables.items()} | {
    "AWS_ACCOUNT_ID": "999999999999",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/nothing",
    "AWS_CREDENTIAL_SCOPE": "us-gov-west-1",
    "AWS_EXTERNAL_ID": "example",
    "AWS_ROLE_SESSION_NAME": "example",
    "AWS_SESSION_EXPIRATION": _PAST,
    "AWS_SESSION_NAME": "example",
    "AWS_WEB_IDENTITY_TOKEN": "oidc/example",
}
