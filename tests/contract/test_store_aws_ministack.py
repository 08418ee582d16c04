"""The store contract on MiniStack, which the sandbox runs; its gaps are where it is laxer than the service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import aws_traps
import pytest
from aws_bench import AwsBench, emulated_account
from store_servers import running

from rotation.contract import SecretRef
from rotation.stores.aws import PENDING
from sandbox.parts.ministack import Ministack

pytestmark = pytest.mark.sandbox

_EMPTY_CURRENT = "MiniStack gives a secret that was made without a value an empty version that is AWSCURRENT"


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with (
        running(Ministack(), tmp_path_factory.mktemp("ministack")) as started,
        emulated_account(started.facts["aws_endpoint"]) as client,
    ):
        yield client


class TestAwsStoreOnMinistack(aws_traps.AwsContract):
    """MiniStack in a process of its own."""

    gaps: ClassVar[Mapping[str, str]] = {
        "test_another_value_under_the_same_run_is_refused": (
            "MiniStack overwrites silently: same token, another value"
        ),
        "test_a_put_takes_the_pending_label_off_the_version_that_had_it": (
            "MiniStack leaves AWSPENDING on the promoted version too; the adapter takes it off with the candidate's"
        ),
        "test_a_declared_secret_without_a_value_has_nothing_current": _EMPTY_CURRENT,
        "test_the_pointer_of_a_declared_secret_without_a_value_names_nothing": _EMPTY_CURRENT,
        "test_a_survey_of_a_declared_secret_without_a_value_shows_nothing": _EMPTY_CURRENT,
        "test_a_survey_shows_the_candidate_of_a_run_that_crashed_before_its_first_value_was_current": _EMPTY_CURRENT,
        "test_a_first_value_is_promoted_where_nothing_was_current": _EMPTY_CURRENT,
        "test_a_first_value_does_not_overwrite_one_that_somebody_wrote_meanwhile": _EMPTY_CURRENT,
    }

    @pytest.fixture
    def bench(self, account: Any) -> AwsBench:
        return AwsBench(account, registers=_put_without_a_value)


def _put_without_a_value(raw: Any, ref: SecretRef, token: str) -> None:
    """MiniStack's RotateSecret promotes at once; but it takes a put that AWS refuses, and keeps the same thing."""
    raw.put_secret_value(SecretId=ref.path, ClientRequestToken=token, VersionStages=[PENDING])
