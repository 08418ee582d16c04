"""The catalogue's index: what the program writes is what the sweep compares; a stack without one is left alone."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from moto import mock_aws
from sweep_world import policy

from infra.catalogue import index
from rotation import aws_client
from rotation.calls import Caller, Meter, NullBreaker
from rotation.catalogue import INDEX, Catalogue


def test_the_index_is_read_as_it_was_declared_and_its_tag_tells_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    one, two = policy("a/one"), policy("a/two")
    with mock_aws():
        s3: Any = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="catalogue")
        caller = Caller(
            "s3", translate=aws_client.translate, meter=Meter(), breaker=NullBreaker(), sleep=lambda _: None
        )
        catalogue = Catalogue(s3, "catalogue", caller, None)  # type: ignore[arg-type]  # nothing is checked here
        assert catalogue.index_tag() == ""
        tags = []
        for policies in ([two, one], [one, two], [one]):
            s3.put_object(Bucket="catalogue", Key=INDEX, Body=index(policies).encode())
            tags.append(catalogue.index_tag())
            assert catalogue.index() == {each.name: each.digest() for each in policies}
        assert tags[0] == tags[1] != tags[2]
