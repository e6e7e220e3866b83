"""`backlog-aws credentials`: its bytes, and every way in which a program takes them in."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable

from . import identities as who
from .bench import OPERATIONS, Bench
from .checks import Check
from .identities import Identity
from .sandbox import SHELLS, Home
from .states import State
from .trials import answer, said

REGION = "eu-west-1"
FORMATS = ("process", "env", "env-no-export", "fish", "dotenv")
# As a user has them who runs a client by keys: these variables and no AWS_PROFILE, which the JS SDK would prefer.
_REGION_VARIABLES = {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "AWS_REGION_NAME": REGION}
_IN_BASH = {
    "env": 'eval "$(backlog-aws credentials {options} --format env)"',
    "env-no-export": 'set -a; eval "$(backlog-aws credentials {options} --format env-no-export)"; set +a',
    "dotenv": 'backlog-aws credentials {options} --format dotenv > "$HOME/.env"; set -a; . "$HOME/.env"; set +a',
}
TAKEN_IN_BY = {
    "bash": _IN_BASH,
    "zsh": _IN_BASH,
    "fish": {"fish": "backlog-aws credentials {options} --format fish | source"},
}


def reference(identity: Identity, form: str) -> str:
    """What `aws configure export-credentials --format` prints: recorded from the formatters of AWS CLI 2.9.19.

    `fish` came to that command later and stands here by its documentation. `dotenv` is ours; its lines are those of
    `env-no-export`, which no env-file reader of the test takes otherwise.
    """
    expires = identity.expires.replace("Z", "+00:00")  # the CLI prints Python's isoformat()
    if form == "process":
        fields = [f'"AccessKeyId": "{identity.key_id}"', f'"SecretAccessKey": "{identity.secret}"']
        fields += [f'"SessionToken": "{identity.token}"'] if identity.token else []
        fields += [f'"Expiration": "{expires}"'] if expires else []
        return "{\n" + ",\n".join(["  " + field for field in ('"Version": 1', *fields)]) + "\n}\n"
    variables = {"AWS_ACCESS_KEY_ID": identity.key_id, "AWS_SECRET_ACCESS_KEY": identity.secret}
    variables |= {"AWS_SESSION_TOKEN": identity.token} if identity.token else {}
    variables |= {"AWS_CREDENTIAL_EXPIRATION": expires} if expires else {}
    if identity.bearer:  # the CLI has no such case; these are the same lines for the one variable there is
        variables = {"AWS_BEARER_TOKEN_BEDROCK": identity.bearer}
    line = {"env": "export {}={}\n", "fish": "set -gx {} {}\n"}.get(form, "{}={}\n")
    return "".join(line.format(name, value) for name, value in variables.items())


def try_bytes(bench: Bench) -> list[Check]:
    """Byte by byte what the AWS CLI prints."""
    home = home_without_hook(bench, "bytes", State("bytes", who.PINNED, REGION))
    checks = []
    for identity in (who.PINNED, who.TEMPORARY, who.EXPIRING):
        for form in FORMATS:
            command = ["backlog-aws", "credentials", "--profile", identity.name, "--format", form]
            checks.append(_printed(bench, home, command, identity.name, form, reference(identity, form)))
    command = ["backlog-aws", "credentials", "--profile", who.EXPIRING.name]
    checks.append(_printed(bench, home, command, "expiring", "(default)", reference(who.EXPIRING, "process")))
    home = home_without_hook(bench, "bytes-bearer", _bearer_state())
    for form in FORMATS:
        # There is no place for a bearer token in a credential_process answer: it must be refused.
        wanted = "" if form == "process" else reference(who.FILE_BEARER, form)
        command = ["backlog-aws", "credentials", "--format", form]
        checks.append(_printed(bench, home, command, "bearer", form, wanted, status=1 if form == "process" else 0))
    return checks + _reference_checks(bench, home)


def try_taken_in(bench: Bench, shell: str) -> list[Check]:
    """By `eval` and `source` in a shell, keys and bearer token."""
    checks = []
    states = (State("eval", who.EXPIRING, REGION), _bearer_state())
    for state in states:
        bearer = bool(state.wanted.bearer)
        clients = ("boto3", "js-sdk", "litellm", "aws-cli-bedrock" if bearer else "aws-cli")
        options = "" if bearer else f"--profile {state.wanted.name}"
        for form, line in TAKEN_IN_BY[shell].items():
            place = f"{state.name}-{form}-{shell}/eval"
            home = home_without_hook(bench, f"{state.name}-{form}-{shell}", state)
            script = f"{line.format(options=options)}; exec probe {place} {' '.join(clients)}"
            command = bench.shell_command(shell, script)
            checks += run_clients(bench, home, command, place, clients, state, f"credentials {form}", shell)
    return checks


def try_process(bench: Bench) -> list[Check]:
    """As `credential_process` in ~/.aws/config."""
    clients = ("boto3", "aws-cli", "js-sdk", "claude-sdk")
    checks = []
    for profile, wanted in {
        "by-process": who.PINNED,
        "by-process-expiring": who.EXPIRING,
        "by-chain": who.PINNED,
    }.items():
        state = State(profile, wanted, REGION)
        place = f"{profile}-none/process"
        variables = {"AWS_PROFILE": profile, "BACKLOG_AWS_PROFILE": "pinned"}
        home = home_without_hook(bench, profile, state)
        command = ["probe", place, *clients]
        checks += run_clients(bench, home, command, place, clients, state, "credential_process", profile, variables)
    return checks


def try_env_files(bench: Bench) -> list[Check]:
    """As the env file of Node, of python-dotenv and, where it is installed, of `docker compose`."""
    state = State("env-file", who.EXPIRING, REGION)
    home = home_without_hook(bench, "env-file", state)
    command = ["backlog-aws", "credentials", "--profile", who.EXPIRING.name, "--format", "dotenv"]
    bench.env_file.write_text(bench.call(home, command, {}).stdout)
    checks = run_clients(
        bench, home, ["probe", "env-file-node/file", "js-sdk-env-file"], "env-file-node/file", ("js-sdk-env-file",),
        state, "credentials dotenv", "node --env-file",
    )  # fmt: skip
    place = "env-file-dotenv/file"
    dotenv = [
        str(bench.installed.python),
        "-m",
        "dotenv",
        "--file",
        str(bench.env_file),
        "run",
        "--",
        "probe",
        place,
        "boto3",
    ]
    checks += run_clients(bench, home, dotenv, place, ("boto3",), state, "credentials dotenv", "python-dotenv")
    return [*checks, *_docker_compose(bench, home)]


def _docker_compose(bench: Bench, home: Home) -> list[Check]:
    """What compose puts in place of the variables, if there is a compose to ask."""
    asked = ([program, *words] for program, *words in (("docker", "compose"), ("docker-compose",)) if shutil.which(program))
    compose = next((words for words in asked if bench.call(home, [*words, "version"], {}).returncode == 0), None)
    if compose is None:
        print("note: docker compose is not installed; its --env-file is not tried", flush=True)
        return []
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    environment = {name: f"${{{name}}}" for name in names}
    file = bench.scratch / "compose.json"
    services = {"litellm": {"image": "example", "environment": environment}}
    file.write_text(json.dumps({"version": "3", "services": services}))
    command = [*compose, "--file", str(file), "--env-file", str(bench.env_file), "config"]
    done = bench.call(home, command, {})
    # Compose prints YAML. None of these values needs quotes in it.
    printed = dict(line.strip().partition(": ")[::2] for line in done.stdout.splitlines())
    wanted = dict(zip(names, (who.EXPIRING.key_id, who.EXPIRING.secret, who.EXPIRING.token), strict=True))
    got = {name: printed.get(name, "") for name in names}
    shown = "the same" if got == wanted else str(got)
    name = " ".join(compose)
    return [Check("credentials dotenv", "file", name, "", str(wanted), shown, got == wanted, done.stderr)]


def aws_cli_2(bench: Bench, home: Home) -> str | None:
    """The path of an AWS CLI 2, where one is installed."""
    paths = [path for directory in os.get_exec_path() if (path := shutil.which("aws", path=directory))]
    return next((path for path in paths if _version(bench, home, path).startswith("aws-cli/2")), None)


def _version(bench: Bench, home: Home, aws: str) -> str:
    return bench.call(home, [aws, "--version"], {}).stdout.split(" ")[0]


def _reference_checks(bench: Bench, home: Home) -> list[Check]:
    """Where an AWS CLI 2 is installed, the reference itself is held against it."""
    aws = aws_cli_2(bench, home)
    if aws is None:
        print("note: no AWS CLI 2 here; the bytes are compared with those recorded from it", flush=True)
        return []
    version = _version(bench, home, aws)
    checks = []
    for identity in (who.PINNED, who.TEMPORARY):
        for form in ("process", "env", "env-no-export"):
            command = [aws, "configure", "export-credentials", "--profile", identity.name, "--format", form]
            checks.append(
                _printed(bench, home, command, identity.name, f"{form}, {version}", reference(identity, form))
            )
    return checks


def _bearer_state() -> State:
    line = f"export AWS_BEARER_TOKEN_BEDROCK='{who.FILE_BEARER.bearer}'"
    return State("eval-bearer", who.FILE_BEARER, REGION, toolkit_env=(line,))


def home_without_hook(bench: Bench, name: str, state: State) -> Home:
    return bench.home(f"formats-{name}", SHELLS[0], state, with_hook=False)


def _printed(
    bench: Bench, home: Home, command: list[str], case: str, form: str, wanted: str, *, status: int = 0
) -> Check:
    """Standard output is `wanted` to the byte."""
    done = bench.call(home, command, {})
    good = (done.returncode, done.stdout) == (status, wanted)
    shown = "the same bytes" if wanted else "refused"
    got = shown if good else f"exit {done.returncode}, {done.stdout!r}"
    return Check("credentials", case, form, "", repr(wanted), got, good, done.stderr)


def run_clients(
    bench: Bench,
    home: Home,
    command: list[str],
    place: str,
    clients: tuple[str, ...],
    state: State,
    case: str,
    side: str,
    variables: dict[str, str] | None = None,
) -> list[Check]:
    """Runs `command`, which starts the probe at `place`, and checks whose credentials its clients used."""
    done = bench.call(home, command, _REGION_VARIABLES | (variables or {}))
    checks = []
    for client in clients:
        tag = f"{place}/{client}"
        got, good = answer(bench, tag, OPERATIONS[client], state.wanted, state.region)
        wanted = f"{state.wanted.shown()} {state.region} {state.wanted.kind}"
        checks.append(Check(case, side, client, "", wanted, got, good, said(bench, tag, done.stderr)))
    return checks


TRIALS: dict[str, Callable[[Bench], list[Check]]] = {
    "credentials-bytes": try_bytes,
    "credentials-process": try_process,
    "credentials-env-file": try_env_files,
}
