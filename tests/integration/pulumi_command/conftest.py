"""One copy of the checkout with its sandbox for the tests of each file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from checkout_copy import Place, copied


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """The copy, its sandbox up and empty."""
    with copied() as made:
        yield made
