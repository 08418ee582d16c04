"""The table decides what ships; what it leaves open or what a module lacks is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from artefacts.build import build
from artefacts.selection import shipped_files
from artefacts.table import FUNCTIONS
from rotation.errors import Refused

AWS, VAULT, GCP, CONTROL = FUNCTIONS


def _add(project: Path, name: str, text: str) -> None:
    path = project / "rotation" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def test_a_shared_module_ships_in_every_function_without_an_entry(project: Path) -> None:
    _add(project, "ledger/rows.py", "ROWS = 1\n")
    assert all("rotation/ledger/rows.py" in shipped_files(function, project) for function in FUNCTIONS)


def test_no_function_ships_another_stores_adapter_issuer_or_handler(project: Path) -> None:
    owned = {function.name: {f"rotation/{name.replace('*', '')}" for name in function.owned} for function in FUNCTIONS}
    for function in FUNCTIONS:
        others = set().union(*(names for name, names in owned.items() if name != function.name))
        shipped = set(shipped_files(function, project))
        assert owned[function.name] <= shipped
        assert shipped.isdisjoint(others - owned[function.name])


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
def test_an_import_that_the_function_does_not_carry_is_refused(project: Path, line: str) -> None:
    _add(project, "ledger.py", line + "\n")
    with pytest.raises(Refused, match=r"rotation/ledger\.py imports") as refusal:
        build(CONTROL, project, project / "build/functions")
    assert refusal.value.reason == "module_missing"


def test_an_import_for_the_type_checker_only_needs_no_package(project: Path) -> None:
    _add(project, "ledger.py", "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import hvac\n")
    assert build(CONTROL, project, project / "build/functions").path.is_file()


def test_a_client_of_a_service_whose_model_does_not_ship_is_refused(project: Path) -> None:
    _add(project, "ledger.py", 'import boto3\n\n\ndef make():\n    return boto3.client("route53")\n')
    with pytest.raises(Refused, match=r"rotation/ledger\.py asks for route53") as refusal:
        build(CONTROL, project, project / "build/functions")
    assert refusal.value.reason == "service_undeclared"


def test_a_module_that_does_not_parse_is_refused_by_name_and_line(project: Path) -> None:
    _add(project, "ledger.py", "def broken(:\n")
    with pytest.raises(Refused, match=r"rotation/ledger\.py does not parse: .* line 1") as refusal:
        build(CONTROL, project, project / "build/functions")
    assert refusal.value.reason == "source_invalid"
