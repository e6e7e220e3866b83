"""The trials in interactive shells: every state, and hostile environments."""

from __future__ import annotations

from concurrent.futures import Future

from .bench import OPERATIONS, Bench
from .checks import Check, as_known
from .hostile import ALL, HOSTILE, Hostile
from .identities import CLAUDE, PINNED, Identity
from .sandbox import export
from .server import Seen
from .shells import ShellFailed
from .states import CLAUDE_REGION, State

# What of Claude Code, and of other programs of its user, runs beside the toolkit in the same shell.
OUTSIDE = ("boto3", "js-sdk")
OUTSIDE_THOROUGH = (*OUTSIDE, "claude-sdk")
UNDER_EXEC = ("boto3", "aws-cli", "js-sdk", "litellm", "litellm-profile")
# What `exec` hands over does not depend on the shell, so in the shells where a state is not tried thoroughly these do.
UNDER_EXEC_BRIEF = ("boto3", "litellm", "litellm-profile")
# Where the forked LiteLLM is compared with one that was started anew: both go astray here, each by another rule.
TRIED_FRESH = ("profile-name", "role-name", "bearer-set")
HOSTILE_STATE = State("hostile-shell", PINNED, "eu-west-1", variables=ALL, typed=("backlog-aws use pinned",))


def control_name(state: State, shell: str) -> str:
    """The clients' view of the shell without us: states with the same variables share it."""
    return f"{'state' if not state.variables else state.name}-{shell}"


def try_control(bench: Bench, state: State, shell: str) -> str:
    """Runs the clients in a shell that has never heard of us. Returns its screen."""
    name = control_name(state, shell)
    home = bench.home(f"{name}-control", shell, state, with_hook=False)
    return bench.type_into(shell, [f"probe {name}/control {' '.join(OUTSIDE_THOROUGH)}"], home)


def try_state(bench: Bench, state: State, shell: str, control: Future[str], *, thorough: bool) -> list[Check]:
    """One state in one shell, outside `exec` and under it. `thorough` adds the clients that are slow to start."""
    case = f"{state.name}-{shell}"
    of_claude = OUTSIDE_THOROUGH if thorough else OUTSIDE
    # LiteLLM's profile form needs no `exec`: the names that the hook exports are enough.
    by_profile = state.names_a_profile and state is not HOSTILE_STATE
    outside = (*of_claude, "litellm-profile") if by_profile else of_claude
    under_exec = _under_exec(state, thorough=thorough)
    yes = "--yes " if state.guess else ""
    run = f"{state.exec_prefix}backlog-aws exec {yes}{state.exec_options}--"
    lines = [*state.typed, *(export(shell, name, value) for name, value in state.exported.items())]
    lines.append(f"probe {case}/outside {' '.join(outside)}")
    lines.append(f"{run} probe {case}/exec {' '.join(under_exec)}")
    through_script = thorough and state.proxied
    if through_script:
        # The script knows no API keys, and is not run with one unless it is forced.
        forced = run.replace("exec ", "exec --force ", 1)
        lines.append(f"{forced} start-services.sh probe {case}/toolkit litellm-proxy")

    home = bench.home(case, shell, state, with_hook=True)
    try:
        control.result()
        screen = bench.type_into(shell, lines, home)
    except ShellFailed as failure:
        return [_no_shell(state, shell, failure)]

    checks = [] if state.variables else [_of_claude(bench, state, shell, client) for client in of_claude]
    checks += [_unchanged(bench, state, shell, client, screen) for client in ("variables", *of_claude)]
    checks.append(_files_untouched(state, shell, untouched=home.is_untouched(), screen=screen))
    if by_profile:
        checks.append(_resolved(bench, state, shell, "outside", "litellm-profile", screen))
    checks += [_resolved(bench, state, shell, "exec", client, screen) for client in under_exec]
    if through_script:
        checks.append(_resolved(bench, state, shell, "toolkit", "litellm-proxy", screen))
    return checks


