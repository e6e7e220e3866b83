"""The states of a shell in which the right profile has to be found, one per row of the table.

Each differs from the others in one thing: where the word about the profile stands. In all of them the shell also
belongs to Claude Code: `AWS_PROFILE=cc` (SSO) and `AWS_REGION`, unless the state says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from . import identities as who
from .identities import Identity

CLAUDE_REGION = "us-west-2"
FALLBACK_REGION = "us-east-1"
SHELL_OF_CLAUDE = {"AWS_PROFILE": "cc", "AWS_REGION": CLAUDE_REGION}


@dataclass(frozen=True)
class State:
    """A shell, and what `exec` must make of it."""

    name: str
    wanted: Identity
    region: str
    variables: dict[str, str] = field(default_factory=dict)
    """Exported by the start-up file, before the hook; an empty string means exported and empty."""
    toolkit_env: tuple[str, ...] = ()
    """Lines of ~/.backlog-toolkit-env."""
    default: bool = False
    """Whether ~/.aws has a usable profile `default`."""
    override: str = ""
    """Content of acme/.backlog-aws."""
    typed: tuple[str, ...] = ()
    """Typed at the prompt before anything is tried; only commands that read alike in the three shells."""
    exported: dict[str, str] = field(default_factory=dict)
    """Exported at the prompt, after `typed`."""
    exec_prefix: str = ""
    exec_options: str = ""
    guess: bool = False
    """Whether `exec` would ask before it takes the answer, as on a terminal it does for a guess among many."""
    by_name: bool = True
    """Whether a client that is given the profile's name uses its keys; boto3 prefers a role or a sign-in to them."""
    told: bool = False
    """Whether `exec` says that the toolkit's start script would undo what it hands over."""
    proxied: bool = False
    """Whether the real LiteLLM proxy is tried too. Its start takes 12 s, so it is once for each kind of credentials."""
    astray: dict[str, str] = field(default_factory=dict)
    """Clients that cannot be kept on the right credentials here, and why."""

    @property
    def names_a_profile(self) -> bool:
        """Whether the hook exports a profile's name here, so that LiteLLM needs no secret in its environment."""
        in_the_shell = not (self.exec_prefix or self.exec_options)
        return in_the_shell and self.by_name and self.wanted not in (who.FILE_KEYS, who.SHELL_KEYS, who.FILE_BEARER, who.SHELL_BEARER)


def keys_as_variables(identity: Identity) -> dict[str, str]:
    """The variables of a key pair, as a user would have exported them."""
    variables = {"AWS_ACCESS_KEY_ID": identity.key_id, "AWS_SECRET_ACCESS_KEY": identity.secret}
    return variables | ({"AWS_SESSION_TOKEN": identity.token} if identity.token else {})


def _file_lines(variables: dict[str, str]) -> tuple[str, ...]:
    return tuple(f"export {name}='{value}'" for name, value in variables.items())


def _pinned(name: str, profile: str, wanted: Identity, region: str, *, named: bool = True, proxied: bool = True) -> State:
    why = "told to use the profile BACKLOG_AWS_PROFILE, LiteLLM signs in or assumes the role; the toolkit reads the keys"
    astray = {} if named else dict.fromkeys(("litellm-profile", "litellm-proxy"), why)
    typed = (f"backlog-aws use {profile}",)
    return State(name, wanted, region, typed=typed, by_name=named, proxied=proxied, astray=astray)


