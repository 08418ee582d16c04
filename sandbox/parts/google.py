"""Google Secret Manager: the sandbox's own server over gRPC (`sandbox/google/`)."""

from __future__ import annotations

from typing import ClassVar

import grpc

from sandbox.facts import Credentials, Facts
from sandbox.parts.contract import Request, Started
from sandbox.parts.own_server import start_module
from sandbox.ports import LOOPBACK

LIST_SECRETS = "/google.cloud.secretmanager.v1.SecretManagerService/ListSecrets"
# loopback answers in milliseconds
CALL_SECONDS = 5.0
# field 1 (parent), length-delimited: the request by hand, since importing the client library takes a second
PARENT_TAG = b"\n"


class Google:
    """The Secret Manager server."""

    name: ClassVar[str] = "google"
    needs_port: ClassVar[bool] = False

    def start(self, request: Request) -> Started:
        """Start it; it is ready when it says so."""
        port = start_module(self.name, "sandbox.google", (), request)
        return Started(facts={"google_endpoint": f"{LOOPBACK}:{port}"})

    def problem(self, facts: Facts, credentials: Credentials) -> str:
        """List the secrets of the project."""
        del credentials
        parent = f"projects/{facts.google_project}".encode()
        # no proxy of the environment: it is on this machine
        with grpc.insecure_channel(facts.google_endpoint, options=(("grpc.enable_http_proxy", 0),)) as channel:
            try:
                channel.unary_unary(LIST_SECRETS)(PARENT_TAG + bytes([len(parent)]) + parent, timeout=CALL_SECONDS)
            except grpc.RpcError as exc:
                return f"refuses with {exc.code().name}"
        return ""

    def address(self, facts: Facts) -> str:
        """Its endpoint."""
        return facts.google_endpoint
