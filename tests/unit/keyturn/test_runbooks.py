"""Whoever is woken finds a page: every alarm, every diagnosis, every reason of a retirement has its heading."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infra.alarm_rules import rules
from infra.config import settings
from infra.names import Names
from keyturn.stack import ROOT, texts

RUNBOOKS = ROOT / "docs" / "runbooks"
# What stops runs: each is the error of an execution, so that `machine-failed` rings.
STOPPING = ("kill_switch", "switch_unreadable", "frozen", "report_only")
PARTS = ("**What it means.**", "**Look at.**", "**The one safe verb.**", "keyturn status", "keyturn history")
_KIND = re.compile(r"kind=\"([a-z_]+)\"|_undecided\(\s*found,\s*\"([a-z_]+)\"|return \"([a-z_]+)\", \"the ")
_REASON = re.compile(r"reason=\"([a-z_]+)\"|reason = \"([a-z_]+)\" if .* else \"([a-z_]+)\"")


def headings() -> set[str]:
    """Every slug that a heading of a runbook names."""
    lines = [line for page in RUNBOOKS.glob("*.md") for line in page.read_text().splitlines() if line.startswith("#")]
    return {slug for line in lines for slug in re.findall(r"`([a-z_-]+)`", line)}


def found(pattern: re.Pattern[str], *path: str) -> list[str]:
    """The slugs in a module of the runtime."""
    text = ROOT.joinpath("rotation", *path).read_text()
    return sorted({slug for groups in pattern.findall(text) for slug in groups if slug})


KINDS = sorted({*found(_KIND, "control", "diagnosis.py"), *found(_KIND, "control", "unfinished.py")})
REASONS = found(_REASON, "steps", "retire.py")


def test_the_slugs_are_found_where_they_are_made() -> None:
    assert {"healthy", "half_applied_target", "ledger_behind", "label_moved", "undecidable"} <= set(KINDS)
    assert {"old_alive", "old_unproven", "new_unproven", "new_not_accepted"} <= set(REASONS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_diagnosis_has_its_heading_in_the_runbook_of_repair(kind: str) -> None:
    assert f"\n## `{kind}`\n" in (RUNBOOKS / "repair.md").read_text()


@pytest.mark.parametrize("reason", [*REASONS, *STOPPING])
def test_every_reason_that_can_wake_somebody_has_a_heading(reason: str) -> None:
    assert reason in headings()


def test_every_alarm_has_its_page() -> None:
    names = Names(settings("staging", texts("staging")))
    for reason in {rule.reason for rule in rules(names)}:
        assert reason in headings()
        assert (RUNBOOKS / f"{reason}.md").is_file()


@pytest.mark.parametrize("page", sorted(RUNBOOKS.glob("*.md")), ids=lambda page: page.stem)
def test_every_page_says_what_it_means_where_to_look_and_the_one_safe_verb(page: Path) -> None:
    text = page.read_text()
    # the page that every policy links begins where nobody knows what happened
    for part in PARTS[1:] if page.stem == "rotation" else PARTS:
        assert part in text, part


@pytest.mark.parametrize("page", sorted(RUNBOOKS.glob("*.md")), ids=lambda page: page.stem)
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([a-z-]+\.md)(?:#([a-z_]+))?\)", page.read_text()):
        linked = (RUNBOOKS / target).read_text()
        assert not anchor or f"`{anchor}`" in linked
