"""The functions of this very tree: each is built, and its handler is imported as the runtime will do it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from artefacts.build import build
from artefacts.table import FUNCTIONS, Function

_HANDLED = """
import importlib, sys
sys.path.insert(0, sys.argv[1])
assert callable(importlib.import_module(sys.argv[2]).handle)
"""


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_the_trees_own_handler_is_imported_from_its_zip_without_environment_or_network(
    function: Function, checkout: Path, out: Path, tmp_path: Path
) -> None:
    with ZipFile(build(function, checkout, out).path) as archive:
        archive.extractall(tmp_path)
    command = [sys.executable, "-I", "-S", "-B", "-c", _HANDLED, str(tmp_path), function.handler]
    done = subprocess.run(  # noqa: S603 - this interpreter, on a constant script
        command, env={}, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