STATES = (
    _pinned("pin", "pinned", who.PINNED, "eu-west-1"),
    State("pin-exported", who.PINNED, "eu-west-1", exported={"BACKLOG_AWS_PROFILE": "pinned"}),
    State("pin-once", who.PINNED, "eu-west-1", exec_prefix="BACKLOG_AWS_PROFILE=pinned "),
    State("option", who.PINNED, "eu-west-1", exec_options="--profile pinned "),
    State(
        "directory",
        who.DIRECTORY,
        "ap-southeast-2",
        override="profile = directory\nregion = ap-southeast-2\n",
        typed=("cd acme", "backlog-aws allow"),
    ),
    State("ambient", who.AMBIENT, "eu-central-1", variables={"BACKLOG_AWS_PROFILE": "ambient"}),
    State("toolkit-env", who.TOOLKIT, "ca-central-1", toolkit_env=_file_lines({"BACKLOG_AWS_PROFILE": "toolkit"})),
    State(
        "toolkit-env-keys",
        who.FILE_KEYS,
        "eu-west-2",
        toolkit_env=_file_lines(keys_as_variables(who.FILE_KEYS) | {"AWS_REGION": "eu-west-2"}),
    ),
    State("environment-keys", who.SHELL_KEYS, CLAUDE_REGION, variables=keys_as_variables(who.SHELL_KEYS), proxied=True),
    State("aws-profile", who.ACME, "eu-west-3", variables={"AWS_PROFILE": "acme"}),
    State("default", who.DEFAULT, "sa-east-1", default=True),
    State("first", who.LUXITO, FALLBACK_REGION, guess=True),
    _pinned("temporary", "temporary", who.TEMPORARY, "ap-northeast-1"),
    _pinned("expiring", "expiring", who.EXPIRING, "ap-south-1", proxied=False),
    State(
        "bearer",
        who.FILE_BEARER,
        "eu-west-2",
        toolkit_env=_file_lines({"AWS_BEARER_TOKEN_BEDROCK": who.FILE_BEARER.bearer, "AWS_REGION": "eu-west-2"}),
        proxied=True,
    ),
    State(
        "bearer-exported",
        who.SHELL_BEARER,
        CLAUDE_REGION,
        variables={"AWS_BEARER_TOKEN_BEDROCK": who.SHELL_BEARER.bearer},
    ),
    # The profile by name, from a configuration that has nothing else; so a role beside the keys makes no difference.
    State("sealed", who.PINNED, "eu-west-1", exec_options="--profile pinned --sealed ", proxied=True),
    State("sealed-expiring", who.EXPIRING, "ap-south-1", exec_options="--profile expiring --sealed "),
    State("sealed-role", who.KEYS_AND_ROLE, "eu-south-2", exec_options="--profile both-role --sealed "),
    State("sealed-default", who.DEFAULT, "sa-east-1", default=True, exec_options="--sealed "),
    _pinned("keys-and-sso", "both-sso", who.KEYS_AND_SSO, "eu-south-1", named=False),
    _pinned("keys-and-role", "both-role", who.KEYS_AND_ROLE, "eu-south-2", named=False),
)


def _sourced(name: str, variables: dict[str, str], *astray: str, told: bool = False) -> State:
    why = f"{' '.join(variables)} in the toolkit's file, which is sourced after exec, overrides what exec has set"
    return State(
        f"sourced-{name}",
        who.PINNED,
        "eu-west-1",
        exec_options="--profile pinned ",
        toolkit_env=_file_lines(variables),
        told=told,
        astray=dict.fromkeys(astray, why),
    )


# The user pins a profile, and the toolkit's start script sources a file that says otherwise after `exec` is done.
SOURCED = (
    _sourced("profile", {"BACKLOG_AWS_PROFILE": "toolkit"}, "litellm-profile"),
    _sourced("region", {"AWS_REGION": "eu-west-2"}, "js-sdk", told=True),
    _sourced("keys", keys_as_variables(who.FILE_KEYS), "boto3", "aws-cli", "litellm", told=True),
    _sourced("empty-keys", {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}),
    _sourced(
        "bearer",
        {"AWS_BEARER_TOKEN_BEDROCK": who.FILE_BEARER.bearer},
        "boto3",
        "js-sdk",
        "litellm",
        "litellm-profile",
        told=True,
    ),
    _sourced("empty-bearer", {"AWS_BEARER_TOKEN_BEDROCK": ""}, "boto3", "js-sdk"),
    _sourced("aws-profile", {"AWS_PROFILE": "cc"}, "js-sdk"),
)
