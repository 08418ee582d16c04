"""Turns the gaps that a store's test class declares into strict expected failures, and rewrites the suites' asserts."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from rotation import logs

pytest.register_assert_rewrite(
    "client_reads",
    "issuer_at_target",
    "issuer_suite",
    "issuer_without_target",
    "store_suite",
    "store_staging",
    "store_moving",
    "store_pointing",
    "store_surveying",
    "store_gcp_surveying",
    "store_crashes",
    "store_bench",
    "aws_traps",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A gap is data of the class, so that no promise is redefined; one that has closed fails the run."""
    for item in items:
        gaps = getattr(getattr(item, "cls", None), "gaps", {})
        name = getattr(item, "originalname", item.name)
        if name in gaps:
            item.add_marker(pytest.mark.xfail(strict=True, reason=gaps[name]))


@pytest.fixture
def unredacted_logs() -> Iterator[list[str]]:
    """Every line that a function at LOG_LEVEL=DEBUG writes, before redaction: the other fence is tested alone."""
    root, lines = logging.getLogger(), []
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in logs._VENDORS}
    logs.configure("DEBUG", (), {})
    listening = logging.Handler()
    listening.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    root.handlers[:] = [listening]
    yield lines
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, earlier in levels.items():
        logging.getLogger(name).setLevel(earlier)
