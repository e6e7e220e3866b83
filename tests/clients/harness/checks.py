"""What was checked, and the table that says so."""

from __future__ import annotations

from dataclasses import dataclass


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


def print_table(checks: list[Check]) -> None:
    """One line per case, side, client and answer; the shells that agree share a line."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for check in checks:
        key = (check.case, check.side, check.client, check.got, "ok" if check.good else "WRONG")
        rows.setdefault(key, []).append(check.shell)
    table = [("STATE", "WHERE", "CLIENT", "THE SERVER SAW", "", "SHELLS")]
    table += [(*key, " ".join(dict.fromkeys(shells))) for key, shells in rows.items()]
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    shown_before: tuple[str, ...] = ()
    for row in table:
        cells = ["" if row[: i + 1] == shown_before[: i + 1] and i < 2 else cell for i, cell in enumerate(row)]
        print("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip())
        shown_before = row


def print_verdict(checks: list[Check]) -> int:
    """Names every failure, prints the closing line and returns how many there were."""
    failures = [check for check in checks if not check.good]
    for check in failures:
        place = " / ".join(part for part in (check.case, check.side, check.client, check.shell) if part)
        print(f"\nWRONG: {place}\n  wanted: {check.wanted}\n  got:    {check.got}")
        if check.said.strip():
            print("  said:   " + check.said.strip()[-1500:].replace("\n", "\n          "))
    print(f"\n{len(checks) - len(failures)} passed, {len(failures)} failed")
    return len(failures)
