"""The trials in interactive shells: every state, and hostile environments."""

from __future__ import annotations

from .bench import OPERATIONS, Bench
from .checks import Check
from .hostile import ALL, HOSTILE, Hostile
from .identities import CLAUDE, PINNED, Identity
from .sandbox import export
from .server import Seen
from .shells import ShellFailed
from .states import CLAUDE_REGION, State

UNDER_EXEC = ("boto3", "aws-cli", "js-sdk", "claude-sdk", "litellm", "litellm-profile")
OUTSIDE = ("boto3", "aws-cli", "js-sdk", "claude-sdk")
HOSTILE_STATE = State(
    "hostile-shell", PINNED, "eu-west-1", variables=ALL, typed=("backlog-aws use pinned",)
)


def try_state(bench: Bench, state: State, shell: str, *, with_proxy: bool) -> list[Check]:
    """One state in one shell: first without the integration, then with it, outside `exec` and under it."""
    case = f"{state.name}-{shell}"
    exports = [export(shell, name, value) for name, value in state.exported.items()]
    control_lines = [line for line in state.typed if not line.startswith("backlog-aws")]
    control_lines.append(f"probe {case}/control {' '.join(OUTSIDE)}")

    # LiteLLM's profile form needs no `exec`: the names that the hook exports are enough.
    outside = (*OUTSIDE, "litellm-profile") if state.names_a_profile and state is not HOSTILE_STATE else OUTSIDE
    run = f"{state.exec_prefix}backlog-aws exec {state.exec_options}--"
    lines = [*state.typed, *exports]
    lines.append(f"probe {case}/outside {' '.join(outside)}")
    lines.append(f"{run} probe {case}/exec {' '.join(UNDER_EXEC)}")
    if with_proxy:
        lines.append(f"{run} start-services.sh probe {case}/toolkit litellm-proxy")

    control_home = bench.home(f"{case}-control", shell, state, with_hook=False)
    home = bench.home(case, shell, state, with_hook=True)
    try:
        bench.type_into(shell, control_lines, control_home)
        screen = bench.type_into(shell, lines, home)
    except ShellFailed as failure:
        return [Check(state.name, "shell", "", shell, "a working shell", "none", False, str(failure))]

    checks = [_unchanged(bench, state, shell, client, screen) for client in ("variables", *OUTSIDE)]
    if not state.variables:
        checks += [_of_claude(bench, state, shell, client) for client in OUTSIDE]
    if "litellm-profile" in outside:
        checks.append(_resolved(bench, state, shell, "outside", "litellm-profile", screen))
    checks += [_resolved(bench, state, shell, "exec", client, screen) for client in UNDER_EXEC]
    if with_proxy:
        checks.append(_resolved(bench, state, shell, "toolkit", "litellm-proxy", screen))
    untouched = home.is_untouched()
    got = "as before" if untouched else "changed"
    checks.append(Check(state.name, "files", "~/.aws ~/.claude", shell, "as before", got, untouched, screen))
    return checks


def try_hostile_variables(bench: Bench) -> list[Check]:
    """Each leftover alone, inherited by `exec`; and, to see that it matters, put back behind its back."""
    state = State("hostile", PINNED, "eu-west-1", typed=("backlog-aws use pinned",))
    home = bench.home("hostile", "bash", state, with_hook=True)
    clients = " ".join(UNDER_EXEC)
    lines = list(state.typed)
    for hostile in HOSTILE:
        put = "env " + " ".join(f"{name}='{value}'" for name, value in hostile.variables.items())
        lines.append(f"{put} backlog-aws exec -- probe hostile-{hostile.name}-bash/exec {clients}")
        lines.append(f"backlog-aws exec -- {put} probe hostile-{hostile.name}-bash/leaked {clients}")
    try:
        screen = bench.type_into("bash", lines, home)
    except ShellFailed as failure:
        return [Check(state.name, "shell", "", "bash", "a working shell", "none", False, str(failure))]
    checks = []
    for hostile in HOSTILE:
        case = State(f"hostile-{hostile.name}", PINNED, "eu-west-1")
        checks += [_resolved(bench, case, "bash", "exec", client, screen) for client in UNDER_EXEC]
        checks.append(_turned(bench, case, hostile, screen))
    return checks


