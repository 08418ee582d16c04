"""The process of one provider: `python -m sandbox.engine.plugin <package>`, started by the real `pulumi` command.

It finds the sandbox through KEYTURN_SANDBOX_DIR, and applies the sandbox's stack only. Relative asset paths are below
the folder in which the command runs.
"""

from __future__ import annotations

import sys
from functools import partial
from importlib import metadata
from pathlib import Path

from pulumi.runtime.proto import provider_pb2_grpc

from sandbox.deploy import STACK
from sandbox.engine.provider import Provider
from sandbox.engine.server import serve_forever
from sandbox.errors import SandboxError
from sandbox.facts import Credentials, Facts
from sandbox.handlers import registry
from sandbox.layout import Layout


def main(package: str) -> None:
    """Serve `package` from the sandbox's facts until the command ends this process; the first line is the port."""
    layout = Layout.from_env()
    try:
        facts, credentials = Facts.load(layout.facts), Credentials.load(layout.credentials)
    except SandboxError as error:
        sys.exit(f"{error.message}; {error.remedy}")
    provider = Provider(
        registry.handlers(facts, credentials),
        registry.invokes(facts, credentials),
        metadata.version(f"pulumi-{package}"),
        Path.cwd(),
        STACK,
    )
    serve_forever(partial(provider_pb2_grpc.add_ResourceProviderServicer_to_server, provider))


if __name__ == "__main__":
    main(sys.argv[1])
