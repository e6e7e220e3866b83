"""The documents' ways to get credentials to a client, run as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

from . import identities as who
from .bench import Bench
from .checks import Check
from .formats import home_without_hook, run_clients
from .install import HERE
from .sandbox import Home
from .states import State

DOCUMENT = HERE.parent.parent / "docs" / "exec-and-credentials.md"
REGION = "eu-west-1"
PINNED = {"BACKLOG_AWS_PROFILE": "pinned"}
CLIENTS = ("boto3", "js-sdk", "litellm")


def way(name: str) -> str:
    """The code block below the marker of this name."""
    found = re.search(rf"<!-- way:{name} -->\n```\w+\n(.*?)```\n", DOCUMENT.read_text(), re.DOTALL)
    assert found, f"{DOCUMENT} has no way:{name}"
    return found[1]


def try_documents(bench: Bench) -> list[Check]:
    """Each way in a home of its own."""
    return [
        *_exec(bench, "exec"),
        *_exec(bench, "sealed"),
        *_process(bench),
        *_lines(bench),
        *_api_key(bench),
        *_bearer(bench),
        _profile(),
        _anthropic(bench),
    ]


def _home(bench: Bench, name: str, state: State) -> Home:
    return home_without_hook(bench, f"way-{name}", state)


def _exec(bench: Bench, name: str) -> list[Check]:
    state = State(name, who.PINNED, REGION)
    home = _home(bench, name, state)
    # What the documents start, each by its name: `exec` knows the start script by it.
    for name_of_program in ("scripts/services/start-services.sh", "litellm"):
        program = home.path / name_of_program
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f"#!/bin/sh\nexec probe way-{name}/exec {' '.join(CLIENTS)}\n")
        program.chmod(0o755)
    command = bench.shell_command("bash", way(name).replace("litellm --config litellm.yaml", "./litellm"))
    return run_clients(bench, home, command, f"way-{name}/exec", CLIENTS, state, "docs", name, PINNED)


def _process(bench: Bench) -> list[Check]:
    state = State("process", who.PINNED, REGION)
    home = _home(bench, "process", state)
    config = home.path / ".aws/config"
    # The sandbox has a profile of that name already.
    block = way("process").replace("[profile toolkit]", "[profile readme]")
    config.write_text(f"{config.read_text()}\n{block}")
    clients = ("boto3", "aws-cli", "js-sdk")
    command = ["probe", "way-process/process", *clients]
    variables = PINNED | {"AWS_PROFILE": "readme"}
    return run_clients(bench, home, command, "way-process/process", clients, state, "docs", "process", variables)


def _lines(bench: Bench) -> list[Check]:
    state = State("lines", who.PINNED, REGION)
    in_bash, in_fish, in_file = way("lines").splitlines()
    checks = []
    for shell, line in (("bash", in_bash), ("zsh", in_bash), ("fish", in_fish)):
        home = _home(bench, f"lines-{shell}", state)
        place = f"way-lines-{shell}/eval"
        command = bench.shell_command(shell, f"{line}\nexec probe {place} {' '.join(CLIENTS)}")
        checks += run_clients(bench, home, command, place, CLIENTS, state, "docs", f"lines, {shell}", PINNED)
    # What compose makes of such a file is tried in `formats`; here, that that line writes one.
    home = _home(bench, "lines-file", state)
    place = "way-lines-file/eval"
    script = f"{in_file}\nset -a; . ./litellm.env; exec probe {place} boto3"
    command = bench.shell_command("bash", script)
    return checks + run_clients(bench, home, command, place, ("boto3",), state, "docs", "lines, file", PINNED)


def _api_key(bench: Bench) -> list[Check]:
    line = way("api-key").strip().replace("ABSKEXAMPLE", who.FILE_BEARER.bearer)
    state = State("api-key", who.FILE_BEARER, "us-east-1", toolkit_env=(line,))
    home = _home(bench, "api-key", state)
    command = ["backlog-aws", "exec", "--", "probe", "way-api-key/exec", *CLIENTS]
    return run_clients(bench, home, command, "way-api-key/exec", CLIENTS, state, "docs", "api-key")


def _bearer(bench: Bench) -> list[Check]:
    state = State("bearer", who.signed_by(who.PINNED, REGION), REGION)
    home = _home(bench, "bearer", state)
    agent = home.path / "agent"
    agent.write_text(f"#!/bin/sh\nexec probe way-bearer/exec {' '.join(CLIENTS)}\n")
    agent.chmod(0o755)
    command = bench.shell_command("bash", way("bearer"))
    return run_clients(bench, home, command, "way-bearer/exec", CLIENTS, state, "docs", "bearer", PINNED)


def _profile() -> Check:
    """The lines that matter are those with which the proxy is run (state by state, as `litellm-proxy`)."""
    run = Path(HERE / "drivers/litellm.yaml").read_text()
    lines = [line.strip() for line in way("profile").splitlines() if "os.environ/" in line]
    good = len(lines) == 2 and all(line in run for line in lines)
    return Check("docs", "profile", "litellm-proxy", "", "the proxy's own lines", str(lines), good)


def _anthropic(bench: Bench) -> Check:
    """`status`, `doctor` and `exec` say what is left when there is no AWS, with which `doctor` finds no fault."""
    state = State("anthropic", who.PINNED, REGION, toolkit_env=(way("anthropic").strip(),))
    home = _home(bench, "anthropic", state)
    for name in ("credentials", "config"):
        (home.path / ".aws" / name).write_text("")
    said = []
    for words in (["status"], ["doctor"], ["exec", "--", "true"]):
        done = bench.call(home, ["env", "-u", "AWS_PROFILE", "backlog-aws", *words], {})
        text = done.stdout + done.stderr
        said.append((done.returncode, "Anthropic's API" in text.replace(" own", ""), text))
    got = str([one[:2] for one in said])
    wanted = str([(1, True), (0, True), (0, True)])
    return Check("docs", "anthropic", "(what we say)", "", wanted, got, got == wanted, said[0][2] + said[1][2])
