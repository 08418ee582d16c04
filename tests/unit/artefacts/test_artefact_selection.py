"""The table decides what ships; what it leaves open or what a module lacks is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from artefacts.build import build
from artefacts.selection import shipped_files
from artefacts.table import FUNCTIONS
from rotation.errors import Refused

AWS, VAULT, GCP, CONTROL = FUNCTIONS
_OWN = {
    "aws": {("stores", "aws.py"), ("issuers", "postgres.py"), ("handlers", "aws.py")},
    "vault": {("stores", "vault.py"), ("issuers", "bearer.py"), ("handlers", "vault.py")},
    "gcp": {("stores", "gcp.py"), ("issuers", "signing.py"), ("handlers", "gcp.py")},
    "control": {("handlers", "control.py")},
}


def _add(project: Path, name: str, text: str) -> None:
    path = project / "rotation" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def test_a_shared_module_ships_in_every_function_without_an_entry(project: Path) -> None:
    _add(project, "ledger/rows.py", "ROWS = 1\n")
    assert all("rotation/ledger/rows.py" in shipped_files(function, project) for function in FUNCTIONS)


def test_no_function_ships_another_stores_adapter_issuer_or_handler(project: Path) -> None:
    shipped = {function.name: set(shipped_files(function, project)) for function in FUNCTIONS}
    for function in FUNCTIONS:
        own = {f"rotation/{folder}/{name}" for folder, name in _OWN[function.name]}
        others = {f"rotation/{folder}/{name}" for names in _OWN.values() for folder, name in names} - own
        assert own <= shipped[function.name]
        assert shipped[function.name].isdisjoint(others)


def test_a_part_of_an_adapter_ships_with_its_adapter(project: Path) -> None:
    _add(project, "stores/vault_login.py", "LOGIN = 1\n")
    assert "rotation/stores/vault_login.py" in shipped_files(VAULT, project)
    assert "rotation/stores/vault_login.py" not in shipped_files(AWS, project)


def test_a_missing_handler_is_refused_by_name(project: Path) -> None:
    (project / "rotation/handlers/gcp.py").unlink()
    with pytest.raises(Refused, match=r"rotation/handlers/gcp\.py") as refusal:
        shipped_files(GCP, project)
    assert refusal.value.reason == "module_missing"


def test_an_adapter_that_no_row_names_is_refused_rather_than_left_out(project: Path) -> None:
    _add(project, "stores/azure.py", "NAME = 1\n")
    with pytest.raises(Refused, match=r"rotation/stores/azure\.py") as refusal:
        shipped_files(AWS, project)
    assert refusal.value.reason == "module_unassigned"


@pytest.mark.parametrize(
    "line",
    [
        "from rotation.stores import vault",
        "from rotation.stores.vault import NAME",
        "import rotation.stores.vault",
        "from . import nowhere_else\nfrom .stores import vault",
        "def late():\n    import hvac",
        "import rotation.unwritten",
    ],
)
def test_an_import_that_the_function_does_not_carry_is_refused(project: Path, out: Path, line: str) -> None:
    _add(project, "ledger.py", line + "\n")
    with pytest.raises(Refused, match=r"rotation/ledger\.py imports") as refusal:
        build(CONTROL, project, out)
    assert refusal.value.reason == "module_missing"


def test_an_import_for_the_type_checker_only_needs_no_package(project: Path, out: Path) -> None:
    _add(project, "ledger.py", "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import hvac\n")
    assert build(CONTROL, project, out).path.is_file()


@pytest.mark.parametrize("call", ["boto3.client", "session.create_client", "client"])
def test_a_client_of_a_service_whose_model_does_not_ship_is_refused(project: Path, out: Path, call: str) -> None:
    _add(project, "ledger.py", f'def make(boto3, session, client):\n    return {call}("route53")\n')
    with pytest.raises(Refused, match=r"rotation/ledger\.py asks for route53") as refusal:
        build(CONTROL, project, out)
    assert refusal.value.reason == "service_undeclared"


def test_a_module_that_does_not_parse_is_refused_by_name_and_line(project: Path, out: Path) -> None:
    _add(project, "ledger.py", "def broken(:\n")
    with pytest.raises(Refused, match=r"rotation/ledger\.py does not parse: .* line 1") as refusal:
        build(CONTROL, project, out)
    assert refusal.value.reason == "source_invalid"
