"""What the PostgreSQL types share: the target that a policy names, its authority, and the fields of a value.

The statements are in `postgres_roles`, the fence in `postgres_fence`, the way there in `postgres_wire`.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from rotation.calls import Caller, Kind
from rotation.contract import Probe, Verdict
from rotation.errors import KeyturnError, Refused
from rotation.issuers.facts import bad_facts, check_facts, is_loopback, read_fields
from rotation.issuers.passwords import random_password
from rotation.value import SecretValue

if TYPE_CHECKING:
    from rotation.issuers.postgres_wire import Address

T = TypeVar("T")

_NEEDED = ("host", "port", "database")
_OPTIONAL = ("tls", "ca_file")


class Database:
    """One database and the users of it that a policy names, for one invocation.

    facts: `host`, `port`, `database`, and what the type needs besides; `tls` is `off` on this machine only, `ca_file`
    names the certificates to trust where the system's do not do.
    authority: reads the authority's credential (fields `username`, `password`) from the store, once.
    """

    def __init__(
        self,
        kind: str,
        facts: Mapping[str, str],
        authority: Callable[[], SecretValue],
        caller: Caller,
        *,
        needed: Collection[str],
    ) -> None:
        check_facts(kind, facts, needed=(*_NEEDED, *needed), optional=_OPTIONAL)
        if not facts["port"].isdecimal():
            raise bad_facts(kind, "has a port that is not a number")
        if facts.get("tls") == "off" and not is_loopback(facts["host"]):
            raise bad_facts(kind, "has TLS off for another machine")
        self._kind, self._facts, self._caller = kind, facts, caller
        self.authority = authority
        # the type says which; nobody else is ever touched
        self.users: tuple[str, ...] = ()

    def mint_for(self, user: str) -> SecretValue:
        """A random password for the user."""
        fields = {
            "username": user,
            "password": random_password(),
            "host": self._facts["host"],
            "port": self._facts["port"],
            "dbname": self._facts["database"],
            "engine": "postgres",
        }
        return SecretValue.of(fields)

    def user_of(self, value: SecretValue) -> str:
        """The user of a value. Refused `foreign_user` for another than the policy names."""
        user = read_fields(value, "username")["username"]
        if user in self.users:
            return user
        raise Refused(
            "foreign_user",
            "the credential's user is not one that the policy names",
            "correct the users in the policy's target, or the credential",
        )

    def password_of(self, value: SecretValue) -> str:
        """The password of a value that still names this target; a changed host could send it elsewhere."""
        fields = read_fields(value, "password", "host", "port", "dbname")
        if [fields["host"], fields["port"], fields["dbname"]] != [self._facts[n] for n in ("host", "port", "database")]:
            raise Refused(
                "target_mismatch",
                "the credential names another host, port or database than the policy",
                "correct the policy's target, or the credential",
            )
        return fields["password"]

    def as_authority(self, effect: Callable[[Any], T]) -> T:
        """Do something on a fresh connection of the authority's, which is closed afterwards."""
        from rotation.issuers import postgres_wire  # noqa: PLC0415 - the driver is imported on first use only

        login = self._login

        def attempt() -> T:
            with closing(postgres_wire.open_session(self._address, login["username"], login["password"])) as session:
                return effect(session)

        return self._caller.call(Kind.AUTHORITY, attempt)

    def probe(self, value: SecretValue) -> Probe:
        """Log in as the user, as a consumer would, and `SELECT 1`; `postgres_probe` says what proves what."""
        from rotation.issuers import postgres_probe  # noqa: PLC0415 - the driver is imported on first use only

        try:
            user, password = self.user_of(value), self.password_of(value)
            return postgres_probe.prove(self._caller, self._address, user, password)
        except KeyturnError as exc:
            return unproven(exc)

    @cached_property
    def _login(self) -> dict[str, str]:
        login = read_fields(self.authority(), "username", "password")
        if login["username"] in self.users:
            raise bad_facts(self._kind, "names the authority among its users")
        return login

    @cached_property
    def _address(self) -> Address:
        from rotation.issuers import postgres_wire  # noqa: PLC0415 - the driver is imported on first use only

        facts = self._facts
        tls = None if facts.get("tls") == "off" else ssl.create_default_context(cafile=facts.get("ca_file"))
        return postgres_wire.Address(host=facts["host"], port=int(facts["port"]), database=facts["database"], tls=tls)


def translate(exc: Exception) -> KeyturnError | None:
    """The translation table for the Caller of a PostgreSQL type."""
    from rotation.issuers import postgres_wire  # noqa: PLC0415 - the driver is imported on first use only

    return postgres_wire.translate(exc)


def unproven(exc: KeyturnError) -> Probe:
    """The answer to a probe or check that got none."""
    return Probe(verdict=Verdict.UNPROVEN, code=exc.reason, detail=exc.message)