def try_hostile_variables(bench: Bench) -> list[Check]:
    """Each leftover alone, inherited by `exec`; and, to see that it matters, put back behind its back."""
    state = State("hostile", PINNED, "eu-west-1", typed=("backlog-aws use pinned",))
    home = bench.home("hostile", "bash", state, with_hook=True)
    lines = list(state.typed)
    for hostile in HOSTILE:
        clients = _asked(hostile)
        put = "env " + " ".join(f"{name}='{value}'" for name, value in hostile.variables.items())
        lines.append(f"{put} backlog-aws exec -- probe hostile-{hostile.name}-bash/exec {' '.join(clients)}")
        leaked = (*clients, "litellm-fresh") if hostile.name in TRIED_FRESH else clients
        lines.append(f"backlog-aws exec -- {put} probe hostile-{hostile.name}-bash/leaked {' '.join(leaked)}")
    try:
        screen = bench.type_into("bash", lines, home)
    except ShellFailed as failure:
        return [_no_shell(state, "bash", failure)]
    checks = []
    for hostile in HOSTILE:
        clients = _asked(hostile)
        case = State(f"hostile-{hostile.name}", PINNED, "eu-west-1")
        checks += [_resolved(bench, case, "bash", "exec", client, screen) for client in clients]
        leaked = [_resolved(bench, case, "bash", "leaked", client, screen) for client in clients]
        checks.append(_turned(case, hostile, leaked))
        if hostile.name in TRIED_FRESH:
            checks.append(_forked_like_fresh(bench, case))
    return checks


def try_sourced(bench: Bench, state: State) -> list[Check]:
    """The toolkit's start script under `exec`, with a file of the user's that contradicts the pinned profile."""
    home = bench.home(state.name, "bash", state, with_hook=True)
    place = f"{state.name}-bash/toolkit"
    line = f"backlog-aws exec --force {state.exec_options}-- start-services.sh probe {place} {' '.join(UNDER_EXEC)}"
    try:
        screen = bench.type_into("bash", [line], home)
    except ShellFailed as failure:
        return [_no_shell(state, "bash", failure)]
    checks = [_resolved(bench, state, "bash", "toolkit", client, screen) for client in UNDER_EXEC]
    return [_warned(state, screen), *checks]


def answer(bench: Bench, tag: str, operations: tuple[str, ...], wanted: Identity, region: str) -> tuple[str, bool]:
    """What the server saw under `tag`, for the table; and whether it is exactly these operations by `wanted`."""
    seen = bench.ledger.seen(tag)
    if wanted.bearer:  # STS knows no bearer tokens; without keys the clients must not find any
        operations = tuple(operation for operation in operations if operation != "sts")
    good = [one.operation for one in seen] == list(operations) and all(one.is_from(wanted, region) for one in seen)
    return _shown(seen, good), good


def said(bench: Bench, tag: str, screen: str = "") -> str:
    """What the client printed, or why it printed nothing."""
    report = bench.ledger.report(tag)
    return report["said"] if report else f"the client was not started\n{screen[-2000:]}"


def _under_exec(state: State, *, thorough: bool) -> tuple[str, ...]:
    clients = (*UNDER_EXEC, "claude-sdk") if thorough else UNDER_EXEC_BRIEF
    if "--sealed" in state.exec_options:
        clients = (*clients, "aws-cli-default")
    return (*clients, "aws-cli-bedrock") if thorough or state.wanted.bearer else clients


def _shown(seen: list[Seen], agreed: bool) -> str:
    if not seen:
        return "no request"
    if agreed:
        return str(seen[0])
    return ", ".join(f"{one.operation}: {one}" for one in seen)


def _no_shell(state: State, shell: str, failure: ShellFailed) -> Check:
    return Check(state.name, "shell", "", shell, "a working shell", "none", False, str(failure))


def _resolved(bench: Bench, state: State, shell: str, side: str, client: str, screen: str) -> Check:
    """The client used what the state resolves to."""
    tag = f"{state.name}-{shell}/{side}/{client}"
    got, good = answer(bench, tag, OPERATIONS[client], state.wanted, state.region)
    wanted = f"{state.wanted.shown()} {state.region} {state.wanted.kind}"
    check = Check(state.name, side, client, shell, wanted, got, good, said(bench, tag, screen))
    return as_known(check, state.astray[client]) if client in state.astray else check


