"""A function follows only the policy that the deployment sealed, whoever may write to the catalogue's bucket."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from rotation import aws_client
from rotation.calls import Caller, Meter, NullBreaker
from rotation.catalogue import Catalogue, object_key
from rotation.errors import Denied, KeyturnError
from rotation.policy import Policy
from rotation.seal import METADATA, KmsSeals, context
from tests.model.world import NAME, POLICY

FORGED = replace(POLICY, overlap_s=POLICY.overlap_s + 1)
UNREADABLE = ("not made by KMS", "the digest itself", "sealed with a key of the writer's own")
REGION = {"region_name": "us-east-1"}


def calls(meter: Meter) -> Caller:
    return Caller("aws", translate=aws_client.translate, meter=meter, breaker=NullBreaker(), sleep=lambda _: None)


class Deployed:
    """A bucket and two KMS keys, of which the first is the catalogue's."""

    def __init__(self) -> None:
        self.meter = Meter()
        self.s3 = boto3.client("s3", **REGION)
        self.kms = boto3.client("kms", **REGION)
        self.s3.create_bucket(Bucket="catalogue")
        self.key, self.other = (self.kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2))

    def seal(self, policy: Policy, *, key: str = "", stack: str = "local", name: str = NAME) -> str:
        made = self.kms.encrypt(
            KeyId=key or self.key, Plaintext=policy.digest().encode(), EncryptionContext=context(stack, name)
        )
        return base64.b64encode(made["CiphertextBlob"]).decode()

    def put(self, policy: Policy, seal: str | None) -> None:
        said = {} if seal is None else {METADATA: seal}
        body = policy.document().encode()
        self.s3.put_object(Bucket="catalogue", Key=object_key(NAME), Body=body, Metadata=said)

    @property
    def catalogue(self) -> Catalogue:
        seals = KmsSeals(self.kms, self.key, "local", calls(self.meter))
        return Catalogue(self.s3, "catalogue", calls(self.meter), seals)


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield Deployed()


def test_a_policy_that_the_deployment_sealed_is_followed(deployed: Deployed) -> None:
    deployed.put(POLICY, deployed.seal(POLICY))
    assert deployed.catalogue.policy(NAME) == POLICY
    assert deployed.meter.totals() == {"catalogue": 2}


def _forgeries(deployed: Deployed) -> dict[str, tuple[Policy, str | None]]:
    honest = deployed.seal(POLICY)
    return {
        "another policy under the old seal": (FORGED, honest),
        "no seal": (FORGED, None),
        "an empty seal": (FORGED, ""),
        "not base64": (FORGED, "***"),
        "not made by KMS": (FORGED, base64.b64encode(b"sealed, honestly").decode()),
        "the digest itself": (FORGED, base64.b64encode(FORGED.digest().encode()).decode()),
        "sealed for another secret": (POLICY, deployed.seal(POLICY, name="other/secret")),
        "sealed by another stack": (POLICY, deployed.seal(POLICY, stack="staging")),
        "sealed with a key of the writer's own": (FORGED, deployed.seal(FORGED, key=deployed.other)),
    }


def test_whatever_else_the_bucket_holds_is_refused(deployed: Deployed) -> None:
    for what, (policy, seal) in _forgeries(deployed).items():
        deployed.put(policy, seal)
        with pytest.raises(KeyturnError) as refused:
            deployed.catalogue.policy(NAME)
        # moto's word for a blob of another key or of none; AWS has words of their own for these
        reasons = ("policy_not_sealed", "aws_denied") if what in UNREADABLE else ("policy_not_sealed",)
        assert refused.value.reason in reasons, what


def test_a_function_that_may_not_ask_kms_says_so_instead_of_calling_the_policy_forged(deployed: Deployed) -> None:
    deployed.put(POLICY, deployed.seal(POLICY))

    class Closed:
        def decrypt(self, **_: Any) -> Any:
            raise deployed.kms.exceptions.ClientError({"Error": {"Code": "AccessDeniedException"}}, "Decrypt")

    catalogue = Catalogue(
        deployed.s3, "catalogue", calls(deployed.meter), KmsSeals(Closed(), deployed.key, "local", calls(Meter()))
    )
    with pytest.raises(Denied, match="aws_denied"):
        catalogue.policy(NAME)
