"""What one life of a credential costs in store calls: the ledger's counts within the budget, and true by other counts.

A life is a rotation and the retirement that ends its overlap. Authority reads, logins, ledger and target calls stand
in columns of their own. Two servers count independently: the Vault server's audit device, the Google server's journal.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from runs_credentials import ALL, API_TOKEN, SIGNING_KEY, Credential
from runs_failures import Failure
from runs_life import Life
from runs_stack import Ended, Stack

pytestmark = pytest.mark.sandbox

# what one life makes, when nothing is retried
EXACT = {"payments/postgres": (2, 4), "partners/api-token": (3, 4), "analytics/signing-key": (3, 3)}
READS_OF_GOOGLE = {"GetSecret", "AccessSecretVersion", "GetSecretVersion", "ListSecretVersions"}
# both logins and authority reads are the function's too, on paths of their own
OF_CREDENTIAL = ("partners/api-token", "pending/partners/api-token")


@pytest.mark.parametrize("credential", ALL, ids=lambda credential: credential.name)
def test_a_life_stays_within_its_budget_of_store_calls(credential: Credential, lives: dict[str, Life]) -> None:
    life = lives[credential.name]
    assert _cost(life.second, life.retired) == EXACT[credential.name]
    writes, reads = EXACT[credential.name]
    assert (writes <= credential.writes, reads <= credential.reads) == (True, True)


def test_what_is_no_store_call_of_the_credential_stands_in_its_own_column(lives: dict[str, Life]) -> None:
    for life in lives.values():
        for kind in ("ledger", "authority", "target"):
            assert life.second.calls(kind) > 0, kind


def test_vaults_own_audit_device_counts_the_same_calls(stack: Stack, lives: dict[str, Life]) -> None:
    life = lives[API_TOKEN.name]
    requests = [r for ended in (life.second, life.retired) for r in _audited(stack, ended)]
    kinds = Counter("read" if request["operation"] == "read" else "write" for request in requests)
    assert (kinds["write"], kinds["read"]) == _cost(life.second, life.retired)


def test_googles_own_journal_counts_the_same_calls(failures: dict[str, Failure]) -> None:
    failure = failures[SIGNING_KEY.name]
    # the authority's secret has another name
    methods = [c["method"] for c in failure.google_calls if "analytics-signing-key" in c["resource"]]
    reads = sum(method in READS_OF_GOOGLE for method in methods)
    assert (len(methods) - reads, reads) == _cost(failure.repaired, failure.retired)


def _cost(rotated: Ended, retired: Ended) -> tuple[int, int]:
    """Writes and reads of both."""
    return (rotated.calls("write") + retired.calls("write"), rotated.calls("read") + retired.calls("read"))


def _audited(stack: Stack, ended: Ended) -> list[dict[str, Any]]:
    """The function's requests for the credential while the run lasted; the tests themselves ask as root."""
    lines = [json.loads(line) for line in stack.layout.vault_audit.read_text(encoding="utf-8").splitlines()]
    began, over = ended.run["started_at"], ended.run["ended_at"]
    return [
        line["request"]
        for line in lines
        if line["type"] == "request"
        and line["auth"].get("display_name") == "jwt-keyturn-local-vault"
        # both are UTC with fractions of a second: they sort as text
        and began <= line["time"] <= over
        and line["request"]["path"].split("/", 2)[0] == "keyturn"
        and line["request"]["path"].split("/", 2)[2] in OF_CREDENTIAL
    ]
