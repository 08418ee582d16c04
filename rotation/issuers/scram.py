"""The SCRAM-SHA-256 verifier that PostgreSQL stores, computed here so that a password is never part of a statement.

A verifier proves knowledge of the password and does not reveal it: a server that logs every statement logs only that.
Format: PostgreSQL documentation of pg_authid.rolpassword; keys: RFC 5802 section 3 and RFC 7677.
Deliberately not here: SASLprep for other alphabets. What Keyturn mints is ASCII, and anything else is refused.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from rotation.errors import Refused

# PostgreSQL's own default (scram_iterations) and RFC 7677's minimum; the passwords carry far more entropy than a guess.
ITERATIONS = 4096
# PostgreSQL's own salt length (SCRAM_DEFAULT_SALT_LEN).
SALT_BYTES = 16


def verifier(password: str, *, salt: bytes | None = None) -> str:
    """`SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>` for `password`, with a random salt unless given.

    Refused `password_alphabet` for an empty password or one with other characters than printable ASCII.
    """
    if not password or not (password.isascii() and password.isprintable()):
        raise Refused(
            "password_alphabet",
            "the password is empty or has characters outside printable ASCII",
            "rotate the credential: what Keyturn mints is ASCII",
        )
    salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
    return _verifier(_salted(password, salt, ITERATIONS), _base64(salt), ITERATIONS)


def proves(kept: str, password: str) -> bool:
    """Whether `kept` is a verifier of this password."""
    try:
        _, cost, _ = kept.split("$")
        iterations, salt = cost.split(":")
        salted = _salted(password, base64.b64decode(salt), int(iterations))
    except ValueError:
        # another method's, or a password that no verifier is made of
        return False
    return hmac.compare_digest(kept, _verifier(salted, salt, int(iterations)))


def _salted(password: str, salt: bytes, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, iterations)


def _verifier(salted: bytes, salt: str, iterations: int) -> str:
    stored_key = hashlib.sha256(_mac(salted, b"Client Key")).digest()
    server_key = _mac(salted, b"Server Key")
    return f"SCRAM-SHA-256${iterations}:{salt}${_base64(stored_key)}:{_base64(server_key)}"


def _mac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, "sha256").digest()


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
