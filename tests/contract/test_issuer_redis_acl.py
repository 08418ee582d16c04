"""The issuer contract on a real Valkey, and what only Redis promises: two passwords, sessions by age, saved users."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import certificates
import pytest
import redis
from issuer_bench import FIRST, RETIRE, SECOND, accepted
from issuer_suite import IssuerContract
from redis_bench import RedisBench, Server, redis_home, start_redis, started_redis, stop_redis
from tls_front import tls_front

from rotation.contract import CredentialIssuer, Fence, Verdict
from rotation.errors import Denied, Fenced, KeyturnError, Refused
from rotation.issuers import redis_fence, redis_wire
from rotation.value import SecretValue
from sandbox.parts import redis as part
from sandbox.parts.redis import Lone

_numbers = itertools.count(1)
# what an administrator gives the authority in the place of everything
ENOUGH = [
    *("resetkeys", f"~{redis_fence.key_of('*')}", "-@all"),
    *("+watch", "+multi", "+exec", "+hgetall", "+hset", "+hdel", "+time"),
    *("+acl|setuser", "+acl|getuser", "+acl|save", "+client|list", "+client|kill"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("redis")
    with started_redis(folder) as (port, password):
        yield Server(folder, port, password)


class TestRedisAcl(IssuerContract):
    """A user of its own per test, on one server."""

    @pytest.fixture
    def bench(self, server: Server) -> RedisBench:
        return RedisBench(server, f"app{next(_numbers)}")

    def test_the_user_has_two_passwords_during_the_overlap_and_keeps_its_rights(
        self, bench: RedisBench, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        shown = bench.shown()
        assert set(shown["passwords"]) == {_digest(old), _digest(new)}
        assert (shown["keys"], shown["commands"]) == ("~app:*", "+@all -@dangerous")
        issuer.revoke(old, RETIRE)
        assert bench.shown()["passwords"] == [_digest(new)]
        assert (bench.shown()["keys"], bench.shown()["commands"]) == (shown["keys"], shown["commands"])

    def test_a_user_that_needed_no_password_needs_one_from_apply_on(
        self, bench: RedisBench, issuer: CredentialIssuer
    ) -> None:
        bench.ask("ACL", "SETUSER", bench.user, "on", "nopass")
        value = issuer.mint(None).value
        issuer.apply(value, FIRST)
        assert bench.shown()["flags"] == ["on"]
        assert accepted(issuer.probe(value))
        assert issuer.probe(issuer.mint(None).value).verdict is Verdict.REFUSED

    def test_a_user_that_nobody_made_is_refused_and_not_made(self, bench: RedisBench) -> None:
        made = bench.make(user="nobody-made-this")
        with pytest.raises(Refused, match="unknown_user"):
            made.issuer.apply(made.issuer.mint(None).value, FIRST)
        assert bench.ask("ACL", "GETUSER", "nobody-made-this") is None

    def test_a_user_without_a_right_to_any_command_can_still_show_its_password(
        self, bench: RedisBench, issuer: CredentialIssuer, old: SecretValue
    ) -> None:
        bench.ask("ACL", "SETUSER", bench.user, "-@all")
        assert accepted(issuer.probe(old))

    def test_revoke_ends_the_sessions_that_only_the_old_password_can_have_opened(
        self, bench: RedisBench, issuer: CredentialIssuer, old: SecretValue
    ) -> None:
        with ExitStack() as sessions:
            doomed = sessions.enter_context(bench.server.session(*_login(old)))
            _let_pass(bench, seconds=1)
            new = issuer.mint(old).value
            issuer.apply(new, FIRST)
            late, kept = (sessions.enter_context(bench.server.session(*_login(value))) for value in (old, new))
            assert issuer.revoke(old, RETIRE) == 1
            with pytest.raises((redis.ConnectionError, OSError)):
                doomed.ask("PING")
            # Redis cannot tell these two apart, so the first lives on, as the capability says
            assert (late.ask("PING"), kept.ask("PING")) == ("PONG", "PONG")
        assert not issuer.capabilities.ends_sessions

    def test_revoke_ends_all_sessions_where_the_policy_says_so(
        self, bench: RedisBench, old: SecretValue, new: SecretValue
    ) -> None:
        strict = bench.make(sessions="all").issuer
        with bench.server.session(*_login(old)) as one, bench.server.session(*_login(new)) as other:
            assert strict.revoke(old, RETIRE) == 2
            for session in (one, other):
                with pytest.raises((redis.ConnectionError, OSError)):
                    session.ask("PING")
        assert accepted(strict.probe(new))

    def test_revoking_the_last_password_ends_every_session(
        self, bench: RedisBench, issuer: CredentialIssuer, old: SecretValue
    ) -> None:
        with bench.server.session(*_login(old)) as session:
            assert issuer.revoke(old, RETIRE) == 1
            with pytest.raises((redis.ConnectionError, OSError)):
                session.ask("PING")

    def test_a_password_that_is_put_back_while_accepted_does_not_make_its_sessions_younger(
        self, bench: RedisBench, issuer: CredentialIssuer, old: SecretValue
    ) -> None:
        """After a rollback the new one is retired: sessions that began before it are the old one's, and stay."""
        with bench.server.session(*_login(old)) as session:
            _let_pass(bench, seconds=1)
            new = issuer.mint(old).value
            issuer.apply(new, FIRST)
            issuer.restore(old, RETIRE)
            assert issuer.revoke(new, SECOND) == 0
            assert session.ask("PING") == "PONG"

    def test_a_transaction_that_somebody_else_came_before_changes_nothing_and_is_tried_again(
        self, bench: RedisBench, old: SecretValue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made, look = bench.make(), redis_fence.look
        meddled = []

        def meddling(session: Any, user: str) -> Any:
            found = look(session, user)
            if not meddled:
                meddled.append(1)
                bench.make().issuer.revoke(old, RETIRE)
            return found

        monkeypatch.setattr(redis_fence, "look", meddling)
        with pytest.raises(Fenced):
            made.issuer.restore(old, FIRST)
        assert made.meter.totals() == {"authority": 2}
        assert made.issuer.probe(old).verdict is Verdict.REFUSED

    def test_two_runs_of_one_epoch_cannot_both_hold_a_password(
        self, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        with pytest.raises(Fenced):
            issuer.apply(new, Fence(run_id="impostor", epoch=1))

    def test_no_more_generations_are_kept_than_a_late_call_can_be_about(
        self, bench: RedisBench, issuer: CredentialIssuer
    ) -> None:
        key = redis_fence.key_of(bench.user)
        for epoch in range(redis_fence.KEPT + 3):
            value = issuer.mint(None).value
            issuer.apply(value, Fence(run_id=f"run-{epoch}", epoch=epoch))
        assert bench.ask("HLEN", key) == redis_fence.KEPT
        assert bench.ask("HEXISTS", key, _digest(value)) == 1

    def test_the_authority_needs_few_rights(self, bench: RedisBench, old: SecretValue) -> None:
        name = f"authority{next(_numbers)}"
        bench.ask("ACL", "SETUSER", name, "on", f"#{hashlib.sha256(b'limited').hexdigest()}", *ENOUGH)
        limited = RedisBench(bench.server, f"app{next(_numbers)}")
        limited.server = replace(bench.server, user=name, password="limited")
        theirs = limited.make().issuer
        value = theirs.mint(None).value
        theirs.apply(value, FIRST)
        assert accepted(theirs.check({}, FIRST))
        theirs.revoke(value, RETIRE)
        assert theirs.probe(value).verdict is Verdict.REFUSED
        bench.ask("ACL", "SETUSER", name, "-acl|setuser")
        with pytest.raises(Denied, match="NOPERM"):
            theirs.restore(value, SECOND)

    def test_a_wrong_authority_is_denied_and_not_asked_twice(self, bench: RedisBench, old: SecretValue) -> None:
        bench.server = replace(bench.server, password="wrong")
        made = bench.make()
        with pytest.raises(Denied, match="WRONGPASS"):
            made.issuer.apply(made.issuer.mint(old).value, FIRST)
        assert made.meter.totals() == {"authority": 1}

    def test_a_server_is_believed_only_with_a_certificate_of_the_authority_named(
        self, bench: RedisBench, tmp_path: Path
    ) -> None:
        files = certificates.make(tmp_path)
        with tls_front(bench.server.port, files, asked=False) as port:
            known = bench.make(port=str(port), tls="verify", ca_file=str(files.authority)).issuer
            value = known.mint(None).value
            known.apply(value, FIRST)
            assert accepted(known.probe(value))
            stranger = bench.make(port=str(port), tls="verify")
            assert stranger.issuer.probe(value).code == "target_untrusted"
            with pytest.raises(Refused, match="target_untrusted"):
                stranger.issuer.revoke(value, RETIRE)
            assert stranger.meter.totals() == {"target": 1, "authority": 1}

    def test_a_server_without_tls_is_told_nothing_where_tls_is_on(
        self, bench: RedisBench, old: SecretValue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # it waits for the end of a line that a client of TLS never sends
        monkeypatch.setattr(redis_wire, "TIMEOUT_S", 0.1)
        assert bench.make(tls="verify").issuer.probe(old).code == "target_unreachable"

    @pytest.mark.parametrize(
        "facts", [{"tls": "off", "host": "redis.example"}, {"tls": "on"}, {"persist": "disk"}, {"sessions": "some"}]
    )
    def test_a_target_that_is_not_understood_is_refused(self, bench: RedisBench, facts: dict[str, str]) -> None:
        with pytest.raises(Refused, match="bad_facts"):
            bench.make(**facts)

    def test_a_credential_of_another_host_or_user_is_neither_shown_nor_applied(
        self, bench: RedisBench, old: SecretValue
    ) -> None:
        made = bench.make()
        for field, reason in (("host", "target_mismatch"), ("username", "foreign_user")):
            foreign = SecretValue.of({**old.unsafe_fields(), field: "another"})
            assert made.issuer.probe(foreign).code == reason
            with pytest.raises(KeyturnError, match=reason):
                made.issuer.apply(foreign, FIRST)
        assert made.meter.totals() == {}


def test_users_are_saved_so_that_a_restart_neither_forgets_nor_revives_a_password(tmp_path: Path) -> None:
    with started_redis(tmp_path) as lone:
        bench = RedisBench(Server(tmp_path, *lone), "app")
        issuer = bench.make().issuer
        old, new = issuer.mint(None).value, issuer.mint(None).value
        issuer.apply(old, Fence(run_id="first", epoch=0))
        issuer.apply(new, FIRST)
        _restart(tmp_path, lone)
        assert accepted(issuer.probe(old))
        issuer.revoke(old, RETIRE)
        _restart(tmp_path, lone)
        assert issuer.probe(old).verdict is Verdict.REFUSED
        assert accepted(issuer.probe(new))
        with pytest.raises(Fenced):
            issuer.apply(old, FIRST)


def test_a_server_that_cannot_save_its_users_is_reported_unless_the_policy_says_how_they_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = 'aclfile "{home}/users.acl"'
    monkeypatch.setattr(part, "CONFIGURATION", part.CONFIGURATION.replace(keep, 'include "{home}/users.acl"'))
    with started_redis(tmp_path) as lone:
        bench = RedisBench(Server(tmp_path, *lone), "app")
        made = bench.make()
        with pytest.raises(Refused, match="users_not_saved"):
            made.issuer.apply(made.issuer.mint(None).value, FIRST)
        for persist in ("config", "none"):
            kept = bench.make(persist=persist).issuer
            value = kept.mint(None).value
            kept.apply(value, SECOND)
            assert accepted(kept.probe(value))
            in_file = _digest(value) in (redis_home(tmp_path) / "server.conf").read_text()
            assert in_file is (persist == "config")


def _digest(value: SecretValue) -> str:
    return hashlib.sha256(value.unsafe_fields()["password"].encode()).hexdigest()


def _login(value: SecretValue) -> tuple[str, str]:
    fields = value.unsafe_fields()
    return fields["username"], fields["password"]


def _let_pass(bench: RedisBench, *, seconds: int) -> None:
    """Until the server's own clock says so: it tells the age of a session in whole seconds."""
    with bench.server.session() as session:
        begun = int(session.ask("TIME")[0])
        while int(session.ask("TIME")[0]) <= begun + seconds:
            session.ask("BLPOP", "nothing-comes", "0.1")


def _restart(folder: Path, lone: Lone) -> None:
    stop_redis(folder)
    start_redis(folder, lone)
