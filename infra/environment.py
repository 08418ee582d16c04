"""The environment of each function: names and addresses, nothing secret. The runtime's `from_env` reads it.

The emulator tells its functions itself where AWS is (`AWS_ENDPOINT_URL`), so that no stack sets it.
"""

from __future__ import annotations

import json
from typing import Any

from infra.google_identity import identity
from infra.names import CONTROL, STORES, Names
from infra.vault_login import audience, role_name

# Personal data in a log line is redacted by key; a stack's own keys come on top of the built-in ones.
_PII_KEYS = "email,phone,address"


def environment(kind: str, names: Names, signing_key_id: Any, seal_key_arn: Any) -> dict[str, Any]:
    """The variables of the function `kind`; the keys may be outputs."""
    everywhere = {
        "KEYTURN_STACK": names.settings.stack,
        "KEYTURN_LEDGER_TABLE": names.of("ledger"),
        "KEYTURN_CATALOGUE_BUCKET": names.bucket,
        "LOG_LEVEL": "INFO",
        "PII_KEYS": _PII_KEYS,
    }
    seals = {"KEYTURN_CATALOGUE_KEY": seal_key_arn}
    own = {
        "aws": dict[str, Any](),
        "vault": _vault(names, signing_key_id),
        "gcp": _google(names),
        CONTROL: _control(names),
    }
    return everywhere | seals | own[kind]


def _vault(names: Names, signing_key_id: Any) -> dict[str, Any]:
    return {
        "VAULT_ADDR": names.settings.vault_address,
        "KEYTURN_VAULT_ROLE": role_name(names),
        "KEYTURN_VAULT_JWT_KEY": signing_key_id,
        "KEYTURN_VAULT_AUDIENCE": audience(names),
    }


def _google(names: Names) -> dict[str, Any]:
    if names.settings.google_endpoint:
        return {"KEYTURN_GOOGLE_ENDPOINT": names.settings.google_endpoint}
    return {"KEYTURN_GOOGLE_IDENTITY": identity(names)}


def _control(names: Names) -> dict[str, Any]:
    return {
        # computed: the machines name this function, so that their outputs would close a circle
        "KEYTURN_ROTATE_MACHINE_ARN": names.machine_arn("rotate"),
        "KEYTURN_RETIRE_MACHINE_ARN": names.machine_arn("retire"),
        "KEYTURN_ROLLBACK_MACHINE_ARN": names.machine_arn("rollback"),
        "KEYTURN_REPAIR_MACHINE_ARN": names.machine_arn("repair"),
        "KEYTURN_FUNCTIONS": json.dumps({store: names.of(store) for store in STORES}, sort_keys=True),
        # a name; the value behind it is the address of an incoming webhook
        "KEYTURN_SLACK_SECRET": names.settings.slack_secret,
    }
