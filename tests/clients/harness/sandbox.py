"""A throw-away home: AWS files, SSO cache, toolkit file, start-up files of the three shells.

Nothing of the caller's environment reaches a client: `environment` builds it from nothing.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from . import identities as who
from .identities import Identity
from .server import SSO_TOKEN
from .states import SHELL_OF_CLAUDE, State

SHELLS = ("bash", "zsh", "fish")
_STARTUP_FILES = {"bash": ".bashrc", "zsh": ".zshrc", "fish": ".config/fish/config.fish"}
PROMPT = "READY:"
_PROMPTS = {
    "bash": f"PS1='{PROMPT} '",
    "zsh": f"PROMPT='{PROMPT} '",
    "fish": f"function fish_prompt; echo -n '{PROMPT} '; end; set -g fish_greeting",
}
_INTEGRATION = {
    "bash": 'eval "$(backlog-aws init bash)"',
    "zsh": 'eval "$(backlog-aws init zsh)"',
    "fish": "backlog-aws init fish | source",
}

_CONFIG = """\
[profile cc]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = ClaudeCode
region = us-west-2

[sso-session corp]
sso_start_url = https://example.awsapps.com/start
sso_region = us-east-1
sso_registration_scopes = sso:account:access

[profile pinned]
region = eu-west-1

[profile directory]
region = eu-north-1

[profile ambient]
region = eu-central-1

# Credentials may stand in this file too.
[profile toolkit]
region = ca-central-1
{toolkit}
[profile acme]
region = eu-west-3

[profile temporary]
region = ap-northeast-1

[profile expiring]
region = ap-south-1

[profile both-sso]
region = eu-south-1
sso_session = corp
sso_account_id = 123456789012
sso_role_name = ClaudeCode

[profile both-role]
region = eu-south-2
role_arn = arn:aws:iam::123456789012:role/example
source_profile = luxito

[profile by-process]
region = eu-west-1
credential_process = backlog-aws credentials --profile pinned

[profile by-process-expiring]
region = ap-south-1
credential_process = backlog-aws credentials --profile expiring --format process

[profile by-chain]
region = eu-west-1
credential_process = backlog-aws credentials
"""

# In this order, so that "the first" is luxito.
_IN_CREDENTIALS_FILE = (
    who.LUXITO,
    who.PINNED,
    who.DIRECTORY,
    who.AMBIENT,
    who.ACME,
    who.KEYS_AND_SSO,
    who.KEYS_AND_ROLE,
    who.TEMPORARY,
    who.EXPIRING,
)


def _key_lines(identity: Identity) -> str:
    lines = f"aws_access_key_id = {identity.key_id}\naws_secret_access_key = {identity.secret}\n"
    if identity.token:
        lines += f"aws_session_token = {identity.token}\n"
    if identity.expires:
        lines += f"aws_session_expiration = {identity.expires}\n"
    return lines


def quoted(shell: str, value: str) -> str:
    """`value` as one word. The values of this test have no quotes or backslashes in them."""
    assert not set(value) & set("'\\\n"), (shell, value)
    return f"'{value}'"


def export(shell: str, name: str, value: str) -> str:
    """The line with which a user of `shell` exports a variable."""
    return f"set -gx {name} {quoted(shell, value)}" if shell == "fish" else f"export {name}={quoted(shell, value)}"


class Home:
    """The home directory of one shell session."""

    def __init__(self, path: Path, shell: str, state: State, *, with_hook: bool) -> None:
        self.path = path
        self._write_aws_files(state)
        self._write(".claude/settings.json", '{"env": {"AWS_PROFILE": "cc"}}\n')
        self._write("acme/README", "A project.\n")
        if state.override:
            self._write("acme/.backlog-aws", state.override)
        if state.toolkit_env:
            self._write(".backlog-toolkit-env", "\n".join(state.toolkit_env) + "\n", 0o600)
        variables = SHELL_OF_CLAUDE | state.variables
        lines = [_PROMPTS[shell], *(export(shell, name, value) for name, value in variables.items())]
        if with_hook:
            lines.append(_INTEGRATION[shell])
        self._write(_STARTUP_FILES[shell], "\n".join(lines) + "\n")
        # Without it, fish reads all manual pages of the machine at its first start.
        (self.path / ".local/share/fish/generated_completions").mkdir(parents=True)
        self._before = self._fingerprint()

    def is_untouched(self) -> bool:
        """Whether ~/.claude and the AWS files are as they were. The CLI's own caches beside them may grow."""
        return self._fingerprint() == self._before

    def _write_aws_files(self, state: State) -> None:
        listed = (*_IN_CREDENTIALS_FILE, who.DEFAULT) if state.default else _IN_CREDENTIALS_FILE
        sections = [f"[{identity.name}]\n{_key_lines(identity)}" for identity in listed]
        self._write(".aws/credentials", "\n".join(sections), 0o600)
        default = "[default]\nregion = sa-east-1\n\n" if state.default else ""
        self._write(".aws/config", default + _CONFIG.format(toolkit=_key_lines(who.TOOLKIT)), 0o600)
        cached = {
            "startUrl": "https://example.awsapps.com/start",
            "region": "us-east-1",
            "accessToken": SSO_TOKEN,
            "expiresAt": "2099-12-31T23:59:59Z",
        }
        name = hashlib.sha1(b"corp").hexdigest()  # how the SDKs name the token of [sso-session corp]
        self._write(f".aws/sso/cache/{name}.json", json.dumps(cached), 0o600)

    def _fingerprint(self) -> dict[str, bytes]:
        caches = (self.path / ".aws/cli",)
        watched = (path for top in (".aws", ".claude") for path in (self.path / top).rglob("*"))
        files = (path for path in watched if path.is_file() and not any(cache in path.parents for cache in caches))
        return {str(path.relative_to(self.path)): path.read_bytes() for path in files}

    def _write(self, name: str, content: str, mode: int = 0o644) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        path.chmod(mode)


def environment(home: Path, path: str, settings: Path, proxy: str, scratch: Path) -> dict[str, str]:
    """Everything a shell session starts with."""
    return {
        "HOME": str(home),
        "PATH": path,
        "TERM": "dumb",
        "LANG": "C.UTF-8",
        "USER": "example",
        "TMPDIR": str(scratch),
        "CLIENTS_SETTINGS": str(settings),
        # Keeps every client on the loopback interface, and tells on one that is not.
        "HTTPS_PROXY": proxy,
        "NO_PROXY": "127.0.0.1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        # A refused request is an answer here; retries would only cost time.
        "AWS_MAX_ATTEMPTS": "1",
        "NODE_NO_WARNINGS": "1",
    }
