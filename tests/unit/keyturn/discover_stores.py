"""The three stores as far as a listing may ask them: any other call, above all one for a value, fails the test."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from hvac import exceptions as vault_errors

from rotation.calls import Caller, Meter, NullBreaker
from rotation.errors import KeyturnError

MADE = datetime(2024, 1, 1, tzinfo=UTC)
CHANGED = datetime(2025, 1, 1, tzinfo=UTC)


class Forbidden(AssertionError):
    """The listing asked for what it must not ask for."""


class Strict:
    """Only what a subclass has; whatever else is asked for is no lookup error but a failed promise."""

    def __getattr__(self, name: str) -> Any:
        raise Forbidden(name)


class AwsShop(Strict):
    """Two secrets a page."""

    def __init__(self, entries: list[dict[str, Any]], policies: dict[str, Any]) -> None:
        self.entries, self.policies = entries, policies

    def list_secrets(self, NextToken: str = "0") -> dict[str, Any]:  # noqa: N803  # as boto3 has it
        start = int(NextToken)
        page: dict[str, Any] = {"SecretList": self.entries[start : start + 2]}
        return {**page, "NextToken": str(start + 2)} if start + 2 < len(self.entries) else page

    def get_resource_policy(self, SecretId: str) -> dict[str, Any]:  # noqa: N803  # as boto3 has it
        found = self.policies.get(SecretId, {})
        if isinstance(found, Exception):
            raise found
        return {"ResourcePolicy": found} if found else {}


class VaultShop(Strict):
    """Paths of KV v2 engines by mount; `denied` are folders that may not be listed."""

    def __init__(self, engines: dict[str, list[str]], *, denied: tuple[str, ...] = ()) -> None:
        self.engines, self.denied = engines, denied

    def read(self, path: str) -> dict[str, Any]:
        if path == "sys/internal/ui/mounts":
            told = {f"{mount}/": {"type": "kv", "options": {"version": "2"}} for mount in self.engines}
            others = {"old/": {"type": "kv", "options": {"version": "1"}}, "pki/": {"type": "pki", "options": None}}
            return {"data": {"secret": told | others}}
        if "/metadata/" not in path:
            raise Forbidden(path)
        times = {"created_time": "2024-01-01T00:00:00.123456789Z", "updated_time": "2025-01-01T00:00:00Z"}
        return {"data": {**times, "current_version": 3, "custom_metadata": {"owner": "team"}}}

    def list(self, path: str) -> dict[str, Any] | None:
        mount, found, folder = path.partition("/metadata/")
        if not found:
            raise Forbidden(path)
        if folder in self.denied:
            raise vault_errors.Forbidden("no")
        below = [key.removeprefix(folder) for key in self.engines[mount] if key.startswith(folder)]
        keys = sorted({key.partition("/")[0] + "/" * ("/" in key) for key in below})
        return {"data": {"keys": keys}} if keys else None


class GoogleShop(Strict):
    """Secrets of a project, and bindings by secret."""

    def __init__(self, secrets: list[str], bindings: dict[str, list[tuple[str, list[str]]]]) -> None:
        self.secrets, self.bindings = secrets, bindings

    def list_secrets(self, request: dict[str, Any], retry: object, timeout: float) -> list[Any]:
        assert (request["parent"], retry) == ("projects/p", None)
        assert timeout
        return [
            SimpleNamespace(
                name=f"projects/1/secrets/{name}",
                create_time=MADE,
                labels={"owner": "team"},
                rotation=SimpleNamespace(rotation_period=None),
            )
            for name in self.secrets
        ]

    def get_iam_policy(self, request: dict[str, Any], retry: object, timeout: float) -> Any:
        del retry, timeout
        found = self.bindings.get(request["resource"].rpartition("/")[2], [])
        return SimpleNamespace(bindings=[SimpleNamespace(role=role, members=members) for role, members in found])


def caller(translate: Any) -> Caller:
    """Makes the calls as the command does, without its pauses."""
    return Caller("store", translate=translate, meter=Meter(), breaker=NullBreaker(), sleep=lambda _: None)


def ours(exc: Exception) -> KeyturnError | None:
    """Errors that are ours already."""
    return exc if isinstance(exc, KeyturnError) else None
