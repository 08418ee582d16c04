"""The library without the rest: what it imports, and that it installs from its own folder without an index."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[3]
# Older ones install and then fail, some of them without a word: what adapters use of them is not there yet.
_OLDEST = {"boto3>=1.35", "psycopg>=3.2", "psycopg-pool>=3.3", "redis>=8", "sqlalchemy>=2", "hvac>=1.1"}
# A minute for pip on a busy machine; it needs two seconds.
_PATIENCE_S = 60
# What the command, the program and the runtime are made of, and every SDK that only an adapter needs.
_BLOCKED = (
    *("typer", "rich", "pydantic", "pulumi", "yaml", "rotation", "infra", "sandbox", "policies"),
    *("boto3", "botocore", "hvac", "google", "grpc", "redis", "rq", "httpx", "psycopg", "psycopg_pool", "sqlalchemy"),
)
_IMPORT = f"""
import sys
for name in {_BLOCKED!r}:
    sys.modules[name] = None
from keyturn.client import SecretCache, AsyncSecretCache, Acknowledger
from keyturn.client import jobs, verify
print("cryptography" in sys.modules)
"""


def run(*command: str, directory: Path | None = None) -> str:
    """Its standard output; a failure shows what it said."""
    done = subprocess.run(  # noqa: S603 - the test's own interpreter
        command, cwd=directory or _ROOT, capture_output=True, text=True, timeout=_PATIENCE_S, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_core_needs_the_standard_library_only() -> None:
    assert run(sys.executable, "-c", _IMPORT).strip() == "False"


@pytest.mark.parametrize(
    ("module", "needs"),
    [
        ("sources.aws", "botocore"),
        ("sources.vault", "hvac"),
        ("sources.google", "google"),
        ("listeners.redis_events", "redis"),
        ("listeners.sqs_events", "botocore"),
        ("pools.psycopg_pool", "psycopg"),
        ("pools.sqlalchemy_engine", "sqlalchemy"),
        ("pools.redis_client", "redis"),
        ("pools.boto3_session", "boto3"),
        ("pools.httpx_auth", "httpx"),
        ("transports.signed_endpoint", "botocore"),
    ],
)
def test_an_adapter_names_what_it_lacks(module: str, needs: str) -> None:
    code = f"""
import sys
sys.modules[{needs!r}] = None
try:
    import keyturn.client.{module}
except ImportError as missing:
    print(missing.name or "")
"""
    assert run(sys.executable, "-c", code).strip().partition(".")[0] == needs


def test_it_installs_from_its_folder_without_an_index_and_imports_elsewhere(tmp_path: Path) -> None:
    uv, python = str(Path(sys.executable).parent / "uv"), str(tmp_path / "fresh" / "bin" / "python")
    run(uv, "venv", "--quiet", "--offline", "--python", sys.executable, str(tmp_path / "fresh"))
    alone = ("--no-index", "--no-deps", "--no-cache")
    run(uv, "pip", "install", "--quiet", *alone, "--python", python, str(_ROOT / "packages" / "client"))

    said = run(python, "-c", "import keyturn.client as c; print(c.SecretCache, c.__file__)", directory=tmp_path)

    assert str(tmp_path / "fresh") in said
    (metadata,) = (tmp_path / "fresh").glob("lib/*/site-packages/keyturn_client-*/METADATA")
    needed = set(re.findall(r"^Requires-Dist: (\S+) ; extra", metadata.read_text(), re.MULTILINE))
    assert needed >= _OLDEST
