"""The promises of an issuer whose target makes the credential, inherited by one test class per target.

The other side of `mints_at_target`: not staged before the target hears of it, but nothing is lost for good either.
Not fenced, so that what `issuer_suite` says of older epochs has no place here.
"""

from __future__ import annotations

import traceback
from datetime import UTC, datetime
from typing import Any

import pytest
from iam_bench import IamBench, attempt
from issuer_bench import FIRST, MARKER, RETIRE, SECOND, accepted

from rotation.contract import Minted, Verdict
from rotation.errors import KeyturnError, NotFound, Refused
from rotation.minting import Attempt
from rotation.value import SecretValue


class IssuerAtTargetContract:
    """A subclass gives the fixture `bench`, and `moment` where its target has a clock of its own."""

    @pytest.fixture
    def moment(self) -> Any:
        return lambda: datetime.now(UTC)

    @pytest.fixture
    def issuer(self, bench: IamBench) -> Any:
        return bench.make().issuer

    @pytest.fixture
    def old(self, issuer: Any, moment: Any) -> Minted:
        """What was current before the rotation."""
        return made(issuer, None, None, moment)

    @pytest.fixture
    def new(self, issuer: Any, old: Minted, moment: Any) -> Minted:
        """What the rotation let the target make."""
        return made(issuer, old.value, None, moment)

    def test_the_class_says_what_its_target_does_and_does_not(self, issuer: Any) -> None:
        found = issuer.capabilities
        assert (found.mints_at_target, found.overlaps, found.fenced) == (True, True, False)
        with pytest.raises(Refused, match="minted_at_target"):
            issuer.mint(None)

    def test_a_look_changes_nothing(self, bench: IamBench, issuer: Any, old: Minted) -> None:
        before = bench.ids()
        issuer.held(old.value, None, settled=True)
        assert bench.ids() == before

    def test_what_is_made_is_accepted_beside_the_old_one_and_told_without_its_secret(
        self, bench: IamBench, issuer: Any, old: Minted, new: Minted
    ) -> None:
        for one in (old, new):
            issuer.apply(one.value, FIRST)
            assert accepted(issuer.probe(one.value))
            assert accepted(issuer.check(one.public, FIRST))
            assert issuer.public(one.value) == one.public
            assert not [text for text in bench.secrets_of(one.value) if text in repr(one.public)]

    def test_an_attempt_that_lost_its_answer_leaves_nothing_once_it_is_tried_again(
        self, bench: IamBench, issuer: Any, old: Minted, moment: Any
    ) -> None:
        started = attempt(issuer.held(old.value, None, settled=True), moment=moment)
        lost = issuer.make(started)
        again = issuer.make(started)
        assert issuer.probe(lost.value).code == bench.refusal
        assert accepted(issuer.probe(again.value))
        assert bench.ids() == {old.public["key_id"], again.public["key_id"]}

    def test_an_attempt_that_is_given_up_leaves_nothing(
        self, bench: IamBench, issuer: Any, old: Minted, moment: Any
    ) -> None:
        started = attempt(issuer.held(old.value, None, settled=True), moment=moment)
        issuer.make(started)
        assert issuer.unmake(started) == 1
        assert issuer.unmake(started) == 0
        assert bench.ids() == {old.public["key_id"]}

    def test_what_was_there_before_or_is_older_or_younger_than_the_attempt_is_not_taken_for_lost(
        self, bench: IamBench, issuer: Any, old: Minted, moment: Any
    ) -> None:
        held = issuer.held(old.value, None, settled=True)
        foreign = bench.by_hand()
        over = attempt(held, moment=moment, early=True)
        later = Attempt(held=held, since="2999-01-01T00:00:00+00:00", until="2999-01-01T00:01:00+00:00")
        there = attempt({**held, "before": " ".join(bench.ids())}, moment=moment)
        assert [issuer.unmake(one) for one in (over, later, there)] == [0, 0, 0]
        assert bench.ids() == {old.public["key_id"], foreign}

    def test_withdraw_removes_the_new_one_and_leaves_the_old_one(
        self, bench: IamBench, issuer: Any, old: Minted, new: Minted
    ) -> None:
        issuer.withdraw(new.value, FIRST)
        issuer.withdraw(new.value, FIRST)
        assert (issuer.probe(new.value).verdict, issuer.probe(new.value).code) == (Verdict.REFUSED, bench.refusal)
        assert issuer.check(new.public, FIRST).verdict is Verdict.REFUSED
        assert accepted(issuer.probe(old.value))
        assert bench.ids() == {old.public["key_id"]}

    def test_revoke_makes_the_old_one_refused_while_the_new_one_is_accepted_and_can_be_taken_back(
        self, bench: IamBench, issuer: Any, old: Minted, new: Minted
    ) -> None:
        assert (issuer.revoke(old.value, RETIRE), issuer.revoke(old.value, RETIRE)) == (0, 0)
        assert (issuer.probe(old.value).verdict, issuer.probe(old.value).code) == (Verdict.REFUSED, bench.refusal)
        assert issuer.check(old.public, RETIRE).code == "key_inactive"
        assert accepted(issuer.probe(new.value))
        issuer.restore(old.value, SECOND)
        assert accepted(issuer.probe(old.value))

    def test_the_next_run_removes_what_was_retired_and_only_that(
        self, bench: IamBench, issuer: Any, old: Minted, new: Minted, moment: Any
    ) -> None:
        issuer.revoke(old.value, RETIRE)
        third = made(issuer, new.value, old.value, moment)
        assert bench.ids() == {new.public["key_id"], third.public["key_id"]}
        with pytest.raises(NotFound, match="key_gone"):
            issuer.restore(old.value, SECOND)
        assert issuer.revoke(old.value, SECOND) == 0

    def test_what_somebody_else_made_or_what_is_active_again_is_never_removed_for_room(
        self, bench: IamBench, issuer: Any, old: Minted
    ) -> None:
        foreign, before = bench.by_hand(), bench.ids()
        with pytest.raises(Refused, match="slot_taken") as caught:
            issuer.held(old.value, None, settled=True)
        assert foreign in caught.value.message
        assert old.public["key_id"] not in caught.value.message
        assert "delete it" in caught.value.remedy
        assert bench.ids() == before

    def test_a_retired_one_that_somebody_made_active_again_is_not_removed(
        self, bench: IamBench, issuer: Any, old: Minted, new: Minted
    ) -> None:
        with pytest.raises(Refused, match="slot_taken"):
            issuer.held(new.value, old.value, settled=True)
        assert bench.ids() == {old.public["key_id"], new.public["key_id"]}

    def test_a_target_that_cannot_be_reached_proves_nothing_and_is_asked_once_to_make_one(
        self, bench: IamBench, old: Minted, moment: Any
    ) -> None:
        nowhere = bench.nowhere()
        assert (nowhere.issuer.probe(old.value).verdict, nowhere.issuer.probe(old.value).code) == (
            Verdict.UNPROVEN,
            "target_unreachable",
        )
        assert nowhere.issuer.check(old.public, FIRST).verdict is Verdict.UNPROVEN
        with pytest.raises(KeyturnError, match="target_unreachable"):
            nowhere.issuer.revoke(old.value, RETIRE)

    def test_a_credential_is_shown_as_its_owner_and_changed_as_keyturn(self, bench: IamBench, old: Minted) -> None:
        shown, changed = bench.make(), bench.make()
        shown.issuer.probe(old.value)
        changed.issuer.revoke(old.value, RETIRE)
        assert (set(shown.meter.totals()), set(changed.meter.totals())) == ({"target"}, {"authority"})

    def test_a_wrong_secret_or_another_users_key_is_no_proof_of_anything(
        self, bench: IamBench, issuer: Any, old: Minted
    ) -> None:
        shown = issuer.probe(bench.marked(old.value))
        assert (shown.verdict, shown.code) == (Verdict.UNPROVEN, "target_refused")
        other = SecretValue.of({**old.value.unsafe_fields(), "user": "somebody-else"})
        assert issuer.probe(other).code == "target_mismatch"
        for verb in (issuer.apply, issuer.restore, issuer.withdraw, issuer.revoke):
            with pytest.raises(Refused, match="target_mismatch"):
                verb(other, FIRST)
        assert accepted(issuer.probe(old.value))

    def test_a_value_without_the_fields_of_its_kind_is_refused_and_no_error_shows_a_value(
        self, bench: IamBench, issuer: Any, old: Minted
    ) -> None:
        texts = []
        for value in (SecretValue(MARKER), SecretValue.of({"other": MARKER})):
            assert issuer.probe(value).verdict is Verdict.UNPROVEN
            for verb in (issuer.apply, issuer.restore, issuer.withdraw, issuer.revoke):
                with pytest.raises(Refused, match="malformed_value") as caught:
                    verb(value, FIRST)
                texts += traceback.format_exception(caught.value)
        for one in (bench.make().issuer, bench.nowhere().issuer):
            texts.append(repr(one.probe(bench.marked(old.value))))
        assert MARKER not in "".join(texts)

    def test_no_secret_reaches_the_log_of_the_target(
        self, bench: IamBench, issuer: Any, old: Minted, new: Minted
    ) -> None:
        issuer.probe(new.value)
        issuer.revoke(old.value, RETIRE)
        log = bench.log()
        assert log
        assert not [text for one in (old, new) for text in bench.secrets_of(one.value) if text in log]


def made(issuer: Any, current: SecretValue | None, retired: SecretValue | None, moment: Any) -> Minted:
    """One run's make, undisturbed."""
    minted: Minted = issuer.make(attempt(issuer.held(current, retired, settled=True), moment=moment))
    return minted
