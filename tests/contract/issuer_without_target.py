"""The promises of an issuer without a target, inherited by one test class per issuer: the other side of its flag.

Nothing can be asked, so nothing may be claimed: no call, no verdict, no effect but the look at the value.
"""

from __future__ import annotations

import pytest
from issuer_bench import FIRST, MARKER, RETIRE, Made

from rotation.contract import CredentialIssuer, Verdict
from rotation.errors import Refused
from rotation.value import SecretValue


class IssuerWithoutTargetContract:
    """What holds for every issuer whose `has_target` is False. A subclass gives the fixture `made`."""

    def __init_subclass__(cls) -> None:
        redefined = sorted(name for name in vars(cls) if name in vars(IssuerWithoutTargetContract) and "test" in name)
        if redefined:
            raise TypeError(f"{cls.__name__} redefines tests of the contract: {redefined}")

    @pytest.fixture
    def issuer(self, made: Made) -> CredentialIssuer:
        return made.issuer

    def test_the_class_says_that_there_is_no_target(self, issuer: CredentialIssuer) -> None:
        assert not issuer.capabilities.has_target
        assert issuer.capabilities.fenced, "an effect that does not exist needs no waiting"

    def test_mint_makes_another_credential_each_time_and_tells_nothing_secret_about_it(
        self, issuer: CredentialIssuer
    ) -> None:
        one, two = issuer.mint(None), issuer.mint(SecretValue(MARKER))
        assert one.value != two.value
        public = " ".join([*one.public, *one.public.values()])
        assert one.public
        assert not [text for text in one.value.unsafe_fields().values() if text in public]

    def test_nothing_is_ever_called_and_every_effect_may_be_repeated(self, made: Made) -> None:
        value = made.issuer.mint(None).value
        for verb in (made.issuer.apply, made.issuer.restore, made.issuer.withdraw, made.issuer.revoke) * 2:
            assert verb(value, FIRST) in (None, 0)
            assert verb(value, RETIRE) in (None, 0)
        assert made.meter.totals() == {}

    def test_a_probe_proves_neither_life_nor_death(self, issuer: CredentialIssuer) -> None:
        minted = issuer.mint(None)
        issuer.apply(minted.value, FIRST)
        for value in (minted.value, SecretValue(MARKER)):
            shown = issuer.probe(value)
            assert (shown.verdict, shown.code) == (Verdict.UNPROVEN, "no_target")

    def test_no_target_holds_what_a_run_applied(self, issuer: CredentialIssuer) -> None:
        minted = issuer.mint(None)
        issuer.apply(minted.value, FIRST)
        assert (issuer.check(minted.public, FIRST).verdict, issuer.check(minted.public, FIRST).code) == (
            Verdict.REFUSED,
            "not_held",
        )

    def test_a_value_of_another_kind_is_refused_without_showing_it(self, issuer: CredentialIssuer) -> None:
        for value in (SecretValue(MARKER), SecretValue.of({"other": MARKER})):
            for verb in (issuer.apply, issuer.restore, issuer.withdraw, issuer.revoke):
                with pytest.raises(Refused) as caught:
                    verb(value, FIRST)
                assert caught.value.reason == "malformed_value"
                assert MARKER not in repr(caught.value)
