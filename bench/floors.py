"""What one life of a credential needs at least: the store calls that the tests of budgets hold, by store.

Sources: the stores' semantics. AWS: describe, get current, put pending, move the label, get new and old for the proof.
Vault KV v2: get live, put and get pending, put live, destroy pending, get live and old. Google with a delayed destroy:
add, get and update secret, access new and old, destroy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Floor:
    """Calls of one rotation and the retirement behind it: the credential's own, without logins and authority."""

    writes: int
    reads: int


FLOORS: Mapping[str, Floor] = {
    "aws": Floor(writes=2, reads=4),
    "vault": Floor(writes=3, reads=4),
    "gcp": Floor(writes=3, reads=3),
}

# Of aws-samples/aws-secrets-manager-rotation-lambdas, alternating users of PostgreSQL: one rotation, no proof of death.
# Cited from the stores' semantics, not run here.
AWS_TEMPLATE_CALLS = 14
