"""Random passwords for systems that take any text: letters and digits only, so that nothing has to be quoted."""

from __future__ import annotations

import secrets
import string

# 190 bits of letters and digits, which no URL, shell or connection string needs to quote.
PASSWORD_CHARS = 32
_ALPHABET = string.ascii_letters + string.digits


def random_password() -> str:
    """A new one, which nobody has."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(PASSWORD_CHARS))
