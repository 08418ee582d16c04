"""AWS: the MiniStack emulator in an environment of its own.

The variables are read by `ministack.app:main` and by the service modules (read in version 1.5.33): `BIND_HOST` is
0.0.0.0 unless set, `TMPDIR` takes the process file and the unpacked functions, `AUTH` enforces IAM policies,
`SFN_WAIT_SCALE` 1 leaves Wait states as they are declared.
"""

from __future__ import annotations

from typing import ClassVar

from sandbox.errors import SandboxError
from sandbox.facts import Credentials, Facts
from sandbox.layout import PRIVATE_DIRECTORY
from sandbox.parts.contract import Request, Started, environment
from sandbox.ports import LOOPBACK
from sandbox.processes import Server, start, wait_ready
from sandbox.wire import ask

OK = 200


class Ministack:
    """The AWS emulator."""

    name: ClassVar[str] = "ministack"
    needs_port: ClassVar[bool] = True

    def start(self, request: Request) -> Started:
        """Start the emulator with an empty state."""
        layout, home = request.layout, request.layout.part(self.name)
        if not layout.cloud_python.exists():
            raise SandboxError(
                "environment_missing", "the environment of the AWS emulator is not there", "run `make env`"
            )
        home.mkdir(parents=True, mode=PRIVATE_DIRECTORY)
        running = start(
            Server(
                name=self.name,
                argv=[str(layout.cloud_python), "-m", "ministack"],
                environment=_environment(request),
                directory=home,
                log=layout.log(self.name),
                record=layout.process(self.name),
            )
        )
        wait_ready(running, lambda: _problem(request.port))
        return Started(facts={"aws_endpoint": f"http://{LOOPBACK}:{request.port}", "aws_auth": request.auth})

    def problem(self, facts: Facts, credentials: Credentials) -> str:
        """Ask the emulator whether it is ready."""
        del credentials
        return _problem(int(facts.aws_endpoint.rpartition(":")[2]))

    def address(self, facts: Facts) -> str:
        """Its endpoint."""
        return facts.aws_endpoint


def _environment(request: Request) -> dict[str, str]:
    home = request.layout.part(Ministack.name)
    return {
        **environment(str(home)),
        "BIND_HOST": LOOPBACK,
        "GATEWAY_PORT": str(request.port),
        "STATE_DIR": str(home / "state"),
        "S3_DATA_DIR": str(home / "s3"),
        "AUTH": "true" if request.auth else "false",
        "SFN_WAIT_SCALE": "1",
        "LAMBDA_EXECUTOR": "local",
        # servers of protocols that nothing here uses, on other ports and on all interfaces
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
    }


def _problem(port: int) -> str:
    try:
        status, answer = ask(port, "GET", "/_ministack/ready")
    except (OSError, ValueError) as exc:
        return f"no answer ({type(exc).__name__})"
    return "" if (status, answer.get("status")) == (OK, "completed") else f"answers {status}"
