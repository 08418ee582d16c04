"""The promises of every credential issuer at a real target, inherited by one test class per issuer.

A subclass gives a `bench` fixture and may add tests of its own, but not redefine these: that is refused when the
class is made. Every issuer made by the bench is a new one, as every invocation of a function makes its own.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from issuer_bench import FIRST, MARKER, RETIRE, SECOND, Bench, accepted

from rotation.contract import CredentialIssuer, Fence, Verdict
from rotation.errors import Fenced, KeyturnError, Refused
from rotation.value import SecretValue


class IssuerContract:
    """What holds for every issuer; the fences stand for one rotation, its retirement and the next two rotations."""

    def __init_subclass__(cls) -> None:
        inherited = {name for name in vars(IssuerContract) if name.startswith("test_")}
        redefined = sorted(inherited & set(vars(cls)))
        if redefined:
            raise TypeError(f"{cls.__name__} redefines tests of the contract: {redefined}")

    @pytest.fixture
    def issuer(self, bench: Bench) -> CredentialIssuer:
        return bench.make().issuer

    @pytest.fixture
    def old(self, issuer: CredentialIssuer) -> SecretValue:
        """The credential that was current before the rotation, accepted by the target."""
        value = issuer.mint(None).value
        issuer.apply(value, Fence(run_id="first-value", epoch=0))
        return value

    @pytest.fixture
    def new(self, issuer: CredentialIssuer, old: SecretValue) -> SecretValue:
        """The credential that the rotation made, accepted beside the old one."""
        value = issuer.mint(old).value
        issuer.apply(value, FIRST)
        return value

    def test_the_class_says_that_there_is_a_target(self, issuer: CredentialIssuer) -> None:
        assert issuer.capabilities.has_target

    def test_mint_calls_nobody_and_what_it_makes_is_not_accepted_yet(self, bench: Bench, old: SecretValue) -> None:
        made = bench.make()
        minted = made.issuer.mint(old)
        assert made.meter.totals() == {}
        shown = made.issuer.probe(minted.value)
        assert (shown.verdict, shown.code) == (Verdict.REFUSED, bench.refusal)

    def test_mint_makes_another_credential_each_time_and_tells_nothing_secret_about_it(
        self, bench: Bench, issuer: CredentialIssuer, old: SecretValue
    ) -> None:
        one, two = issuer.mint(old), issuer.mint(old)
        assert one.value != two.value
        public = " ".join([*one.public, *one.public.values()])
        assert one.public
        assert not [text for text in bench.secrets_of(one.value) if text in public]

    def test_old_and_new_are_both_accepted_during_the_overlap(
        self, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        assert accepted(issuer.probe(new))
        assert accepted(issuer.probe(old)) is issuer.capabilities.overlaps

    def test_applying_twice_is_as_applying_once(
        self, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        issuer.apply(new, FIRST)
        assert accepted(issuer.probe(new))
        assert accepted(issuer.probe(old)) is issuer.capabilities.overlaps

    def test_check_tells_what_this_run_applied_without_the_value(
        self, bench: Bench, issuer: CredentialIssuer, old: SecretValue
    ) -> None:
        minted = issuer.mint(old)
        assert issuer.check(minted.public, FIRST).verdict is Verdict.REFUSED
        issuer.apply(minted.value, FIRST)
        made = bench.make()
        assert accepted(made.issuer.check(minted.public, FIRST))
        assert set(made.meter.totals()) == {"authority"}
        assert not accepted(issuer.check(minted.public, SECOND))
        issuer.withdraw(minted.value, FIRST)
        assert issuer.check(minted.public, FIRST).verdict is Verdict.REFUSED

    def test_withdraw_leaves_the_current_one_accepted_and_the_new_one_refused(
        self, bench: Bench, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        if not issuer.capabilities.overlaps:
            # as an undoing does, where the new one took the old one's place
            issuer.restore(old, FIRST)
        issuer.withdraw(new, FIRST)
        issuer.withdraw(new, FIRST)
        shown = issuer.probe(new)
        assert (shown.verdict, shown.code) == (Verdict.REFUSED, bench.refusal)
        assert accepted(issuer.probe(old))

    def test_withdrawing_what_was_never_applied_changes_nothing_that_is_accepted(
        self, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        never = issuer.mint(new).value
        issuer.withdraw(never, SECOND)
        assert accepted(issuer.probe(new))

    def test_withdrawing_before_apply_spares_what_an_older_run_left_in_the_same_place(
        self, bench: Bench, issuer: CredentialIssuer, old: SecretValue
    ) -> None:
        never = issuer.mint(issuer.mint(old).value).value
        issuer.withdraw(never, FIRST)
        assert accepted(issuer.probe(old))

    def test_an_apply_that_arrives_after_its_run_withdrew_is_fenced(
        self, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        issuer.withdraw(new, FIRST)
        with pytest.raises(Fenced) as caught:
            issuer.apply(new, FIRST)
        assert caught.value.reason == "stale_generation"
        assert not accepted(issuer.probe(new))

    def test_an_apply_that_arrives_after_a_withdraw_without_apply_is_fenced(
        self, issuer: CredentialIssuer, old: SecretValue
    ) -> None:
        late = issuer.mint(old).value
        issuer.withdraw(late, FIRST)
        with pytest.raises(Fenced):
            issuer.apply(late, FIRST)
        assert not accepted(issuer.probe(late))

    def test_revoke_makes_the_old_one_refused_while_the_new_one_is_accepted_on_the_same_path(
        self, bench: Bench, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        issuer.revoke(old, RETIRE)
        shown = issuer.probe(old)
        assert (shown.verdict, shown.code) == (Verdict.REFUSED, bench.refusal)
        assert accepted(issuer.probe(new))

    def test_revoking_twice_is_as_revoking_once(
        self, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        issuer.revoke(old, RETIRE)
        assert issuer.revoke(old, RETIRE) == 0
        assert accepted(issuer.probe(new))

    def test_restore_makes_a_revoked_one_accepted_again(
        self, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        issuer.revoke(old, RETIRE)
        issuer.restore(old, SECOND)
        issuer.restore(old, SECOND)
        assert accepted(issuer.probe(old))

    def test_rolling_back_within_the_run_restores_the_old_one_and_refuses_the_new_one(
        self, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        issuer.restore(old, FIRST)
        issuer.withdraw(new, FIRST)
        assert accepted(issuer.probe(old))
        assert issuer.probe(new).verdict is Verdict.REFUSED

    @pytest.mark.parametrize("verb", ["apply", "restore", "withdraw", "revoke"])
    def test_every_effect_of_an_older_epoch_is_fenced_and_changes_nothing(
        self, issuer: CredentialIssuer, old: SecretValue, new: SecretValue, verb: str
    ) -> None:
        issuer.apply(new, SECOND)
        with pytest.raises(Fenced) as caught:
            getattr(issuer, verb)(new, RETIRE)
        assert caught.value.reason == "stale_generation"
        assert accepted(issuer.probe(new))

    def test_a_late_revoke_is_fenced_once_the_next_run_holds_the_same_place(
        self, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        issuer.revoke(old, RETIRE)
        issuer.restore(old, SECOND)
        with pytest.raises(Fenced):
            issuer.revoke(old, RETIRE)
        assert accepted(issuer.probe(old))

    def test_a_late_apply_or_restore_cannot_bring_a_retired_one_back(
        self, bench: Bench, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        issuer.revoke(old, RETIRE)
        for verb in (issuer.apply, issuer.restore):
            with pytest.raises(Fenced):
                verb(old, FIRST)
        assert issuer.probe(old).verdict is Verdict.REFUSED

    def test_three_rotations_in_a_row_leave_one_accepted(self, issuer: CredentialIssuer, old: SecretValue) -> None:
        current, dead = old, []
        for epoch in (10, 20, 30):
            fresh = issuer.mint(current).value
            issuer.apply(fresh, Fence(run_id=f"run-{epoch}", epoch=epoch))
            issuer.revoke(current, Fence(run_id=f"retire-{epoch}", epoch=epoch + 1))
            dead.append(current)
            current = fresh
        assert accepted(issuer.probe(current))
        assert {issuer.probe(value).verdict for value in dead} == {Verdict.REFUSED}

    def test_a_target_that_cannot_be_reached_proves_nothing(
        self, bench: Bench, issuer: CredentialIssuer, old: SecretValue
    ) -> None:
        nowhere = bench.nowhere().issuer
        minted = nowhere.mint(None)
        assert nowhere.probe(minted.value).verdict is Verdict.UNPROVEN
        assert nowhere.probe(minted.value).code == "target_unreachable"
        assert nowhere.check(minted.public, FIRST).verdict is Verdict.UNPROVEN

    def test_an_effect_on_a_target_that_cannot_be_reached_says_so_after_three_attempts(
        self, bench: Bench, issuer: CredentialIssuer, old: SecretValue
    ) -> None:
        made = bench.nowhere()
        with pytest.raises(KeyturnError) as caught:
            made.issuer.apply(made.issuer.mint(None).value, FIRST)
        assert caught.value.reason == "target_unreachable"
        assert made.meter.totals() == {"authority": 3}

    def test_a_credential_is_shown_without_the_authority_and_changed_with_it_alone(
        self, bench: Bench, old: SecretValue
    ) -> None:
        made = bench.make()
        made.issuer.probe(old)
        assert set(made.meter.totals()) == {"target"}
        made.issuer.apply(made.issuer.mint(old).value, FIRST)
        assert set(made.meter.totals()) == {"target", "authority"}

    def test_a_value_without_the_fields_of_its_kind_is_refused_or_unproven(self, issuer: CredentialIssuer) -> None:
        for value in (SecretValue(MARKER), SecretValue.of({"other": MARKER})):
            assert issuer.probe(value).verdict is Verdict.UNPROVEN
            for verb in (issuer.apply, issuer.restore, issuer.withdraw, issuer.revoke):
                with pytest.raises(Refused) as caught:
                    verb(value, FIRST)
                assert caught.value.reason == "malformed_value"
                assert MARKER not in "".join(traceback.format_exception(caught.value))

    def test_no_error_shows_a_value(self, bench: Bench, issuer: CredentialIssuer, old: SecretValue) -> None:
        marked = bench.marked(issuer.mint(old).value)
        for made in (bench.make(), bench.nowhere()):
            texts = [repr(made.issuer.probe(marked))]
            for verb in (made.issuer.apply, made.issuer.restore, made.issuer.revoke, made.issuer.withdraw):
                for fence in (Fence(run_id="older", epoch=-1), FIRST):
                    texts += _raised(partial(verb, marked, fence))
            shown = "\n".join(texts)
            assert MARKER not in shown
            assert bench.authority_text not in shown

    def test_no_value_reaches_the_log_of_the_target(
        self, bench: Bench, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        issuer.probe(new)
        issuer.revoke(old, RETIRE)
        issuer.probe(old)
        issuer.restore(old, SECOND)
        log = bench.log()
        assert log
        leaked = [text for value in (old, new) for text in bench.secrets_of(value) if text in log]
        assert leaked == []
        assert bench.authority_text not in log


def _raised(call: Callable[[], object]) -> Iterator[str]:
    """Every text in the error that the call raises, if it does, and in its causes."""
    try:
        call()
    except KeyturnError as exc:
        yield from ("".join(traceback.format_exception(exc)), exc.remedy)
        link: BaseException | None = exc
        while link is not None:
            yield from (repr(link), str(link))
            link = link.__cause__ or link.__context__
