"""Vault (OpenBao): the KV v2 engine, its configuration, and policies. Authentication methods are in `vault_jwt.py`.

The administrator's token comes with the client and appears in no output. Secrets themselves are deliberately not here:
their values are the runtime's, and a mount's deletion is the one thing that removes them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import hvac
import requests
from hvac.exceptions import InvalidPath, InvalidRequest

from sandbox.facts import Credentials, Facts
from sandbox.handlers.contract import Properties
from sandbox.handlers.upsert import Upsert

_TIMEOUT_S = 30
# a mount that was just made answers 400 while it prepares itself, some milliseconds
_PREPARING = "Upgrading from non-versioned to versioned"
_PREPARED_WITHIN_S = 10.0
_ASK_AGAIN_S = 0.02


def connect(facts: Facts, credentials: Credentials) -> hvac.Client:
    """The administrator's client; loopback only, so proxies of the environment are not asked."""
    session = requests.Session()
    session.trust_env = False
    return hvac.Client(url=facts.vault_address, token=credentials.vault_root_token, session=session, timeout=_TIMEOUT_S)


def read(client: hvac.Client, path: str) -> dict[str, Any] | None:
    """The data at an API path; None where nothing is, or nothing is mounted."""
    answer = client.read(path)
    return None if answer is None else dict(answer["data"])


def drop(client: hvac.Client, path: str) -> None:
    """Delete what is at an API path; nothing there is success."""
    try:
        client.delete(path)
    except InvalidPath:
        return


class Mount(Upsert):
    """`vault:index/mount:Mount` of the KV engine, version 2; the id is the path."""

    serves = frozenset({"path", "type", "description", "options"})
    # a new path is a new engine here; the real provider moves the old one
    replace_on = frozenset({"path", "type"})
    computed = frozenset({"accessor"})
    named_by = "path"

    def __init__(self, client: hvac.Client) -> None:
        self._client = client

    def put(self, wished: Properties, /) -> str:
        """Mount the engine, or describe the one that is there anew; ValueError when another engine stands there."""
        path, description = str(wished["path"]), wished.get("description", "")
        live = self._find(path)
        if live is None:
            engine = {
                "type": "kv",
                "description": description,
                "options": {"version": "2", **wished.get("options", {})},
            }
            self._client.write_data(f"sys/mounts/{path}", data=engine)
        elif _type_of(live) != "kv-v2":
            raise ValueError(f"at {path} stands an engine of type {_type_of(live)}")
        elif live["description"] != description:
            self._client.write_data(f"sys/mounts/{path}/tune", data={"description": description})
        return path

    def look(self, id_: str, wished: Properties, /) -> Properties | None:
        """The engine as the server has it; its type in the program's spelling."""
        live = self._find(id_)
        if live is None:
            return None
        same = _type_of(live) == "kv-v2" and (wished.get("type"), wished.get("options")) == ("kv", {"version": "2"})
        kind = wished["type"] if same else _type_of(live)
        return {"path": id_, "type": kind, "description": live["description"], "accessor": live["accessor"]}

    def remove(self, id_: str, _outputs: Properties, /) -> None:
        """Unmount, which destroys every secret in it."""
        drop(self._client, f"sys/mounts/{id_}")

    def _find(self, path: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = (read(self._client, "sys/mounts") or {}).get(f"{path}/")
        return found


def _type_of(live: dict[str, Any]) -> str:
    """The server says `kv` with a version among the options, the program `kv-v2`."""
    version = (live.get("options") or {}).get("version", "1")
    return f"kv-v{version}" if live["type"] == "kv" else str(live["type"])


class KvConfiguration(Upsert):
    """`vault:kv/secretBackendV2:SecretBackendV2`; the id is `mount/config`."""

    serves = frozenset({"mount", "casRequired", "maxVersions"})
    replace_on = frozenset({"mount"})

    def __init__(self, client: hvac.Client) -> None:
        self._client = client

    def put(self, wished: Properties, /) -> str:
        """Both settings; zero versions is the server's default, ten."""
        path = f"{wished['mount']}/config"
        self._set(path, wished.get("maxVersions", 0), cas=bool(wished.get("casRequired")))
        return path

    def look(self, id_: str, wished: Properties, /) -> Properties | None:
        """Both settings; None when the engine is gone."""
        live = read(self._client, id_)
        if live is None:
            return None
        facts = {"casRequired": live["cas_required"], "maxVersions": live["max_versions"]}
        return {key: value for key, value in facts.items() if key in wished}

    def remove(self, id_: str, _outputs: Properties, /) -> None:
        """Back to the server's defaults; an engine that is gone took them along."""
        if read(self._client, id_) is not None:
            self._set(id_, 0, cas=False)

    def _set(self, path: str, versions: int, *, cas: bool) -> None:
        settings = {"max_versions": versions, "cas_required": cas}
        _prepared(lambda: self._client.write_data(path, data=settings))


def _prepared(call: Callable[[], object]) -> None:
    """Call until the engine has prepared itself; its refusal for any other reason is raised at once."""
    end = time.monotonic() + _PREPARED_WITHIN_S
    while True:
        try:
            call()
        except InvalidRequest as exc:
            if _PREPARING not in str(exc) or time.monotonic() > end:
                raise
            time.sleep(_ASK_AGAIN_S)
        else:
            return


class Policy(Upsert):
    """`vault:index/policy:Policy`; the id is the name."""

    serves = frozenset({"name", "policy"})
    replace_on = frozenset({"name"})
    named_by = "name"

    def __init__(self, client: hvac.Client) -> None:
        self._client = client

    def put(self, wished: Properties, /) -> str:
        """The whole policy."""
        self._client.write_data(f"sys/policies/acl/{wished['name']}", data={"policy": wished["policy"]})
        return str(wished["name"])

    def look(self, id_: str, _wished: Properties, /) -> Properties | None:
        """The whole policy."""
        live = read(self._client, f"sys/policies/acl/{id_}")
        return live and {"name": id_, "policy": live["policy"]}

    def remove(self, id_: str, _outputs: Properties, /) -> None:
        """Delete the policy; tokens that carry its name lose what it allowed."""
        drop(self._client, f"sys/policies/acl/{id_}")
