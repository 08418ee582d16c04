"""What every store and credential type can do, read from the adapters' classes: the only copy of each flag.

Adapters import their SDKs when they are used, not when they are looked at (a test holds that), so that the program may
ask here before it declares anything. Modules are imported by name, so that a function's zip needs its own only.
"""

from __future__ import annotations

import importlib

from rotation.contract import IssuerCapabilities, StoreCapabilities
from rotation.issuers.registry import issuer_class, known_kinds

_STORES = {
    "aws": ("rotation.stores.aws", "AwsStore"),
    "gcp": ("rotation.stores.gcp", "GcpStore"),
    "vault": ("rotation.stores.vault", "VaultStore"),
}


def store_capabilities() -> dict[str, StoreCapabilities]:
    """Flags of every store, by the name that policies use."""
    return {name: getattr(importlib.import_module(module), cls).capabilities for name, (module, cls) in _STORES.items()}


def issuer_capabilities() -> dict[str, IssuerCapabilities]:
    """Flags of every credential type, by the kind that policies use."""
    return {kind: issuer_class(kind).capabilities for kind in known_kinds()}
