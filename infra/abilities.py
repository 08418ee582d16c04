"""What this tree can do, for the check of policies: flags from the adapters' classes, zips from the table, runbooks.

Nothing is declared twice: an issuer is served by a store when the store's row in `artefacts.table` ships its module.
"""

from __future__ import annotations

from functools import cache

from artefacts.selection import shipped_files
from artefacts.table import FUNCTIONS
from infra.config import ROOT
from policy_rules.rule import Abilities
from rotation.capabilities import issuer_capabilities, store_capabilities
from rotation.issuers.registry import issuer_class

RUNBOOKS = "docs/runbooks"


@cache
def abilities() -> Abilities:
    """Read once: the tree does not change while the program is built."""
    stores, issuers = store_capabilities(), issuer_capabilities()
    modules = {kind: issuer_class(kind).__module__.replace(".", "/") + ".py" for kind in issuers}
    shipped = {function.name: set(shipped_files(function, ROOT)) for function in FUNCTIONS if function.name in stores}
    return Abilities(
        stores=stores,
        issuers=issuers,
        served={
            store: frozenset(kind for kind, module in modules.items() if module in files)
            for store, files in shipped.items()
        },
        runbooks=frozenset(path.relative_to(ROOT).as_posix() for path in (ROOT / RUNBOOKS).glob("*.md")),
    )