def answer(bench: Bench, tag: str, operations: tuple[str, ...], wanted: Identity, region: str) -> tuple[str, bool]:
    """What the server saw under `tag`, for the table; and whether it is exactly these operations by `wanted`."""
    seen = bench.ledger.seen(tag)
    if wanted.bearer:  # STS knows no bearer tokens; without keys the clients must not find any
        operations = tuple(operation for operation in operations if operation != "sts")
    good = [one.operation for one in seen] == list(operations) and all(one.is_from(wanted, region) for one in seen)
    return _shown(seen, good), good


def _shown(seen: list[Seen], agreed: bool) -> str:
    if not seen:
        return "no request"
    if agreed:
        return str(seen[0])
    return ", ".join(f"{one.operation}: {one}" for one in seen)


def _said(bench: Bench, tag: str, screen: str) -> str:
    report = bench.ledger.report(tag)
    return report["said"] if report else f"the client was not started; the screen:\n{screen[-2000:]}"


def _resolved(bench: Bench, state: State, shell: str, side: str, client: str, screen: str) -> Check:
    """The client used what the state resolves to."""
    tag = f"{state.name}-{shell}/{side}/{client}"
    got, good = answer(bench, tag, OPERATIONS[client], state.wanted, state.region)
    wanted = f"{state.wanted.shown()} {state.region} {state.wanted.kind}"
    return Check(state.name, side, client, shell, wanted, got, good, _said(bench, tag, screen))


def _unchanged(bench: Bench, state: State, shell: str, client: str, screen: str) -> Check:
    """The client did outside `exec` what it did in a shell that has never heard of us."""
    control, outside = (f"{state.name}-{shell}/{side}/{client}" for side in ("control", "outside"))
    if client == "variables":
        reports = (bench.ledger.report(control), bench.ledger.report(outside))
        wanted, got = (_names(report) for report in reports)
        good = reports[0] is not None and reports[0] == reports[1]
        if good:
            wanted = got = "as without us"
    else:
        before, after = bench.ledger.seen(control), bench.ledger.seen(outside)
        ends = [(bench.ledger.report(tag) or {}).get("exit") for tag in (control, outside)]
        wanted, got = _shown_outside(before), _shown_outside(after)
        good = ends[0] is not None and before == after and ends[0] == ends[1]
    return Check(state.name, "outside", client, shell, wanted, got, good, _said_outside(bench, client, outside, screen))


def _said_outside(bench: Bench, client: str, tag: str, screen: str) -> str:
    return screen[-2000:] if client == "variables" else _said(bench, tag, screen)


def _names(report: dict | None) -> str:
    return "no report" if report is None else " ".join(f"{name}={value}" for name, value in sorted(report.items()))


def _shown_outside(seen: list[Seen]) -> str:
    answers = list(dict.fromkeys(str(one) for one in seen if one.operation != "sso"))
    return ", ".join(answers) or "no request"


def _of_claude(bench: Bench, state: State, shell: str, client: str) -> Check:
    """The control itself: AWS_PROFILE=cc gives the keys that SSO hands out."""
    tag = f"{state.name}-{shell}/control/{client}"
    seen = [one for one in bench.ledger.seen(tag) if one.operation != "sso"]
    right = [one.operation for one in seen] == list(OPERATIONS[client])
    good = right and all(one.is_from(CLAUDE, CLAUDE_REGION) for one in seen)
    wanted = f"{CLAUDE.shown()} {CLAUDE_REGION} {CLAUDE.kind}"
    return Check(state.name, "without us", client, shell, wanted, _shown(seen, good), good, _said(bench, tag, ""))


def _turned(bench: Bench, state: State, hostile: Hostile, screen: str) -> Check:
    """With the leftover in place some client goes astray, or the test above would prove nothing."""
    astray = [
        client
        for client in UNDER_EXEC
        if not _resolved(bench, state, "bash", "leaked", client, screen).good
    ]
    got = "turns " + ", ".join(astray) if astray else "turns nobody"
    wanted = "turns somebody" if hostile.turns else "turns nobody"
    return Check(state.name, "if not removed", "", "bash", wanted, got, bool(astray) == hostile.turns, screen[-2000:])
