"""One AWS emulator for the races, and the environment by which clients of this process find it meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sweep_cloud import Cloud

from sandbox.parts.ministack import Ministack
from tests.contract.store_servers import running


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with running(Ministack(), tmp_path_factory.mktemp("sweep")) as started, pytest.MonkeyPatch.context() as patch:
        made = Cloud(endpoint=str(started.facts["aws_endpoint"]))
        for name, value in made.login.items():
            patch.setenv(name, value)
        yield made
        made.close()
