"""What was checked, and the table that says so."""

from __future__ import annotations

from dataclasses import dataclass, replace

_WIDEST_CELL = 64


@dataclass(frozen=True)
class Check:
    """One client in one shell and state: what it had to use and what it used."""

    case: str
    side: str
    client: str
    shell: str
    wanted: str
    got: str
    good: bool
    said: str = ""
    """What the client printed; shown when the check failed."""
    known: str = ""
    """Why this client goes astray here whatever we do. If it goes right after all, the note is old: a failure too."""

    @property
    def passed(self) -> bool:
        return self.good != bool(self.known)

    @property
    def mark(self) -> str:
        if self.known:
            return "RIGHT" if self.good else "known"
        return "ok" if self.good else "WRONG"


def as_known(check: Check, why: str) -> Check:
    """The same check, of a client that is known to go astray."""
    return replace(check, known=why)


def print_table(checks: list[Check]) -> None:
    """One line per case, side, client and answer; the shells that agree share a line."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for check in checks:
        rows.setdefault((check.case, check.side, check.client, _cell(check.got), check.mark), []).append(check.shell)
    table = [("STATE", "WHERE", "CLIENT", "THE SERVER SAW", "", "SHELLS")]
    table += [(*key, " ".join(dict.fromkeys(shells))) for key, shells in sorted(rows.items(), key=_place(checks))]
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    before: tuple[str, ...] = ("", "")
    for row in table:
        state = "" if row[0] == before[0] else row[0]
        where = "" if row[:2] == before[:2] else row[1]
        cells = (state, where, *row[2:])
        print("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip())
        before = row


def print_verdict(checks: list[Check]) -> int:
    """Names every failure, prints the closing line and returns how many there were."""
    for why in dict.fromkeys(check.known for check in checks if check.known):
        print(f"\nknown: {why}")
    failures = [check for check in checks if not check.passed]
    for check in failures:
        place = " / ".join(part for part in (check.case, check.side, check.client, check.shell) if part)
        print(f"\n{check.mark}: {place}\n  wanted: {check.wanted}\n  got:    {check.got}")
        if check.said.strip():
            print("  said:   " + check.said.strip()[-1500:].replace("\n", "\n          "))
    print(f"\n{len(checks) - len(failures)} passed, {len(failures)} failed")
    return len(failures)


def _cell(text: str) -> str:
    return text if len(text) <= _WIDEST_CELL else text[: _WIDEST_CELL - 1] + "…"


def _place(checks: list[Check]):
    """Orders rows by state as they were tried, then by side as they first came."""
    cases = list(dict.fromkeys(check.case for check in checks))
    sides = list(dict.fromkeys(check.side for check in checks))
    return lambda row: (cases.index(row[0][0]), sides.index(row[0][1]))
