"""`--temporary` with the real AWS CLI 2, where there is one, and `--bearer` held against AWS's own generator."""

from __future__ import annotations

import base64
import json
import os
import re

from . import identities as who
from .bench import DRIVERS, Bench
from .checks import Check
from .formats import aws_cli_2, home_without_hook, run_clients
from .identities import Identity
from .sandbox import Home
from .server import TUNNEL_TAG
from .states import State

REGION = "eu-west-1"
CLIENTS = ("boto3", "litellm", "js-sdk")
_PROFILES = """
[profile cli-role]
region = eu-west-1
role_arn = arn:aws:iam::123456789012:role/example
source_profile = pinned

[profile cli-sso]
region = eu-west-1
sso_session = corp
sso_account_id = 123456789012
sso_role_name = ClaudeCode

[profile cli-process]
region = eu-west-1
credential_process = print-keys
"""


def try_temporary(bench: Bench) -> list[Check]:
    """Role, single sign-on and program: the clients sign with what the AWS CLI got. Then what it cannot get."""
    home = home_without_hook(bench, "temporary", State("temporary", who.PINNED, REGION))
    aws = aws_cli_2(bench, home)
    old = _refused(bench, home, "temporary, CLI 1", str(bench.installed.aws.parent), "has no `configure export-credentials`")
    if aws is None:
        print("note: no AWS CLI 2 here; --temporary is not tried with it", flush=True)
        return [old]
    directory = os.path.dirname(aws)
    checks = [old]
    for profile, wanted, asked in (
        ("cli-role", who.ROLE, ["AssumeRole"]),
        ("cli-sso", who.CLAUDE, ["sso"]),
        ("cli-process", who.EXPIRING, []),
    ):
        state = State(profile, wanted, REGION)
        home = home_without_hook(bench, profile, state)
        _prepare(home)
        place = f"{profile}/exec"
        command = ["backlog-aws", "exec", "--temporary", "--no-profile", "--profile", profile, "--"]
        command += ["probe", place, *CLIENTS]
        before = len(bench.ledger.seen(TUNNEL_TAG))
        checks += run_clients(
            bench, home, command, place, CLIENTS, state, "temporary", profile, bench.in_tunnel(directory, home.path)
        )
        seen = bench.ledger.seen(TUNNEL_TAG)[before:]
        good = [one.operation for one in seen] == asked and not any(one.trouble for one in seen)
        checks.append(Check("temporary", profile, "(asked for)", "", str(asked), ", ".join(map(str, seen)), good))
    home = home_without_hook(bench, "signed-out", State("signed-out", who.PINNED, REGION))
    _prepare(home)
    for token in (home.path / ".aws/sso/cache").iterdir():
        token.unlink()
    checks.append(_refused(bench, home, "temporary, signed out", directory, "`aws sso login --profile cli-sso`"))
    return checks


def _prepare(home: Home) -> None:
    config = home.path / ".aws/config"
    config.write_text(config.read_text() + _PROFILES)
    keys = who.EXPIRING
    answer = {"Version": 1, "AccessKeyId": keys.key_id, "SecretAccessKey": keys.secret, "SessionToken": keys.token}
    program = home.path / "bin/print-keys"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho '{json.dumps(answer | {'Expiration': keys.expires})}'\n")
    program.chmod(0o755)


def _refused(bench: Bench, home: Home, case: str, directory: str, wanted: str) -> Check:
    """In one line, with the next step."""
    if "cli-sso" not in (home.path / ".aws/config").read_text():
        _prepare(home)
    command = ["backlog-aws", "credentials", "--temporary", "--profile", "cli-sso"]
    done = bench.call(home, command, bench.in_tunnel(directory, home.path))
    good = done.returncode == 1 and not done.stdout and wanted in done.stderr and done.stderr.count("\n") == 1
    return Check(case, "credentials", "(what we say)", "", wanted, f"exit {done.returncode}, {done.stderr.strip()}", good)


def try_bearer(bench: Bench) -> list[Check]:
    """Byte by byte what AWS's generator makes at the same moment; and the clients open Bedrock with it, and nothing else."""
    checks = []
    for keys in (who.PINNED, who.EXPIRING):
        state = State(f"bearer-{keys.name}", who.signed_by(keys, REGION), REGION)
        home = home_without_hook(bench, state.name, state)
        options = ["--profile", keys.name, "--region", REGION, "--for", "90m"]
        checks.append(_like_the_generator(bench, home, keys, options))
        place = f"{state.name}/exec"
        command = ["backlog-aws", "exec", "--bearer", *options, "--", "probe", place, *CLIENTS]
        checks += run_clients(bench, home, command, place, CLIENTS, state, "bearer", keys.name)
    return checks


def _like_the_generator(bench: Bench, home: Home, keys: Identity, options: list[str]) -> Check:
    done = bench.call(home, ["backlog-aws", "credentials", "--format", "bearer", *options], {})
    made = done.stdout.strip()
    url = base64.b64decode(made.removeprefix("bedrock-api-key-")).decode() if made else ""
    date = re.search(r"X-Amz-Date=(\w+)", url)
    driver = [str(bench.installed.python), str(DRIVERS / "bedrock_token.py"), date[1] if date else "", "5400", REGION]
    variables = {"AWS_ACCESS_KEY_ID": keys.key_id, "AWS_SECRET_ACCESS_KEY": keys.secret}
    variables |= {"AWS_SESSION_TOKEN": keys.token} if keys.token else {}
    wanted = bench.call(home, driver, variables)
    good = bool(made) and made == wanted.stdout.strip()
    got = "the same bytes" if good else f"{url!r} for {wanted.stdout!r}"
    return Check("bearer", keys.name, "AWS's generator", "", "", got, good, done.stderr + wanted.stderr)


TRIALS = {"temporary-cli": try_temporary, "signed-key": try_bearer}
