"""What the PostgreSQL adapters share: which refusals speak of the credential, and where a credential goes.

psycopg 3 reports no sqlstate for a failed connect, and messages are translated, so that neither tells. What libpq does
tell is that the server asked for a password and the connection failed after it was given. That is true of a few other
failures too (too many connections): then the store is read once more than needed, and the old value tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyturn.client.value import Held

# invalid_authorization_specification, invalid_password (PostgreSQL, appendix A)
_REFUSED = frozenset({"28000", "28P01"})
# A secret's field, and libpq's name for it.
_ADDRESS = {"host": "host", "port": "port", "dbname": "dbname"}


def refused(exc: Exception) -> bool:
    """Whether a failed connect of psycopg or pg8000 speaks of the credential."""
    if getattr(exc, "sqlstate", None) in _REFUSED:
        return True
    if getattr(getattr(exc, "pgconn", None), "used_password", False):
        return True
    # pg8000 gives the server's fields as a dictionary
    said = exc.args[0] if exc.args else None
    return isinstance(said, dict) and said.get("C") in _REFUSED


def login(held: Held) -> dict[str, str]:
    """User and password, as every driver calls them."""
    fields = held.value.unsafe_fields()
    return {"user": fields["username"], "password": fields["password"]}


def parameters(held: Held, conninfo: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What to connect with: the login of the secret, and its address where the caller names none."""
    fields = held.value.unsafe_fields()
    address = {} if conninfo else {ours: fields[its] for its, ours in _ADDRESS.items() if its in fields}
    return {**address, **given, **login(held)}
