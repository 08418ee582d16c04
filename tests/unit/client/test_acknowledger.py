"""What is told of a secret that several caches of one process serve, and what cannot end the telling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError as RefusedByAws
from client_bench import PATIENCE_S, Pool, Store, cache_of, until
from test_keeper import Told

from keyturn.client import Acknowledger, SecretCache, Unavailable
from keyturn.client.transports.signed_endpoint import SignedEndpoint
from tests.property.event_maker import SECRET


class Stranger(Told):
    """Raises what nobody promised, the first time."""

    def __call__(self, message: Any) -> None:
        if self.failing:
            self.failing -= 1
            raise KeyError("of the service's own transport")
        super().__call__(message)


def moved(cache: SecretCache, store: Store, number: str) -> None:
    """This cache, and no other of the secret, holds the next version and has looked at its followers."""
    store.put(number)
    cache.poll()
    cache._keeper.step()


def test_a_transport_that_fails_in_its_own_way_does_not_end_the_telling() -> None:
    told = Stranger(failing=1)
    with Acknowledger(told, consumer="billing") as ack:
        ack.using(SECRET, "v1")
        until(lambda: told.versions() == ["v1"], told.told)
    assert (ack.failed, ack.sent) == (1, 1)


class Expired:
    """A session of botocore whose role STS does not renew."""

    def get_credentials(self) -> None:
        said: Any = {"Error": {"Code": "ExpiredTokenException", "Message": "m"}}
        raise RefusedByAws(said, "AssumeRoleWithWebIdentity")


def test_credentials_that_are_not_renewed_are_told_as_what_may_pass() -> None:
    session: Any = Expired()
    send = SignedEndpoint("https://endpoint.test", "eu-central-1", session=session)
    message: Mapping[str, Any] = {}
    with pytest.raises(Unavailable, match=r"no_credentials: .*ExpiredTokenException"):
        send(message)


def test_of_two_caches_of_one_secret_the_last_to_move_decides_what_is_told() -> None:
    told, pool = Told(), Pool()
    quick, slow = Store(names_versions=True), Store(names_versions=True)
    with (
        Acknowledger(told, consumer="billing") as ack,
        cache_of(quick, ack=ack) as one,
        cache_of(slow, ack=ack) as other,
    ):
        other.add(pool)
        until(lambda: told.versions() == ["1"], told.told)
        until(lambda: pool.followed == ["1"], pool.told)
        pool.busy = True
        moved(one, quick, "2")
        moved(other, slow, "2")
        assert ack._leases[SECRET].version == "1"

        pool.busy = False
        other._keeper.step()
        until(lambda: told.versions() == ["1", "2"], told.told)


def test_a_cache_that_was_closed_keeps_neither_the_others_nor_its_own_lease() -> None:
    told, stores = Told(), [Store(names_versions=True), Store(names_versions=True)]
    with Acknowledger(told, consumer="billing") as ack:
        with cache_of(stores[0], ack=ack) as one:
            with cache_of(stores[1], ack=ack):
                until(lambda: told.versions() == ["1"], told.told)
                moved(one, stores[0], "2")
                assert ack._leases[SECRET].version == "1"
            until(lambda: told.versions() == ["1", "2"], told.told)
        assert ack._leases == {}

        # its thread waits for whoever comes
        ack.using("another", "v1")
        until(lambda: told.versions()[2:] == ["v1"], told.told)


def test_nothing_is_told_before_every_cache_of_the_secret_has_looked_at_what_uses_it() -> None:
    told, pool = Told(), Pool()
    pool.busy = True
    with Acknowledger(told, consumer="billing") as ack:
        late = cache_of(Store(names_versions=True), ack=ack)
        late.add(pool)
        with late, cache_of(Store(names_versions=True), ack=ack) as one:
            one._keeper.step()
            assert ack._leases == {}
            pool.busy = False
            until(lambda: told.versions() == ["1"], told.told)


def test_one_that_knows_keyturns_name_of_a_version_tells_it_for_the_others() -> None:
    ack = Acknowledger(Told(), consumer="billing")
    ack.using(SECRET, "", "7", "one")
    ack.using(SECRET, "a" * 32, "7", "two")
    assert (ack._leases[SECRET].version, ack._leases[SECRET].store_version) == ("a" * 32, "")
    ack.close()
    assert ack._thread is not None
    ack._thread.join(PATIENCE_S)
