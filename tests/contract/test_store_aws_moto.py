"""The store contract on moto, which runs in this process; its gaps are where it is laxer than the service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import aws_traps
import pytest
from aws_bench import AwsBench, emulated_account
from botocore.exceptions import ClientError
from moto import mock_aws
from store_bench import Rotations, new_run, value

from rotation.contract import SecretRef
from rotation.errors import Conflict
from rotation.stores.aws import PENDING


@pytest.fixture(scope="module")
def account() -> Iterator[Any]:
    with mock_aws(), emulated_account() as client:
        yield client


class TestAwsStoreOnMoto(aws_traps.AwsContract):
    """moto in this process."""

    gaps: ClassVar[Mapping[str, str]] = {
        "test_another_value_under_the_same_run_is_refused": (
            "moto overwrites a version while it is AWSPENDING; the rule is shown below for one that is not"
        ),
        "test_demotion_stops_when_somebody_else_moved_current": (
            "moto leaves AWSCURRENT on two versions when a put follows a moved label"
        ),
        "test_demotion_to_a_version_that_is_gone_changes_nothing": (
            "moto takes a label off before it looks whether the version to move it to exists"
        ),
    }

    @pytest.fixture
    def bench(self, account: Any) -> AwsBench:
        return AwsBench(account, registers=_rotate_with_a_function_that_is_gone)

    def test_a_token_already_used_with_another_value_is_refused(self, bench: AwsBench, rotations: Rotations) -> None:
        life = rotations.rotate(value("new"))
        bench.raw.update_secret_version_stage(
            SecretId=rotations.ref.path, VersionStage=PENDING, RemoveFromVersionId=life.run_id
        )
        with pytest.raises(Conflict) as refusal:
            rotations.store.stage(rotations.ref, life.run_id, value("other"), life.seen)
        assert refusal.value.reason == "staged_differs"
        assert bench.readers_get(rotations.ref) == value("new")

    def test_pending_bytes_that_somebody_put_are_pending_and_have_no_fingerprint(
        self, bench: AwsBench, rotations: Rotations
    ) -> None:
        token = new_run()
        bench.raw.put_secret_value(
            SecretId=rotations.ref.path, ClientRequestToken=token, SecretBinary=b"\xff", VersionStages=[PENDING]
        )
        [pending] = bench.store().survey(rotations.ref, None).pendings
        assert (pending.owner, pending.empty, pending.fingerprint) == (token, False, "")


def _rotate_with_a_function_that_is_gone(raw: Any, ref: SecretRef, token: str) -> None:
    """The placeholder is registered first, and only then is the function not found."""
    function = "arn:aws:lambda:us-east-1:123456789012:function:gone"
    with pytest.raises(ClientError, match="function:gone"):
        raw.rotate_secret(SecretId=ref.path, ClientRequestToken=token, RotationLambdaARN=function)
