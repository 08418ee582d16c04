"""`probe`: what a rotation of one secret would need and meet, for `keyturn plan`. It writes nothing, nowhere.

The store's function looks from inside, as a run would; when it cannot, that is a finding too. No row goes through the
ledger on the way, as it does for repair: the function reads the policy in the sealed catalogue itself.
"""

from __future__ import annotations

import hashlib
from typing import Any

from rotation.control import outlook
from rotation.control.desk import RUN_ID_CHARS, Desk
from rotation.errors import KeyturnError
from rotation.policy import Policy
from rotation.probing import Check

# The check that stands for all others when the store's function gave no answer.
FUNCTION = "function"


def preflight(desk: Desk, secret: str) -> dict[str, Any]:
    """`{secret, when, meets, checks}`. Refused `unknown_secret`, also for one whose policy was removed."""
    policy = desk.catalogue.policy(secret)
    return {
        "secret": policy.name,
        "when": outlook.when(desk, policy),
        "meets": outlook.meets(desk, policy),
        "checks": _checks(desk, policy),
    }


def _checks(desk: Desk, policy: Policy) -> list[Check]:
    # a version of the function as a run would draw it: every look at another moment may draw another
    drawn = hashlib.sha256(f"probe {policy.name} {desk.ledger.now()}".encode()).hexdigest()[:RUN_ID_CHARS]
    try:
        function = desk.functions.pin(policy.store, drawn)
        probed = desk.functions.probe(function, policy.name)
    except KeyturnError as exc:
        remedy = exc.remedy or "`keyturn doctor` looks at the function, its log says more"
        return [Check(what=FUNCTION, ok=False, says=f"{exc.message} [{exc.reason}]", remedy=remedy)]
    version = function.rpartition(":")[2]
    answered = Check(what=FUNCTION, ok=True, says=f"version {version} answers", remedy="")
    return [answered, *probed["checks"]]
