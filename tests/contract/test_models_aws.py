"""The store contract on the model of Secrets Manager that the crash points are counted on, so that it cannot drift."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import aws_traps
import pytest
from aws_bench import AwsBench
from store_bench import Rotations, new_run, value

from rotation.contract import Version
from rotation.stores.aws import CURRENT, PENDING
from tests.model.aws_service import AwsService


class TestAwsStoreOnTheModel(aws_traps.AwsContract):
    """The model, without a gap."""

    gaps: ClassVar[Mapping[str, str]] = {}

    @pytest.fixture
    def bench(self) -> AwsBench:
        return AwsBench(AwsService())

    def test_the_first_version_of_a_secret_is_current_whatever_its_put_asked_for(self, bench: AwsBench) -> None:
        fresh = Rotations(bench)
        first = fresh.stage(value("first"))
        assert bench.labels(fresh.ref) == {first.staged.id: [CURRENT, PENDING]}

    def test_a_rotation_that_died_leaves_a_pending_version_without_a_value(
        self, bench: AwsBench, rotations: Rotations
    ) -> None:
        token = new_run()
        bench.raw.begin_rotation(rotations.ref.path, token)
        assert rotations.observe().pending == Version(id=token)
        assert rotations.store.find_staged(rotations.ref, token, {}) is None
        assert bench.versions_made(rotations.ref) == 1, "ListSecretVersionIds hides it"
        rotations.store.abandon(rotations.ref, token, None)
        assert rotations.observe().pending is None