def _unchanged(bench: Bench, state: State, shell: str, client: str, screen: str) -> Check:
    """The client did outside `exec` what it did in a shell that has never heard of us."""
    tags = (f"{control_name(state, shell)}/control/{client}", f"{state.name}-{shell}/outside/{client}")
    before, after = (bench.ledger.report(tag) for tag in tags)
    if client == "variables":
        good = before is not None and before == after
        wanted, got = ("as without us",) * 2 if good else (_names(before), _names(after))
        return Check(state.name, "outside", client, shell, wanted, got, good, screen[-2000:])
    requests = [bench.ledger.seen(tag) for tag in tags]
    good = None not in (before, after) and before["exit"] == after["exit"] and requests[0] == requests[1]
    wanted, got = (_shown_without_sso(seen) for seen in requests)
    return Check(state.name, "outside", client, shell, wanted, got, good, said(bench, tags[1], screen))


def _names(report: dict | None) -> str:
    return "no report" if report is None else " ".join(f"{name}={value}" for name, value in sorted(report.items()))


def _shown_without_sso(seen: list[Seen]) -> str:
    return ", ".join(dict.fromkeys(str(one) for one in seen if one.operation != "sso")) or "no request"


def _of_claude(bench: Bench, state: State, shell: str, client: str) -> Check:
    """The control itself: AWS_PROFILE=cc gives the keys that SSO hands out."""
    tag = f"{control_name(state, shell)}/control/{client}"
    seen = [one for one in bench.ledger.seen(tag) if one.operation != "sso"]
    right = [one.operation for one in seen] == list(OPERATIONS[client])
    good = right and all(one.is_from(CLAUDE, CLAUDE_REGION) for one in seen)
    wanted = f"{CLAUDE.shown()} {CLAUDE_REGION} {CLAUDE.kind}"
    return Check(state.name, "without us", client, shell, wanted, _shown(seen, good), good, said(bench, tag))


def _files_untouched(state: State, shell: str, *, untouched: bool, screen: str) -> Check:
    got = "as before" if untouched else "changed"
    return Check(state.name, "files", "~/.aws ~/.claude", shell, "as before", got, untouched, screen[-2000:])


def _warned(state: State, screen: str) -> Check:
    """`exec` says beforehand that the start script ends with others, and only then."""
    says = "thetoolkit'sstartscript" in "".join(screen.split())  # lines are wrapped
    wanted, got = ("a warning" if warned else "no warning" for warned in (state.told, says))
    return Check(state.name, "exec", "(what it says)", "bash", wanted, got, wanted == got, screen[-2000:])


def _asked(hostile: Hostile) -> tuple[str, ...]:
    """All of them try all leftovers together; one alone is tried by a client that would go astray."""
    return (hostile.turns,) if hostile.turns else (*UNDER_EXEC, "claude-sdk", "aws-cli-bedrock")


def _turned(state: State, hostile: Hostile, leaked: list[Check]) -> Check:
    """With the leftover in place that client goes astray, or the checks of this leftover would prove nothing."""
    astray = [check.client for check in leaked if not check.good]
    wanted, got = (f"turns {' '.join(who) or 'nobody'}" for who in ([hostile.turns], astray))
    reasons = "\n".join(f"{check.client}: {check.got}" for check in leaked)
    return Check(state.name, "if kept", "(see right)", "bash", wanted, got, wanted == got, reasons)


def _forked_like_fresh(bench: Bench, state: State) -> Check:
    """A fork of the waiting LiteLLM reads its environment as a process of its own does."""
    tags = [f"{state.name}-bash/leaked/{client}" for client in ("litellm", "litellm-fresh")]
    forked, fresh = (bench.ledger.seen(tag) for tag in tags)
    good = bool(fresh) and forked == fresh
    wanted, got = (_shown(seen, False) for seen in (forked, fresh))
    got = f"as the fork: {got}" if good else got
    return Check(state.name, "if kept", "litellm-fresh", "bash", wanted, got, good, said(bench, tags[1]))
