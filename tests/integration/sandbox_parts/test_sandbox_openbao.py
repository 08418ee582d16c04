"""OpenBao of the sandbox: sealed and initialised as in production, every call audited, its keys in one place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from sandbox import lifecycle
from sandbox.layout import Layout
from sandbox.parts.contract import Request
from sandbox.parts.openbao import Openbao
from sandbox.ports import reserved
from sandbox.wire import ask

pytestmark = pytest.mark.openbao

# layout, port and credentials of a server that was started
Vault = tuple[Layout, int, Mapping[str, str]]

VALUE = "marker-value-of-a-secret"


@pytest.fixture
def vault(layout: Layout) -> Vault:
    layout.claim()
    layout.make_fresh()
    with reserved({"openbao": 0}) as ports:
        started = Openbao().start(Request(layout=layout, port=ports["openbao"]))
    return layout, ports["openbao"], started.credentials


def call(vault: Vault, method: str, path: str, body: object = None) -> tuple[int, dict[str, Any]]:
    _, port, credentials = vault
    return ask(port, method, f"/v1/{path}", body, {"X-Vault-Token": credentials["vault_root_token"]})


def test_it_is_unsealed_and_is_sealed_again_by_its_own_key(vault: Vault) -> None:
    assert (
        call(vault, "GET", "sys/seal-status")[1] | {"sealed": False, "t": 1, "n": 1}
        == (call(vault, "GET", "sys/seal-status")[1])
    )
    assert call(vault, "PUT", "sys/seal")[0] == 204
    assert call(vault, "GET", "sys/health")[0] == 503
    _, opened = call(vault, "PUT", "sys/unseal", {"key": vault[2]["vault_unseal_key"]})
    assert opened["sealed"] is False


def test_a_value_is_kept_by_kv_v2_and_every_call_is_in_the_audit_file_without_it(vault: Vault) -> None:
    layout, _, credentials = vault
    assert call(vault, "POST", "sys/mounts/keyturn", {"type": "kv", "options": {"version": "2"}})[0] == 204
    written = call(vault, "POST", "keyturn/data/partners/api-token", {"data": {"token": VALUE}})
    assert written[1]["data"]["version"] == 1
    assert call(vault, "GET", "keyturn/data/partners/api-token")[1]["data"]["data"] == {"token": VALUE}
    audit = layout.vault_audit.read_text()
    paths = [json.loads(line).get("request", {}).get("path") for line in audit.splitlines()]
    assert "keyturn/data/partners/api-token" in paths
    for secret in (VALUE, credentials["vault_root_token"], credentials["vault_unseal_key"]):
        assert secret not in audit
        assert secret not in layout.log("openbao").read_text()


def test_jwt_authentication_is_there(vault: Vault) -> None:
    assert call(vault, "POST", "sys/auth/jwt", {"type": "jwt"})[0] == 204


def test_its_keys_are_in_no_file_of_its_directory(vault: Vault) -> None:
    layout, _, credentials = vault
    files = [path for path in layout.root.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert not any(secret.encode() in path.read_bytes() for secret in credentials.values()), path


def test_a_new_start_has_an_audit_file_of_its_own(vault: Vault) -> None:
    layout, _, _ = vault
    before = layout.vault_audit.read_text()
    lifecycle.down(layout)
    assert layout.vault_audit.read_text().startswith(before)
    layout.make_fresh()
    with reserved({"openbao": 0}) as ports:
        Openbao().start(Request(layout=layout, port=ports["openbao"]))
    assert not layout.vault_audit.read_text().startswith(before)
