"""How a session begins, and what is told at its end: here, because a folder's tests may run in workers."""

from __future__ import annotations

import signal

import pytest

from tests.unit.crash.crash_count import crash_points


def pytest_configure() -> None:
    """What a shell starts in the background ignores an interrupt, and would hand that on to programs under test."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line of counts."""
    line = crash_points(terminalreporter.stats)
    if line:
        terminalreporter.write_line(line)
