"""Faults of AWS Secrets Manager: microburst, a proxy that says them in the service's own wire format.

Only the functions' Secrets Manager client leads through it (AWS_ENDPOINT_URL_SECRETS_MANAGER): ledger and catalogue
stay as they are.
"""

from __future__ import annotations

import http.client
import json
import signal
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

from sandbox.errors import SandboxError
from sandbox.faults.contract import Hit
from sandbox.layout import CHECKOUT
from sandbox.parts.contract import environment
from sandbox.ports import ANY_PORT, LOOPBACK, reserved
from sandbox.processes import Running, Server, start, stop, wait_ready
from sandbox.wire import CALL_SECONDS, ask

SERVICE = "secretsmanager"
API = "/_microburst"
# an ARN and a name in JSON are longer
SHORTEST_ANSWER_KIB = 64 / 1024


class AwsFaults:
    """Operations are those of the API, such as `PutSecretValue`."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._before = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{LOOPBACK}:{self._port}"

    def throttle(self, next_n: int, retry_after_s: float | None = None) -> None:
        """ThrottlingException with status 400, as the service says it: without a Retry-After, which it has not."""
        del retry_after_s
        self._add({"times": next_n, "error": {"code": "ThrottlingException"}})

    def down_for(self, seconds: float) -> None:
        """Connections are reset."""
        self._add({"ttl_s": seconds, "reset": True})

    def recover(self) -> None:
        """Forget the rules, which are all that it knows of an outage."""
        self._ask("POST", "/rules", [])

    def apply_then_drop(self, operation: str, held_s: float = 0.0) -> None:
        """The service's answer is cut off before its first byte, or comes so slowly that it takes `held_s`."""
        spoilt = {"bandwidth_kbps": SHORTEST_ANSWER_KIB / held_s} if held_s else {"abort_bytes": 0}
        self._add({"operation": operation, "times": 1, "response": spoilt})

    def clear(self) -> None:
        """No rules, an empty record."""
        self.recover()
        self._ask("DELETE", "/fired")
        self._before = self._seen()

    def hits(self) -> list[Hit]:
        """What fired."""
        return [Hit(at=fired["ts"], operation=fired["operation"]) for fired in self._ask("GET", "/fired")]

    def calls(self) -> int:
        """Its own count."""
        return self._seen() - self._before

    def _seen(self) -> int:
        return int(self._ask("GET", "/health")["requests_seen"])

    def _add(self, rule: dict[str, Any]) -> None:
        self._ask("PATCH", "/rules", [{"service": SERVICE, **rule}])

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        with closing(http.client.HTTPConnection(LOOPBACK, self._port, timeout=CALL_SECONDS)) as connection:
            content = None if body is None else json.dumps(body)
            connection.request(method, API + path, content, {"Content-Type": "application/json"})
            return json.loads(connection.getresponse().read() or b"null")


@contextmanager
def before(endpoint: str, home: Path) -> Iterator[AwsFaults]:
    """A microburst before the AWS at `endpoint`, until the end of the block; `home` takes its log and record."""
    home.mkdir(parents=True, exist_ok=True)
    with reserved({SERVICE: ANY_PORT}) as ports:
        running = _started(endpoint, home, ports[SERVICE])
        try:
            wait_ready(running, lambda: _problem(ports[SERVICE]))
        except SandboxError:
            stop(running)
            raise
    try:
        yield AwsFaults(ports[SERVICE])
    finally:
        stop(running)


def _started(endpoint: str, home: Path, port: int) -> Running:
    module = [sys.executable, "-m", "sandbox.faults.microburst_server"]
    # an account of nobody's: requests are passed on with the signature that they have
    return start(
        Server(
            name="microburst",
            argv=[*module, "--upstream", endpoint, "--port", str(port), "--no-resign"],
            environment={**environment(str(home)), "PYTHONPATH": str(CHECKOUT)},
            directory=home,
            log=home / "log",
            record=home / "process.json",
            # it would wait for the calls that it holds
            stop_signal=signal.SIGKILL,
        )
    )


def _problem(port: int) -> str:
    try:
        status, _ = ask(port, "GET", f"{API}/health")
    except (OSError, ValueError) as exc:
        return f"no answer ({type(exc).__name__})"
    return "" if status == HTTPStatus.OK else f"answers {status}"
