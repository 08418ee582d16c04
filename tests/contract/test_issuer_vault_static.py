"""Static roles of the database engine, on a real OpenBao and PostgreSQL: once per run, and the proof with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from static_role_bench import NAME, USER, Engine, Life, engine

from rotation.calls import Meter
from rotation.contract import Remembered, Verdict, Version
from rotation.errors import NotFound, Refused
from rotation.value import SecretValue
from tests.unit.crash.crash_trap import Died, Trap

pytestmark = pytest.mark.sandbox

FORWARD = ("prepare", "promote", "bake")
REPLACED = "promote: vault.write"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with engine(tmp_path_factory.mktemp("static-role")) as started:
        yield started


@pytest.fixture
def life(servers: Engine) -> Life:
    made = Life(servers)
    made.claim()
    return made


def walked(life: Life, names: tuple[str, ...] = FORWARD) -> None:
    for name in names:
        answer = life.phase(name)
        assert answer["outcome"] == "passed", (name, answer)


def probed(life: Life, password: str) -> Verdict:
    value = SecretValue.of({"username": USER, "password": password})
    return life.context().issuer.probe(value).verdict


def test_a_run_replaces_the_password_once_and_proves_the_old_one_dead(life: Life, servers: Engine) -> None:
    old, before = servers.password(), servers.id()
    walked(life)
    life.end()
    facts = life.steps["promote"].facts
    assert (facts["proof"], facts["old_verdict"], facts["old_code"]) == ("dead", "refused", "28P01")
    assert life.trap.names.count(REPLACED) == 1
    assert (probed(life, old), probed(life, servers.password())) == (Verdict.REFUSED, Verdict.ACCEPTED)
    head = life.ledger.head(NAME)
    assert head.current == Version(id=servers.id())
    assert servers.id() != before
    assert head.overlap is None, "nobody can read the old password: there is nothing to retire"


def test_no_password_reaches_the_ledger_or_the_log_of_the_database(life: Life, servers: Engine) -> None:
    old = servers.password()
    walked(life)
    life.end()
    told = repr(vars(life.rows)) + servers.database.log.read_text(encoding="utf-8")
    assert NAME in told
    assert not [password for password in (old, servers.password()) if password in told]


def test_before_the_promotion_nothing_is_changed_and_undoing_changes_nothing(life: Life, servers: Engine) -> None:
    before = servers.id()
    walked(life, ("prepare",))
    assert life.steps["test"].facts["verdict"] == "accepted"
    walked(life, ("roll_back",))
    assert servers.id() == before
    assert life.phase("promote") == {"outcome": "failed", "reason": "undo_begun"}


def test_a_password_that_was_replaced_since_the_run_began_is_not_replaced_again(life: Life, servers: Engine) -> None:
    walked(life, ("prepare",))
    servers.rotate()
    by_somebody = servers.id()
    walked(life, ("promote", "bake"))
    assert servers.id() == by_somebody
    assert life.ledger.head(NAME).current == Version(id=by_somebody)
    facts = life.steps["promote"].facts
    assert (facts["proof"], "replaced before" in facts["why"]) == ("unproven", True)


def test_undoing_after_the_promotion_leaves_the_new_password_current(life: Life, servers: Engine) -> None:
    walked(life)
    promoted = servers.id()
    walked(life, ("roll_back",))
    assert servers.id() == promoted
    assert life.ledger.head(NAME).current == Version(id=promoted)


def test_a_process_that_dies_at_any_call_replaces_the_password_once_at_most(life: Life, servers: Engine) -> None:
    walked(life)
    calls = life.trap.names
    replaced, recorded = calls.index(REPLACED) + 1, len([c for c in calls if not c.startswith("bake")])
    for at in range(1, len(calls) + 1):
        for after in (False, True):
            again = _died(servers, at, after=after)
            where = f"{'after' if after else 'before'} {calls[at - 1]}"
            assert again.ledger.head(NAME).current == Version(id=servers.id()), where
            proof = again.steps["promote"].facts["proof"]
            if at < replaced or (at == replaced and not after) or at > recorded:
                assert proof == "dead", where
            assert proof in ("dead", "unproven"), where


def _died(servers: Engine, at: int, *, after: bool) -> Life:
    """A run that died there and was tried again; the password was changed once."""
    life = Life(servers, trap=Trap(at, after=after))
    life.claim()
    ids = {servers.id()}
    for name in FORWARD:
        try:
            life.phase(name)
        except Died:
            ids.add(servers.id())
            assert life.phase(name)["outcome"] == "passed"
        ids.add(servers.id())
    assert len(ids) == 2, f"{life.trap.sprung}: changed {len(ids) - 1} times"
    life.end()
    return life


def test_the_store_shows_one_value_and_keeps_none_before(life: Life, servers: Engine) -> None:
    store, ref = life.store(Meter()), life.policy.ref
    seen = store.observe(ref, Remembered())
    assert (seen.current, seen.token) == (None, servers.id())
    staged = store.stage(ref, life.run_id, SecretValue("unused"), seen)
    assert (staged.id, store.survey(ref, None).pendings, store.find_staged(ref, life.run_id, {})) == (
        seen.token,
        (),
        None,
    )
    live = store.promote(ref, life.run_id, staged, None)
    assert store.promote(ref, life.run_id, staged, None) == live, "the same answer, and not another rotation"
    with pytest.raises(NotFound, match="version_replaced"):
        store.read(ref, staged)
    with pytest.raises(Refused, match="beyond_horizon"):
        store.demote(ref, life.run_id, live, staged)
    assert store.read(ref, live) == store.read_live(ref)[1]
    assert store.capabilities.rollback_horizon == 0


def test_the_password_of_another_user_is_not_shown_to_the_database(life: Life) -> None:
    shown = life.context().issuer.probe(SecretValue.of({"username": "postgres", "password": "x"}))
    assert (shown.verdict, shown.code) == (Verdict.UNPROVEN, "foreign_user")
