"""What is told at the end of a session: here, because the tests of a folder may run in workers and this does not."""

from __future__ import annotations

import pytest

from tests.unit.crash.crash_count import crash_points


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line of counts."""
    line = crash_points(terminalreporter.stats)
    if line:
        terminalreporter.write_line(line)
