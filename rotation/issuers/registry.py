"""Which class serves a credential type; its module is imported only when asked for, so a function pays for its own."""

from __future__ import annotations

import importlib
from typing import Any

from rotation.errors import Refused

_CLASSES = {
    "bearer-token": ("rotation.issuers.bearer_token", "BearerToken"),
    "postgres-alternating": ("rotation.issuers.postgres_alternating", "PostgresAlternating"),
    "signing-key": ("rotation.issuers.signing_key", "SigningKey"),
}


def issuer_class(kind: str) -> Any:
    """The class of `kind`: a `CredentialIssuer` made from (facts, authority, caller), with `translate` for its Caller.

    Refused `unknown_credential` names the known kinds.
    """
    if kind not in _CLASSES:
        raise Refused(
            "unknown_credential",
            f"no issuer makes credentials of the kind `{kind}`",
            f"write one of {', '.join(known_kinds())} in the policy",
        )
    module, name = _CLASSES[kind]
    return getattr(importlib.import_module(module), name)


def known_kinds() -> tuple[str, ...]:
    """Every kind, sorted."""
    return tuple(sorted(_CLASSES))
