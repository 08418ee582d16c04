"""What is inside the database before anything rotates: an authority that is not a superuser, and an application.

The authority is what a platform engineer would give Keyturn: it may create login roles and put them into the
application's group, owns a schema for the fence, and can end sessions; it owns nothing of the application and
cannot act as it. The superuser that made all this cannot log in afterwards.

Passwords go in as SCRAM verifiers: with `log_statement=all` every statement reaches the log (RFC 5803 for the
format, RFC 5802 for the keys).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from contextlib import closing

from pg8000.native import Connection, identifier, literal

from sandbox.ports import LOOPBACK

SUPERUSER = "postgres"
AUTHORITY = "keyturn_authority"
APPLICATION = "payments_app"
DATABASE = "payments"
# PostgreSQL's default (scram_iterations), against offline guessing
ITERATIONS = 4096
SALT_BYTES = 16
# loopback; bounds a server that hangs
CONNECT_SECONDS = 5

IN_CLUSTER = (
    "CREATE ROLE {authority} LOGIN CREATEROLE PASSWORD {verifier}",
    "CREATE ROLE {application} NOLOGIN",
    # may make members of the group, does not become one
    "GRANT {application} TO {authority} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE",
    "CREATE DATABASE {database}",
    "REVOKE ALL ON DATABASE {database} FROM PUBLIC",
    "GRANT CONNECT ON DATABASE {database} TO {authority}, {application}",
)
IN_DATABASE = (
    "REVOKE ALL ON SCHEMA public FROM PUBLIC",
    "CREATE SCHEMA keyturn AUTHORIZATION {authority}",
    "CREATE SCHEMA payments AUTHORIZATION {application}",
    "CREATE TABLE payments.transfers (id bigint GENERATED ALWAYS AS IDENTITY, cents bigint NOT NULL)",
    "ALTER TABLE payments.transfers OWNER TO {application}",
    "ALTER DATABASE {database} SET search_path = payments",
    # the last thing that the superuser does
    "ALTER ROLE {superuser} NOLOGIN PASSWORD NULL",
)


def connect(port: int, user: str, password: str, database: str = DATABASE) -> Connection:
    """A connection that the caller closes. Raises pg8000's errors, whose arguments carry the sqlstate as `C`."""
    return Connection(user, host=LOOPBACK, port=port, database=database, password=password, timeout=CONNECT_SECONDS)


def furnish(port: int, superuser_password: str, authority_password: str) -> None:
    """Make roles, database and schemas; afterwards the superuser cannot log in."""
    names = {
        "authority": identifier(AUTHORITY),
        "application": identifier(APPLICATION),
        "database": identifier(DATABASE),
        "superuser": identifier(SUPERUSER),
        "verifier": literal(scram_verifier(authority_password)),
    }
    for database, statements in ((SUPERUSER, IN_CLUSTER), (DATABASE, IN_DATABASE)):
        with closing(connect(port, SUPERUSER, superuser_password, database)) as connection:
            for statement in statements:
                connection.run(statement.format(**names))


def scram_verifier(password: str) -> str:
    """What PostgreSQL stores for an ASCII password: it proves knowledge of it and does not reveal it."""
    salt = secrets.token_bytes(SALT_BYTES)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, ITERATIONS)
    stored = hashlib.sha256(_mac(salted, b"Client Key")).digest()
    keys = f"{_base64(stored)}:{_base64(_mac(salted, b'Server Key'))}"
    return f"SCRAM-SHA-256${ITERATIONS}:{_base64(salt)}${keys}"


def _mac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, "sha256").digest()


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
