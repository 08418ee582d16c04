"""The contract of issuers whose target makes the credential, on MiniStack with authentication and on the model of IAM.

MiniStack knows neither the limit of two keys nor when one was used, and changes are seen at once; the model does all
of that, and is compared with moto where moto does it too.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from iam_bench import REGION, Endpoint, IamBench, attempt
from issuer_at_target import IssuerAtTargetContract, made
from issuer_bench import RETIRE, accepted
from moto import mock_aws

from rotation.contract import Minted, Verdict
from rotation.errors import Refused, Unavailable
from rotation.issuers import aws_iam_access_key_client
from rotation.issuers.aws_iam_access_key import AwsIamAccessKey
from sandbox.layout import Layout
from sandbox.parts.contract import Request
from sandbox.parts.ministack import Ministack
from sandbox.ports import reserved
from sandbox.processes import load, stop
from tests.model.clock import Clock
from tests.model.iam_service import USER, IamService

# longer than any test of a lag needs
_LAG_S = 30.0


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Endpoint, Layout]]:
    """MiniStack with authentication: it refuses a key that is inactive or gone."""
    layout, part = Layout(tmp_path_factory.mktemp("ministack") / "sandbox"), Ministack()
    layout.claim()
    layout.make_fresh()
    try:
        with reserved({part.name: 0}) as ports:
            started = part.start(Request(layout=layout, port=ports[part.name], auth=True))
        yield Endpoint(str(started.facts["aws_endpoint"])), layout
    finally:
        if found := load(layout.process(part.name)):
            stop(found)


@pytest.mark.sandbox
class TestOnMinistack(IssuerAtTargetContract):
    """The emulator of the sandbox."""

    @pytest.fixture
    def bench(self, emulator: tuple[Endpoint, Layout]) -> IamBench:
        endpoint, layout = emulator
        return IamBench.with_a_new_user(endpoint, layout.log(Ministack.name))

    def test_the_functions_own_clients_find_iam_and_sts(
        self, bench: IamBench, emulator: tuple[Endpoint, Layout], old: Minted, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        given = {"ACCESS_KEY_ID": "test", "SECRET_ACCESS_KEY": "test", "SESSION_TOKEN": "the function's own"}
        for name, text in {**given, "DEFAULT_REGION": REGION, "ENDPOINT_URL": emulator[0].url}.items():
            monkeypatch.setenv(f"AWS_{name}", text)
        aws_iam_access_key_client.iam.cache_clear()
        try:
            bench.clients = aws_iam_access_key_client
            issuer = bench.make().issuer
            # with the function's session token in its call, STS would refuse it
            assert accepted(issuer.probe(old.value))
        finally:
            aws_iam_access_key_client.iam.cache_clear()


class TestOnTheModel(IssuerAtTargetContract):
    """The model that crash points are counted on, so that it cannot drift."""

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def moment(self, clock: Clock) -> Clock:
        return clock

    @pytest.fixture
    def service(self, clock: Clock) -> IamService:
        return IamService(clock)

    @pytest.fixture
    def bench(self, service: IamService) -> IamBench:
        return IamBench(_Model(service), USER)

    def test_a_key_that_somebody_uses_is_not_taken_for_a_lost_one(
        self, bench: IamBench, issuer: AwsIamAccessKey, service: IamService, old: Minted, clock: Clock
    ) -> None:
        started = attempt(issuer.held(old.value, None, settled=True), moment=clock)
        service.add("AKIABYHAND", used=True)
        assert issuer.unmake(started) == 0
        with pytest.raises(Refused, match="slot_taken") as caught:
            issuer.make(started)
        assert "AKIABYHAND" in caught.value.message
        assert "AKIABYHAND" in bench.ids()

    def test_a_key_made_by_hand_is_named_at_the_limit_too_where_the_look_could_not_tell(
        self, bench: IamBench, issuer: AwsIamAccessKey, service: IamService, old: Minted, clock: Clock
    ) -> None:
        service.add("AKIABYHAND")
        started = attempt(issuer.held(old.value, None, settled=False), moment=clock)
        with pytest.raises(Refused, match="slot_taken") as caught:
            issuer.make(started)
        assert "AKIABYHAND" in caught.value.message
        assert "AKIABYHAND" in bench.ids()

    def test_a_key_that_was_lost_and_is_not_listed_yet_is_waited_for(
        self, bench: IamBench, issuer: AwsIamAccessKey, service: IamService, old: Minted, clock: Clock
    ) -> None:
        started = attempt(issuer.held(old.value, None, settled=True), moment=clock)
        service.lag_s = _LAG_S
        clock.advance(_LAG_S)
        lost = issuer.make(started)
        with pytest.raises(Unavailable, match="keys_settling"):
            issuer.make(started)
        clock.advance(_LAG_S)
        issuer.make(started)
        assert lost.public["key_id"] not in service.keys

    def test_the_last_use_is_the_targets_word_and_a_key_that_is_gone_has_none(
        self, issuer: AwsIamAccessKey, old: Minted, clock: Clock
    ) -> None:
        assert issuer.last_use(old.value).at == ""
        issuer.probe(old.value)
        used = clock()
        clock.advance(timedelta(hours=1).total_seconds())
        assert issuer.last_use(old.value).at == used.isoformat()
        issuer.withdraw(old.value, RETIRE)
        assert issuer.last_use(old.value).at == ""

    def test_how_long_a_use_counts_is_the_policys_word(self, bench: IamBench, old: Minted) -> None:
        graced: Any = bench.make(last_used_grace_s="60").issuer
        assert graced.last_use(old.value).grace_s == 60
        with pytest.raises(Refused, match="bad_facts"):
            bench.make(last_used_grace_s="a while")

    def test_what_is_seen_late_is_refused_first_and_accepted_then(
        self, issuer: AwsIamAccessKey, service: IamService, old: Minted, clock: Clock
    ) -> None:
        clock.advance(_LAG_S)
        service.lag_s = _LAG_S
        new = made(issuer, old.value, None, clock)
        assert issuer.probe(new.value).verdict is Verdict.REFUSED
        clock.advance(_LAG_S)
        assert accepted(issuer.probe(new.value))


class _Model:
    """The model's clients."""

    def __init__(self, service: IamService) -> None:
        self._service, self.sts = service, service.sts

    def iam(self) -> IamService:
        return self._service


def test_the_model_refuses_with_the_codes_of_moto(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        real = boto3.client("iam", region_name=REGION)
        real.create_user(UserName=USER)
        assert _codes(real) == _codes(IamService(Clock()))


def _codes(iam: Any) -> list[str]:
    """What is refused, in one order for both: the third key, a key and a user that are not there."""
    asked = [
        ("create_access_key", {"UserName": USER}),
        ("create_access_key", {"UserName": USER}),
        ("create_access_key", {"UserName": USER}),
        ("update_access_key", {"UserName": USER, "AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "Status": "Inactive"}),
        ("delete_access_key", {"UserName": USER, "AccessKeyId": "AKIAIOSFODNN7EXAMPLE"}),
        ("list_access_keys", {"UserName": "nobody"}),
    ]
    said = []
    for verb, given in asked:
        try:
            getattr(iam, verb)(**given)
            said.append("")
        except ClientError as exc:
            said.append(str(exc.response["Error"]["Code"]))
    return said
