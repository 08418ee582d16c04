"""How the tests are dealt out to workers, and what is told at the end: the same for every folder."""

from __future__ import annotations

import pytest

from tests.unit.crash.crash_count import crash_points

# Folders whose tests share one deployed stack: dealt out by file, each worker would deploy one of its own.
_ONE_STACK = ("tests/integration/repair/", "tests/integration/runs/")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A worker gets a file at a time, or all the tests that share a stack."""
    if config.pluginmanager.hasplugin("xdist"):
        for item in items:
            item.add_marker(pytest.mark.xdist_group(_group(item)))


def _group(item: pytest.Item) -> str:
    file = item.nodeid.partition("::")[0]
    folder = next((one for one in _ONE_STACK if file.startswith(one)), "")
    return folder if folder and "stack" in getattr(item, "fixturenames", ()) else file


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line of counts: here, because the tests of a folder may run in workers and this does not."""
    line = crash_points(terminalreporter.stats)
    if line:
        terminalreporter.write_line(line)
