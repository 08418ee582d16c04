"""A check's result, and how several are shown: `doctor`, `verify` and `validate-env` speak alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rich.console import RenderableType

from keyturn.console import table


class Verdict(StrEnum):
    """What a check found."""

    OK = "ok"
    # it works, and somebody should look at it
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at: what was found, and what to do where it is not as it should be."""

    name: str
    verdict: Verdict
    found: str
    remedy: str = ""


def ok(name: str, found: str) -> Check:
    """As it should be."""
    return Check(name=name, verdict=Verdict.OK, found=found)


def warn(name: str, found: str, remedy: str) -> Check:
    """Works, but look at it."""
    return Check(name=name, verdict=Verdict.WARN, found=found, remedy=remedy)


def fail(name: str, found: str, remedy: str) -> Check:
    """Not as it should be."""
    return Check(name=name, verdict=Verdict.FAIL, found=found, remedy=remedy)


def passed(checks: Sequence[Check]) -> bool:
    """Whether something was checked and nothing failed; warnings pass."""
    return bool(checks) and all(check.verdict is not Verdict.FAIL for check in checks)


def checks_table(checks: Sequence[Check]) -> RenderableType:
    """One line a check."""
    colours = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "red"}
    shown = table("", "", "check", "found", "next")
    for check in checks:
        shown.add_row(check.verdict.value, check.name, check.found, check.remedy, style=colours[check.verdict])
    return shown
