"""From the values of secrets to the texts that a leak of them may show as: raw, inside base64, quoted, escaped.

Hashes and key ids are no leak: they are what the ledger and the targets keep on purpose.
"""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from runs_stack import Stack

SECRET_FIELDS = ("password", "token", "private_key", "key", "value")
# what is shorter says nothing; the shortest value has 32 characters
SHORTEST = 16
PEM_FRAME = "-----"
GROUP = 3


def markers(stack: Stack) -> dict[str, str]:
    """Text to look for -> which kind of text it is, of every value that was seen and of every authority."""
    known = stack.credentials
    authorities = (
        known.postgres_admin_password,
        known.token_service_authority,
        known.verifier_authority,
        known.jwks_authority,
        known.webhooks_authority,
        known.vault_root_token,
        known.vault_unseal_key,
    )
    texts = {text for value in stack.known for text in _secret_texts(value)} | set(authorities)
    return {form: kind for text in texts for form, kind in forms(text).items()}


def forms(text: str) -> dict[str, str]:
    """How `text` may appear, each with the name of its form; too short pieces are left out."""
    raw = text.encode()
    escaped = json.dumps(text)[1:-1]
    found = {f"base64 at {lead}": _inside_base64(raw, lead) for lead in range(GROUP)} | {
        "json": (escaped, json.dumps(escaped)[1:-1]),
        "url": (quote(text, safe=""), quote_plus(text)),
        # last, so that a form that changes nothing has this name
        "raw": (text,),
    }
    return {form: kind for kind, shown in found.items() for form in shown if len(form) >= SHORTEST}


def _inside_base64(raw: bytes, lead: int) -> tuple[str, str]:
    """What stays the same of `raw` in any base64 text where it begins `lead` bytes into a group of three."""
    # the first group mixes with what stands before, the last one with what follows
    whole = raw[(GROUP - lead) % GROUP :]
    whole = whole[: len(whole) // GROUP * GROUP]
    return base64.b64encode(whole).decode(), base64.urlsafe_b64encode(whole).decode()


def _secret_texts(value: str) -> set[str]:
    """The value whole, its secret fields, and what a private key consists of."""
    fields = json.loads(value)
    texts = {value} if any(name in fields for name in SECRET_FIELDS) else set()
    texts |= {fields[name] for name in SECRET_FIELDS if isinstance(fields.get(name), str)}
    if "private_key" in fields:
        texts |= {line for line in fields["private_key"].splitlines() if PEM_FRAME not in line}
        key = load_pem_private_key(fields["private_key"].encode(), None)
        assert isinstance(key, Ed25519PrivateKey)
        seed = key.private_bytes_raw()
        texts |= {seed.hex(), base64.b64encode(seed).decode(), base64.urlsafe_b64encode(seed).rstrip(b"=").decode()}
    return texts
